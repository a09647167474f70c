"""All 196 tasks on a made-up course: what its closing names closes each, and nothing less does."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

import pytest

from services.registry.journal.store import Fact
from services.registry.tasks.evidence import Evidence
from services.registry.tasks.fold import Known, TaskStanding, fold_tasks
from services.registry.tasks.objectives import Met, ObjectiveState
from services.registry.tasks.occurrences import Occurrence, occurrences
from services.registry.tasks.standing import CLOSED
from services.registry.tasks.statements import Statement, statements_of
from services.registry.tasks.territory import Area
from shared.contracts.definitions import Catalogue
from shared.domain.closing import Closing, Proof, closing_of
from shared.domain.plan_files.document import load_plan
from shared.domain.territory import answering as territory
from shared.domain.tree import UnitTree
from tests.plans.five import FIVE
from tests.registry import fakes

PLANS = {name: load_plan(fakes.PLANS / f"{name}.yaml", Catalogue.load()).data for name in FIVE}
ALL = [(name, task["id"]) for name, plan in PLANS.items() for task in plan["tasks"]]
ISSUED = date(2025, 5, 5)


@pytest.fixture(scope="module")
def areas(tree: UnitTree) -> dict[str, Area]:
    return {
        name: Area(tree, plan["unit"], territory(tree, plan["unit"]), end(plan))
        for name, plan in PLANS.items()
    }


def end(plan: dict[str, Any]) -> date:
    return date.fromisoformat(plan["period"]["end"])


def times_of(task: dict[str, Any], plan: dict[str, Any], closing: Closing) -> list[Occurrence]:
    issued = {}
    if isinstance(task.get("deadline"), dict) and "relative" in task["deadline"]:
        issued[task["deadline"]["relative"]["document"]] = ISSUED
    return occurrences(task, plan, closing, issued, None)


def value_that_passes(name: str, wanted: Any) -> tuple[str, Any]:
    if isinstance(wanted, dict):
        ((comparison, number),) = wanted.items()
        return name, number + (comparison == ">")
    first = wanted[0] if isinstance(wanted, list) else wanted
    return ("target_groups", [first]) if name == "target_group" else (name, first)


def course(plan: dict[str, Any], area: Area, task: dict[str, Any], lead: dict[str, Any]) -> tuple[dict[str, list[Evidence]], list[Statement]]:  # fmt: skip
    """Exactly what the closing of a task asks for, at each lead body and occurrence, on its first
    day within the tree's time."""
    closing = closing_of(task)
    evidence: dict[str, list[Evidence]] = {}
    facts: list[Fact] = []
    for time in times_of(task, plan, closing):
        day = max(time.start, date(2025, 7, 1)) if plan["unit"].endswith("@2025") else time.start
        for proof in closing.proofs:
            for unit, reporter in places(plan, area, proof, lead):
                enough(evidence, proof, unit, day, reporter)
        if closing.statement_vi is not None:
            for body, unit in lead.items():
                organisation = None if unit == body else body
                facts.append(stated(plan, task, organisation, unit, time, day, len(facts) + 1))
    return evidence, statements_of(facts, plan["id"])


def places(plan: dict[str, Any], area: Area, proof: Proof, lead: Mapping[str, str]) -> Iterator[tuple[str, str | None]]:  # fmt: skip
    if proof.percent_of_communes is not None:
        yield from ((unit, None) for unit in area.communes())
        return
    for body, unit in lead.items():
        yield unit, None if unit == body else body


def enough(
    evidence: dict[str, list[Evidence]], proof: Proof, unit: str, day: date, reporter: str | None
) -> None:
    data = dict(value_that_passes(*item) for item in proof.filter.items())
    if proof.sum is not None:
        data[proof.sum] = proof.at_least
    if reporter is not None:
        data["reporter"] = reporter
    n = 1 if proof.sum is not None else proof.at_least
    evidence.setdefault(proof.types[0], []).append(Evidence(unit, day, data, n))
    for name in proof.as_many_as:
        evidence.setdefault(name, []).append(Evidence(unit, day, {}, 1))


