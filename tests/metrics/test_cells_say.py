"""What a cell says of itself: comparator, required count, its own target, its week or month."""

from datetime import date
from typing import Any

import msgspec
import pytest

from shared.contracts.definitions import Catalogue
from shared.domain.definitions import SHIPPED, Definitions
from shared.domain.places import Places
from shared.domain.populations import Populations
from tests.metrics.cell_world import World, percent
from tests.metrics.histories import BASE
from tests.metrics.province import ROOT, A, B, C, declare, objective, of

PERSONS = {"count": "distinct_persons", "of": [of("citizen.certified")]}
ADULTS = PERSONS | {"over": {"population": "adults"}}
YEAR = {"start": "2026-01-01", "end": "2026-12-31"}


def rhythm(name: str, bucket: str, value: int, comparator: str = ">=", **more: Any) -> Any:
    """So many classes in every commune, every week or month of 2026."""
    measure = {
        "count": "events", "bucket": bucket, "of": [of("class.held")],
        "within_unit": {"per": "commune", "threshold": "target"}, "over": {"units": "commune"},
    }  # fmt: skip
    target = {"value": value, "unit": "count", "per": "commune", "comparator": comparator}
    given = {"period": YEAR, "last_day": None, "recurrence": f"{bucket}ly"}
    return objective(name, measure, target=target, **given | more)


def test_more_than_ten_a_month_is_eleven(catalogue: Catalogue) -> None:
    world = World(catalogue, rhythm("posts", "month", 10, ">"))
    end = date(2026, 10, 31)
    ten, eleven = (world.cell("posts", [(A, end, n)], end, A) for n in (10, 11))
    assert (ten.met, ten.status, ten.comparator, ten.required) == (False, "behind", ">", 11)
    assert (eleven.met, eleven.status) == (True, "met")
    whole = world.cell("posts", [(A, end, 10)], end)
    assert (whole.value, whole.denominator, whole.comparator) == (0, 3, ">=")


def test_the_running_month_and_the_one_that_is_judged_are_both_named(
    catalogue: Catalogue,
) -> None:
    world = World(catalogue, rhythm("posts", "month", 10, ">"))
    cell = world.cell("posts", [(A, date(2026, 10, 5), 12)], date(2026, 11, 2), A)
    assert (cell.value, cell.met, cell.status) == (0, False, "met")
    running, judged = cell.bucket, cell.status_bucket
    assert running is not None and judged is not None
    assert (running.kind, running.start, running.end) == (
        "month", date(2026, 11, 1), date(2026, 11, 30),
    )  # fmt: skip
    assert (running.value, running.met, running.judged) == (0, False, True)
    assert (judged.start, judged.end) == (date(2026, 10, 1), date(2026, 10, 31))
    assert (judged.value, judged.required, judged.met) == (12, 11, True)
    above = world.cell("posts", [(A, date(2026, 10, 5), 12)], date(2026, 11, 2))
    assert above.status_bucket is not None
    assert (above.value, above.status_bucket.value, above.status_bucket.denominator) == (0, 1, 3)


@pytest.mark.parametrize("day", [date(2026, 1, 4), date(2026, 1, 5), date(2026, 1, 6)])
def test_a_week_that_the_plan_cuts_is_shown_and_not_judged(catalogue: Catalogue, day: date) -> None:
    """A session on Tuesday 30/12, a plan from Thursday 1/1: nobody is behind for that week."""
    world = World(catalogue, rhythm("sessions", "week", 1))
    cell = world.cell("sessions", [(A, date(2025, 12, 30), 1)], day, A)
    assert cell.bucket is not None
    running = (date(2025, 12, 29), False, None) if day.day == 4 else (date(2026, 1, 5), True, False)
    assert (cell.bucket.start, cell.bucket.judged, cell.bucket.met) == running
    assert (cell.met, cell.status, cell.status_bucket) == (running[2], "not_judged", None)
    held = world.cell("sessions", [(A, date(2026, 1, 2), 1)], day, A)
    assert held.value == (1 if day.day == 4 else 0), "what lies in the plan's days is shown"
    assert held.status == "not_judged"
    first = world.cell("sessions", [(A, date(2026, 1, 7), 1)], date(2026, 1, 11), A)
    assert (first.status, first.met) == ("met", True), "the first whole week"


