"""From evidence to tallies: how a subject's state changed on each recorded day.

Pure. `states.state` says how much a subject counts, given its evidence. The tallies get, for each
recorded day, the state after that day minus the state before it. So what is summed up over recorded
days <= K is exactly the state as known at the end of day K, whatever the batch borders were;
keeping only the earliest evidence, or net changes per batch, is wrong.
"""

from collections.abc import Iterable, Mapping
from datetime import date

from services.metrics.counting.contribute import Evidence, comes_of_age
from services.metrics.counting.states import State
from services.metrics.counting.states import state as state
from shared.domain.measures import Measure

Deltas = dict[tuple[int, str, date, date], list[int]]
"""(measure, unit_id, occurred, recorded) -> [n, total] to add to the tally."""


class Change:
    """One event's new truth for a subject, as of a row: `evidence` None removes it."""

    __slots__ = ("evidence", "origin", "recorded")

    def __init__(self, origin: int, recorded: date, evidence: Evidence | None) -> None:
        self.origin = origin
        self.recorded = recorded
        self.evidence = evidence


def first(measure: Measure, number: int, parts: int, row: Evidence) -> State:
    """`state` for a subject whose only evidence is `row`: the common case, without searching."""
    if row.until is None and measure.kind in ("events", "distinct") and not comes_of_age(row):
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
    numbers: Iterable[int],
    old: Mapping[int, Evidence],
    new: Evidence,
    recorded: date,
    deltas: Deltas,
) -> None:
    """`fold` for the most common change, one more event of a subject that is known already, and for
    these of the measures that the event serves."""
    rows = old.values()
    for number in numbers:
        measure = measures[number]
        alone = not (measure.whole or measure.grouped)
        if measure.kind == "distinct" and alone:
            earliest, simple = new, new.until is None and not comes_of_age(new)
            for row in rows:
                if number in row.marks[::2]:
                    if row.until is not None or comes_of_age(row):
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