def stated(plan: dict[str, Any], task: dict[str, Any], organisation: str | None, unit: str, time: Occurrence, day: date, position: int) -> Fact:  # fmt: skip
    data: dict[str, Any] = {"plan": plan["id"], "task": task["id"], "status": "done", "occurrence": time.id}  # fmt: skip
    if organisation is not None:
        data["organisation"] = organisation
    return Fact(
        position, position, "task.progressed", unit, day, day, "https://a.example", "1", data
    )


def of(plan: dict[str, Any], area: Area, evidence: dict[str, list[Evidence]], said: list[Statement], *, met: bool, on: date) -> dict[str, TaskStanding]:  # fmt: skip
    cell = ObjectiveState(met, met, True)
    cells = Met({plan["unit"]: {o["id"]: cell for o in plan["objectives"]}}, plan["unit"], ())
    issued = {
        t["deadline"]["relative"]["document"]: ISSUED
        for t in plan["tasks"]
        if isinstance(t.get("deadline"), dict) and "relative" in t["deadline"]
    }
    known = Known(plan, area, evidence, cells, said, issued, on)
    return {one.task["id"]: one for one in fold_tasks(known)}


def subject(plan: dict[str, Any], body: Any) -> str:
    return body.unit_id or plan["unit"]


@pytest.mark.parametrize("name", FIVE)
def test_a_course_that_does_all_closes_all(name: str, areas: dict[str, Area]) -> None:
    plan, area = PLANS[name], areas[name]
    nothing = of(plan, area, {}, [], met=False, on=end(plan))
    assert all(not {b.state for b in t.standings.values()} & CLOSED for t in nothing.values())
    evidence: dict[str, list[Evidence]] = {}
    said: list[Statement] = []
    for task in plan["tasks"]:
        lead = {b.id: subject(plan, b) for b in nothing[task["id"]].bodies.values()}
        more, stated_ = course(plan, area, task, lead)
        for kind, found in more.items():
            evidence.setdefault(kind, []).extend(found)
        said += stated_
    done = of(plan, area, evidence, said, met=True, on=end(plan) + timedelta(days=1))
    open_ = {
        id: {n: [c for c in b.current.conditions if not c.holds] for n, b in t.standings.items() if b.state not in CLOSED}
        for id, t in done.items()
        if t.state not in CLOSED
    }  # fmt: skip
    assert open_ == {}


@pytest.mark.parametrize(("name", "id"), ALL)
def test_nothing_less_closes_it(name: str, id: str, areas: dict[str, Area]) -> None:
    """Without its statement, without its objectives, or without one of its proofs a task stays open."""
    plan, area = PLANS[name], areas[name]
    task = next(t for t in plan["tasks"] if t["id"] == id)
    alone = plan | {"tasks": [task]}
    closing = closing_of(task)
    if closing.tasks_led:
        return  # depends on the others: the test above
    lead = {
        b.id: subject(plan, b)
        for b in of(alone, area, {}, [], met=False, on=end(plan))[id].bodies.values()
    }
    evidence, said = course(plan, area, task, lead)
    last = end(plan) + timedelta(days=1)
    assert of(alone, area, evidence, said, met=True, on=last)[id].state in CLOSED
    lacking = []
    if closing.objectives:
        lacking.append(of(alone, area, evidence, said, met=False, on=last)[id])
    if closing.statement_vi is not None:
        lacking.append(of(alone, area, evidence, [], met=True, on=last)[id])
    for proof in closing.proofs:
        rest = {k: v for k, v in evidence.items() if k not in proof.types}
        lacking.append(of(alone, area, rest, said, met=True, on=last)[id])
        wrong = {
            kind: [Evidence(e.unit_id, e.occurred, {}, e.n) for e in found]
            for kind, found in evidence.items()
        }
        if proof.filter:
            lacking.append(of(alone, area, wrong, said, met=True, on=last)[id])
    assert lacking
    assert all(found.state not in CLOSED for found in lacking)