def test_after_its_period_a_rhythm_is_judged_by_the_last_whole_week(catalogue: Catalogue) -> None:
    world = World(catalogue, rhythm("sessions", "week", 1))
    facts = [(A, date(2026, 12, 23), 1)]
    for day in (date(2026, 12, 30), date(2027, 1, 3), date(2027, 2, 1)):
        cell = world.cell("sessions", facts, day, A)
        assert cell.status_bucket is not None and cell.bucket is not None
        assert (cell.status, cell.status_bucket.end) == ("met", date(2026, 12, 27))
        assert (cell.met, cell.bucket.judged) == (None, False)


def test_a_month_that_the_plan_cuts_at_its_beginning(catalogue: Catalogue) -> None:
    period = {"start": "2025-05-15", "end": "2026-12-31"}
    world = World(catalogue, rhythm("posts", "month", 1, period=period))
    may = world.cell("posts", [], date(2025, 6, 10), A)
    assert (may.status, may.met) == ("not_judged", False)
    assert world.cell("posts", [], date(2025, 6, 30), A).status == "behind"


def test_more_than_there_is_is_met_and_flagged(catalogue: Catalogue) -> None:
    world = World(catalogue, objective("adults", ADULTS, target=percent(80)))
    declare(world.log, A, "adults", 7, BASE)
    over, all_of_them = (world.cell("adults", [(A, BASE, n)], unit=A) for n in (13, 7))
    assert (over.value, over.denominator, over.met) == (13, 7, True)
    assert over.flags == ["exceeds_denominator"]
    assert (all_of_them.met, all_of_them.flags) == (True, [])
    assert (over.target, over.comparator, over.required) == (80, ">=", 6)


def test_more_than_another_target_asks_for_is_no_fault(catalogue: Catalogue) -> None:
    drive = PERSONS | {"over": {"target_of": "all"}}
    share = percent(50, unit="percent_of_target") | {"of_objective": "all"}
    world = World(
        catalogue,
        objective("all", ADULTS, target=percent(40)),
        objective("drive", drive, target=share),
    )
    declare(world.log, ROOT, "adults", 201, BASE)
    good, too_many = (world.cell("drive", [(A, BASE, n)]) for n in (100, 202))
    assert (good.denominator, good.required, good.flags) == (81, 41, []), "exact: 40.2 of 80.4"
    assert too_many.flags == ["exceeds_denominator"]


def test_organisations_are_judged_at_the_plans_unit(catalogue: Catalogue) -> None:
    promoted = {"count": "distinct_organisations", "of": [of("contest.promoted")]}
    promoted["over"] = {"population": "organisations"}  # type: ignore[assignment]
    target = percent(100, unit="percent_of_units")
    world = World(catalogue, objective("all-promote", promoted, target=target))
    undeclared = world.cell("all-promote", [(A, BASE, 2)])
    assert (undeclared.met, undeclared.status) == (None, "unknown")
    assert undeclared.flags == ["denominator_missing", "missing:organisations"]
    declare(world.log, ROOT, "organisations", 3, BASE)
    two = world.cell("all-promote", [(A, BASE, 2)])
    assert (two.value, two.denominator, two.met, two.required) == (2, 3, False, 3)
    three = world.cell("all-promote", [(A, BASE, 2), (B, BASE, 1)])
    assert (three.met, three.status) == (True, "met"), "so their tasks can be done"
    below = world.cell("all-promote", [(A, BASE, 2)], unit=A)
    assert (below.value, below.target, below.status) == (2, None, "no_target")
    assert world.cell("all-promote", [], unit=C).met is None


def amend(
    world: World,
    objective: str,
    unit: str | None,
    *,
    valid_from: str = str(BASE),
    recorded: date = BASE,
    **changes: Any,
) -> None:
    data = {"plan": "p", "objective": objective, "valid_from": valid_from, "changes": changes}
    data |= {"for_unit": unit} if unit else {}
    world.log.post("plan.amended", ROOT, recorded, recorded, data)


