"""From one count of a cell to another in single steps, each with the event that causes it. Pure.

First the days go on with what was known before, then what became known is added row by row. The
effects of the steps therefore add up to the difference, whatever the order of the events was.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import NamedTuple

from services.metrics.counting.contribute import Evidence, since_for
from services.metrics.counting.states import Decides, Place, counted_in
from services.metrics.counting.windows import Window
from services.metrics.evaluating.moments import Moment
from services.metrics.evaluating.versions import Version
from services.metrics.explaining.parts import Part
from shared.domain.compile import Objective
from shared.domain.knowledge import Until, told
from shared.domain.measures import Measure
from shared.domain.objectives import Threshold
from shared.domain.places import LEVELS, Sums


class Step(NamedTuple):
    """What one event changes for one subject. `position`: of the row that says so (order of what
    became known); `how`: happened, ended, passed, recorded, corrected, revoked."""

    order: tuple[int, date, int]
    position: int
    origin: int
    how: str
    deltas: tuple[tuple[str, int, int], ...]


class Between(NamedTuple):
    """From which window and state of knowledge to which. `nothing`: before, nothing was known."""

    first: Window
    last: Window
    known_from: Until
    known_to: Until
    nothing: bool

    @property
    def by_position(self) -> bool:
        """Whether what became known is told apart within days."""
        return isinstance(self.known_from, int) or isinstance(self.known_to, int)


def steps(
    measure: Measure,
    number: int,
    versions: Iterable[Version],
    between: Between,
    place: Place | None = None,
) -> list[Step]:
    """Every step of one subject (or of those that `place` joins) that changes something anywhere."""
    rows = list(versions)
    known = [] if between.nothing else [v for v in rows if v.known(between.known_from)]
    evidence = {v.evidence.origin: v.evidence for v in known}
    before = counted_in(measure, number, evidence.values(), between.first, place)
    now = counted_in(measure, number, evidence.values(), between.last, place)
    found = _time(measure, before, now, evidence, between)
    for change in _changes(rows, between):
        if change.evidence is None:
            evidence.pop(change.origin, None)
        else:
            evidence[change.origin] = change.evidence
        after = counted_in(measure, number, evidence.values(), between.last, place)
        deltas = _net(now, after)
        if deltas:
            order = (1, date.min, change.position)
            found.append(Step(order, change.position, change.origin, change.how, deltas))
        now = after
    return found


def _time(
    measure: Measure,
    before: list[Decides],
    now: list[Decides],
    evidence: Mapping[int, Evidence],
    between: Between,
) -> list[Step]:
    """What the days alone change."""
    if not _net(before, now):
        return []
    found = []
    for sign, part, other in ((-1, before, now), (1, now, before)):
        for one in part:
            if any(one[:4] == same[:4] for same in other):
                continue
            row = evidence[one.origin]
            how, day = "happened", since_for(measure, row)
            if sign < 0:
                ended = row.until is not None and row.until < between.last.end
                how, day = ("ended", row.until or row.since) if ended else ("passed", row.since)
            deltas = ((one.unit_id, sign * one.n, sign * one.total),)
            found.append(Step((0, day, one.origin), one.origin, one.origin, how, deltas))
    return found


class _Change(NamedTuple):
    position: int
    origin: int
    how: str
    evidence: Evidence | None


def _changes(rows: list[Version], between: Between) -> list[_Change]:
    """What became known between, in the order of the log."""
    if between.known_from is None and not between.nothing:
        return []

    def became_known(day: date, position: int) -> bool:
        before = not between.nothing and told(day, position, between.known_from)
        return not before and told(day, position, between.known_to)

    if not between.by_position:
        # What was said and taken back on one day was never known at the end of a day.
        rows = [version for version in rows if version.recorded != version.replaced]
    said = {(v.evidence.origin, v.position) for v in rows}
    found = []
    for row in rows:
        origin = row.evidence.origin
        if became_known(row.recorded, row.position):
            how = "recorded" if row.position == origin else "corrected"
            found.append(_Change(row.position, origin, how, row.evidence))
        if (
            row.replaced is not None
            and row.replaced_by is not None
            and became_known(row.replaced, row.replaced_by)
            and (origin, row.replaced_by) not in said
        ):
            found.append(_Change(row.replaced_by, origin, "revoked", None))
    return sorted(found, key=lambda change: change.position)


def _net(before: list[Decides], after: list[Decides]) -> tuple[tuple[str, int, int], ...]:
    sums: dict[str, list[int]] = {}
    for sign, part in ((-1, before), (1, after)):
        for one in part:
            known = sums.setdefault(one.unit_id, [0, 0])
            known[0] += sign * one.n
            known[1] += sign * one.total
    return tuple((unit, n, total) for unit, (n, total) in sorted(sums.items()) if n or total)


class CellCount:
    """The count of one cell while the tallies under it change."""

    def __init__(
        self, moment: Moment, objective: Objective, part: Part, unit_id: str, sums: Sums
    ) -> None:
        places = moment.places
        self._places, self._root, self._unit = places, moment.root, unit_id
        self._at = 1 if part.figure == "total" else 0
        self._latest = part.measure.kind == "latest"
        self._sums = dict(sums)
        self._inside: dict[str, str | None] = {}
        self._within = objective.within if part.name == "value" and objective.asked else None
        unit = places.tree.unit(unit_id)
        level = unit.level if unit else "commune"
        if self._within is not None and LEVELS[level] >= LEVELS[self._within.level]:
            self._within = None
        self._members: dict[str, int] = {}
        self._thresholds: dict[str, Threshold] = {}
        if self._within is not None:
            names = places.units_below(unit_id, self._within.level)
            attribute = self._within.attribute
            if attribute is not None:
                names = [
                    name
                    for name in names
                    if (found := places.tree.unit(name)) is not None
                    and found.has(attribute, moment.as_of) is True
                ]
            own = {name: v for name, v in objective.variants if v.within is not None}
            for name in names:
                variant = own.get(name, objective)
                if variant.asked and variant.within is not None:
                    self._members[name] = 0
                    self._thresholds[name] = variant.within.threshold
        self.value = 0
        if self._latest:
            self.value = self._rolled()
        else:
            for name, (n, total) in sums.items():
                self._add(name, n, total)

    def apply(self, deltas: Iterable[tuple[str, int, int]]) -> int:
        """Change tallies; by how much the cell's count changes."""
        before = self.value
        if self._latest:
            for name, n, total in deltas:
                known = self._sums.get(name, (0, 0))
                self._sums[name] = (known[0] + n, known[1] + total)
            self.value = self._rolled()
        else:
            for name, n, total in deltas:
                self._add(name, n, total)
        return self.value - before

    @property
    def of_units(self) -> bool:
        """Whether it is units that are counted, those which have reached a threshold."""
        return self._within is not None

    def reached(self) -> set[str]:
        """The units that have."""
        if self._within is None:
            return set()
        if self._latest:
            rolled = self._rolled_members()
            return {unit for unit, count in rolled.items() if self._met(unit, count)}
        return {unit for unit, count in self._members.items() if self._met(unit, count)}

    def member_of(self, name: str) -> str | None:
        """The unit of those compared to which the facts of a unit belong."""
        return self._place(name)

    def _add(self, name: str, n: int, total: int) -> None:
        if name not in self._inside:
            self._inside[name] = self._place(name)
        place, delta = self._inside[name], total if self._at else n
        if place is None:
            return
        if self._within is None:
            self.value += delta
            return
        before = self._members[place]
        self._members[place] = before + delta
        self.value += self._met(place, before + delta) - self._met(place, before)

    def _met(self, member: str, count: int) -> bool:
        """Whether a unit has reached the threshold, its own where one was set for it."""
        return self._thresholds[member].met(count)

    def _place(self, name: str) -> str | None:
        """The cell itself, or the member unit, to which the facts of a unit belong."""
        if not self._places.covers(self._unit, name, self._root):
            return None
        if self._within is None:
            return self._unit
        found = self._places.home(name)
        home = found.unit_id
        if self._within.own:
            return home if home in self._members and not found.remainder else None
        chain = self._places.chain(home) if home is not None else []
        return next((unit for unit in chain if unit in self._members), None)

    def _rolled(self) -> int:
        if self._within is None:
            rolled = self._places.roll(self._sums, own_report_wins=True, root=self._root).values
            return rolled.get(self._unit, (0, 0))[self._at]
        return sum(self._met(name, count) for name, count in self._rolled_members().items())

    def _rolled_members(self) -> dict[str, int]:
        """Of the units compared what the newest reports say."""
        rolled = self._places.roll(self._sums, own_report_wins=True, root=self._root).values
        return {name: rolled.get(name, (0, 0))[self._at] for name in self._members}
