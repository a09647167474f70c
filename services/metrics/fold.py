"""From evidence to tallies: a subject's state, and how it changed on each recorded day.

Pure. `state` says how much a subject counts, where and from which day on, given its evidence. The
tallies get, for each recorded day, the state after that day minus the state before it. So what is
summed up over recorded days <= K is exactly the state as known at the end of day K, whatever the
batch borders were; keeping only the earliest evidence, or net changes per batch, is wrong.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta

from services.metrics.contribute import FIGURE, Evidence
from services.metrics.measures import Measure
from services.metrics.windows import bucket_start

Weight = tuple[int, int]
"""n (persons, events, things, reporters ...) and total (the sum of figures)."""

State = dict[tuple[str, date], Weight]
"""What changes for a unit on a day: its value on day D is the sum over days <= D."""

Deltas = dict[tuple[int, str, date, date], list[int]]
"""(measure, unit_id, occurred, recorded) -> [n, total] to add to the tally."""

ONE_DAY = timedelta(days=1)


class Change:
    """One event's new truth for a subject, as of a row: `evidence` None removes it."""

    __slots__ = ("evidence", "origin", "recorded")

    def __init__(self, origin: int, recorded: date, evidence: Evidence | None) -> None:
        self.origin = origin
        self.recorded = recorded
        self.evidence = evidence


def state(measure: Measure, number: int, rows: Iterable[Evidence]) -> State:
    """What a subject with this evidence (in any order) counts for one measure."""
    served = []
    for row in rows:
        marks = row.marks
        for at in range(0, len(marks), 2):
            if marks[at] == number:
                served.append((row, marks[at + 1]))
                break
    if not served:
        return {}
    if len(served) > 1:
        served.sort(key=lambda item: item[0][:2])
    if measure.kind == "distinct" and (measure.bucket is not None or measure.apart):
        return _grouped(measure, served)
    return _KINDS[measure.kind](measure, served)


Served = list[tuple[Evidence, int]]


def _add(found: State, unit_id: str, day: date, n: int, total: int) -> None:
    before = found.get((unit_id, day))
    if before is None:
        found[unit_id, day] = (n, total)
        return
    after = (before[0] + n, before[1] + total)
    if after == (0, 0):
        del found[unit_id, day]
    else:
        found[unit_id, day] = after


def _events(measure: Measure, served: Served) -> State:
    """Each event counts one, from its first day to its last, if it has one."""
    found: State = {}
    for row, _ in served:
        if row.until is not None and measure.bucket is None:
            if row.until < row.since:
                continue
            _add(found, row.unit_id, row.since, 1, 0)
            _add(found, row.unit_id, row.until + ONE_DAY, -1, 0)
        else:
            _add(found, row.unit_id, row.since, 1, 0)
    return found


def _distinct(measure: Measure, served: Served) -> State:
    """The subject counts one, where its earliest valid evidence says."""
    need = measure.need
    if all(row.until is None for row, _ in served):
        seen = 0
        for row, parts in served:
            seen |= parts
            if not need or seen == need:
                return {(served[0][0].unit_id, row.since): (1, 0)}
        return {}

    def place(valid: Served) -> str | None:
        seen = 0
        for _, parts in valid:
            seen |= parts
        return valid[0][0].unit_id if valid and (not need or seen == need) else None

    return _sweep(served, place)


def _grouped(measure: Measure, served: Served) -> State:
    """As distinct, once more in every week or month, or once in every unit."""
    groups: dict[tuple[date | None, str | None], Served] = {}
    for row, parts in served:
        start = None
        if measure.bucket is not None:
            start = bucket_start(row.since, measure.bucket)
            row = row._replace(until=None)
        unit_id = row.unit_id if measure.apart else None
        groups.setdefault((start, unit_id), []).append((row, parts))
    found: State = {}
    for group in groups.values():
        for (unit_id, day), (n, total) in _distinct(measure, group).items():
            _add(found, unit_id, day, n, total)
    return found


def _crossing(measure: Measure, served: Served) -> State:
    """The subject counts one while it has enough different things."""
    field = measure.field or ""
    among = frozenset(measure.among)

    def things(row: Evidence) -> Iterable[str]:
        value = (row.detail or {}).get(field)
        several = value if isinstance(value, list) else [] if value is None else [value]
        return [thing for thing in several if not among or thing in among]

    having = [item for item in served if things(item[0])]

    def place(valid: Served) -> str | None:
        different = {thing for row, _ in valid for thing in things(row)}
        return valid[0][0].unit_id if len(different) >= measure.threshold else None

    return _sweep(having, place)


