"""Projects the fact lanes: governance events whole, others that name nobody reduced to what a filter
may name, and every event as one more arrival.

The calendar, the tasks and completeness ask who reported what and when; numbers of people are for
metrics to count. A row that only says something new of an earlier event is no new arrival, so an
event that was revoked still counts as sent: it was.
"""

from datetime import date, timedelta
from typing import Any

import msgspec

from services.registry.columns import ARRIVAL, JOURNAL
from services.registry.following import StoredProjection
from services.registry.journal.types import BATCHES, WHOLE, reduced
from shared.contracts.live import of_process
from shared.contracts.model import STORED_SUFFIX
from shared.contracts.record import Content, LogRecord
from shared.db import Connection

LATE = timedelta(days=7)
"""Recorded later than this after it occurred, and not loaded as an opening balance: late."""


_INSERT_VOID = f"""
INSERT INTO journal ({", ".join(JOURNAL)})
SELECT v.position, v.origin, v.revision, v.recorded, v.recorded, o.type, o.source, o.id, o.unit_id,
       NULL
FROM unnest($1::bigint[], $2::bigint[], $3::int[], $4::date[])
     AS v (position, origin, revision, recorded)
JOIN journal o ON o.position = v.origin
"""

_ADD = f"""
INSERT INTO arrival AS a ({", ".join(ARRIVAL)})
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::date[], $5::bigint[], $6::bigint[],
                     $7::bigint[], $8::date[], $9::date[], $10::bigint[])
ON CONFLICT (type, unit_id, source, occurred) DO UPDATE SET
  n = a.n + excluded.n, late = a.late + excluded.late, zero = a.zero + excluded.zero,
  first_recorded = least(a.first_recorded, excluded.first_recorded),
  last_recorded = greatest(a.last_recorded, excluded.last_recorded),
  last_position = greatest(a.last_position, excluded.last_position)
"""
_NAME = """
INSERT INTO reported AS r (type, unit_id, last_position)
SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[])
ON CONFLICT (unit_id, type) DO UPDATE SET
  last_position = greatest(r.last_position, excluded.last_position)
"""


_RESTATE = """
INSERT INTO restated AS r (origin, revision, unit_id, occurred, type, first_unit, first_occurred)
SELECT * FROM unnest($1::bigint[], $2::int[], $3::text[], $4::date[], $5::text[], $6::text[],
                     $7::date[])
ON CONFLICT (origin) DO UPDATE SET
  revision = excluded.revision, unit_id = excluded.unit_id, occurred = excluded.occurred,
  type = coalesce(r.type, excluded.type), first_unit = coalesce(r.first_unit, excluded.first_unit),
  first_occurred = coalesce(r.first_occurred, excluded.first_occurred)
WHERE excluded.revision > r.revision OR excluded.revision = r.revision AND r.unit_id IS NULL
"""


class FactProjection(StoredProjection):
    """The projection of the fact lanes held by this process."""

    async def store(self, connection: Connection, records: list[LogRecord]) -> None:
        """Keep, count and restate; an event counts once, whatever its number of count keys."""
        primary = [record for record in records if record.keyindex == 0]
        await _keep(connection, primary)
        await _count(connection, primary)
        await _restate(connection, primary)


async def _keep(connection: Connection, records: list[LogRecord]) -> None:
    rows, voids = [], []
    for record in records:
        content = record.effective_content()
        if content is None:
            voids.append((record.position, record.origin, record.revision, record.recorded))
        elif (stored := _stored(content)) is not None:
            rows.append(
                (
                    record.position, record.origin, record.revision, record.recorded,
                    content.occurred, content.type, record.source, record.id, content.unitid,
                    stored,
                )
            )  # fmt: skip
        elif record.revision:
            # Its type is no longer one that is kept, or it names somebody now: void, if it was.
            voids.append((record.position, record.origin, record.revision, record.recorded))
    if rows:
        await connection.copy_records_to_table("journal", records=rows, columns=JOURNAL)
    if voids:
        await connection.execute(_INSERT_VOID, *map(list, zip(*voids, strict=True)))


def _stored(content: Content) -> Any:
    """What is kept of an event; None: nothing."""
    if content.type in WHOLE:
        return msgspec.to_builtins(content)
    fields = reduced().get(content.type)
    if fields is None or (content.type in BATCHES and _names_somebody(content.data)):
        return None
    data = {name: value for name, value in content.data.items() if name in fields}
    return {**msgspec.to_builtins(content), "data": data}


def _names_somebody(data: dict[str, Any]) -> bool:
    return any(name.endswith(STORED_SUFFIX) for name in data)


async def _count(connection: Connection, records: list[LogRecord]) -> None:
    found: dict[tuple[str, str, str, date], list[Any]] = {}
    newest: dict[tuple[str, str], int] = {}
    for record in records:
        if record.revision or record.origin != record.position:
            continue
        kind = record.short_type
        late = record.recorded - record.occurred > LATE and not record.data.get("opening")
        sum_field = _sum_field(kind)
        zero = sum_field is not None and record.data.get(sum_field) == 0
        known = found.setdefault(
            (kind, record.unitid, record.source, record.occurred),
            [0, 0, 0, record.recorded, record.recorded, 0],
        )
        known[0] += 1
        known[1] += late
        known[2] += zero
        known[3] = min(known[3], record.recorded)
        known[4] = max(known[4], record.recorded)
        known[5] = max(known[5], record.position)
        newest[kind, record.unitid] = max(newest.get((kind, record.unitid), 0), record.position)
    if found:
        # Sorted: two replicas that add to the same rows must not wait for each other in a circle.
        rows = [(*key, *found[key]) for key in sorted(found)]
        await connection.execute(_ADD, *map(list, zip(*rows, strict=True)))
        names = [(*key, newest[key]) for key in sorted(newest)]
        await connection.execute(_NAME, *map(list, zip(*names, strict=True)))


async def _restate(connection: Connection, records: list[LogRecord]) -> None:
    """Keep what events say now that said something else, or nothing, when they came."""
    found: dict[int, tuple[Any, ...]] = {}
    for record in records:
        own = record.origin == record.position
        if own and not record.void:
            continue
        content = record.effective_content()
        known = found.get(record.origin)
        # Of the rows of one revision, the one that is not void holds: its key may be another.
        if known is not None and (known[1], known[2] is not None) > (
            record.revision,
            content is not None,
        ):
            continue
        first = (record.short_type, record.unitid, record.occurred) if own else (None,) * 3
        if known is not None and known[4] is not None:
            first = known[4:]
        said = (None, None) if content is None else (content.unitid, content.occurred)
        found[record.origin] = (record.origin, record.revision, *said, *first)
    if found:
        rows = [found[origin] for origin in sorted(found)]
        await connection.execute(_RESTATE, *map(list, zip(*rows, strict=True)))


def _sum_field(kind: str) -> str | None:
    catalogue = of_process()
    return catalogue[kind].sum_field if kind in catalogue else None
