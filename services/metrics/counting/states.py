"""How much a subject counts, where and from which day on, given its evidence. Pure.

`state` gives it for all days at once, as changes that tallies add up; `counted_in` names the events
behind it on one day. Both must say the same: what decides in a window adds up to the state in it.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from typing import NamedTuple

from services.metrics.counting.contribute import ABOUT, FIGURE, THING, Evidence, since_for
from services.metrics.counting.windows import Window, bucket_start
from shared.contracts.places import commune_of
from shared.domain.measures import NAMED, Measure

Weight = tuple[int, int]
"""n (persons, events, things, reporters ...) and total (the sum of figures)."""

State = dict[tuple[str, date], Weight]
"""What changes for a unit on a day: its value on day D is the sum over days <= D."""

Served = list[tuple[Evidence, int]]
"""Evidence that serves a measure, earliest first, with the parts of the measure it serves."""

Place = Callable[[str, str], str]
"""The unit in which a unit lies in some tree, at a level: `commune` or `unit` (itself, or what took
its place)."""

ONE_DAY = timedelta(days=1)


class Decides(NamedTuple):
    """An event that makes its subject count: how much, in which unit. `with_it`: what the subject
    needs beside it (`match: all`, a threshold), as position and unit of each."""

    origin: int
    unit_id: str
    n: int
    total: int
    with_it: tuple[tuple[int, str], ...] = ()


def served_by(measure: Measure, number: int, rows: Iterable[Evidence]) -> Served:
    """The rows that serve a measure, earliest first, each from the day on which it counts."""
    served = []
    for row in rows:
        marks = row.marks
        for at in range(0, len(marks), 2):
            if marks[at] == number:
                served.append((row, marks[at + 1]))
                break
    if measure.of_age is not None:
        served = [(row._replace(since=since_for(measure, row)), parts) for row, parts in served]
    if len(served) > 1:
        served.sort(key=lambda item: item[0][:2])
    return served


def state(
    measure: Measure, number: int, rows: Iterable[Evidence], place: Place | None = None
) -> State:
    """What a subject with this evidence (in any order) counts for one measure; with `place`, what
    subjects that may be one there count together (see `groups`)."""
    served = served_by(measure, number, rows)
    if not served:
        return {}
    if measure.grouped or place is not None:
        return _grouped(measure, served, place)
    return _state(measure, served)


def counted_in(
    measure: Measure,
    number: int,
    rows: Iterable[Evidence],
    window: Window,
    place: Place | None = None,
) -> list[Decides]:
    """The events by which a subject counts at the end of a window (which starts in the bucket of
    its end, if the measure has buckets); `place` as for `state`."""
    served = served_by(measure, number, rows)
    taken: Iterable[Served] = [served]
    if measure.grouped or place is not None:
        taken = groups(measure, served, place).values()
    found = []
    for group in taken:
        valid = [
            item
            for item in group
            if (window.start is None or window.start <= item[0].since)
            and _holds(item[0], window.end)
        ]
        found += _decide(measure, valid)
    return found


def _holds(row: Evidence, day: date) -> bool:
    return row.since <= day and (row.until is None or day <= row.until)


def as_posted(unit_id: str, level: str) -> str:
    """A unit where it lay when it was posted for, as its code says: a `Place` that moves nothing."""
    return commune_of(unit_id) if level == "commune" else unit_id


def identity(row: Evidence, place: Place) -> str:
    """Which thing of its unit the evidence is of, in the tree of `place`; empty where its subject
    names no unit and so is the thing itself."""
    thing: str = (row.detail or {}).get(THING, "")
    level, _, digest = thing.partition(":")
    return f"{place(row.unit_id, level)} {digest}" if digest else ""


def groups(
    measure: Measure, served: Served, place: Place | None = None
) -> dict[tuple[date | None, str | None, str], Served]:
    """The evidence of each week or month (in which ends do not matter), of each unit, and, with the
    `place` of units in some tree, of each thing there: two posts of one address in two communes are
    one once the communes are."""
    found: dict[tuple[date | None, str | None, str], Served] = {}
    lies = place or as_posted
    for row, parts in served:
        start = unit = None
        if measure.bucket is not None:
            start = bucket_start(row.since, measure.bucket)
            row = row._replace(until=None)
        if measure.apart is not None:
            unit = lies(row.unit_id, "commune" if measure.apart == "commune" else "unit")
        thing = identity(row, place) if place is not None else ""
        found.setdefault((start, unit, thing), []).append((row, parts))
    return found


def _grouped(measure: Measure, served: Served, place: Place | None = None) -> State:
    """As without groups, once more in every week or month, or once in every unit."""
    found: State = {}
    for group in groups(measure, served, place).values():
        for (unit_id, day), (n, total) in _state(measure, group).items():
            _add(found, unit_id, day, n, total)
    return found


def _state(measure: Measure, served: Served) -> State:
    """Rows without an end, as most are, in one go; the others day by day."""
    if any(row.until is not None for row, _ in served):
        return _sweep(measure, served)
    if measure.kind == "distinct":
        return _earliest(measure, served)
    if measure.kind == "crossing":
        return _crossed(measure, served)
    found: State = {}
    before: Decides | None = None
    for row, parts in served:
        for one in _decide(measure, [(row, parts)]):
            if before is not None and measure.kind == "latest":
                _add(found, before.unit_id, row.since, -before.n, -before.total)
            _add(found, one.unit_id, row.since, one.n, one.total)
            before = one
    return found


def _earliest(measure: Measure, served: Served) -> State:
    need, seen = measure.need, 0
    for row, parts in served:
        seen |= parts
        if not need or seen == need:
            return {(_placing(measure, served).unit_id, row.since): (1, 0)}
    return {}


def _placing(measure: Measure, served: Served) -> Evidence:
    """The evidence that says where a subject counts which has all that is needed."""
    if measure.placed_by_first:
        return next(row for row, parts in served if parts & 1)
    return served[0][0]


def _crossed(measure: Measure, served: Served) -> State:
    different: set[str] = set()
    place: str | None = None
    for row, _ in served:
        found = _things(measure, row)
        if found and place is None:
            place = row.unit_id
        different.update(found)
        if place is not None and len(different) >= measure.threshold:
            return {(place, row.since): (1, 0)}
    return {}


def _sweep(measure: Measure, served: Served) -> State:
    """What changes on each day on which evidence begins or has ended."""
    days = {row.since for row, _ in served}
    days |= {row.until + ONE_DAY for row, _ in served if row.until is not None}
    found: State = {}
    before: dict[str, Weight] = {}
    for day in sorted(days):
        after: dict[str, Weight] = {}
        for one in _decide(measure, [item for item in served if _holds(item[0], day)]):
            n, total = after.get(one.unit_id, (0, 0))
            after[one.unit_id] = (n + one.n, total + one.total)
        if after != before:
            for sign, part in ((-1, before), (1, after)):
                for unit_id, (n, total) in part.items():
                    _add(found, unit_id, day, sign * n, sign * total)
            before = after
    return found


def _add(found: State, unit_id: str, day: date, n: int, total: int) -> None:
    before = found.get((unit_id, day), (0, 0))
    after = (before[0] + n, before[1] + total)
    if after == (0, 0):
        found.pop((unit_id, day), None)
    else:
        found[unit_id, day] = after


# -- what each kind of counting means, on one day ------------------------------------------------


def _decide(measure: Measure, valid: Served) -> list[Decides]:
    """The events that count, of those that are valid on a day."""
    return _KINDS[measure.kind](measure, valid) if valid else []


def _events(_: Measure, valid: Served) -> list[Decides]:
    """Each event counts one."""
    return [Decides(row.origin, row.unit_id, 1, 0) for row, _parts in valid]


def _distinct(measure: Measure, valid: Served) -> list[Decides]:
    """The subject counts one, where its earliest evidence says; with `whole`, once it has all."""
    seen = 0
    for _, parts in valid:
        seen |= parts
    if measure.need and seen != measure.need:
        return []
    decides = _placing(measure, valid)
    return [Decides(decides.origin, decides.unit_id, 1, 0, _needed(measure, valid, decides))]


def _needed(measure: Measure, valid: Served, decides: Evidence) -> tuple[tuple[int, str], ...]:
    """The earliest evidence of each part that the deciding one does not bring itself."""
    if not measure.need:
        return ()
    missing = measure.need
    for row, parts in valid:
        if row is decides:
            missing &= ~parts
    found = []
    for row, parts in valid:
        if parts & missing:
            found.append((row.origin, row.unit_id))
            missing &= ~parts
    return tuple(found)


def _things(measure: Measure, row: Evidence) -> list[str]:
    value = (row.detail or {}).get(measure.field or "")
    several = value if isinstance(value, list) else [] if value is None else [value]
    return [thing for thing in several if not measure.among or thing in measure.among]


def _crossing(measure: Measure, valid: Served) -> list[Decides]:
    """The subject counts one while it has enough different things."""
    having = [(row, found) for row, _ in valid if (found := _things(measure, row))]
    different = {thing for _, found in having for thing in found}
    if not having or len(different) < measure.threshold:
        return []
    seen, beside = set(having[0][1]), []
    for row, found in having[1:]:
        if len(seen) < measure.threshold and not seen.issuperset(found):
            seen.update(found)
            beside.append((row.origin, row.unit_id))
    return [Decides(having[0][0].origin, having[0][0].unit_id, 1, 0, tuple(beside))]


def _latest(measure: Measure, valid: Served) -> list[Decides]:
    """A reporter's latest figure (by day, then position) replaces the earlier one."""
    if not measure.named:
        return _sum(measure, valid)[-1:]
    weights = {row.origin: NAMED for row, _ in valid if (row.detail or {}).get(ABOUT)}
    return [one._replace(n=weights.get(one.origin, 1)) for one in _sum(measure, valid)[-1:]]


def _sum(_: Measure, valid: Served) -> list[Decides]:
    """Every figure adds."""
    figures = [(row, (row.detail or {}).get(FIGURE)) for row, _parts in valid]
    return [
        Decides(row.origin, row.unit_id, 1, figure) for row, figure in figures if figure is not None
    ]


_KINDS: Mapping[str, Callable[[Measure, Served], list[Decides]]] = {
    "events": _events,
    "distinct": _distinct,
    "crossing": _crossing,
    "latest": _latest,
    "add": _sum,
}