def _sweep(served: Served, place: Callable[[Served], str | None]) -> State:
    """Where the subject counts on each day, from the evidence valid on that day."""
    days = {row.since for row, _ in served}
    days |= {row.until + ONE_DAY for row, _ in served if row.until is not None}
    found: State = {}
    before: str | None = None
    for day in sorted(days):
        valid = [
            (row, parts)
            for row, parts in served
            if row.since <= day and (row.until is None or day <= row.until)
        ]
        after = place(valid)
        if after != before:
            if before is not None:
                _add(found, before, day, -1, 0)
            if after is not None:
                _add(found, after, day, 1, 0)
            before = after
    return found


def _latest(_: Measure, served: Served) -> State:
    """A reporter's latest figure (by day, then position) replaces the earlier one."""
    found: State = {}
    before: tuple[str, int] | None = None
    for row, _parts in served:
        figure = (row.detail or {}).get(FIGURE)
        if figure is None:
            continue
        if before is not None:
            _add(found, before[0], row.since, -1, -before[1])
        _add(found, row.unit_id, row.since, 1, figure)
        before = (row.unit_id, figure)
    return found


def _sum(_: Measure, served: Served) -> State:
    """Every figure adds."""
    found: State = {}
    for row, _parts in served:
        figure = (row.detail or {}).get(FIGURE)
        if figure is not None:
            _add(found, row.unit_id, row.since, 1, figure)
    return found


_KINDS: Mapping[str, Callable[[Measure, Served], State]] = {
    "events": _events,
    "distinct": _distinct,
    "crossing": _crossing,
    "latest": _latest,
    "add": _sum,
}


def first(measure: Measure, number: int, parts: int, row: Evidence) -> State:
    """`state` for a subject whose only evidence is `row`: the common case, without searching."""
    if row.until is None and measure.kind in ("events", "distinct"):
        if measure.need and parts != measure.need:
            return {}
        return {(row.unit_id, row.since): (1, 0)}
    return state(measure, number, (row,))


def fold(
    measures: Mapping[int, Measure],
    old: Mapping[int, Evidence],
    changes: list[Change],
    deltas: Deltas,
) -> dict[int, Evidence]:
    """Add one subject's deltas for `changes` (in position order) to `deltas`.

    `old`: its evidence so far by origin. Returns its evidence afterwards. Neither is modified.
    """
    now = dict(old)
    at = 0
    while at < len(changes):
        recorded = changes[at].recorded
        before = dict(now)
        touched: set[int] = set()
        while at < len(changes) and changes[at].recorded == recorded:
            change = changes[at]
            at += 1
            replaced = now.pop(change.origin, None)
            if replaced is not None:
                touched.update(replaced.marks[::2])
            if change.evidence is not None:
                now[change.origin] = change.evidence
                touched.update(change.evidence.marks[::2])
        for number in touched:
            measure = measures.get(number)
            if measure is None:
                continue
            was = state(measure, number, before.values())
            then = state(measure, number, now.values())
            if was != then:
                _difference(number, recorded, was, then, deltas)
    return now


def add_one(
    measures: Mapping[int, Measure],
    old: Mapping[int, Evidence],
    new: Evidence,
    recorded: date,
    deltas: Deltas,
) -> None:
    """`fold` for the most common change: one more event of a subject that is known already."""
    marks = new.marks
    rows = old.values()
    for at in range(0, len(marks), 2):
        number = marks[at]
        measure = measures[number]
        alone = not (measure.whole or measure.bucket or measure.apart)
        if measure.kind == "distinct" and alone:
            earliest, simple = new, new.until is None
            for row in rows:
                if number in row.marks[::2]:
                    if row.until is not None:
                        simple = False
                        break
                    if earliest is new or row[:2] < earliest[:2]:
                        earliest = row
            if simple:
                if earliest is new:
                    _difference(number, recorded, {}, {(new.unit_id, new.since): (1, 0)}, deltas)
                elif new[:2] < earliest[:2]:
                    was: State = {(earliest.unit_id, earliest.since): (1, 0)}
                    then: State = {(new.unit_id, new.since): (1, 0)}
                    _difference(number, recorded, was, then, deltas)
                continue
        was = state(measure, number, rows)
        _difference(number, recorded, was, state(measure, number, (*rows, new)), deltas)


def _difference(number: int, recorded: date, was: State, then: State, deltas: Deltas) -> None:
    for sign, part in ((-1, was), (1, then)):
        for (unit_id, day), (n, total) in part.items():
            sums = deltas.setdefault((number, unit_id, day, recorded), [0, 0])
            sums[0] += sign * n
            sums[1] += sign * total
