"""A naive second opinion on every cell of a plan's table, from nothing but the posted events.

Written from the plans' wording, docs/indicators.md and the design's Readings; shares no code with
`services` or `shared`. It counts everything anew for every cell: slow, short, obvious. Covers plans
of units of today's tree, and of any tree if told which (`eras`).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count
from typing import Any

from tests.oracle.filters import passes
from tests.oracle.judge import (
    Figure,
    compare,
    is_judged,
    judged,
    last_judged,
    least,
    rhythm,
    week_or_month,
)
from tests.oracle.truth import Fact, Json, Posted, Truth
from tests.oracle.units import Declared, Units, shipped_populations, shipped_units
from tests.oracle.wording import wording

LATEST = {
    "programme.completed": ("pupils_completed", ["school", "grade", "programme", "target_groups"]),
    "report.submitted": ("people_completed", ["obligation", "target_groups"]),
    "figure.reported": ("number", ["objective", "plan"]),
}
ADDING = {"outreach.delivered": "recipients", "class.held": "participants"}


@dataclass(frozen=True)
class Cell:
    """One cell. A share's numerator is `value`. What needs a day to be judged is not compared."""

    value: int
    denominator: int | None
    met: bool | None
    met_on_time: bool | None = None
    status: str = field(default="", compare=False)
    required_per_week: int | None = field(default=None, compare=False)
    required: int | None = field(default=None, compare=False)
    status_value: int | None = field(default=None, compare=False)
    exceeds: bool = field(default=False, compare=False)


