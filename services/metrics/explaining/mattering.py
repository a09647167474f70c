"""Which of a subject's events matter for what it counts, on any day. Pure.

A person certified twice counts once: by the first certificate. The second one is not lost, it only
changes nothing. `mattering` names events which, alone, give the same state as all of them; ties go
to the earlier (day, then position), so that of two alike exactly one is said to count.
"""

from collections.abc import Iterable
from datetime import date

from services.metrics.counting.contribute import FIGURE, Evidence, since_for
from services.metrics.counting.states import Place, state
from services.metrics.counting.windows import bucket_start
from shared.domain.measures import Measure

GREEDY_LIMIT = 200
"""Where states end or lie apart, and there are more events than this, all are said to matter."""

_Served = list[tuple[Evidence, int]]


def mattering(
    measure: Measure, number: int, rows: Iterable[Evidence], place: Place | None = None
) -> frozenset[int]:
    """The origins of the events that matter, of a subject's evidence for one measure; with `place`,
    of all subjects that may be one thing in its tree."""
    served: _Served = [
        (row._replace(since=since_for(measure, row)), parts)
        for row in rows
        if (parts := _parts(row, number))
    ]
    served.sort(key=lambda item: item[0][:2])
    if measure.kind in ("events", "add"):
        return frozenset(row.origin for row, _ in served if state(measure, number, (row,)))
    if measure.bucket is None:
        return _mattering(measure, number, served, place)
    buckets: dict[date, _Served] = {}
    for row, parts in served:
        start = bucket_start(row.since, measure.bucket)
        buckets.setdefault(start, []).append((row._replace(until=None), parts))
    return frozenset[int]().union(
        *(_mattering(measure, number, bucket, place) for bucket in buckets.values())
    )


def _parts(row: Evidence, number: int) -> int:
    marks = row.marks
    return next((marks[at + 1] for at in range(0, len(marks), 2) if marks[at] == number), 0)


def _mattering(
    measure: Measure, number: int, served: _Served, place: Place | None
) -> frozenset[int]:
    if place is None and not measure.apart and all(row.until is None for row, _ in served):
        if measure.kind == "latest":
            return _reports(row for row, _ in served)
        return _lasting(measure, served)
    if len(served) > GREEDY_LIMIT:
        return frozenset(row.origin for row, _ in served)
    kept = [row for row, _ in served]
    whole = state(measure, number, kept, place)
    for row, _ in reversed(served):
        without = [other for other in kept if other is not row]
        if state(measure, number, without, place) == whole:
            kept = without
    return frozenset(row.origin for row in kept)


def _lasting(measure: Measure, served: _Served) -> frozenset[int]:
    """Nothing ends: an event matters if it brings something new before there is enough."""
    if measure.kind == "distinct" and not measure.need:
        return frozenset(row.origin for row, _ in served[:1])
    found, seen = set[int](), set[str | int]()
    enough = measure.need.bit_count() if measure.kind == "distinct" else measure.threshold
    for row, parts in served:
        brings: Iterable[str | int] = _things(measure, row)
        if measure.kind == "distinct":
            brings = _bits(parts)
        new = set(brings) - seen
        if new:
            found.add(row.origin)
            seen |= new
            if len(seen) >= enough:
                return frozenset(found)
    return frozenset()


def _bits(parts: int) -> Iterable[int]:
    return (bit for bit in range(parts.bit_length()) if parts >> bit & 1)


def _things(measure: Measure, row: Evidence) -> Iterable[str]:
    value = (row.detail or {}).get(measure.field or "")
    several = value if isinstance(value, list) else [] if value is None else [value]
    return [thing for thing in several if not measure.among or thing in measure.among]


def _reports(rows: Iterable[Evidence]) -> frozenset[int]:
    """The last report of each day, where it says something else than what held before."""
    last_of_day: dict[date, tuple[int, object]] = {}
    for row in rows:
        figure = (row.detail or {}).get(FIGURE)
        if figure is not None:
            last_of_day[row.since] = (row.origin, (row.unit_id, figure))
    found, before = set[int](), None
    for origin, says in last_of_day.values():
        if says != before:
            found.add(origin)
        before = says
    return frozenset(found)
