"""Small things of cells, places and units that decide a number: found missing by `make mutation`."""

from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from services.metrics.evaluating.evaluate import Evaluator
from shared.contracts.definitions import Catalogue
from shared.contracts.record import Content
from shared.domain.definitions import Definitions
from shared.domain.kin import is_moved
from shared.domain.knowledge import told
from shared.domain.places import Places
from shared.domain.populations import Populations
from tests.metrics.cell_world import World, percent, sums_of
from tests.metrics.histories import BASE
from tests.metrics.memory_log import MemoryLog
from tests.metrics.province import HAMLETS, ROOT, A, B, C, declare, objective, of

Json = dict[str, Any]
CLASSES: Json = {"count": "events", "of": [of("class.held")]}
PERSONS: Json = {"count": "distinct_persons", "of": [of("citizen.certified")]}
ADULTS: Json = PERSONS | {"over": {"population": "adults"}}
SINCE = date(2025, 7, 1)


def fold(log: MemoryLog) -> Definitions:
    definitions = Definitions(log.catalogue)
    for row in log.rows:
        definitions.apply(row)
    return definitions


def establish(log: MemoryLog, unit: str, kind: str, parent: str | None, since: date = SINCE) -> int:
    code, _, era = unit.partition("@")
    data: Json = {"unit_id": unit, "code": code, "era": era, "name_vi": unit, "kind": kind}
    data |= {"from": since.isoformat()} | ({"parent": parent} if parent else {})
    return log.post("unit.established", unit, BASE, BASE, data)


def dissolve(log: MemoryLog, unit: str, on: date, *heirs: str, part: str = "whole") -> int:
    into = [{"unit_id": heir, "part": part} for heir in heirs]
    data: Json = {"unit_id": unit, "dissolved_on": on.isoformat(), "successors": into}
    return log.post("unit.dissolved", unit, BASE, BASE, data)


def mark(world: World, unit: str, value: bool, since: str = "2025-07-01") -> None:
    data: Json = {"unit_id": unit, "attribute": "remote", "value": value, "from": since}
    world.log.post("unit.attributed", unit, BASE, BASE, data)


def in_remote_communes() -> Json:
    over = {"units": "commune", "attribute": "remote"}
    measure = CLASSES | {"within_unit": {"per": "commune", "threshold": "target"}, "over": over}
    target = {"value": 2, "unit": "count", "per": "commune", "comparator": ">="}
    return objective("remote", measure, target=target)


def test_what_is_asked_of_remote_communes_is_asked_of_no_other(catalogue: Catalogue) -> None:
    world = World(catalogue, in_remote_communes())
    nothing_known = world.cell("remote", [(A, BASE, 2)])
    assert (nothing_known.denominator, nothing_known.met) == (None, None)
    assert nothing_known.flags == ["attribute_unknown", "missing:remote"]
    mark(world, A, True)
    mark(world, B, False)
    mark(world, C, True, since="2027-01-01")
    facts = [(A, BASE, 2), (B, BASE, 9), (C, BASE, 9)]
    assert [world.cell("remote", facts, unit=u).target for u in (A, B, C)] == [2, None, None]
    whole = world.cell("remote", facts)
    assert (whole.value, whole.denominator, whole.met, whole.total) == (1, 1, True, 20)


def test_a_commune_without_events_has_not_met_its_threshold(catalogue: Catalogue) -> None:
    measure = CLASSES | {
        "within_unit": {"per": "commune", "threshold": "target"}, "over": {"units": "commune"},
    }  # fmt: skip
    target = {"value": 1, "unit": "count", "per": "commune", "comparator": ">="}
    world = World(catalogue, objective("each", measure, target=target))
    whole = world.cell("each", [(A, BASE, 1)])
    assert (whole.value, whole.denominator, whole.total) == (1, 3, 1)


def test_a_share_of_what_was_counted(catalogue: Catalogue) -> None:
    asked = CLASSES | {"over": {"measure": {"count": "events", "of": [of("class.held")]}}}
    world = World(catalogue, objective("answered", asked, target=percent(100)))
    all_of_them = world.cell("answered", [(A, BASE, 3)])
    assert (all_of_them.value, all_of_them.denominator, all_of_them.met) == (3, 3, True)
    assert (all_of_them.flags, all_of_them.total) == ([], None)
    one = world.cell("answered", [(A, BASE, 1)])
    assert (one.denominator, one.flags) == (1, [])
    none = world.cell("answered", [])
    assert (none.value, none.denominator, none.met) == (0, 0, None)
    assert (none.flags, none.status) == (["nothing_to_divide_by"], "unknown")


