"""From a subject's evidence to sums, one subject after the other. Pure.

Most subjects are plain: their events hold from their day on, say no figures and were never
revised, and came in the order in which they happened. Then nothing that was counted is ever taken
back, and one look at each row is enough. All others go through `fold`, as in live counting.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from typing import Any, NamedTuple

from services.metrics.counting.contribute import Evidence, Marks
from services.metrics.counting.fold import Change, Deltas, fold
from services.metrics.counting.windows import bucket_start
from shared.binary_copy import day_number, day_of
from shared.contracts.places import commune_of
from shared.domain.measures import Measure

Sum = tuple[int, int, int, int]
"""(effect, unit, occurred, recorded): an effect is a set of measures to which the same is added;
units are numbers, days as PostgreSQL counts them."""

Ended = tuple[int, int, int]
"""A row of the log that another one replaced: position, day and position of the other one."""

_PlainRow = tuple[bytes, int, int, int, int, int, int]
"""subject, position, origin, since, recorded, unit, combination"""


class Row(NamedTuple):
    """A row of `said`: `evidence` None voids the event for this subject. `new`: not counted yet."""

    position: int
    recorded: date
    origin: int
    evidence: Evidence | None
    new: bool


class _Rest(NamedTuple):
    """A measure that needs more than one look: all parts, or counted anew in groups."""

    number: int
    parts: int
    need: int
    measure: Measure


class _Seen(NamedTuple):
    effect: int
    state: int


class Effects:
    """Numbers for sets of measures."""

    def __init__(self) -> None:
        self.number: dict[tuple[int, ...], int] = {}

    def of(self, measures: tuple[int, ...]) -> int:
        """The number of a set; 0 for none."""
        if not measures:
            return 0
        return self.number.setdefault(measures, len(self.number) + 1)


class Counting:
    """Adds up what subjects count; `take` gives it away. `combinations` and `units` by number."""

    def __init__(self, measures: Mapping[int, Measure], effects: Effects) -> None:
        self.measures = measures
        self.effects = effects
        self.plain: dict[Sum, int] = {}
        self.folded: dict[Sum, list[int]] = {}
        self.ended: list[Ended] = []
        self._marks: list[Marks] = [()]
        self._units: list[str] = [""]
        self._by_name: dict[str, int] = {}
        self._alone: list[int] = [0]
        self._rest: list[list[_Rest]] = [[]]
        self._simple: list[tuple[int, ...]] = [()]
        self._steps: dict[tuple[int, int], _Seen] = {}
        self._states: dict[frozenset[int], int] = {frozenset(): 0}
        self._sets: list[frozenset[int]] = [frozenset()]
        self._single: dict[int, int] = {}
        self._group: list[_PlainRow] = []
        self._place = cache(self._place_of)
        self._bucket = cache(self._bucket_of)

    def learn(self, combinations: Iterable[Marks], units: Iterable[str]) -> None:
        """Know what numbers stand for: combinations and units in the order of their numbers."""
        for marks in list(combinations)[len(self._marks) - 1 :]:
            pairs = list(zip(marks[::2], marks[1::2], strict=True))
            simple, rest, alone = [], [], []
            for number, parts in pairs:
                measure = self.measures[number]
                if not measure.need or parts == measure.need:
                    alone.append(number)
                if measure.kind == "distinct" and (measure.need or measure.grouped):
                    rest.append(_Rest(number, parts, measure.need, measure))
                else:
                    simple.append(number)
            self._marks.append(marks)
            self._alone.append(self.effects.of(tuple(alone)))
            self._simple.append(tuple(simple))
            self._rest.append(rest)
        self._units.extend(list(units)[len(self._units) - 1 :])

    def waiting(self) -> int:
        """How many sums wait to be taken."""
        return len(self.plain) + len(self.folded)

    def take(self) -> list[tuple[Sum, int, int]]:
        """The sums so far, with n and total; those of nothing are left out."""
        found = [(key, n, 0) for key, n in self.plain.items() if key[0]]
        found += [(key, n, total) for key, (n, total) in self.folded.items() if n or total]
        self.plain, self.folded = {}, {}
        return found

    def take_ended(self) -> list[Ended]:
        """The rows found to be replaced so far."""
        found, self.ended = self.ended, []
        return found

    # -- plain rows ---------------------------------------------------------------------------

    def rows(self, rows: Iterable[_PlainRow]) -> int:
        """Count plain rows, by subject, then position; how many. A subject may go on in the next
        piece: `finish` ends the last one."""
        plain, alone, group = self.plain, self._alone, self._group
        count = 0
        for count, row in enumerate(rows, 1):  # noqa: B007 - counts
            if group and group[-1][0] != row[0]:
                if len(group) == 1:
                    _, _, _, since, recorded, unit, combination = group[0]
                    key = (alone[combination], unit, since, recorded)
                    plain[key] = plain.get(key, 0) + 1
                else:
                    self._several(group)
                group.clear()
            group.append(row)
        return count

    def finish(self) -> None:
        """Count the last subject."""
        if self._group:
            self._several(self._group)
            self._group.clear()

    def _several(self, rows: list[_PlainRow]) -> None:
        before = rows[0]
        for row in rows[1:]:
            if row[3] < before[3] or row[2] <= before[2]:
                self._unordered(rows)
                return
            before = row
        state = 0
        plain = self.plain
        groups: dict[tuple[Any, ...], list[int]] = {}
        for _, _, _, since, recorded, unit, combination in rows:
            seen = self._steps.get((state, combination)) or self._step(state, combination)
            state = seen.state
            if seen.effect:
                key = (seen.effect, unit, since, recorded)
                plain[key] = plain.get(key, 0) + 1
            for number, parts, need, measure in self._rest[combination]:
                name: tuple[Any, ...] = (number,)
                if measure.apart is not None:
                    name += (self._place(unit, measure.apart),)
                if measure.bucket is not None:
                    name += (self._bucket(since, measure.bucket),)
                group = groups.get(name)
                if group is None:
                    group = groups[name] = [unit, 0]
                elif group[1] < 0:
                    continue
                elif measure.placed_by_first and parts & 1 and not group[1] & 1:
                    group[0] = unit
                group[1] |= parts
                if not need or group[1] == need:
                    group[1] = -1
                    key = (self._one(number), group[0], since, recorded)
                    plain[key] = plain.get(key, 0) + 1

    def _one(self, number: int) -> int:
        found = self._single.get(number)
        if found is None:
            found = self._single[number] = self.effects.of((number,))
        return found

    def _step(self, state: int, combination: int) -> _Seen:
        """Which simple measures a further row adds to, after a subject's rows so far."""
        seen = self._sets[state]
        adds, now = [], set(seen)
        for number in self._simple[combination]:
            if self.measures[number].kind == "events":
                adds.append(number)
            elif number not in seen:
                adds.append(number)
                now.add(number)
        after = self._states.setdefault(frozenset(now), len(self._states))
        if after == len(self._sets):
            self._sets.append(frozenset(now))
        found = self._steps[state, combination] = _Seen(self.effects.of(tuple(adds)), after)
        return found

    def _place_of(self, unit: int, apart: str) -> str:
        name = self._units[unit]
        return commune_of(name) if apart == "commune" else name

    def _bucket_of(self, since: int, bucket: Any) -> date:
        return bucket_start(day_of(since), bucket)

    def _unordered(self, rows: list[_PlainRow]) -> None:
        marks, units = self._marks, self._units
        self.subject(
            [
                Row(
                    position,
                    day_of(recorded),
                    origin,
                    Evidence(day_of(since), origin, None, units[unit], marks[combination], None),
                    True,
                )
                for _, position, origin, since, recorded, unit, combination in rows
            ]
        )

    # -- all other rows -----------------------------------------------------------------------

    def evidence(
        self,
        since: date,
        origin: int,
        until: date | None,
        unit: int,
        combination: int,
        detail: dict[str, Any] | None,
    ) -> Evidence | None:
        """What a row of `said` says."""
        if not combination:
            return None
        return Evidence(since, origin, until, self._units[unit], self._marks[combination], detail)

    def subject(self, rows: list[Row]) -> None:
        """Add what a subject's new rows change, given all its rows by position."""
        old: dict[int, Evidence] = {}
        last: dict[int, Row] = {}
        changes: list[Change] = []
        for row in rows:
            before = last.get(row.origin)
            last[row.origin] = row
            if row.new:
                changes.append(Change(row.origin, row.recorded, row.evidence))
                if before is not None and before.evidence is not None:
                    self.ended.append((before.position, day_number(row.recorded), row.position))
            elif row.evidence is None:
                old.pop(row.origin, None)
            else:
                old[row.origin] = row.evidence
        deltas: Deltas = {}
        fold(self.measures, old, changes, deltas)
        self._add(deltas)

    def _add(self, deltas: Deltas) -> None:
        units = self._numbers()
        for (number, unit_id, since, recorded), (n, total) in deltas.items():
            key = (self._one(number), units[unit_id], day_number(since), day_number(recorded))
            sums = self.folded.setdefault(key, [0, 0])
            sums[0] += n
            sums[1] += total

    def _numbers(self) -> dict[str, int]:
        if len(self._by_name) != len(self._units):
            self._by_name = {name: number for number, name in enumerate(self._units)}
        return self._by_name
