"""Cells worked out by hand: populations, shares of targets, attributes, deadlines and pace."""

from datetime import date, timedelta

import pytest

from services.metrics.counting.windows import Window, last_complete, on_pace, per_week
from shared.contracts.definitions import Catalogue
from tests.metrics.cell_world import World, percent
from tests.metrics.histories import BASE
from tests.metrics.province import FIRST, ROOT, A, B, C, declare, objective, of

PERSONS = {"count": "distinct_persons", "of": [of("citizen.certified")]}


@pytest.mark.parametrize(("comparator", "met"), [(">=", True), (">", False)])
def test_exactly_the_target(catalogue: Catalogue, comparator: str, met: bool) -> None:
    adults = PERSONS | {"over": {"population": "adults"}}
    world = World(catalogue, objective("adults", adults, target=percent(50, comparator)))
    assert world.cell("adults", [(A, BASE, 2)]).met is met
    assert world.cell("adults", [(A, BASE, 1)]).met is False
    assert world.cell("adults", [(A, BASE, 3)]).met is True


def test_a_share_of_another_objectives_target(catalogue: Catalogue) -> None:
    """Half of (40 percent of 201 adults), that is 40.2 of 80.4: 41 persons are enough."""
    world = World(
        catalogue,
        objective("all", PERSONS | {"over": {"population": "adults"}}, target=percent(40)),
        objective(
            "drive",
            PERSONS | {"over": {"target_of": "all"}},
            target=percent(50, unit="percent_of_target") | {"of_objective": "all"},
        ),
    )
    declare(world.log, ROOT, "adults", 201, BASE)
    short, enough = (world.cell("drive", [(A, BASE, n)]) for n in (40, 41))
    assert (short.denominator, short.met, enough.met) == (81, False, True)


def test_only_units_with_the_attribute(catalogue: Catalogue) -> None:
    within = {"per": "commune", "threshold": 1, "comparator": ">="}
    per_remote = {"count": "events", "of": [of("class.held")], "within_unit": within}
    per_remote["over"] = {"units": "commune", "attribute": "remote"}
    target = {"value": 50, "unit": "percent_of_units", "of": "commune", "comparator": ">="}
    world = World(catalogue, objective("far", per_remote, target=target))
    for unit, value in ((A, False), (B, True), (C, False)):
        said = {"unit_id": unit, "attribute": "remote", "value": value, "from": str(FIRST)}
        world.log.post("unit.attributed", unit, FIRST, FIRST, said)
    near, far = (world.cell("far", [(unit, BASE, 1)]) for unit in (A, B))
    assert [(c.value, c.denominator, c.met) for c in (near, far)] == [(0, 1, False), (1, 1, True)]
    ward = world.cell("far", [(A, BASE, 1)], unit=A)
    assert (ward.value, ward.met) == (1, None)


def test_in_time_is_what_had_happened_by_the_last_day(catalogue: Catalogue) -> None:
    last = BASE + timedelta(days=9)
    adults = PERSONS | {"over": {"population": "adults"}}
    world = World(catalogue, objective("adults", adults, target=percent(50)))
    on_the_day = world.cell("adults", [(A, last, 2)], last + timedelta(days=5))
    late = world.cell("adults", [(A, last + timedelta(days=1), 2)], last + timedelta(days=5))
    assert (on_the_day.met, on_the_day.met_on_time) == (True, True)
    assert (late.met, late.met_on_time, late.status) == (True, False, "met")
    assert world.cell("adults", [], last + timedelta(days=1)).status == "overdue"


def test_a_report_of_the_whole_replaces_those_of_its_parts(catalogue: Catalogue) -> None:
    reported = {"count": "reported", "over": {"population": "adults"}}
    world = World(catalogue, objective("told", reported, target=percent(50)))
    parts = [(A, BASE, 1), (B, BASE, 1)]
    of_parts, of_whole = (world.cell("told", facts) for facts in (parts, [*parts, (ROOT, BASE, 3)]))
    assert (of_parts.value, of_parts.flags) == (2, [])
    assert (of_whole.value, of_whole.flags) == (3, ["own_report"])


def test_populations_of_their_day_and_whole_sums_only(catalogue: Catalogue) -> None:
    world = World(
        catalogue, objective("pupils", PERSONS | {"over": {"population": "pupils_primary_up"}})
    )
    for unit, number in ((A, 10), (B, 20)):
        declare(world.log, unit, "pupils_primary_up", number, BASE)
    partial = world.cell("pupils", [(A, BASE, 9)])
    assert (partial.denominator, partial.met) == (None, None)
    assert partial.flags[0] == "denominator_partial"
    assert world.cell("pupils", [], unit=A).denominator == 10
    declare(world.log, C, "pupils_primary_up", 30, BASE)
    declare(world.log, ROOT, "pupils_primary_up", 100, BASE + timedelta(days=3))
    days = [BASE + timedelta(days=n) for n in (-1, 0, 2, 3)]
    assert [world.cell("pupils", [], d).denominator for d in days] == [None, 60, 60, 100]


@pytest.mark.parametrize(("declared", "whole"), [(None, None), (3, None), (2, 2), (1, 2)])
def test_hamlets_count_once_their_register_is_whole(
    catalogue: Catalogue, declared: int | None, whole: int | None
) -> None:
    within = {"per": "hamlet", "threshold": 1, "comparator": ">="}
    per_hamlet = {"count": "events", "of": [of("class.held")], "within_unit": within}
    per_hamlet["over"] = {"units": "hamlet"}
    target = {"value": 50, "unit": "percent_of_units", "of": "hamlet", "comparator": ">="}
    world = World(catalogue, objective("hamlets", per_hamlet, target=target))
    if declared is not None:
        declare(world.log, A, "hamlets", declared, BASE)
    cell = world.cell("hamlets", [("A-001@2025", BASE, 1)], unit=A)
    assert (cell.value, cell.denominator, cell.met) == (1, whole, None if whole is None else True)
    assert ("hamlets_incomplete" in cell.flags) is (whole is None)


def test_pace_in_whole_numbers() -> None:
    first, last = date(2026, 1, 1), date(2026, 1, 10)
    on = date(2026, 1, 5)  # half of the days are gone at its end
    assert on_pace(5, 10, first, last, on) and not on_pace(4, 10, first, last, on)
    assert on_pace(0, 10, first, last, date(2025, 12, 31))
    assert not on_pace(9, 10, first, last, date(2026, 2, 1))
    assert per_week(5, last, date(2026, 1, 7)) == 12  # 5 in 3 days: 11.67 in 7
    assert per_week(7, last, date(2026, 1, 3)) == 7
    assert per_week(1, last, last) is None


def test_the_last_complete_week_and_month() -> None:
    sunday = date(2026, 2, 1)
    assert last_complete(sunday, "week") == Window(date(2026, 1, 26), sunday)
    assert last_complete(date(2026, 2, 2), "week") == Window(date(2026, 1, 26), sunday)
    assert last_complete(date(2026, 1, 31), "month").end == date(2026, 1, 31)
    assert last_complete(date(2026, 3, 30), "month").end == date(2026, 2, 28)