def in_communes(name: str, value: int, **more: Any) -> Any:
    """So many classes in every commune."""
    measure = {
        "count": "events", "of": [of("class.held")],
        "within_unit": {"per": "commune", "threshold": "target"}, "over": {"units": "commune"},
    }  # fmt: skip
    target = {"value": value, "unit": "count", "per": "commune", "comparator": ">="}
    return objective(name, measure, target=target, **more)


def test_a_number_set_for_a_commune_is_judged_there(catalogue: Catalogue) -> None:
    """The province asks for 100 classes; 8 of them of A, nothing said of B."""
    classes = {"count": "events", "of": [of("class.held")]}
    target = {"value": 100, "unit": "count", "comparator": ">="}
    world = World(catalogue, objective("classes", classes, target=target))
    amend(world, "classes", A, target={"value": 8})
    amend(world, "classes", B, last_day="2026-11-30", deadline="2026-11-30")
    eight = [(A, BASE, 8), (B, BASE, 8)]
    mine = world.cell("classes", eight, unit=A)
    assert (mine.target, mine.target_unit, mine.comparator) == (8, "count", ">=")
    assert (mine.met, mine.required, mine.status) == (True, 8, "met")
    other = world.cell("classes", eight, unit=B)
    assert (other.target, other.status, other.last_day) == (None, "no_target", date(2026, 11, 30))
    whole = world.cell("classes", eight)
    assert (whole.target, whole.met) == (100, False)


def test_what_a_unit_goes_on_as_declares_for_it(catalogue: Catalogue) -> None:
    """The nation of before 1/7/2025, and a commune that only got another number."""
    world = World(catalogue, objective("adults", ADULTS, target=percent(50)))
    old, both, two = "OLD@2004", "BOTH@2004", "TWO@2004"
    for unit in (old, both, two):
        data = {"unit_id": unit, "code": unit[:-5], "era": "2004", "name_vi": unit}
        data |= {"kind": "ward", "from": "2004-01-01"}
        world.log.post("unit.established", unit, BASE, BASE, data)
    for unit, heir in ((old, C), (both, A), (two, A)):
        heirs: Any = [{"unit_id": heir, "part": "whole"}]
        gone: Any = {"unit_id": unit, "dissolved_on": "2025-07-01", "successors": heirs}
        world.log.post("unit.dissolved", unit, BASE, BASE, gone)
    declare(world.log, C, "adults", 30, BASE)
    declare(world.log, A, "adults", 70, BASE)
    definitions = Definitions(catalogue)
    for row in world.log.rows:
        definitions.apply(row)
    numbers = Populations(definitions, Places(definitions.tree, BASE))
    assert numbers.of(old, "adults", BASE).value == 30
    assert numbers.of(both, "adults", BASE).value != 70, "A is more than one of the two"


def test_a_target_raised_after_the_deadline_leaves_who_was_on_time(catalogue: Catalogue) -> None:
    """5 of 5 classes by the deadline; 8 of this commune from a later day on."""
    world = World(catalogue, in_communes("classes", 5, last_day="2026-06-29"))
    amend(world, "classes", A, valid_from="2026-11-01", target={"value": 8})
    five = [(unit, date(2026, 5, 5), 5) for unit in (A, B, C)]
    for day in (date(2026, 6, 30), date(2026, 10, 31), date(2026, 11, 1), date(2026, 12, 31)):
        mine = world.cell("classes", five, day, unit=A)
        assert (mine.target, mine.met, mine.met_on_time, mine.status) == (5, True, True, "met"), day
        whole = world.cell("classes", five, day)
        assert (whole.value, whole.denominator, whole.met_on_time) == (3, 3, True), day


def test_a_target_raised_before_the_deadline_is_the_communes_own(catalogue: Catalogue) -> None:
    world = World(catalogue, in_communes("classes", 5, last_day="2026-06-29"))
    amend(world, "classes", A, valid_from="2026-05-01", target={"value": 8})
    five = [(unit, date(2026, 5, 5), 5) for unit in (A, B, C)]
    mine = world.cell("classes", five, date(2026, 7, 1), unit=A)
    assert (mine.target, mine.required, mine.met_on_time, mine.status) == (8, 8, False, "overdue")
    assert world.cell("classes", five, date(2026, 7, 1)).value == 2


