"""One batch into the tables, in the transaction that the caller opened."""

from operator import attrgetter

import msgspec

from services.metrics.projecting import parking, store
from services.metrics.projecting.ahead import Work
from services.metrics.projecting.apply import BatchCounter
from services.metrics.projecting.generations import go_live_if_nothing_counted
from services.metrics.projecting.store import LIVE
from shared import progress, telemetry
from shared.contracts.definitions import Catalogue
from shared.contracts.record import LogRecord, record_decoder
from shared.db import Connection
from shared.domain.definitions import KEPT_TYPES, PLAN_TYPES, Definitions
from shared.domain.growing import GROWING_TYPES

CHANNEL = "hocvuso_metrics"
"""Notified with every batch: whoever refreshes the tables need not look all the time."""

_recorded = attrgetter("recorded")


async def write(
    connection: Connection,
    claim: progress.Claim,
    counter: BatchCounter,
    work: Work,
    catalogue: Catalogue,
) -> bool:
    """Store a batch and move its lanes; whether new measures went live. Raises LanesLost."""
    if any(_kind(record) in PLAN_TYPES | GROWING_TYPES for record in work.definitions):
        # New measures may go live below: take every lane first, in one order for all.
        await connection.execute("SELECT 1 FROM progress ORDER BY lane FOR UPDATE")
    steps = [
        progress.Advance(number, claim.lanes[number].last, lane.last, lane.through)
        for number, lane in work.lanes.items()
    ]
    await progress.advance(connection, claim, steps)
    await connection.execute("SELECT pg_notify($1, '')", CHANNEL)
    if not work.records:
        return False
    await counter.keep(connection, LIVE, work.counted, work.packed)
    await parking.park(connection, work.waiting)
    pairs = work.counted.pairs()
    for record, _ in work.waiting:
        pairs |= {(n, record.unitid) for n in counter.contributor.serves(record.short_type)}
    await store.mark_dirty(connection, pairs)
    header = telemetry.traceparent()
    if header is not None:
        await connection.execute("INSERT INTO unseen VALUES ($1)", header)
    await connection.execute(
        "INSERT INTO first_day (recorded) VALUES ($1) ON CONFLICT (one) DO UPDATE"
        " SET recorded = least(first_day.recorded, excluded.recorded)"
        " WHERE first_day.recorded > excluded.recorded",
        min(map(_recorded, work.records)),
    )
    return await _define(connection, work.definitions, catalogue)


async def _define(
    connection: Connection, definitions: list[LogRecord], catalogue: Catalogue
) -> bool:
    """Keep definitions; new measures of new plans go live at once if nothing was counted."""
    kept = [r for r in definitions if r.void or _kind(r) in KEPT_TYPES]
    if not kept:
        return False
    await connection.copy_records_to_table(
        "definition",
        records=[(r.position, r.recorded, _kind(r), msgspec.json.encode(r)) for r in kept],
        columns=["position", "recorded", "type", "record"],
    )
    await connection.execute("INSERT INTO dirty VALUES (0, '')")
    if not any(r.void or _kind(r) in PLAN_TYPES | GROWING_TYPES for r in kept):
        return False
    known = await _plans(connection, catalogue)
    added = await store.add_measures(connection, known.measures())
    return bool(added) and await go_live_if_nothing_counted(connection)


def _kind(record: LogRecord) -> str:
    return record.effective.type if record.effective is not None else record.short_type


async def _plans(connection: Connection, catalogue: Catalogue) -> Definitions:
    """What the stored rows say of plans."""
    definitions = Definitions(catalogue)
    for row in await connection.fetch(
        "SELECT record FROM definition WHERE type LIKE 'plan.%' OR type LIKE 'event.%'"
        " OR type = ANY($1::text[]) ORDER BY position",
        sorted(GROWING_TYPES),
    ):
        definitions.apply(record_decoder.decode(row["record"]))
    return definitions
