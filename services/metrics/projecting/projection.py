"""The projection: rows proven to be next in their lanes become evidence, tallies, definitions.

One transaction per batch holds everything: the lanes' progress by compare-and-set, evidence,
tallies, parked rows, dirty marks and definitions. A worker that lost a lane, or that counts with
an outdated set of measures, cannot commit. What a batch is counted upon was read before, outside:
whoever else changes the evidence of a lane changes its fence, owner or generation with it.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from operator import attrgetter
from time import perf_counter

import asyncpg
from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind

from services.metrics.counting.contribute import Contributor
from services.metrics.definition_rows import grown_catalogue
from services.metrics.projecting import parking, store, writing
from services.metrics.projecting.ahead import Ahead, Known, Work, paced
from services.metrics.projecting.apply import BatchCounter
from services.metrics.projecting.counted import Counted
from services.metrics.projecting.store import Subject
from shared import progress, telemetry
from shared.contracts import topics
from shared.contracts.definitions import Catalogue
from shared.contracts.record import DEFINITION_LANE, LogRecord
from shared.db import repeated
from shared.instruments import PROCESS_DURATION
from shared.lanes import Lane

tracer = trace.get_tracer("hocvuso.metrics", schema_url=telemetry.SCHEMA_URL)

Applied = Callable[[list[LogRecord], dict[int, Lane], list[int]], None]
"""Called after each commit: rows, lanes moved, positions parked."""


class MetricsProjection:
    """Counts the lanes that one worker holds. Use `begin` before anything else.

    While PostgreSQL stores a batch, the next one is prepared, looked up and counted already, upon
    what the one before will leave (`Ahead`). Nothing of it is stored before the other is.
    """

    def __init__(
        self,
        pool: asyncpg.Pool,
        worker: str,
        catalogue: Catalogue,
        *,
        park_limit: int = 50,
        on_applied: Applied = lambda *_: None,
    ) -> None:
        self._pool = pool
        self._worker = worker
        self._catalogue = catalogue
        self._park_limit = park_limit
        self._on_applied = on_applied
        self._lock = asyncio.Lock()
        self._claim = progress.Claim(worker, -1, {}, {})
        self._lanes: dict[int, Lane] = {}
        self._storing: Ahead | None = None
        self._failure: Exception | None = None
        self._counter = BatchCounter(Contributor({}, catalogue))
        self._parked: set[Subject] = set()
        self._epoch: str | None = None

    @property
    def lanes(self) -> dict[int, Lane]:
        """The lanes held, as they are once all that was applied is stored."""
        return self._lanes

    @property
    def stored(self) -> dict[int, Lane]:
        """The lanes held, as stored."""
        return self._claim.lanes

    @property
    def epoch(self) -> str | None:
        """The log that is counted, once known."""
        return self._epoch

    async def begin(self, share: frozenset[int]) -> None:
        """Take the lanes of `share` and the measures of the current generation."""
        async with self._lock:
            try:
                await self._settle()
            except progress.LanesLost:
                pass  # that is why the lanes are claimed anew
            except Exception as error:
                self._failure = error  # whoever applied the batch must know
            await self._begin(share)

    async def _begin(self, share: frozenset[int]) -> None:
        claim = await progress.claim(self._pool, self._worker, share)
        async with (
            self._pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            current = await connection.fetchval("SELECT generation FROM projection WHERE one")
            if current != claim.generation:
                raise progress.LanesLost("the measures changed while lanes were taken")
            if claim.generation != self._claim.generation:
                live, _ = await store.load_measures(connection)
                catalogue = await grown_catalogue(connection, self._catalogue)
                self._counter = BatchCounter(Contributor(live, catalogue))
                await self._counter.combinations.reload(connection)
            self._parked = await parking.parked_subjects(connection, list(claim.lanes))
        self._claim = claim
        self._lanes = dict(claim.lanes)

    async def stale(self) -> bool:
        """Whether the measures or fences have changed since `begin`."""
        async with self._pool.acquire() as connection:
            generation = await connection.fetchval("SELECT generation FROM projection WHERE one")
            fences = {
                row["lane"]: row["fence"]
                for row in await connection.fetch(
                    "SELECT lane, fence FROM progress WHERE owner = $1", self._worker
                )
            }
        return bool(generation != self._claim.generation or fences != self._claim.fences)

    async def bind(self, epoch: str) -> None:
        """Remember which log is counted; raises EpochChanged for another one."""
        if epoch != self._epoch:
            async with self._pool.acquire() as connection:
                await progress.bind_epoch(connection, epoch)
            self._epoch = epoch

    async def apply(self, records: list[LogRecord], lanes: dict[int, Lane]) -> None:
        """Count rows and have them and the lanes stored, atomically. Returns when the batch before
        is stored and this one is on its way; what fails then, the next call or `settle` raises.
        Raises LanesLost, TooManyParked."""
        async with self._lock:
            self._raise_failure()
            self._must_follow(records, lanes)
            first = lanes.get(DEFINITION_LANE)
            if first is not None and first.last != self._lanes[DEFINITION_LANE].last:
                # Definitions first, alone: new measures may go live before the facts beside them.
                await self._hand_over(
                    [r for r in records if r.lane == DEFINITION_LANE], {DEFINITION_LANE: first}
                )
                await self._settle()
                if self._claim.generation < 0:
                    await self._begin(frozenset(self._claim.lanes))
                records = [record for record in records if record.lane != DEFINITION_LANE]
                lanes = {n: lane for n, lane in lanes.items() if n != DEFINITION_LANE}
                self._must_follow(records, lanes)
            if lanes:
                await self._hand_over(records, lanes)

    async def settle(self) -> None:
        """Wait until all that was applied is stored; raises what has failed meanwhile."""
        async with self._lock:
            self._raise_failure()
            await self._settle()

    def _raise_failure(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def _must_follow(self, records: list[LogRecord], lanes: dict[int, Lane]) -> None:
        """The caller judged rows by `lanes`; they may have changed hands since."""
        if not lanes.keys() <= self._lanes.keys():
            raise progress.LanesLost("lanes went to another worker")
        seen: set[int] = set()
        for record in records:
            if record.lane not in seen:
                seen.add(record.lane)
                if not record.prev <= self._lanes[record.lane].last < record.position:
                    raise progress.LanesLost(f"lane {record.lane} was set back")
        for number, lane in lanes.items():
            if number not in seen and lane.last != self._lanes[number].last:
                raise progress.LanesLost(f"lane {number} was set back")

    async def _settle(self) -> None:
        storing = self._storing
        if storing is not None:
            await storing.end()
            self._storing = None
            self._lanes = dict(self._claim.lanes)
            storing.outcome()

    async def _hand_over(self, records: list[LogRecord], lanes: dict[int, Lane]) -> None:
        """Count a batch, wait until the one before is stored, start storing it."""
        before, self._storing = self._storing, None
        ahead = Ahead(lambda own: self._process(own, Work(records, lanes), before))
        try:
            await ahead.on_its_way()
        finally:
            if ahead.begun:
                self._storing = ahead
                self._lanes = self._lanes | lanes
            else:
                ahead.give_up()
                if before is not None and before.failed:
                    self._lanes = dict(self._claim.lanes)
                else:
                    self._storing = before

    async def _process(self, ahead: Ahead, work: Work, before: Ahead | None) -> None:
        started = perf_counter()
        records = work.records
        with _batch_span(records) if records else nullcontext() as span:
            await self._count(work, before.work if before is not None else None)
            if before is not None:
                await before.end()
                before.outcome()
            del before  # or each batch would keep the one before
            ahead.begins(work)
            claim = self._claim
            relive = await repeated(lambda: self._store(claim, work))
            claim.lanes.update(work.lanes)
            self._parked |= work.parked
            if relive:
                # The measures went live in this transaction; the next claim loads them.
                claim.generation = -1
            self._on_applied(records, work.lanes, [r.position for r, _ in work.waiting])
            context = span.get_span_context() if span is not None else None
        if context is not None:
            seconds = perf_counter() - started
            PROCESS_DURATION.record(seconds, "kafka", "process", topics.LOG, None, span=context)

    async def _store(self, claim: progress.Claim, work: Work) -> bool:
        async with self._pool.acquire() as connection, connection.transaction():
            return await writing.write(connection, claim, self._counter, work, self._catalogue)

    async def _count(self, work: Work, before: Work | None) -> None:
        """Everything that can be done before the batch before is stored."""
        counter = self._counter
        parked = self._parked | before.parked if before is not None else self._parked
        facts = work.sort(parked)
        await paced(counter.preparing(work.batch, facts))
        old: Known = {}
        if work.batch.marks or work.batch.lookups:
            async with self._pool.acquire() as connection:
                await counter.combinations.know(connection, work.batch.marks)
                async with connection.transaction(readonly=True):
                    await store.force_indexes(connection)
                    old = await store.load_evidence(
                        connection, store.LIVE, work.batch.lookups, counter.combinations
                    )
        if before is not None:
            before.overlay(old, work.batch.lookups)
        work.counted = Counted(counter.groups, poison=list(work.batch.poison))
        await paced(counter.counting(work.counted, work.batch, old))
        work.park(facts, parked, self._park_limit)
        work.packed = counter.packing.pack(work.counted)


_position, _traceparent = attrgetter("position"), attrgetter("traceparent")


def _batch_span(records: list[LogRecord]) -> AbstractContextManager[Span]:
    """One span per batch, linked to the spans of the POSTs whose rows it counts."""
    return telemetry.span(
        tracer,
        f"process {topics.LOG}",
        kind=SpanKind.CONSUMER,
        links=telemetry.links(map(_traceparent, records)),
        attributes={
            "messaging.system": "kafka",
            "messaging.operation.type": "process",
            "messaging.operation.name": "process",
            "messaging.destination.name": topics.LOG,
            "messaging.batch.message_count": len(records),
            "hocvuso.position.first": min(map(_position, records)),
            "hocvuso.position.last": max(map(_position, records)),
        },
    )
