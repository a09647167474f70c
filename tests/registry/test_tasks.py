"""Tasks: all 196 with lead, budget and state; proofs come from events; what is late is said."""

from datetime import date
from typing import Any

import pytest

from services.registry.definitions import Statement
from services.registry.tasks.standing import Proof, last_day, standing
from tests.registry import fakes
from tests.registry.conftest import Running

DONG_NAI = "/v1/plans/dong-nai-2026/tasks"
ON = date(2026, 11, 21)


async def test_all_tasks_of_the_five_plans(registry: Running) -> None:
    plans = (await registry.client.get("/v1/plans")).json()["plans"]
    total = 0
    for plan in plans:
        answer = (await registry.client.get(f"/v1/plans/{plan['id']}/tasks")).json()
        assert answer["total"] == len(answer["tasks"]) == sum(answer["states"].values())
        assert all(t["source_line"] and t["lead"] is not None for t in answer["tasks"])
        total += answer["total"]
    assert total == 196


async def test_the_budget_of_dong_nai(registry: Running) -> None:
    answer = (await registry.client.get(DONG_NAI)).json()
    assert answer["budget_million_vnd"] == 4200  # the plan prints no sum; ours of its rows
    only = (await registry.client.get(DONG_NAI, params={"lead": "doan-tncs"})).json()
    assert {task["id"] for task in only["tasks"]} >= {"iii-8"}
    assert all("doan-tncs" in task["lead"] for task in only["tasks"])


async def test_tasks_by_organisation(registry: Running) -> None:
    answer = await registry.client.get(DONG_NAI, params={"organisation": "so-khcn"})
    tasks = answer.json()["tasks"]
    assert tasks
    assert all("so-khcn" in [*t["lead"], *(t.get("coordinate") or [])] for t in tasks)


def launch(id: str, unit: str, day: str) -> fakes.CloudEvent:
    return {
        "id": id,
        "source": "https://sokhcn.example",
        "type": "vn.hocvuso.launch.held",
        "subject": unit,
        "time": f"{day}T09:00:00+07:00",
        "data": {"kind": "launch"},
    }


async def of(registry: Running, plan: str, task: str) -> dict[str, Any]:
    answer = (await registry.client.get(f"/v1/plans/{plan}/tasks")).json()
    return next(t for t in answer["tasks"] if t["id"] == task)


async def test_proving_events_of_the_plans_units_are_counted(registry: Running) -> None:
    before = await of(registry, "dong-nai-2026", "iii-1b")
    assert (before["state"], before["late"]) == ("not_started", True)
    await registry.happen(
        launch("l-1", "75@2025", "2026-05-20"),
        launch("l-2", "66@2025", "2026-05-20"),  # another province
        launch("l-3", "75@2025", "2026-04-20"),  # before the task began
    )
    after = await of(registry, "dong-nai-2026", "iii-1b")
    proofs = {p["type"]: (p["reported"], p["first"]) for p in after["proofs"]}
    assert proofs["launch.held"] == (1, "2026-05-20")
    assert (after["state"], after["late"]) == ("started", True)
    late = (await registry.client.get(DONG_NAI, params={"late": "true"})).json()
    assert "iii-1b" in {t["id"] for t in late["tasks"]}
    assert late["late"] == late["total"] == len(late["tasks"])


@pytest.mark.parametrize(
    ("reported", "met", "state", "late"),
    [
        ([0, 0], None, "not_started", True),
        ([3, 0], None, "started", True),
        ([3, 1], None, "proven", False),
        ([0, 0], True, "done", False),
        ([3, 0], False, "started", True),
    ],
)
def test_states(reported: list[int], met: bool | None, state: str, late: bool) -> None:
    proofs = [Proof(f"type.{i}", n, None, None) for i, n in enumerate(reported)]
    found = standing({"objectives": ["a"]}, date(2026, 11, 20), proofs, {"a": met}, ON)
    assert (found.state, found.late) == (state, late)
    on_the_day = standing({"objectives": ["a"]}, ON, proofs, {"a": met}, ON)
    assert on_the_day.late is False


def test_a_task_without_any_proof_is_never_called_late() -> None:
    found = standing({"objectives": []}, date(2026, 1, 1), [], {}, ON)
    assert (found.state, found.late) == ("no_proof_defined", False)


def test_seven_days_after_a_central_document() -> None:
    task = {
        "id": "iv-2-1",
        "deadline": {"relative": {"document": "Khung kỹ năng số", "within_days": 7}},
    }
    assert last_day(task, "yen-bai-2025-2026", []) is None
    issued = Statement(
        "central_document.issued",
        "VN@2025",
        {
            "document": "x",
            "issued_on": "2025-04-29",
            "starts_deadline_of": ["yen-bai-2025-2026/iv-2-1"],
        },
        1,
        ON,
    )
    assert last_day(task, "yen-bai-2025-2026", [issued]) == date(2025, 5, 6)
    assert last_day(task, "another-plan", [issued]) is None


@pytest.mark.parametrize(
    ("params", "status", "code"),
    [
        ({"lead": "nobody"}, 404, "organisation-unknown"),
        ({"state": "sleeping"}, 422, "state-unknown"),
        ({"late": "maybe"}, 422, "invalid-parameter"),
    ],
)
async def test_bad_questions(
    registry: Running, params: dict[str, str], status: int, code: str
) -> None:
    answer = await registry.client.get(DONG_NAI, params=params)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_an_amendment_changes_the_plan_from_its_day_on(registry: Running) -> None:
    change = {
        "id": "amend-1",
        "source": "https://sokhcn.example",
        "type": "vn.hocvuso.plan.amended",
        "subject": "75@2025",
        "time": "2026-11-01T00:00:00+07:00",
        "data": {
            "plan": "dong-nai-2026",
            "task": "iii-8",
            "changes": {"budget_million_vnd": 1500},
            "valid_from": "2026-11-22",
        },
    }
    await registry.happen(change)
    assert (await of(registry, "dong-nai-2026", "iii-8"))["budget_million_vnd"] == 1000
    clock = registry.app.state.registry.clock
    before, clock.at = clock.at, clock.at.replace(day=22)
    try:
        assert (await of(registry, "dong-nai-2026", "iii-8"))["budget_million_vnd"] == 1500
        shown = (await registry.client.get("/v1/plans/dong-nai-2026")).json()
        assert [a["task"] for a in shown["amendments"]] == ["iii-8"]
    finally:
        clock.at = before