def test_a_share_of_a_target_that_is_no_number_says_so(catalogue: Catalogue) -> None:
    world = World(catalogue, objective("main", ADULTS, target=percent(60)))
    definitions, on = fold(world.log), BASE
    plan = definitions.plan("p", on)
    assert plan is not None
    (main,) = plan.objectives
    lost = msgspec.structs.replace(main, id="part", population=None, target_of="gone")
    evaluator = Evaluator(definitions, Places(definitions.tree, on), sums_of([(A, BASE, 3)]), on)
    (cell,) = evaluator.cells(lost, ROOT, [ROOT], {"part": lost})
    assert (cell.value, cell.met, cell.denominator, cell.target) == (3, None, None, 60)
    assert cell.flags == ["target_missing"]


def test_organisations_of_a_commune_and_one_alone(catalogue: Catalogue) -> None:
    promoted: Json = {"count": "distinct_organisations", "of": [of("contest.promoted")]}
    promoted["over"] = {"population": "organisations"}
    world = World(
        catalogue, objective("all", promoted, target=percent(100, unit="percent_of_units"))
    )
    declare(world.log, A, "organisations", 4, BASE)
    establish(world.log, "ORG@2025", "organisation", A)
    cell = world.cell("all", [(A, BASE, 2)], unit=A)
    assert (cell.value, cell.denominator, cell.ratio, cell.met) == (2, 4, 0.5, None)
    assert (cell.flags, cell.status) == (["organisations"], "no_target")
    alone = world.cell("all", [("ORG@2025", BASE, 1)], unit="ORG@2025")
    assert (alone.target, alone.target_unit, alone.met) == (1, "count", True)
    assert world.cell("all", [], unit="ORG@2025").met is False


def test_what_waits_for_a_person_is_said_where_it_counts(catalogue: Catalogue) -> None:
    world = World(catalogue, objective("adults", ADULTS, target=percent(60)))
    definitions = fold(world.log)
    plan = definitions.plan("p", BASE)
    assert plan is not None
    (adults,) = plan.objectives
    (measure,) = adults.measures()
    parked = [(measure.fingerprint(), HAMLETS[0])]
    places = Places(definitions.tree, BASE)
    evaluator = Evaluator(definitions, places, sums_of([]), BASE, parked=parked)
    cells = evaluator.cells(adults, ROOT, [ROOT, A, B, HAMLETS[0]], {"adults": adults})
    assert [("parked" in cell.flags) for cell in cells] == [True, True, False, True]


def test_what_is_not_counted_says_so(catalogue: Catalogue) -> None:
    said = {"id": "words", "target": {"value": 1, "unit": "count", "comparator": ">="}}
    more = {"counts_from": "period", "last_day": None, "not_counted": "no events"}
    world = World(catalogue, objective("adults", ADULTS), said | more)
    definitions = fold(world.log)
    plan = definitions.plan("p", BASE)
    assert plan is not None
    words = next(o for o in plan.objectives if o.id == "words")
    evaluator = Evaluator(
        definitions, Places(definitions.tree, BASE), sums_of([(A, BASE, 1)]), BASE
    )
    (cell,) = evaluator.cells(words, ROOT, [ROOT], {})
    assert (cell.status, cell.met, cell.target) == ("not_counted", None, None)


def test_facts_of_what_became_one_unit_add_up(catalogue: Catalogue) -> None:
    """Three facts at places that are shown in one commune; a fourth outside of the plan's unit."""
    world = World(catalogue, objective("classes", CLASSES, target=percent(3, unit="count")))
    day = BASE - timedelta(days=1)
    for unit in ("X@2025", "Y@2025"):
        establish(world.log, unit, "ward", ROOT)
        dissolve(world.log, unit, day, A)
    establish(world.log, "Q@2025", "province", None)
    establish(world.log, "Q1@2025", "ward", "Q@2025")
    facts = [(u, BASE, n) for u, n in (("X@2025", 2), ("Y@2025", 3), (A, 4), ("Q1@2025", 9))]
    assert world.cell("classes", facts, unit=A).value == 9
    assert world.cell("classes", facts).value == 9
    places = Places(fold(world.log).tree, BASE)
    assert places.lies_in("X@2025", "commune") == A
    assert is_moved(places, "X@2025") and not is_moved(places, A)
    assert is_moved(Places(fold(world.log).tree, day - timedelta(days=1)), "X@2025") is False
    covers = {at: places.covers(at, "X@2025", ROOT) for at in (ROOT, A, B, "Q@2025")}
    assert covers == {ROOT: True, A: True, B: False, "Q@2025": False}
    assert places.covers("Q1@2025", "Q1@2025", ROOT) is False, "another province's"
    assert [u.unit_id for u in places.children(ROOT)] == [A, B, C]
    assert [u.unit_id for u in places.children(ROOT)] == [A, B, C], "asked again"


def test_units_that_became_each_other_have_no_home(catalogue: Catalogue) -> None:
    log = MemoryLog(catalogue)
    for unit in ("X@2025", "Y@2025"):
        establish(log, unit, "ward", None)
    dissolve(log, "X@2025", BASE, "Y@2025")
    dissolve(log, "Y@2025", BASE, "X@2025")
    places = Places(fold(log).tree, BASE)
    assert places.home("X@2025").unit_id is None and places.home("X@2025").remainder