class Oracle:
    """The cells of one plan, as known by the end of `known_at`."""

    def __init__(
        self,
        plan: Json,
        posted: list[Posted],
        known_at: date | None = None,
        *,
        units: list[tuple[str, str, str]] | None = None,
        declared: list[tuple[str, str, int, date]] | None = None,
        eras: Callable[[date, str], Units] | None = None,
        since: date | None = None,
    ) -> None:
        """`eras`: the tree of a day, as the plan of a unit sees it (default: today's, always);
        `since`: when the plan was published; later versions and amendments are looked for in `posted`."""
        self._eras = eras
        self._plan = plan
        self._truth = Truth(posted, known_at)
        self._facts = sorted(self._truth.facts, key=lambda f: f.position)
        recorded = {position: one.recorded for position, one in enumerate(posted)}
        self._wording = wording(plan, since, self._facts, recorded)
        self._units = Units(shipped_units() if units is None else units)
        self._declared = list(shipped_populations() if declared is None else declared)
        self._numbers = Declared(self._units, self._declared)
        self._remote: dict[str, bool] = {}
        for fact in self._facts:
            if fact.type == "unit.established":
                said = fact.data
                self._units.add(said["unit_id"], said["kind"], said["parent"])
            if fact.type == "unit.attributed" and fact.data["attribute"] == "remote":
                self._remote[fact.data["unit_id"]] = fact.data["value"]
            if fact.type == "population.declared":
                when = date.fromisoformat(fact.data["as_of"])
                number = (fact.unit, fact.data["population"], fact.data["number"], when)
                self._declared.append(number)

    def units(self, level: str) -> list[str]:
        """The plan's unit, or the units of a level in it."""
        root = self._plan["unit"]
        return [root] if self._units.level[root] == level else self._units.below(root, level)

    def names(self, as_of: date) -> list[str]:
        """The objectives that anybody has on a day."""
        return self._wording.names(as_of)

    def table(
        self, level: str, as_of: date, tree: date | None = None
    ) -> dict[str, dict[str, Cell]]:
        """unit_id -> objective -> cell, in the tree of a day (default: that of `as_of`)."""
        if self._eras is not None:
            self._units = self._eras(tree or as_of, self._plan["unit"])
            self._numbers = Declared(self._units, self._declared)
        units = self.units(level)
        found: dict[str, dict[str, Cell]] = {unit: {} for unit in units}
        for name in self.names(as_of):
            for objective, asked, alike in self._read(name, units, as_of):
                for unit, cell in self._cells(objective, asked, alike, as_of).items():
                    found[unit][name] = cell
        return found

    def _read(self, name: str, units: list[str], as_of: date) -> list[tuple[Json, bool, list[str]]]:
        """The wordings of an objective, each with the units of which it is asked so, or of which it
        is not asked at all: of these only its number is shown."""
        found: list[tuple[Json, bool, list[str]]] = []
        everywhere = (None, *self._wording.own)
        anybodys = next(o for u in everywhere if (o := self._wording.read(name, u, as_of)))
        for unit in units:
            mine = self._wording.read(name, unit, as_of)
            objective, asked = mine or anybodys, mine is not None
            for other, is_asked, alike in found:
                if (other, is_asked) == (objective, asked):
                    alike.append(unit)
                    break
            else:
                found.append((objective, asked, [unit]))
        return found

    def _cells(
        self, objective: Json, asked: bool, units: list[str], as_of: date
    ) -> dict[str, Cell]:
        """The cells of units for which an objective reads alike."""
        name, read = objective["id"], self._wording.read
        now = self._column(objective, units, as_of, lambda n, u: read(n, u, as_of))
        last = objective.get("last_day")
        over = last is not None and as_of.isoformat() > last
        then: dict[str, Figure] = {}
        if last is not None and over:
            due = date.fromisoformat(last)
            then = self._column(
                objective,
                units,
                due,
                lambda n, u: read(n, u, as_of if n == name else due),
            )
        bucket = objective["measure"].get("bucket")
        ended = last_judged(objective, bucket, as_of) if bucket else None
        complete = {}
        if ended:
            complete = self._column(objective, units, ended, lambda n, u: read(n, u, as_of))
        found = {}
        for unit in units:
            figure = now[unit]
            if not asked:
                figure = Figure(self._number(objective, unit, as_of), None, None)
            on_time = then[unit].met if over and figure.target else None
            earlier = self._first_due(objective, unit, as_of)
            if earlier is not None and figure.target:
                on_time = earlier.met
            met, status_value = figure.met, None
            if bucket and figure.target:
                state, pace = rhythm(complete.get(unit)), None
                status_value = complete[unit].value if complete else None
                if not is_judged(objective, week_or_month(bucket, as_of)):
                    met = None
            else:
                state, pace = judged(objective, figure, as_of)
            needed = figure.needed if figure.target and figure.met is not None else None
            found[unit] = Cell(
                figure.value, figure.whole, met, on_time, state, pace, needed, status_value,
                self._exceeds(objective, unit, figure, as_of),
            )  # fmt: skip
        return found

    def _number(self, objective: Json, unit: str, as_of: date) -> int:
        """What is counted, where nothing is asked."""
        first = self._first_day(objective, objective["measure"], as_of)
        return self._count(objective["measure"], objective["target"], first, as_of)(unit)

    def _first_due(self, objective: Json, unit: str, as_of: date) -> "Figure | None":
        """What a unit had at the first of several deadlines: by what was known of the plan then."""
        name, known = objective["id"], self._wording.known
        days = self._wording.came_due(name, unit, as_of)
        if not days:
            return None
        then = known(name, unit, days[0])
        assert then is not None, "it came due"
        return self._column(then, [unit], days[0], lambda n, u: known(n, u, days[0]))[unit]

    def _exceeds(self, objective: Json, unit: str, figure: Figure, as_of: date) -> bool:
        """Whether more was counted than there is: for a share of a target, than there are people."""
        whole = figure.whole
        over = objective["measure"].get("over", {})
        if "target_of" in over:
            other = self._wording.read(over["target_of"], unit, as_of)
            assert other is not None
            name = other["measure"]["over"]["population"]
            whole = self._numbers.population(unit, name, as_of)
        return whole is not None and figure.value > whole

    def reported(self, objective: str, unit: str, as_of: date) -> int | None:
        """The total that authorities report for an objective, in the tree of the last table; None
        where none has."""
        wanted = {"objective": objective, "plan": self._plan["id"]}
        said = [
            fact
            for fact in self._facts
            if fact.type == "figure.reported" and passes(wanted, fact.type, fact.data)
        ]
        one = self._wording.read(objective, unit, as_of)
        if one is None:
            one = next(o for o in self._plan["objectives"] if o["id"] == objective)
        first = self._first_day(one, one["measure"], as_of)
        valid = [fact for fact in said if first <= fact.first <= as_of]
        if not any(unit in self._units.above(fact.unit) for fact in valid):
            return None
        return self._sum([valid])(unit)

    # -- one objective -------------------------------------------------------------------------

    def _column(
        self,
        objective: Json,
        units: list[str],
        as_of: date,
        read: Callable[[str, str | None], Json | None],
    ) -> dict[str, "Figure"]:
        """`read`: how an objective reads for a unit, where that matters for others."""
        measure, target = objective["measure"], objective["target"]
        first = self._first_day(objective, measure, as_of)
        counted = self._count(measure, target, first, as_of)
        over, within = measure.get("over", {}), measure.get("within_unit")
        percent = target.get("units_required_percent", 100) if "per" in target else target["value"]
        sign = ">=" if "per" in target else target["comparator"]
        column = {}
        for unit in units:
            value = counted(unit)
            whole: int | None = None
            if within is not None:
                reached = _threshold(within, target)
                if self._units.level[unit] == within["per"]:
                    remote = "attribute" not in over or self._remote.get(unit) is True
                    column[unit] = Figure(value, None, None)
                    if remote:
                        needed = next(n for n in count() if reached(n))
                        column[unit] = Figure(value, None, reached(value), needed, True)
                    continue
                if self._units.level[unit] == "hamlet":
                    column[unit] = Figure(value, None, None)
                    continue
                members = self._units.below(unit, within["per"])
                complete = within["per"] != "hamlet" or self._numbers.all_hamlets(unit, as_of)
                if "attribute" in over:
                    complete = any(m in self._remote for m in members)
                    members = [m for m in members if self._remote.get(m)]
                value, general = 0, read(objective["id"], None)
                for member in list(members):
                    theirs = read(objective["id"], member)
                    if theirs is None and member in self._wording.own:
                        members.remove(member)
                        continue
                    asked = objective if theirs is None or theirs == general else theirs
                    inside = asked["measure"]["within_unit"]
                    value += _threshold(inside, asked["target"])(counted(member))
                whole = len(members) if complete and members else None
            elif "population" in over:
                whole = self._numbers.population(unit, over["population"], as_of)
            elif "measure" in over:
                whole = self._count(over["measure"], target, first, as_of)(unit)
            elif "target_of" in over:
                other = read(over["target_of"], unit)
                assert other is not None
                people = self._numbers.population(
                    unit, other["measure"]["over"]["population"], as_of
                )
                # Exact: the share of a share is compared without rounding; shown rounded up.
                wanted = other["target"]["value"]
                whole = None if people is None else -(-people * wanted // 100)
                column[unit] = Figure(value, whole, None, None, True)
                if people:
                    met = compare(value * 100 * 100, sign, percent * people * wanted)
                    needed = least(percent * people * wanted, 100 * 100, sign)
                    column[unit] = Figure(value, whole, met, needed, True)
                continue
            else:
                column[unit] = Figure(value, None, None)
                # A plain number is asked of the plan's unit, and of those that have one of their own.
                general = read(objective["id"], None)
                own = unit in self._wording.own and (general is None or general["target"] != target)
                if unit == self._plan["unit"] or own:
                    met = compare(value, sign, target["value"])
                    needed = least(target["value"], 1, sign)
                    column[unit] = Figure(value, None, met, needed, True)
                continue
            if measure["count"] == "distinct_organisations" and unit != self._plan["unit"]:
                column[unit] = Figure(value, whole, None)  # the target is of the plan's unit
                continue
            column[unit] = Figure(value, whole, None, None, True)
            if whole:
                met = compare(value * 100, sign, percent * whole)
                needed = least(percent * whole, 100, sign)
                column[unit] = Figure(value, whole, met, needed, True)
        return column

    def _first_day(self, objective: Json, measure: Json, as_of: date) -> date:
        """The first day that counts."""
        since = date.min
        if objective["counts_from"] == "period":
            since = date.fromisoformat(objective["period"]["start"])
        if objective["counts_from"] == "date":
            since = date.fromisoformat(objective["from_date"])
        if measure.get("bucket") == "week":
            since = max(since, as_of - timedelta(days=as_of.weekday()))
        if measure.get("bucket") == "month":
            since = max(since, as_of.replace(day=1))
        return since

    def _count(self, measure: Json, target: Json, first: date, as_of: date) -> Callable[[str], int]:
        """A function from a unit to its count."""
        parts = [
            [
                fact
                for fact in self._facts
                if fact.type in part["types"]
                and passes(part.get("filter") or {}, fact.type, fact.data)
                and first <= fact.first
                and self._old_enough(part.get("filter") or {}, fact) <= as_of
                and (fact.last is None or as_of <= fact.last)
            ]
            for part in measure["of"]
        ]
        if measure["count"] in ("sum", "reported"):
            return self._sum(parts)
        # Where each counted thing is counted.
        places: list[str] = []
        if measure["count"] == "events":
            everything = {fact.position: fact for facts in parts for fact in facts}
            places = [fact.unit for fact in everything.values()]
        else:
            within = measure.get("within_unit")
            for things in self._things(measure, parts, within).values():
                if measure.get("match") == "all" and {i for i, _ in things} != set(
                    range(len(parts))
                ):
                    continue
                facts = [fact for _, fact in things]
                if not self._enough_inside(measure, target, facts):
                    continue
                whole = measure.get("over", {}).get("measure", {})
                if measure.get("match") == "all" and whole.get("of") == measure["of"][:1]:
                    # A part of a whole counts where the whole counts it.
                    facts = [fact for number, fact in things if number == 0]
                ages = {str((part.get("filter") or {}).get("min_age")) for part in measure["of"]}
                asked = {"min_age": ages.pop()} if len(ages) == 1 and ages != {"None"} else {}
                earliest = min(facts, key=lambda f: (self._old_enough(asked, f), f.position))
                places.append(earliest.unit)
        return lambda unit: sum(unit in self._units.above(place) for place in places)

    def _things(
        self, measure: Json, parts: list[list[Fact]], within: Json | None
    ) -> dict[Any, list[tuple[int, Fact]]]:
        """Evidence by what is counted; inside units, by (unit, thing)."""
        found: dict[Any, list[tuple[int, Fact]]] = {}
        for number, facts in enumerate(parts):
            for fact in facts:
                if (within or _keyed_by_unit(measure)) and not self._covers(fact.unit):
                    continue  # what the plan does not cover is no part of a unit's things
                at = self._units.lies(fact.unit, within["per"]) if within is not None else None
                thing = self._thing(measure, fact, at)
                if thing is None:
                    continue
                found.setdefault((at, thing), []).append((number, fact))
        return found

    def _old_enough(self, wanted: Json, fact: Fact) -> date:
        """From when the fact counts: a person who is too young does later, where that is said."""
        age = int(wanted.get("min_age", 0))
        if age <= fact.data.get("age", 0) or not age:
            return fact.first
        if "turns_16_on" in fact.data:
            day = date.fromisoformat(fact.data["turns_16_on"])
            return max(fact.first, day.replace(year=day.year + age - 16))
        return max(fact.first, date(fact.data["birth_year"] + age, 12, 31))

    def _covers(self, unit: str) -> bool:
        return self._plan["unit"] in self._units.above(unit)

    def _thing(self, measure: Json, fact: Fact, at: str | None) -> Any:
        data, what = fact.data, measure.get("key") or measure["count"]
        if what in ("distinct_persons", "mentor"):
            reference = data.get("person" if what == "distinct_persons" else "mentor")
            return self._truth.person(reference) if reference else None
        if what == "distinct_organisations":
            owner = data.get("organisation")
            here = self._units.lies(fact.unit, "unit")
            return (owner["scheme"], owner["value"]) if owner else ("unit", here)
        if what == "household":
            return str(data["household"]) if "household" in data else None
        if what == "request":
            owner, _, name = str(data.get("request_ref", "")).rpartition("#")
            return (owner or fact.source, name) if name else None
        commune = self._units.lies(fact.unit, "commune")
        if what == "unit":
            return at or fact.unit
        if what == "page":
            return commune, data["url"]
        if what == "team":
            return self._units.lies(fact.unit, "unit"), data.get("team_ref")
        if what == "model":
            return commune, data["kind"], data["model_ref"]
        raise NotImplementedError(what)

    def _enough_inside(self, measure: Json, target: Json, facts: list[Fact]) -> bool:
        if "inside" not in measure:
            return True
        inside = measure["inside"]
        name = inside["distinct"].removesuffix("_ref")
        different = set()
        for fact in facts:
            value = fact.data.get(name, [])
            # Links do not join the things inside (docs/indicators.md, "Not computed yet").
            values = value if isinstance(value, list) else [str(value)]
            different |= {v for v in values if v in inside.get("among", [v])}
        return _threshold(inside, target)(len(different))

    def _sum(self, parts: list[list[Fact]]) -> Callable[[str], int]:
        """Figures per unit, where a unit's own report replaces the sum of those below it."""
        own: dict[str, dict[Any, int]] = {}
        whole: dict[str, dict[Any, bool]] = {}
        latest = False
        for fact in sorted(
            (fact for facts in parts for fact in facts), key=lambda f: (f.first, f.position)
        ):
            if fact.type in LATEST:
                field, names = LATEST[fact.type]
                reporter = fact.data.get("reporter") or fact.source
                key = (reporter, *[str(_sorted(fact.data.get(name))) for name in names])
                latest = True
            else:
                field, key = ADDING[fact.type], (fact.source, fact.id)
                if "person" in fact.data or "household" in fact.data:
                    continue
            if field in fact.data:
                own.setdefault(fact.unit, {})[key] = fact.data[field]
                whole.setdefault(fact.unit, {})[key] = not _about_a_part(fact)

        def total(unit: str) -> int:
            here = [at for at in own if self._units.above(at)[:1] == [unit]]
            direct = [at for at in here if not self._units.astray(at)]
            if latest and any(any(whole[at].values()) for at in direct):
                return sum(sum(own[at].values()) for at in direct)
            children = [u for u in self._units.parent if self._units.parent[u] == unit]
            mine = sum(sum(own[at].values()) for at in here)
            return mine + sum(total(child) for child in children)

        return total


def _keyed_by_unit(measure: Json) -> bool:
    """Whether things are told apart by the unit that posted them."""
    return measure.get("key") in ("unit", "page", "team", "model")


def _about_a_part(fact: Fact) -> bool:
    """Whether a report is about a named school or enterprise, and so none of its whole unit."""
    parts = ("school", "enterprise", "association", "telecom")
    if fact.type == "report.submitted":
        return fact.data.get("reporter_kind") in parts
    return fact.type == "programme.completed"


def _sorted(value: Any) -> Any:
    return sorted(value) if isinstance(value, list) else value


def _threshold(said: Json, target: Json) -> Callable[[int], bool]:
    if said["threshold"] == "target":
        return lambda count: compare(count, target["comparator"], target["value"])
    return lambda count: compare(count, said.get("comparator", ">="), said["threshold"])
