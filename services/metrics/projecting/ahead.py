"""A batch that was counted before the one before it is stored.

The evidence that a batch is counted upon is what is stored, and on top of that what the batch before
is about to store. A subject that the batch before has parked waits in this one too. If the batch
before fails, this one is given up: nothing of it has been stored.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from services.metrics.counting.contribute import Evidence
from services.metrics.counting.groups import Groups
from services.metrics.projecting.apply import Batch
from services.metrics.projecting.counted import Counted
from services.metrics.projecting.packing import Packed
from services.metrics.projecting.parking import TooManyParked
from services.metrics.projecting.store import Subject
from shared.contracts.record import DEFINITION_LANE, LogRecord
from shared.lanes import Lane

Known = dict[Subject, dict[int, Evidence]]


async def paced(steps: Iterator[None]) -> None:
    """Take the steps, and let others run after each: the batch before is being stored meanwhile."""
    for _ in steps:
        await asyncio.sleep(0)


@dataclass
class Work:
    """Everything about one batch that is to be stored. `waiting`: rows to be parked, and why."""

    records: list[LogRecord]
    lanes: dict[int, Lane]
    batch: Batch = field(default_factory=Batch)
    counted: Counted = field(default_factory=lambda: Counted(Groups({})))
    packed: Packed = field(default_factory=Packed)
    definitions: list[LogRecord] = field(default_factory=list)
    waiting: list[tuple[LogRecord, str]] = field(default_factory=list)
    parked: set[Subject] = field(default_factory=set)

    def sort(self, parked: set[Subject]) -> list[LogRecord]:
        """The facts to count; definitions, and rows of subjects that wait, are put aside."""
        facts = []
        for record in self.records:
            if record.lane == DEFINITION_LANE:
                self.definitions.append(record)
            elif parked and (record.lane, record.key) in parked:
                self.waiting.append((record, "follows a parked row of the same subject"))
            else:
                facts.append(record)
        return facts

    def park(self, facts: list[LogRecord], parked: set[Subject], limit: int) -> None:
        """Put aside what could not be counted. Raises TooManyParked."""
        self.waiting += _all_rows_of(self.counted, facts)
        self.parked = {(record.lane, record.key) for record, _ in self.waiting}
        if len(self.parked - parked) > limit:
            raise TooManyParked(
                f"{len(self.waiting)} rows of one batch cannot be counted;"
                f" first: {self.waiting[0][1]}"
            )

    def overlay(self, old: Known, subjects: Iterable[Subject]) -> None:
        """Change what is stored of these subjects to what it is once this batch is stored.

        It makes no difference whether `old` was read before or after that.
        """
        batch, now = self.batch, self.counted.now
        looked_up = set(batch.lookups)
        for subject in subjects:
            found = now.get(subject)
            if found is not None and subject in looked_up:
                old[subject] = found
                continue
            # Nothing is taken back: these rows come to what it had before, looked up or not.
            said = [batch.single[subject]] if subject in batch.single else []
            for record, evidence in said or batch.several.get(subject, []):
                if evidence is not None:
                    old[subject] = {**old.get(subject, {}), record.origin: evidence}


def _all_rows_of(counted: Counted, facts: list[LogRecord]) -> list[tuple[LogRecord, str]]:
    """The rows that a poisoned subject has in this batch: from the bad one on, if it could not be
    read; all of them, if it could not be folded (then nothing of it was written)."""
    found = []
    for case in counted.poison:
        for record in facts:
            if (record.lane, record.key) == case.subject and record.position >= case.position:
                problem = case.problem if record.position == case.position else "follows it"
                found.append((record, problem))
    return found


class Ahead:
    """A batch on its way: first counted, then, when the one before is stored, stored too."""

    def __init__(self, process: Callable[["Ahead"], Coroutine[Any, Any, None]]) -> None:
        self._work: Work | None = None
        self._begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(process(self))
        self._task.add_done_callback(_look_at)

    @property
    def work(self) -> Work:
        """What is being stored; only after `begun`."""
        if self._work is None:
            raise RuntimeError("the batch is still being counted")
        return self._work

    @property
    def begun(self) -> bool:
        """Whether it is being stored, or has been."""
        return self._begun.done()

    def begins(self, work: Work) -> None:
        """It is counted, and the batch before is stored: from now on it is being stored."""
        self._work = work
        self._begun.set_result(None)

    async def on_its_way(self) -> None:
        """Wait until it is being stored; raises what came in between."""
        await asyncio.wait({self._task, self._begun}, return_when=asyncio.FIRST_COMPLETED)
        if not self.begun:
            self._task.result()

    async def end(self) -> None:
        """Wait until it is stored or has failed."""
        await asyncio.wait({self._task})

    @property
    def failed(self) -> bool:
        """Whether it has failed."""
        return self._task.done() and (self._task.cancelled() or self._task.exception() is not None)

    def outcome(self) -> None:
        """After its end: raise what it failed with."""
        self._task.result()

    def give_up(self) -> None:
        """Count it no further."""
        self._task.cancel()


def _look_at(task: asyncio.Task[None]) -> None:
    """Whoever applies the next batch raises it; asyncio need not complain if nobody does."""
    if not task.cancelled():
        task.exception()