def test_a_unit_as_told_last(catalogue: Catalogue) -> None:
    """Dissolved twice: the last says into what; taken back: it stands; renamed by a correction."""
    log = MemoryLog(catalogue)
    first = establish(log, "X@2025", "ward", None)
    establish(log, "Y@2025", "ward", None)
    establish(log, "Z@2025", "ward", None)
    ended = dissolve(log, "X@2025", BASE, "Y@2025")
    again = dissolve(log, "X@2025", BASE, "Z@2025")

    def heirs() -> list[str]:
        unit = fold(log).tree.unit("X@2025")
        assert unit is not None
        return [heir.unit_id for heir in unit.successors]

    assert heirs() == ["Z@2025"]
    log.revise(again, BASE, None)
    assert heirs() == ["Y@2025"]
    log.revise(ended, BASE, None)
    assert heirs() == []
    said: Json = {"unit_id": "X@2025", "code": "X", "era": "2025", "name_vi": "Mới", "kind": "ward"}
    content = Content(
        type="unit.established",
        unitid="X@2025",
        occurred=BASE,
        time=f"{BASE}T08:00:00+07:00",
        data=said | {"from": "2025-07-01"},
    )
    log.revise(first, BASE, content)
    unit = fold(log).tree.unit("X@2025")
    assert unit is not None and unit.name(BASE) == "Mới"


def test_the_denominator_of_a_day_is_the_one_declared_by_then(catalogue: Catalogue) -> None:
    world = World(catalogue, objective("adults", ADULTS, target=percent(60)))
    for unit, number in ((A, 5), (B, 7)):
        declare(world.log, unit, "residents", number, BASE)
    definitions = fold(world.log)
    numbers = Populations(definitions, Places(definitions.tree, BASE))
    assert numbers.of(A, "residents", BASE).value == 5
    assert numbers.of(A, "residents", BASE - timedelta(days=1)).value is None
    assert numbers.of(ROOT, "residents", BASE).flag == "denominator_partial"
    declare(world.log, C, "residents", 1, BASE)
    definitions = fold(world.log)
    whole = Populations(definitions, Places(definitions.tree, BASE)).of(ROOT, "residents", BASE)
    assert (whole.value, whole.flag) == (13, None)
    found = definitions.declared(A, "residents", BASE)
    assert found is not None and found.recorded == BASE


@pytest.mark.parametrize(("until", "known"), [(4, False), (5, True), (6, True), (None, True)])
def test_a_row_is_known_at_its_own_position(until: int | None, known: bool) -> None:
    assert told(BASE, 5, until) is known


def test_a_row_is_known_on_its_own_day() -> None:
    assert told(BASE, 5, BASE) and not told(BASE, 5, BASE - timedelta(days=1))


def test_what_is_read_from_a_plan(catalogue: Catalogue) -> None:
    """The first day, what the numbers count, the week of a denominator, the share of communes."""
    households: Json = {"count": "distinct_things", "key": "household"}
    households |= {"of": [of("household.member_qualified")], "over": {"population": "households"}}
    weekly = CLASSES | {"bucket": "week", "over": {"measure": CLASSES}}
    answered: Json = {"count": "distinct_things", "key": "request", "match": "all"}
    answered |= {"of": [of("assistance.requested"), of("assistance.given", able_to_act=True)]}
    asked = {"count": "distinct_things", "key": "request", "of": [of("assistance.requested")]}
    per = CLASSES | {
        "within_unit": {"per": "commune", "threshold": "target"}, "over": {"units": "commune"},
    }  # fmt: skip
    some = {"value": 2, "unit": "count", "per": "commune", "comparator": ">="}
    year = {"start": "2026-01-01", "end": "2026-12-31"}
    world = World(
        catalogue,
        objective("households", households, counts_from="period", period=year),
        objective("weekly", weekly, last_day=None, recurrence="weekly"),
        objective("answered", answered | {"over": {"measure": asked}}),
        objective("classes", CLASSES, target=percent(2, unit="count")),
        objective("most", per, target=some | {"units_required_percent": 80}),
        objective("all", per, target=some),
    )
    plan = fold(world.log).plan("p", BASE)
    assert plan is not None
    found = {one.id: one for one in plan.objectives}
    assert {name: one.basis for name, one in found.items()} == {
        "households": "households", "weekly": "events", "answered": "things",
        "classes": "events", "most": "units", "all": "units",
    }  # fmt: skip
    starts = {name: one.window_start for name, one in found.items() if one.window_start}
    assert starts == {"households": date(2026, 1, 1)}
    assert found["weekly"].over is not None and found["weekly"].over.bucket == "week"
    placed = {name for name, one in found.items() if one.measure and one.measure.placed_by_first}
    assert placed == {"answered"}
    assert (found["most"].target.value, found["all"].target.value) == (80, 100)
