"""Targets that rise in steps, are handed down, are encouraged, have decimals or are limits: cells
counted by hand."""

from datetime import date
from typing import Any

import pytest

from shared.contracts.definitions import Catalogue
from shared.domain.plan_files.document import check_plan, why_plan_refused
from tests.metrics.cell_world import World, percent
from tests.metrics.histories import BASE
from tests.metrics.province import ROOT, A, B, C, document, objective, of

EVENTS = {"count": "events", "of": [of("class.held")]}
ADULTS = {**EVENTS, "count": "distinct_persons", "of": [of("citizen.certified")]}
ADULTS |= {"over": {"population": "adults"}}
YEAR = {"start": "2026-01-01", "end": "2027-12-31"}
FIRST, LAST = date(2026, 12, 31), date(2027, 12, 31)


def rising(**more: Any) -> dict[str, Any]:
    course = [{"by": FIRST.isoformat(), "value": 50}, {"by": LAST.isoformat(), "value": 100}]
    return objective(
        "rises",
        ADULTS,
        target=percent(100) | {"course": course},
        period=YEAR,
        deadline=LAST.isoformat(),
        last_day=LAST.isoformat(),
        **more,
    )


def test_a_step_holds_until_its_last_day(catalogue: Catalogue) -> None:
    world = World(catalogue, rising())
    facts = [(A, BASE, 2)]  # of 4 adults
    now = world.cell("rises", facts, FIRST)
    assert (now.target, now.required, now.last_day, now.status) == (50, 2, FIRST, "met")
    assert now.deadlines == []
    after = world.cell("rises", facts, date(2027, 1, 1))
    assert (after.target, after.required, after.last_day) == (100, 4, LAST)
    assert [(d.last_day, d.target, d.met) for d in after.deadlines] == [
        (FIRST, 50, True),
        (LAST, 100, None),
    ]
    # From 2 (the first step) to 4 in the 365 days of the second: 3 are enough until half of them.
    three = [*facts, (B, FIRST, 1)]
    assert after.status == "behind"
    assert world.cell("rises", three, date(2027, 7, 1)).status == "on_track"
    assert world.cell("rises", three, date(2027, 7, 2)).status == "behind"
    over = world.cell("rises", facts, date(2028, 1, 1))
    assert (over.status, over.met_on_time) == ("overdue", False)


def test_a_step_that_was_missed_stays_missed(catalogue: Catalogue) -> None:
    late = [(A, BASE, 1), (A, date(2027, 2, 1), 3)]
    cell = World(catalogue, rising()).cell("rises", late, date(2027, 3, 1))
    assert (cell.status, cell.value) == ("met", 4)
    assert cell.deadlines[0].met is False


def handed(**shares: int) -> dict[str, Any]:
    target = percent(6, unit="count") | {"shares": {f"{k}@2025": n for k, n in shares.items()}}
    return objective("handed", EVENTS, target=target)


def test_a_number_is_handed_down(catalogue: Catalogue) -> None:
    world = World(catalogue, handed(A=4, B=2))
    facts = [(A, BASE, 3), (B, BASE, 2), (C, BASE, 9)]
    cells = {unit: world.cell("handed", facts, unit=unit) for unit in (ROOT, A, B, C)}
    assert {u: (c.value, c.target, c.met) for u, c in cells.items()} == {
        ROOT: (14, 6, True),
        A: (3, 4, False),
        B: (2, 2, True),
        C: (9, None, None),
    }
    assert cells[C].status == "no_target"


def test_what_a_unit_reads_of_its_share(catalogue: Catalogue) -> None:
    from shared.domain.definitions import Definitions

    definitions = Definitions(catalogue)
    for row in World(catalogue, handed(A=4, B=2)).log.rows:
        definitions.apply(row)
    plan = definitions.plan("p", BASE)
    assert plan is not None
    read = {u: plan.for_unit(u)["objectives"][0]["target"]["value"] for u in (A, B, C)}
    assert read == {A: 4, B: 2, C: 6}


def test_one_share_is_amended(catalogue: Catalogue) -> None:
    world = World(catalogue, handed(A=4, B=2))
    data = {"plan": "p", "objective": "handed", "for_unit": A, "valid_from": BASE.isoformat()}
    data |= {"changes": {"target": {"value": 3}}}
    world.log.post("plan.amended", ROOT, BASE, BASE, data)
    facts = [(A, BASE, 3), (B, BASE, 1)]
    assert world.cell("handed", facts, unit=A).status == "met"
    assert world.cell("handed", facts, unit=B).target == 2


