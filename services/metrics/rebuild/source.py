"""What live counting has counted, and reading exactly that from the log."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from services.metrics.rebuild.reading import Reading
from shared.contracts.record import FACT_LANES, Through
from shared.db import Connection
from shared.lane_consumer import LogReader

FACTS = range(FACT_LANES)
PAGE = 20_000
"""The largest page that the log gives: fewer waits for one another."""


class RebuildRefused(RuntimeError):
    """The rebuild could not be finished exactly; the live tables are as before."""


@dataclass(frozen=True)
class Counted:
    """Where live counting stands: of each fact lane the last row, up to where it is complete; the
    rows that are parked or dismissed; the log's epoch."""

    last: dict[int, int]
    through: dict[int, int]
    excluded: frozenset[int]
    epoch: str | None


async def counted(connection: Connection) -> Counted:
    """Read it in one statement, so at one point in time."""
    row = await connection.fetchrow(
        """
        SELECT (SELECT array_agg(last ORDER BY lane) FROM progress WHERE lane < $1) AS last,
               (SELECT array_agg(through ORDER BY lane) FROM progress WHERE lane < $1) AS through,
               (SELECT array_agg(position) FROM (SELECT position FROM parked
                  UNION ALL SELECT position FROM dismissed) x) AS excluded,
               (SELECT log_epoch FROM projection WHERE one) AS epoch
        """,
        FACT_LANES,
    )
    assert row is not None  # noqa: S101 - one row, whatever there is
    return Counted(
        dict(enumerate(row["last"])),
        dict(enumerate(row["through"])),
        frozenset(row["excluded"] or ()),
        row["epoch"],
    )


@dataclass
class Source:
    """Reads each lane once, in pieces: up to where live counting was at a time."""

    reader: LogReader
    reading: Reading
    types: list[str]
    upto: dict[int, int] = field(default_factory=lambda: dict.fromkeys(FACTS, 0))
    excluded: frozenset[int] = frozenset()

    def behind(self, aim: Counted) -> int:
        """How many positions of the log must be read to get there."""
        lanes = self._lanes(aim)
        if not lanes:
            return 0
        return max(aim.last[n] for n in lanes) - min(self.upto[n] for n in lanes)

    def _lanes(self, aim: Counted) -> list[int]:
        return [n for n in FACTS if aim.last[n] > self.upto[n]] if self.types else []

    def check(self, aim: Counted) -> None:
        """Raises RebuildRefused when what was read is no longer what live counting counts."""
        if self.excluded - aim.excluded:
            raise RebuildRefused("Parked rows were counted meanwhile; start the rebuild again.")
        if any(aim.through[n] < self.upto[n] for n in FACTS):
            raise RebuildRefused("Counting was started over meanwhile; start the rebuild again.")

    async def pages(
        self, aim: Counted, told: Callable[[float], None] = lambda _: None
    ) -> AsyncIterator[bytes]:
        """Rows of `said` for what was not read yet, up to `aim`. Raises RebuildRefused, Unreadable.

        `told`: how much of it is read (0 to 1).
        """
        self.check(aim)
        lanes = self._lanes(aim)
        if lanes:
            start, end = min(self.upto[n] for n in lanes), max(aim.last[n] for n in lanes)
            pages = self.reader.pages(start, lanes, PAGE, self.types)
            async with aclosing(_ahead(pages)) as ahead:
                async for body, marker in ahead:
                    if aim.epoch is not None and marker.epoch != aim.epoch:
                        raise RebuildRefused(
                            f"The log's epoch is {marker.epoch}, but {aim.epoch} was counted."
                        )
                    found = self.reading.page(body, self.upto, aim.last, aim.excluded)
                    if found:
                        yield found
                    told(min((marker.through - start) / (end - start), 1.0))
                    if marker.through >= end:
                        break
                else:
                    raise RebuildRefused(
                        f"The log ended before position {end}, which was counted already."
                    )
        self.upto = {n: max(self.upto[n], aim.last[n], aim.through[n]) for n in FACTS}
        self.excluded = aim.excluded


async def _ahead(
    pages: AsyncIterator[tuple[bytes, Through]],
) -> AsyncGenerator[tuple[bytes, Through], None]:
    """The same pages; the next one is asked for while one is worked on."""

    async def following() -> tuple[bytes, Through] | None:
        return await anext(pages, None)

    task: asyncio.Task[Any] = asyncio.create_task(following())
    try:
        while (page := await task) is not None:
            task = asyncio.create_task(following())
            await asyncio.sleep(0)  # lets the request go out
            yield page
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