def test_a_share_of_a_target_is_of_the_one_valid_at_its_deadline(catalogue: Catalogue) -> None:
    """30 % of 60 % of 100 adults by the end of June; afterwards the 60 become 90."""
    main = objective("main", ADULTS, target=percent(60), last_day="2026-11-29")
    part = PERSONS | {"over": {"target_of": "main"}}
    wanted = percent(30, unit="percent_of_target") | {"of_objective": "main"}
    world = World(catalogue, main, objective("part", part, target=wanted, last_day="2026-06-29"))
    declare(world.log, A, "adults", 100, date(2026, 1, 1))
    amend(world, "main", None, valid_from="2026-08-01", target={"value": 90})
    amend(world, "main", B, valid_from="2026-09-01", target={"value": 80})
    eighteen = [(A, date(2026, 6, 1), 18)]
    for day in (date(2026, 7, 1), date(2026, 8, 1), date(2026, 12, 31)):
        cell = world.cell("part", eighteen, day, unit=A)
        assert (cell.denominator, cell.required, cell.met, cell.met_on_time) == (
            60, 18, True, True,
        ), day  # fmt: skip
    later = World(catalogue, main, objective("part", part, target=wanted, last_day="2026-08-29"))
    declare(later.log, A, "adults", 100, date(2026, 1, 1))
    amend(later, "main", None, valid_from="2026-08-01", target={"value": 90})
    cell = later.cell("part", eighteen, date(2026, 12, 1), unit=A)
    assert (cell.denominator, cell.required, cell.met_on_time) == (90, 27, False)


def test_both_deadlines_stand_with_what_was_asked_then(catalogue: Catalogue) -> None:
    """An extension that is recorded late: the province's communes are judged at the old day by what
    each of them was asked then."""
    world = World(catalogue, in_communes("classes", 5, last_day="2026-06-29"))
    early, late = date(2026, 5, 1), date(2026, 7, 10)
    amend(world, "classes", A, valid_from="2026-05-01", recorded=early, target={"value": 8})
    amend(world, "classes", None, valid_from="2026-07-10", recorded=late, deadline="2026-09-30")
    seven = [(unit, date(2026, 5, 5), 7) for unit in (A, B, C)] + [(A, date(2026, 8, 1), 1)]
    mine = world.cell("classes", seven, date(2026, 8, 2), unit=A)
    assert [(d.last_day, d.target, d.value, d.met) for d in mine.deadlines] == [
        (date(2026, 6, 29), 8, 7, False),
        (date(2026, 9, 30), 8, 8, None),
    ]
    assert (mine.met, mine.met_on_time) == (True, False)
    whole = world.cell("classes", seven, date(2026, 8, 2))
    assert [(d.last_day, d.value, d.met) for d in whole.deadlines] == [
        (date(2026, 6, 29), 2, False),
        (date(2026, 9, 30), 3, None),
    ]


def test_what_nobody_declared_is_said(catalogue: Catalogue) -> None:
    """Residents come with the files of mergers; the province's own word takes the flag away."""
    world = World(
        catalogue,
        objective("all", PERSONS | {"over": {"population": "residents"}}, target=percent(50)),
    )
    for unit, number in ((A, 60), (B, 30), (C, 10)):
        declare(world.log, unit, "residents", number, date(2026, 1, 1))
        world.log.rows[-1] = msgspec.structs.replace(
            world.log.rows[-1], source=SHIPPED, id=f"population-{unit}-residents-2026-01-01"
        )
    for unit in (ROOT, A):
        cell = world.cell("all", [(A, date(2026, 2, 1), 55)], date(2026, 3, 1), unit)
        assert "denominator_undeclared" in cell.flags and "missing:residents" in cell.flags, unit
        assert cell.met is True
    declare(world.log, A, "residents", 60, date(2026, 1, 1))
    assert not world.cell("all", [], date(2026, 3, 1), A).flags
    assert "denominator_undeclared" in world.cell("all", [], date(2026, 3, 1)).flags
    declare(world.log, ROOT, "residents", 100, date(2026, 1, 1))
    assert not world.cell("all", [], date(2026, 3, 1)).flags