def test_what_is_encouraged_is_never_judged(catalogue: Catalogue) -> None:
    world = World(catalogue, objective("wish", ADULTS, encouraged=True))
    for day, facts in ((BASE, []), (date(2026, 12, 31), []), (BASE, [(A, BASE, 4)])):
        cell = world.cell("wish", facts, day)
        assert (cell.target, cell.status, cell.met) == (50, "not_judged", None)
        assert cell.met_on_time is None and "encouraged" in cell.flags


@pytest.mark.parametrize(("value", "needed"), [(50, 2), (50.5, 3), (75.01, 4), (75.0, 3)])
def test_decimals_are_exact(catalogue: Catalogue, value: float, needed: int) -> None:
    world = World(catalogue, objective("share", ADULTS, target=percent(value)))  # type: ignore[arg-type]
    for count in range(5):
        cell = world.cell("share", [(A, BASE, count)])
        assert (cell.required, cell.met) == (needed, count >= needed)


def test_a_limit_is_met_until_it_is_exceeded(catalogue: Catalogue) -> None:
    world = World(catalogue, objective("limit", ADULTS, target=percent(50, "<=")))
    seen = [world.cell("limit", [(A, BASE, n)]) for n in range(4)]
    assert [(c.met, c.status, c.required) for c in seen] == [
        (True, "met", 2),
        (True, "met", 2),
        (True, "met", 2),
        (False, "behind", 2),
    ]
    assert seen[3].comparator == "<="
    assert world.cell("limit", [(A, BASE, 3)], date(2026, 12, 31)).status == "overdue"


def test_only_what_a_unit_did_itself(catalogue: Catalogue) -> None:
    measure = {"count": "events", "of": [of("document.issued", kind="plan")]}
    measure |= {"within_unit": {"per": "commune", "threshold": 1, "own": True}}
    measure |= {"over": {"units": "commune"}}
    target = percent(100, unit="percent_of_units")
    facts = [("A-001@2025", BASE, 1), (B, BASE, 1)]
    cells = {
        own: World(
            catalogue,
            objective(
                "own",
                measure | {"within_unit": measure["within_unit"] | {"own": own}},  # type: ignore[dict-item]
                target=target,
            ),
        )
        for own in (True, False)
    }
    assert cells[True].cell("own", facts).value == 1
    assert cells[False].cell("own", facts).value == 2
    assert cells[True].cell("own", facts, unit=A).met is False


WRONG = {
    "shares that do not add up": (handed(A=4, B=3), "/target/shares", "add up to 7"),
    "a share of a percentage": (
        objective("o", ADULTS, target=percent(50) | {"shares": {A: 50}}),
        "/target/shares",
        "plain number",
    ),
    "a course that ends elsewhere": (
        {**rising(), "target": rising()["target"] | {"value": 90}},
        "/target/course",
        "the target is 90",
    ),
    "a course that goes back": (
        {**rising(), "target": rising()["target"] | {"course": rising()["target"]["course"][::-1]}},
        "/target/course",
        "do not rise",
    ),
    "three decimals": (objective("o", ADULTS, target=percent(1.005)), "/target/value", ""),  # type: ignore[arg-type]
    "persons of provinces": (
        objective(
            "o",
            {
                "count": "distinct_persons",
                "of": [of("citizen.certified")],
                "within_unit": {"per": "province", "threshold": 1},
                "over": {"units": "province"},
            },
            target=percent(50, unit="percent_of_units"),
        ),
        "/measure/count",
        "of provinces",
    ),
}


@pytest.mark.parametrize("name", list(WRONG))
def test_what_does_not_fit_is_refused(catalogue: Catalogue, name: str) -> None:
    one, place, says = WRONG[name]
    plan = document([one])
    found = check_plan(plan, catalogue)
    assert any(p.path.startswith(f"/objectives/0{place}") and says in p.message for p in found)
    assert why_plan_refused("p", plan, catalogue) is not None


def test_a_share_for_nobody_is_refused_at_the_door(catalogue: Catalogue) -> None:
    from shared.domain.definitions import Definitions
    from shared.domain.judging import DefinitionRefused, check_version

    definitions = Definitions(catalogue)
    for row in World(catalogue, objective("o", EVENTS)).log.rows:
        definitions.apply(row)
    plan = {**document([handed(A=4, X=2)]), "version": 2}
    data = {"plan": "p", "version": 2, "document": plan}
    with pytest.raises(DefinitionRefused) as refused:
        check_version(data, definitions)
    assert refused.value.pointer == "/document/objectives/0/target/shares/X@2025"
