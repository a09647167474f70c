"""Counting measures again from the log, beside the live tables, then swapping under all locks.

Used for new measures (a plan has changed) and to prove or repair the live tables. The shadow
tables are filled by the same code as the live ones, up to exactly the rows that every live lane
has counted; then all lanes are locked, the rest is read, both are compared cell by cell, and a new
generation starts. A crash before the swap leaves only shadow tables, which the next one drops.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

import asyncpg

from services.metrics import generations, merge, spans, store
from services.metrics.apply import BatchCounter
from services.metrics.contribute import Contributor
from services.metrics.store import SHADOW, Subject
from shared.contracts.definitions import Catalogue
from shared.contracts.record import DEFINITION_LANE, FACT_LANES, LogRecord
from shared.db import Connection
from shared.instruments import REBUILD_PROGRESS
from shared.lane_consumer import LogReader

log = logging.getLogger(__name__)

REBUILD_LOCK = "hocvuso-metrics-rebuild"
DROP_SHADOW = "DROP TABLE IF EXISTS evidence_next, evidence_past_next, tally_next"
FACTS = list(range(FACT_LANES))


class RebuildRefused(RuntimeError):
    """The rebuild could not be finished exactly; the live tables are as before."""


@dataclass
class Report:
    """What a rebuild found. `differences`: (measure, unit, occurred, recorded, live, rebuilt)."""

    measures: int
    rows: int = 0
    seconds: float = 0.0
    differences: list[tuple[int, str, date, date, tuple[int, int], tuple[int, int]]] = field(
        default_factory=list
    )
    evidence_differences: int = 0
    swapped: bool = False


async def wanted(connection: Connection) -> bool:
    """Whether measures wait to be built."""
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT 1 FROM measure WHERE state = 'building')"
    )
    return found


async def build_new_measures(pool: asyncpg.Pool, reader: LogReader, catalogue: Catalogue) -> None:
    """Build what plans newly need; at once if nothing was counted yet."""
    async with pool.acquire() as connection:
        async with connection.transaction():
            await generations.lock_lanes(connection)
            if await generations.go_live_if_nothing_counted(connection):
                await connection.execute("INSERT INTO dirty VALUES (0, '')")
                return
        _, building = await store.load_measures(connection)
    report = await rebuild(pool, reader, catalogue, set(building))
    log.info("built %d measures from %d rows", report.measures, report.rows)


async def rebuild(
    pool: asyncpg.Pool,
    reader: LogReader,
    catalogue: Catalogue,
    numbers: set[int] | None = None,
    *,
    compare_only: bool = False,
    on_progress: Callable[[int, int], None] = lambda *_: None,
) -> Report:
    """Rebuild measures by number (None: all). `on_progress`: position reached, position aimed at.

    Raises RebuildRefused when another one runs or a row cannot be counted.
    """
    async with pool.acquire() as connection:
        if not await connection.fetchval("SELECT pg_try_advisory_lock(hashtext($1))", REBUILD_LOCK):
            raise RebuildRefused("Another rebuild is running; wait for it.")
        try:
            return await _rebuild(connection, reader, catalogue, numbers, compare_only, on_progress)
        finally:
            REBUILD_PROGRESS.forget()
            await connection.execute(DROP_SHADOW)
            await connection.execute("SELECT pg_advisory_unlock(hashtext($1))", REBUILD_LOCK)


async def _rebuild(
    connection: Connection,
    reader: LogReader,
    catalogue: Catalogue,
    numbers: set[int] | None,
    compare_only: bool,
    on_progress: Callable[[int, int], None],
) -> Report:
    started = time.monotonic()
    live, building = await store.load_measures(connection)
    measures = {
        number: measure
        for number, measure in (live | building).items()
        if numbers is None or number in numbers
    }
    report = Report(len(measures))
    shadow = _Shadow(connection, BatchCounter(Contributor(measures, catalogue)), report)
    await shadow.create()
    done = 0
    while True:
        aim: int = await connection.fetchval("SELECT min(through) FROM progress WHERE lane < 64")
        if aim <= done:
            break
        await shadow.read(reader, done, dict.fromkeys(FACTS, aim), aim, on_progress)
        nearly = aim - done < 20_000
        done = aim
        if nearly:
            break
    async with connection.transaction():
        await generations.lock_lanes(connection)
        ends = {
            row["lane"]: row["last"]
            for row in await connection.fetch(
                "SELECT lane, last FROM progress WHERE lane <> $1", DEFINITION_LANE
            )
        }
        await shadow.read(reader, done, ends, max(ends.values()), on_progress)
        compared = sorted(measures.keys() & live.keys())
        report.differences = await merge.tally_differences(connection, compared)
        if compared and measures.keys() >= live.keys() and not building:
            report.evidence_differences = await merge.evidence_differences(connection)
        if not compare_only:
            if not building.keys() - measures.keys() and measures.keys() >= live.keys():
                await connection.execute("UPDATE projection SET whole_from = 0")
            await spans.forget(connection, measures if report.differences else building)
            await merge.merge(connection, shadow.counter.combinations, sorted(measures))
            await connection.execute(
                "UPDATE measure SET state = 'live' WHERE id = ANY($1::smallint[])",
                sorted(measures),
            )
            await generations.next_generation(connection)
            await connection.execute("INSERT INTO dirty VALUES (0, '')")
            report.swapped = True
    report.seconds = time.monotonic() - started
    return report


class _Shadow:
    """The shadow tables and what must not be counted in them."""

    def __init__(self, connection: Connection, counter: BatchCounter, report: Report) -> None:
        self.connection = connection
        self.counter = counter
        self.report = report

    async def create(self) -> None:
        """Empty shadow tables; those that a crash left are dropped. They need not outlive a crash
        of the server, so they write no WAL, and have only the indexes that counting needs."""
        await self.connection.execute(
            f"""
            {DROP_SHADOW};
            CREATE UNLOGGED TABLE evidence_next (
              LIKE evidence INCLUDING DEFAULTS, PRIMARY KEY (lane, subject, origin));
            CREATE UNLOGGED TABLE evidence_past_next (
              LIKE evidence_past INCLUDING DEFAULTS, PRIMARY KEY (lane, subject, origin, revision));
            CREATE UNLOGGED TABLE tally_next (LIKE tally INCLUDING DEFAULTS);
            """
        )
        await self.counter.combinations.reload(self.connection)

    async def read(
        self,
        reader: LogReader,
        after: int,
        ends: dict[int, int],
        aim: int,
        on_progress: Callable[[int, int], None],
    ) -> None:
        """Count the rows after a position, of each lane up to its end."""
        if aim <= after:
            return
        parked = {
            (row["lane"], row["subject"]): row["first"]
            for row in await self.connection.fetch(
                "SELECT lane, subject, min(position) AS first FROM parked GROUP BY 1, 2"
            )
        }
        dismissed = {
            row["position"] for row in await self.connection.fetch("SELECT position FROM dismissed")
        }

        def counts(record: LogRecord) -> bool:
            subject: Subject = (record.lane, record.key)
            return (
                after < record.position <= ends[record.lane]
                and record.position not in dismissed
                and (subject not in parked or record.position < parked[subject])
            )

        types = sorted({name for m in self.counter.measures.values() for name in m.types()})
        async for records, marker in reader.read(after, FACTS, types=types):
            await self._apply([record for record in records if counts(record)])
            REBUILD_PROGRESS.set(min(marker.through, aim) / aim)
            on_progress(min(marker.through, aim), aim)
            if marker.through >= aim:
                return
        raise RebuildRefused(f"The log ended before position {aim}, which was counted already.")

    async def _apply(self, records: list[LogRecord]) -> None:
        batch = self.counter.prepare(records)
        await self.counter.combinations.know(self.connection, batch.marks)
        async with self.connection.transaction():
            await store.force_indexes(self.connection)
            counted = await self.counter.write(self.connection, SHADOW, batch)
        if counted.poison:
            case = counted.poison[0]
            raise RebuildRefused(
                f"Row {case.position} cannot be counted ({case.problem}) and is not parked."
            )
        self.report.rows += len(records)
