"""All 196 tasks on a made-up course: what its closing names closes each, and nothing less does."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from services.registry.journal.store import Fact
from services.registry.tasks.evidence import Evidence
from services.registry.tasks.fold import Known, TaskStanding, fold_tasks
from services.registry.tasks.objectives import Met, ObjectiveState
from services.registry.tasks.occurrences import Occurrence, occurrences
from services.registry.tasks.standing import CLOSED
from services.registry.tasks.statements import Return, Statement, statements_of
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


def wrong_value(wanted: Any) -> Any:
    """A value that the filter does not let through."""
    if isinstance(wanted, dict):
        ((comparison, number),) = wanted.items()
        return number - 1 if comparison in (">", ">=") else number + 1
    first = wanted[0] if isinstance(wanted, list) else wanted
    return not first if isinstance(first, bool) else f"not-{first}"


def instead(proof: Proof, evidence: dict[str, list[Evidence]], **changed: Any) -> dict[str, list[Evidence]]:  # fmt: skip
    """The same course, of which the events of one proof are others."""
    return {
        kind: [replace(e, **changed) for e in found] if kind in proof.types else found
        for kind, found in evidence.items()
    }


def less(proof: Proof, evidence: dict[str, list[Evidence]]) -> Iterator[tuple[str, dict[str, list[Evidence]]]]:  # fmt: skip
    """What must not be enough for a proof: (what is wrong with it, the course)."""
    yield "absent", {k: v for k, v in evidence.items() if k not in proof.types}
    yield "too early", instead(proof, evidence, occurred=date(2025, 1, 1))
    mine = [e for kind in proof.types for e in evidence.get(kind, ())]
    for name, wanted in proof.filter.items():
        key, _ = value_that_passes(name, wanted)
        value = wrong_value(wanted)
        for data in ({**mine[0].data, key: [value] if key == "target_groups" else value},):
            yield f"another {name}", instead(proof, evidence, data=data)
    if proof.sum is not None:
        few = {**mine[0].data, proof.sum: proof.at_least // len(mine) - 1}
        yield "too little", instead(proof, evidence, data=few)
    elif proof.at_least > 1:
        yield "too few", instead(proof, evidence, n=1)
    if proof.percent_of_communes is not None:
        one = {mine[0].unit_id}
        yield (
            "one commune",
            {
                k: [e for e in v if k not in proof.types or e.unit_id in one]
                for k, v in evidence.items()
            },
        )


@pytest.mark.parametrize(("name", "id"), ALL)
def test_nothing_less_closes_it(name: str, id: str, areas: dict[str, Area]) -> None:
    """Without its statement, without its objectives, or with less than one of its proofs asks for
    (another kind or channel, too few, too early, elsewhere) a task stays open."""
    plan, area = PLANS[name], areas[name]
    task = next(t for t in plan["tasks"] if t["id"] == id)
    alone = plan | {"tasks": [task]}
    closing = closing_of(task)
    if closing.tasks_led:
        return  # depends on the others: the tests above and below
    lead = {
        b.id: subject(plan, b)
        for b in of(alone, area, {}, [], met=False, on=end(plan))[id].bodies.values()
    }
    evidence, said = course(plan, area, task, lead)
    last = end(plan) + timedelta(days=1)

    def state(facts: dict[str, list[Evidence]], stated_: list[Statement], *, met: bool) -> str:
        return of(alone, area, facts, stated_, met=met, on=last)[id].state

    assert state(evidence, said, met=True) in CLOSED
    lacking = {}
    if closing.objectives:
        lacking["objectives"] = state(evidence, said, met=False)
    if closing.statement_vi is not None:
        lacking["statement"] = state(evidence, [], met=True)
        back = [replace(s, returned=Return("x", last, s.position)) for s in said]
        lacking["sent back"] = state(evidence, back, met=True)
        half = [replace(s, status="in_progress") for s in said]
        lacking["in progress"] = state(evidence, half, met=True)
        other = [replace(s, organisation="somebody-else") for s in said]
        lacking["another's statement"] = state(evidence, other, met=True)
    for proof in closing.proofs:
        for wrong, facts in less(proof, evidence):
            lacking[f"{proof.types[0]}: {wrong}"] = state(facts, said, met=True)
        if proof.where == "lead":
            # A department's is not what a commune did, a commune's not what the province did.
            units = set(lead.values()) - {plan["unit"]}
            elsewhere = plan["unit"] if units else next(iter(area.communes()), None)
            if elsewhere is not None and elsewhere not in lead.values():
                facts = instead(proof, evidence, unit_id=elsewhere)
                lacking[f"{proof.types[0]}: elsewhere"] = state(facts, said, met=True)
    assert lacking
    assert {what: found for what, found in lacking.items() if found in CLOSED} == {}


@pytest.mark.parametrize("name", FIVE)
def test_a_task_that_waits_for_the_others_is_open_while_one_of_them_is(
    name: str, areas: dict[str, Area]
) -> None:
    plan, area = PLANS[name], areas[name]
    nothing = of(plan, area, {}, [], met=True, on=end(plan))
    waiting = [t for t in plan["tasks"] if closing_of(t).tasks_led]
    for task in waiting:
        for body, stands in nothing[task["id"]].standings.items():
            led = [o for o in nothing.values() if o.task["kind"] == "task" and body in o.standings]
            done = all(o.standings[body].state in CLOSED for o in led if o.task["id"] != task["id"])
            assert (stands.state in CLOSED) == (done and bool(led))
