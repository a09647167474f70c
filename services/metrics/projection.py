"""The projection: rows proven to be next in their lanes become evidence, tallies, definitions.

One transaction per batch holds everything: the lanes' progress by compare-and-set, evidence,
tallies, parked rows, dirty marks and definitions. A worker that lost a lane, or that counts with
an outdated set of measures, cannot commit.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from time import perf_counter

import asyncpg
import msgspec
from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind

from services.metrics import parking, store
from services.metrics.apply import Batch, BatchCounter
from services.metrics.contribute import Contributor
from services.metrics.counted import Poison
from services.metrics.definitions import KEPT_TYPES, PLAN_TYPES, Definitions
from services.metrics.generations import go_live_if_nothing_counted
from services.metrics.store import LIVE, Subject
from shared import progress, telemetry
from shared.contracts import topics
from shared.contracts.definitions import Catalogue
from shared.contracts.record import DEFINITION_LANE, LogRecord, record_decoder
from shared.db import Connection
from shared.instruments import PROCESS_DURATION
from shared.lanes import Lane

tracer = trace.get_tracer("hocvuso.metrics", schema_url=telemetry.SCHEMA_URL)

Applied = Callable[[list[LogRecord], dict[int, Lane], list[int]], None]
"""Called after each commit: rows, lanes moved, positions parked."""


class MetricsProjection:
    """Counts the lanes that one worker holds. Use `begin` before anything else."""

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
        self._counter = BatchCounter(Contributor({}, catalogue))
        self._parked: set[Subject] = set()
        self._epoch: str | None = None

    @property
    def lanes(self) -> dict[int, Lane]:
        """The lanes held, as stored."""
        return self._claim.lanes

    @property
    def epoch(self) -> str | None:
        """The log that is counted, once known."""
        return self._epoch

    async def begin(self, share: frozenset[int]) -> None:
        """Take the lanes of `share` and the measures of the current generation."""
        async with self._lock:
            claim = await progress.claim(self._pool, self._worker, share)
            async with (
                self._pool.acquire() as connection,
                connection.transaction(isolation="repeatable_read", readonly=True),
            ):
                current = await connection.fetchval("SELECT generation FROM projection")
                if current != claim.generation:
                    raise progress.LanesLost("the measures changed while lanes were taken")
                if claim.generation != self._claim.generation:
                    live, _ = await store.load_measures(connection)
                    self._counter = BatchCounter(Contributor(live, self._catalogue))
                    await self._counter.combinations.reload(connection)
                self._parked = await parking.parked_subjects(connection, list(claim.lanes))
            self._claim = claim

    async def stale(self) -> bool:
        """Whether the measures or fences have changed since `begin`."""
        async with self._pool.acquire() as connection:
            generation = await connection.fetchval("SELECT generation FROM projection")
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
        """Count rows and store lanes, atomically. Raises LanesLost, TooManyParked."""
        if not records:
            await self._apply(records, lanes)
            return
        started = perf_counter()
        with _batch_span(records) as span:
            if DEFINITION_LANE in lanes and len(lanes) > 1:
                # Definitions first, alone: new measures may go live before the facts beside them.
                first = {DEFINITION_LANE: lanes[DEFINITION_LANE]}
                await self._apply([r for r in records if r.lane == DEFINITION_LANE], first)
                records = [record for record in records if record.lane != DEFINITION_LANE]
                lanes = {n: lane for n, lane in lanes.items() if n != DEFINITION_LANE}
            await self._apply(records, lanes)
            context = span.get_span_context()
        seconds = perf_counter() - started
        PROCESS_DURATION.record(seconds, "kafka", "process", topics.LOG, None, span=context)

    async def _apply(self, records: list[LogRecord], lanes: dict[int, Lane]) -> None:
        async with self._lock:
            claim = self._claim
            if not lanes.keys() <= claim.lanes.keys():
                raise progress.LanesLost("lanes went to another worker")
            facts, definitions, waiting = self._sort(records)
            batch = self._counter.prepare(facts)
            async with self._pool.acquire() as connection:
                await self._counter.combinations.know(connection, batch.marks)
                async with connection.transaction():
                    parked = await self._write(
                        connection, claim, batch, facts, definitions, waiting, lanes
                    )
                    relive = await self._define(connection, definitions, records)
            for number, lane in lanes.items():
                claim.lanes[number] = lane
            self._parked |= {(r.lane, r.key) for r, _ in parked}
            if relive:
                # The measures went live in this transaction; the next claim loads them.
                claim.generation = -1
        self._on_applied(records, lanes, [r.position for r, _ in parked])
        if relive:
            await self.begin(frozenset(claim.lanes))

    def _sort(
        self, records: list[LogRecord]
    ) -> tuple[list[LogRecord], list[LogRecord], list[tuple[LogRecord, str]]]:
        facts, definitions, waiting = [], [], []
        for record in records:
            if record.lane == DEFINITION_LANE:
                definitions.append(record)
            elif self._parked and (record.lane, record.key) in self._parked:
                waiting.append((record, "follows a parked row of the same subject"))
            else:
                facts.append(record)
        return facts, definitions, waiting

    async def _write(
        self,
        connection: Connection,
        claim: progress.Claim,
        batch: Batch,
        facts: list[LogRecord],
        definitions: list[LogRecord],
        waiting: list[tuple[LogRecord, str]],
        lanes: dict[int, Lane],
    ) -> list[tuple[LogRecord, str]]:
        await store.force_indexes(connection)
        if any(self._kind(record) in PLAN_TYPES for record in definitions):
            # New measures may go live below: take every lane first, in one order for all.
            await connection.execute("SELECT 1 FROM progress ORDER BY lane FOR UPDATE")
        steps = [
            progress.Advance(number, claim.lanes[number].last, lane.last, lane.through)
            for number, lane in lanes.items()
        ]
        await progress.advance(connection, claim, steps)
        counted = await self._counter.write(connection, LIVE, batch)
        waiting = waiting + _all_rows_of(counted.poison, facts)
        if len({(r.lane, r.key) for r, _ in waiting} - self._parked) > self._park_limit:
            raise parking.TooManyParked(
                f"{len(waiting)} rows of one batch cannot be counted; first: {waiting[0][1]}"
            )
        await parking.park(connection, waiting)
        pairs = {(key[0], key[1]) for key in counted.deltas}
        for record, _ in waiting:
            pairs |= {
                (n, record.unitid) for n in self._counter.contributor.serves(record.short_type)
            }
        await store.mark_dirty(connection, pairs)
        header = telemetry.traceparent() if facts or definitions else None
        if header is not None:
            await connection.execute("INSERT INTO unseen VALUES ($1)", header)
        return waiting

    async def _define(
        self, connection: Connection, definitions: list[LogRecord], records: list[LogRecord]
    ) -> bool:
        """Keep definitions; new measures of new plans go live at once if nothing was counted."""
        if records and records[0].recorded:
            await connection.execute(
                "INSERT INTO first_day (recorded) VALUES ($1) ON CONFLICT (one) DO UPDATE"
                " SET recorded = least(first_day.recorded, excluded.recorded)"
                " WHERE first_day.recorded > excluded.recorded",
                min(record.recorded for record in records),
            )
        kept = [r for r in definitions if r.void or self._kind(r) in KEPT_TYPES]
        if not kept:
            return False
        await connection.copy_records_to_table(
            "definition",
            records=[(r.position, r.recorded, self._kind(r), msgspec.json.encode(r)) for r in kept],
            columns=["position", "recorded", "type", "record"],
        )
        await connection.execute("INSERT INTO dirty VALUES (0, '')")
        if not any(r.void or self._kind(r) in PLAN_TYPES for r in kept):
            return False
        known = await load_definitions(connection, self._catalogue, plans_only=True)
        added = await store.add_measures(connection, known.measures())
        return bool(added) and await go_live_if_nothing_counted(connection)

    @staticmethod
    def _kind(record: LogRecord) -> str:
        return record.effective.type if record.effective is not None else record.short_type


def _batch_span(records: list[LogRecord]) -> AbstractContextManager[Span]:
    """One span per batch, linked to the spans of the POSTs whose rows it counts."""
    return telemetry.span(
        tracer,
        f"process {topics.LOG}",
        kind=SpanKind.CONSUMER,
        links=telemetry.links(record.traceparent for record in records),
        attributes={
            "messaging.system": "kafka",
            "messaging.operation.type": "process",
            "messaging.operation.name": "process",
            "messaging.destination.name": topics.LOG,
            "messaging.batch.message_count": len(records),
            "hocvuso.position.first": min(record.position for record in records),
            "hocvuso.position.last": max(record.position for record in records),
        },
    )


def _all_rows_of(poison: list[Poison], facts: list[LogRecord]) -> list[tuple[LogRecord, str]]:
    """The rows that a poisoned subject has in this batch: from the bad one on, if it could not be
    read; all of them, if it could not be folded (then nothing of it was written)."""
    found = []
    for case in poison:
        for record in facts:
            if (record.lane, record.key) == case.subject and record.position >= case.position:
                problem = case.problem if record.position == case.position else "follows it"
                found.append((record, problem))
    return found


async def load_definitions(
    connection: Connection,
    catalogue: Catalogue,
    *,
    known_at: object = None,
    plans_only: bool = False,
) -> Definitions:
    """Definitions from the stored rows, those recorded until `known_at` (a date) if given."""
    definitions = Definitions(catalogue)
    rows = await connection.fetch(
        """
        SELECT record FROM definition
        WHERE ($1::date IS NULL OR recorded <= $1)
          AND (NOT $2 OR type LIKE 'plan.%' OR type LIKE 'event.%')
        ORDER BY position
        """,
        known_at,
        plans_only,
    )
    for row in rows:
        definitions.apply(record_decoder.decode(row["record"]))
    return definitions
