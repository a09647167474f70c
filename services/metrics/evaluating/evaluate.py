"""The one evaluator: tallies + definitions -> cells, for the refresher and for GET /v1/cells.

Pure given sums of tallies, populations, the tree, a plan and the days. Readings: see the design,
section 5, and docs/indicators.md. `met` compares exact integers, never rounded ratios.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date

import msgspec

from services.metrics.counting.windows import Window, bucket_of, is_whole, read_window
from services.metrics.evaluating.cell import BesideCount, BucketCount, Cell, Count, blank
from services.metrics.evaluating.deadlines import judge_earlier
from services.metrics.evaluating.needs import judged_bucket, judged_days, needed, window_at
from services.metrics.evaluating.status import status_of
from shared.domain.compile import Objective, Threshold
from shared.domain.definitions import Definitions
from shared.domain.measures import Measure, reports
from shared.domain.places import LEVELS, Places, Rolled, Sums
from shared.domain.populations import Number, Populations, said

SumsOf = Callable[[Measure, Window, str], Sums]
"""n and total of a measure per unit of the facts, over what occurred in a window, for the plan of a
unit."""


class Evaluator:
    """Evaluates plans on one day, with one state of knowledge.

    `building`: fingerprints of measures that cannot be read yet. `parked`: (fingerprint, unit)
    pairs that wait for a person.
    """

    def __init__(
        self,
        definitions: Definitions,
        places: Places,
        sums: SumsOf,
        as_of: date,
        *,
        building: frozenset[str] = frozenset(),
        parked: Iterable[tuple[str, str]] = (),
    ) -> None:
        self._definitions = definitions
        self._places = places
        self._sums = sums
        self._as_of = as_of
        self._building = building
        self._populations = Populations(definitions, places)
        self._parked: dict[str, set[str]] = {}
        for fingerprint, unit_id in parked:
            self._parked.setdefault(fingerprint, set()).update(places.chain(unit_id))
        self._rolled: dict[tuple[str, Window, str], Rolled] = {}
        # By identity: wording is compared once, not for each of thousands of cells.
        self._asked: dict[tuple[int, Window, str], Rolled] = {}
        self._measures: list[Measure] = []  # kept, so that no other one gets the identity

    def cells(
        self, objective: Objective, root: str, units: Iterable[str], others: Mapping[str, Objective]
    ) -> list[Cell]:
        """The cells of one objective for some units in the scope of the plan of `root`."""
        return [self._cell(objective, root, name, others) for name in units]

    def _cell(
        self, objective: Objective, root: str, unit_id: str, others: Mapping[str, Objective]
    ) -> Cell:
        own = objective.of(unit_id)
        if own is not objective:
            # The units below it may have theirs again.
            objective = msgspec.structs.replace(own, variants=objective.variants)
        cell = Cell(
            plan=objective.plan,
            plan_version=objective.version,
            objective=objective.id,
            unit_id=unit_id,
            basis=objective.basis,
            as_of=self._as_of,
            flags=list(objective.flags),
        )
        if objective.measure is None:
            cell.status = "not_counted"
            return cell
        prints = [measure.fingerprint() for measure in objective.measures()]
        if any(fingerprint in self._building for fingerprint in prints):
            cell.status, cell.building = "building", True
            cell.flags.append("building")
            return cell
        if any(unit_id in self._parked.get(fingerprint, ()) for fingerprint in prints):
            cell.flags.append("parked")
        now = self.window(objective, self._as_of)
        count = self._count(objective, root, unit_id, now, others, cell)
        cell.value, cell.denominator = count.value, count.whole.value
        cell.flags += said(count.whole.flag, objective, others)
        cell.ratio, cell.met = count.ratio, count.met
        cell.required, cell.last_day = count.required, objective.last_day
        rolled = self._roll(objective.measure, now, root)
        n, total = rolled.values.get(unit_id, (0, 0))
        cell.total = total if objective.figure == "total" else n if objective.within else None
        if rolled.remainders.get(unit_id):
            cell.not_attributable = rolled.remainders[unit_id]
        if unit_id in rolled.replaced:
            cell.flags.append("own_report")
        cell.beside = self._beside(objective, root, unit_id, now)
        self._judge(objective, root, unit_id, count, others, cell)
        return cell

    def _beside(
        self, objective: Objective, root: str, unit_id: str, window: Window
    ) -> list[BesideCount]:
        """What stands beside the number. Totals that nobody has reported do not."""
        found = []
        for beside in objective.beside:
            value = reporters = None
            if beside.measure.fingerprint() not in self._building:
                rolled = self._roll(beside.measure, window, root).values
                n, total = rolled.get(unit_id, (0, 0))
                value, reporters = (total, reports(n)) if beside.figure == "total" else (n, None)
                if beside.basis == "reported" and not reporters:
                    continue
            elif beside.basis == "reported":
                continue
            found.append(
                BesideCount(id=beside.id, basis=beside.basis, value=value, reporters=reporters)
            )
        return found

    # -- counting ----------------------------------------------------------------------------

    def window(self, objective: Objective, end: date) -> Window:
        """The days that count for an objective at the end of a day."""
        return window_at(objective, end)

    def _roll(self, measure: Measure, window: Window, root: str) -> Rolled:
        asked = (id(measure), window, root)
        found = self._asked.get(asked)
        if found is None:
            window = read_window(measure.since, window)
            key = (measure.fingerprint(), window, root)
            found = self._rolled.get(key)
            if found is None:
                found = self._rolled[key] = self._places.roll(
                    self._sums(measure, window, root),
                    own_report_wins=measure.kind == "latest",
                    root=root,
                )
            self._asked[asked] = found
            self._measures.append(measure)
        return found

    def _value(self, measure: Measure, figure: str, window: Window, root: str, unit_id: str) -> int:
        n, total = self._roll(measure, window, root).values.get(unit_id, (0, 0))
        return total if figure == "total" else n

    def _count(
        self,
        objective: Objective,
        root: str,
        unit_id: str,
        window: Window,
        others: Mapping[str, Objective],
        cell: Cell,
    ) -> Count:
        """The count of a unit in a window. Fills the target of `cell` as it applies there."""
        assert objective.measure is not None  # noqa: S101 - the caller looked
        within, target = objective.within, objective.target
        unit = self._places.tree.unit(unit_id)
        if not objective.asked:
            value = self._value(objective.measure, objective.figure, window, root, unit_id)
            return Count(value, Number(None), None, None, None)
        level = unit.level if unit else "commune"
        if within is not None:
            if level != within.level and LEVELS[level] < LEVELS[within.level]:
                return self._units(objective, root, unit_id, window, cell)
            value = self._value(objective.measure, objective.figure, window, root, unit_id)
            if within.own and level == within.level:
                n, total = self._own(objective.measure, window, root).get(unit_id, (0, 0))
                value = total if objective.figure == "total" else n
            applies = level == within.level and (
                within.attribute is None
                or (unit is not None and unit.has(within.attribute, self._as_of) is True)
            )
            if not applies:
                return Count(value, Number(None), None, None, None)
            cell.set_target(within.threshold, "count")
            met = within.threshold.met(value)
            return Count(value, Number(None), met, within.threshold.required(), None)
        value = self._value(objective.measure, objective.figure, window, root, unit_id)
        if objective.organisations and level == "organisation":
            cell.set_target(Threshold(1), "count")
            return Count(value, Number(None), value >= 1, 1, None)
        if objective.population is not None:
            whole = self._populations.of(unit_id, objective.population, window.end)
            if objective.organisations and unit_id != root:
                # The target is of the plan's unit: organisations do not roll up evenly.
                cell.flags.append("organisations")
                _flag_excess(value, whole, cell)
                ratio = value / whole.value if whole.value else None
                return Count(value, whole, None, None, ratio)
            return self._share(value, whole, target, 1, 1, objective, cell)
        if objective.over is not None:
            over = self._value(objective.over, objective.over_figure, window, root, unit_id)
            whole = Number(over, "nothing_to_divide_by" if over == 0 else None)
            return self._share(value, whole, target, 1, 1, objective, cell)
        if objective.target_of is not None:
            other = objective.base or others.get(objective.target_of)
            if other is None or other.population is None:
                whole = Number(None, "target_missing")
                return self._share(value, whole, target, 1, 1, objective, cell)
            wanted = other.of(unit_id).target.exact()
            people = self._populations.of(unit_id, other.population, window.end)
            times, parts = wanted.numerator, 100 * wanted.denominator
            return self._share(value, people, target, times, parts, objective, cell)
        if unit_id != root and not objective.own_target:
            return Count(value, Number(None), None, None, None)
        cell.set_target(target, "count")
        return Count(value, Number(None), target.met(value), target.required(), None)

    def _own(self, measure: Measure, window: Window, root: str) -> dict[str, tuple[int, int]]:
        """What was posted for each unit itself (or for one that it took in whole)."""
        found: dict[str, tuple[int, int]] = {}
        for name, (n, total) in self._sums(measure, window, root).items():
            home = self._places.home(name)
            if home.unit_id is not None and not home.remainder:
                before = found.get(home.unit_id, (0, 0))
                found[home.unit_id] = (before[0] + n, before[1] + total)
        return found

    def _share(
        self,
        value: int,
        whole: Number,
        target: Threshold,
        times: int,
        parts: int,
        objective: Objective,
        cell: Cell,
    ) -> Count:
        """A share of `whole` x `times` / `parts`; the target is in percent of that."""
        cell.set_target(target, objective.target_unit)
        _flag_excess(value, whole, cell)
        if whole.value is None or whole.value <= 0:
            flag = whole.flag or (None if whole.value is None else "denominator_zero")
            return Count(value, Number(whole.value, flag), None, None, None)
        base = whole.value * times
        met = target.met(value, base, 100 * parts)
        shown = Number(-(-base // parts), whole.flag)
        ratio = value * parts / base
        return Count(value, shown, met, target.required(base, 100 * parts), ratio)

    def _units(
        self, objective: Objective, root: str, unit_id: str, window: Window, cell: Cell
    ) -> Count:
        """How many units below meet their threshold, over all there are."""
        within = objective.within
        assert within is not None and objective.measure is not None  # noqa: S101
        rolled = self._roll(objective.measure, window, root).values
        names = self._places.units_below(unit_id, within.level)
        flag = None
        if within.attribute is not None:
            marked = {
                name: unit.has(within.attribute, self._as_of)
                for name in names
                if (unit := self._places.tree.unit(name)) is not None
            }
            names = [name for name in names if marked.get(name)]
            if all(value is None for value in marked.values()):
                flag = "attribute_unknown"
        at = 1 if objective.figure == "total" else 0
        if within.own:
            rolled = self._own(objective.measure, window, root)
        own = {name: variant for name, variant in objective.variants if variant.within is not None}
        names = [name for name in names if name not in own or own[name].asked]
        met = 0
        for name in names:
            wanted = own.get(name, objective).within or within
            met += wanted.threshold.met(rolled.get(name, (0, 0))[at])
        if flag is None and within.level == "hamlet":
            flag = self._populations.hamlets_incomplete(unit_id, window.end)
        if flag is None and not names:
            flag = "no_units"
        whole = Number(None if flag else len(names), flag)
        return self._share(met, whole, objective.target, 1, 1, objective, cell)

    def needed(self, objective: Objective) -> list[tuple[Measure, Window]]:
        """Every sum that the cells of an objective read."""
        return needed(objective, self._as_of)

    # -- judging -----------------------------------------------------------------------------

    def _judge(
        self,
        objective: Objective,
        root: str,
        unit_id: str,
        count: Count,
        others: Mapping[str, Objective],
        cell: Cell,
    ) -> None:
        as_of, last = self._as_of, objective.last_day
        has_target = cell.target is not None
        if last is not None and as_of > last and has_target:
            window = self.window(objective, last)
            count_then = self._count(objective, root, unit_id, window, others, blank(as_of))
            cell.met_on_time = count_then.met
        if objective.earlier and has_target:

            def then(one: Objective, day: date, about: Cell) -> Count:
                return self._count(one, root, unit_id, self.window(one, day), others, about)

            judge_earlier(objective, cell, self._building, then)
        if objective.encouraged:
            _never_judged(cell, has_target)
            return
        if objective.bucket is None:
            cell.status, cell.required_per_week = status_of(objective, count, as_of, has_target)
            return
        cell.bucket = _bucket(objective, as_of, count)
        cell.met = cell.bucket.met
        complete = judged_bucket(objective, as_of)
        if not has_target:
            cell.status = "no_target"
        elif complete is None:
            cell.status = "not_judged"
        else:
            window = self.window(objective, complete.end)
            before = self._count(objective, root, unit_id, window, others, blank(as_of))
            cell.status_bucket = _bucket(objective, complete.end, before)
            cell.status = "unknown" if before.met is None else "met" if before.met else "behind"


def _never_judged(cell: Cell, has_target: bool) -> None:
    """What is encouraged shows its count beside its target; nobody is behind for it."""
    cell.flags.append("encouraged")
    cell.met = cell.met_on_time = None
    cell.status = "not_judged" if has_target else "no_target"
    cell.deadlines = [msgspec.structs.replace(one, met=None) for one in cell.deadlines]


def _flag_excess(value: int, whole: Number, cell: Cell) -> None:
    """Say that more was counted than there is; what is met stays so."""
    if whole.value is not None and value > whole.value:
        cell.flags.append("exceeds_denominator")


def _bucket(objective: Objective, day: date, count: Count) -> BucketCount:
    """The week or month of a day, with its count."""
    assert objective.bucket is not None  # noqa: S101 - the caller looked
    days = bucket_of(day, objective.bucket)
    judged = is_whole(days, *judged_days(objective))
    return BucketCount(
        kind=objective.bucket,
        start=days.start or days.end,
        end=days.end,
        value=count.value,
        denominator=count.whole.value,
        required=count.required,
        met=count.met if judged else None,
        judged=judged,
    )
