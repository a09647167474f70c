"""Definitions at any state of knowledge, kept in memory and followed.

The rows of the definition lane are folded once, in their order. What was known earlier is made from
the nearest state before that was kept, so that no question folds the whole country again. Days
between which nothing was defined are one state. Memory: `MOST_STAGES` + `KEPT` + 1 states at most,
which share all units, plans and, where no unit changed between, the tree; a tree of the whole
country has about 5 MB of its own.
"""

import asyncio
from bisect import bisect_right
from collections import OrderedDict
from datetime import date

import asyncpg

from shared.contracts.definitions import Catalogue
from shared.contracts.record import record_decoder
from shared.db import Connection
from shared.domain.definitions import Definitions
from shared.domain.knowledge import Until

KEPT = 8
"""States that were asked for and are kept."""

EVERY = 500
"""Rows between two stages, at first: so many are folded at most when an old day is asked for."""

MOST_STAGES = 12
"""When there are more, every second one is given up."""

CHUNK = 200
"""Rows folded before others have their turn."""


class DefinitionsStore:
    """Definitions as known now, on earlier days, or after a row of the log."""

    def __init__(self, catalogue: Catalogue, *, every: int = EVERY) -> None:
        self.catalogue = catalogue
        self._first_every = every
        self._lock = asyncio.Lock()
        self.prepared = False
        self._forget(None)

    def _forget(self, epoch: str | None) -> None:
        self._epoch = epoch
        self._prepared_for = (-1, date.min)
        self._every = self._first_every
        self._newest = Definitions(self.catalogue)
        self._given = False
        self._positions: list[int] = []
        self._recorded: list[date] = []
        self._stages: list[Definitions] = []
        self._asked: OrderedDict[int, Definitions] = OrderedDict()

    @property
    def states(self) -> int:
        """How many states of knowledge are in memory."""
        return len(self._stages) + len(self._asked) + 1

    async def get(self, connection: Connection, until: Until) -> Definitions:
        """What the rows known then define; it does not change later."""
        async with self._lock:
            state = await connection.fetchrow(
                "SELECT log_epoch, (SELECT max(position) FROM definition) AS last FROM projection WHERE one"
            )
            assert state is not None  # noqa: S101 - the migration made the row
            last = state["last"] or 0
            if state["log_epoch"] != self._epoch and self._epoch is not None:
                self._forget(state["log_epoch"])
            self._epoch = state["log_epoch"]
            if last > self._newest.position:
                await self._follow(connection)
            found = await self._at(connection, self._position(until, last))
            # Threads read it: a correction, which folds the tree anew, must not wait for them.
            await asyncio.to_thread(found.tree.unit, "")
            return found

    async def prepare(self, pool: asyncpg.Pool, today: date) -> None:
        """Follow, and do beforehand what the next question would have to wait for. `prepared` says
        that this has succeeded once."""
        async with pool.acquire() as connection:
            known = await self.get(connection, None)
        if self.prepared and (known.position, today) == self._prepared_for:
            return
        for plan in known.plan_ids():
            await asyncio.sleep(0)
            known.plan(plan, today)
        known.population("", "", today)
        self.prepared, self._prepared_for = True, (known.position, today)

    # -- folding -----------------------------------------------------------------------------

    async def _follow(self, connection: Connection) -> None:
        """Take the rows that came since, and keep a stage now and then."""
        if self._given:
            # Whoever asked before goes on with what was defined then.
            self._newest, self._given = self._newest.copy(), False
        newest = self._newest
        while True:
            rows = await connection.fetch(
                "SELECT position, recorded, record FROM definition WHERE position > $1"
                " ORDER BY position LIMIT $2",
                newest.position,
                CHUNK,
            )
            for row in rows:
                if self._recorded and row["recorded"] > self._recorded[-1]:
                    self._stage(newest)
                newest.apply(record_decoder.decode(row["record"]))
                self._positions.append(row["position"])
                self._recorded.append(row["recorded"])
            if len(rows) < CHUNK:
                return
            await asyncio.sleep(0)

    def _stage(self, newest: Definitions) -> None:
        """Keep what was known at the end of a day, when much has been defined since the last."""
        at = bisect_right(self._positions, self._stages[-1].position) if self._stages else 0
        if len(self._positions) - at < self._every:
            return
        self._stages.append(newest.copy())
        if len(self._stages) > MOST_STAGES:
            del self._stages[1::2]
            self._every *= 2

    # -- looking back ------------------------------------------------------------------------

    def _position(self, until: Until, last: int) -> int:
        """Of the last definition that was known; days grow with positions."""
        if until is None:
            return last
        if isinstance(until, int):
            at = bisect_right(self._positions, min(until, last))
        else:
            at = bisect_right(self._recorded, until)
            at = min(at, bisect_right(self._positions, last))
        return self._positions[at - 1] if at else 0

    async def _at(self, connection: Connection, position: int) -> Definitions:
        if position == self._newest.position:
            self._given = True
            return self._newest
        found = self._asked.pop(position, None)
        if found is None:
            before = bisect_right(self._stages, position, key=lambda stage: stage.position)
            found = self._stages[before - 1].copy() if before else Definitions(self.catalogue)
            for start in range(
                bisect_right(self._positions, found.position),
                bisect_right(self._positions, position),
                CHUNK,
            ):
                rows = await connection.fetch(
                    "SELECT record FROM definition WHERE position > $1 AND position <= $2"
                    " ORDER BY position",
                    found.position,
                    min(self._positions[min(start + CHUNK, len(self._positions)) - 1], position),
                )
                for row in rows:
                    found.apply(record_decoder.decode(row["record"]))
                await asyncio.sleep(0)
        self._asked[position] = found
        while len(self._asked) > KEPT:
            self._asked.popitem(last=False)
        return found
