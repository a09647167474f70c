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
from typing import Protocol

from shared.contracts.definitions import Catalogue
from shared.contracts.record import LogRecord
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


class Rows(Protocol):
    """The stored rows of the definition lane, as one snapshot of a service's database has them."""

    async def newest(self) -> tuple[str | None, int]:
        """The log they are of, and the position of the last one (0: there is none)."""

    async def read(self, after: int, through: int | None, limit: int) -> list[LogRecord]:
        """Rows behind a position, up to another one (None: to the end), in their order."""


class DefinitionHistory:
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

    @property
    def newest(self) -> Definitions:
        """What all rows taken so far define; it does not change later."""
        self._given = True
        return self._newest

    @property
    def newest_catalogue(self) -> Catalogue:
        """What ships with what all rows taken so far have added to it."""
        return self._newest.catalogue

    @property
    def position(self) -> int:
        """Of the last row taken."""
        return self._newest.position

    def position_of(self, until: Until = None, limit: int | None = None) -> int:
        """Of the last row taken that was known then, and is not behind `limit`; 0: none was."""
        return self._position(until, self.position if limit is None else limit)

    async def follow(self, rows: Rows) -> None:
        """Take the rows that came since."""
        async with self._lock:
            await self._catch_up(rows)

    async def get(self, rows: Rows, until: Until = None, limit: int | None = None) -> Definitions:
        """What the rows known then define, those behind position `limit` left out; it does not
        change later."""
        async with self._lock:
            last = await self._catch_up(rows)
            position = self._position(until, last if limit is None else min(limit, last))
            found = await self._at(rows, position)
            # Threads read it: a correction, which folds the tree anew, must not wait for them.
            await asyncio.to_thread(found.tree.unit, "")
            return found

    async def at(self, rows: Rows, until: Until = None, limit: int | None = None) -> Definitions:
        """The same of the rows that `follow` has taken so far."""
        position = self._position(until, self.position if limit is None else limit)
        if position == self.position:
            return self.newest
        async with self._lock:
            found = await self._at(rows, position)
            await asyncio.to_thread(found.tree.unit, "")
            return found

    async def prepare(self, rows: Rows, today: date) -> None:
        """Follow, and do beforehand what the next question would have to wait for. `prepared` says
        that this has succeeded once."""
        known = await self.get(rows)
        if self.prepared and (known.position, today) == self._prepared_for:
            return
        for plan in known.plan_ids():
            await asyncio.sleep(0)
            known.plan(plan, today)
        self.prepared, self._prepared_for = True, (known.position, today)

    async def _catch_up(self, rows: Rows) -> int:
        """Position of the last row there is."""
        epoch, last = await rows.newest()
        if epoch != self._epoch and self._epoch is not None:
            self._forget(epoch)
        self._epoch = epoch
        if last > self._newest.position:
            await self._follow(rows)
        return last

    # -- folding -----------------------------------------------------------------------------

    async def _follow(self, rows: Rows) -> None:
        """Take the rows that came since, and keep a stage now and then."""
        newest = self._newest
        if self._given:
            # Whoever asked before goes on with what was defined then; numbers may for a while, too.
            self._keep(newest)
            newest, self._given = newest.copy(), False
        while True:
            records = await rows.read(newest.position, None, CHUNK)
            for record in records:
                if self._recorded and record.recorded > self._recorded[-1]:
                    self._stage(newest)
                newest.apply(record)
                self._positions.append(record.position)
                self._recorded.append(record.recorded)
            if len(records) < CHUNK:
                break
            await asyncio.sleep(0)
        self._newest = newest

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
        if isinstance(until, int):
            last = min(until, last)
        at = bisect_right(self._positions, last)
        if isinstance(until, date):
            at = min(at, bisect_right(self._recorded, until))
        return self._positions[at - 1] if at else 0

    async def _at(self, rows: Rows, position: int) -> Definitions:
        if position == self._newest.position:
            return self.newest
        found = self._asked.pop(position, None)
        if found is None:
            before = bisect_right(self._stages, position, key=lambda stage: stage.position)
            found = self._stages[before - 1].copy() if before else Definitions(self.catalogue)
            while found.position < position:
                records = await rows.read(found.position, position, CHUNK)
                for record in records:
                    found.apply(record)
                if not records:
                    break
                await asyncio.sleep(0)
        self._keep(found)
        return found

    def _keep(self, found: Definitions) -> None:
        self._asked[found.position] = found
        while len(self._asked) > KEPT:
            self._asked.popitem(last=False)
