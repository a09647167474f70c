"""Tasks: all 196 with every lead body; what closes each, in time, late or not at all."""

from typing import Any

import pytest

from tests.registry import fakes
from tests.registry.conftest import Running
from tests.registry.tasks import DAK_LAK, WARD, commune, happened, one

DONG_NAI = "/v1/plans/dong-nai-2026/tasks"


async def test_all_tasks_of_the_five_plans_say_what_closes_them(registry: Running) -> None:
    plans = (await registry.client.get("/v1/plans")).json()["plans"]
    total, stated = 0, 0
    for plan in plans:
        answer = (await registry.client.get(f"/v1/plans/{plan['id']}/tasks")).json()
        assert answer["total"] == len(answer["tasks"]) == sum(answer["states"].values())
        for task in answer["tasks"]:
            closed = task["closed_by"]
            assert (
                closed["objectives"]
                or closed["proofs"]
                or closed["tasks_led"]
                or closed["statement_vi"]
            )
            assert task["bodies"] == sum(task["body_states"].values()) > 0
            stated += closed["statement_vi"] is not None
        total += answer["total"]
    assert (total, stated) == (196, 52)  # fmt: skip


async def test_a_task_of_the_communes_stands_for_each_of_them(registry: Running) -> None:
    task = (await registry.client.get(f"{DAK_LAK}/t-10-closing-commune")).json()
    assert task["bodies"] == len(task["standings"]) == 102
    assert {s["state"] for s in task["standings"]} == {"not_started"}
    assert task["standings"][0]["current"]["last_day"] == "2026-12-30"


async def test_the_budget_of_dong_nai(registry: Running) -> None:
    answer = (await registry.client.get(DONG_NAI)).json()
    assert answer["budget_million_vnd"] == 4200  # the plan prints no sum; ours of its rows
    only = (await registry.client.get(DONG_NAI, params={"lead": "doan-tncs"})).json()
    assert {task["id"] for task in only["tasks"]} >= {"iii-8"}
    assert all(task["bodies"] == 1 for task in only["tasks"])


async def test_a_workshop_is_no_closing_conference_and_a_communes_is_not_the_provinces(
    registry: Running,
) -> None:
    await registry.happen(
        happened("c-1", "conference.held", WARD, "2026-11-10", kind="workshop"),
        happened("c-2", "conference.held", "24154@2025", "2026-11-10", kind="closing"),
    )
    assert (await commune(registry, "t-10-closing-commune"))["state"] == "not_started"
    other = await commune(registry, "t-10-closing-commune", "24154")
    assert (other["state"], other["current"]["done_on"]) == ("done", "2026-11-10")
    province = await one(registry, f"{DAK_LAK}/t-10-closing-province")
    proofs = {c["name"]: c["have"] for c in province["standings"][0]["current"]["conditions"]}
    assert proofs["conference.held"] == 0
    whole = await one(registry, f"{DAK_LAK}/t-10-closing-commune")
    assert (whole["state"], whole["body_states"]) == (
        "in_progress",
        {"not_started": 101, "done": 1},
    )


async def test_a_revoked_proof_reopens_the_task(registry: Running) -> None:
    registry.activities.append(
        happened("c-3", "conference.held", "24163@2025", "2026-11-12", kind="closing")
    )
    await registry.settle()
    assert (await commune(registry, "t-10-closing-commune", "24163"))["state"] == "done"
    await registry.happen(
        happened("r-3", "event.revoked", "24163@2025", "2026-11-13", revokes={"source": "https://sokhcn.example", "id": "c-3"}, reason="nhầm")
    )  # fmt: skip
    assert (await commune(registry, "t-10-closing-commune", "24163"))["state"] == "not_started"


async def test_an_sms_batch_of_three_proves_no_campaign(registry: Running) -> None:
    batch = {"channel": "sms", "topic": "online_public_services"}
    await registry.happen(
        happened("s-1", "outreach.delivered", "66@2025", "2026-10-02", recipients=3, **batch)
    )
    found = await one(registry, f"{DAK_LAK}/t-1-1-sms", organisation="so-vhttdl")
    quarters = {o["occurrence"]: o for o in found["standings"][0]["history"]}
    assert quarters["2026-Q4"]["conditions"][0]["have"] == 3
    assert (quarters["2026-Q4"]["state"], quarters["2026-Q3"]["state"]) == (
        "in_progress",
        "overdue",
    )
    await registry.happen(
        happened("s-2", "outreach.delivered", "66@2025", "2026-10-09", recipients=20_000, **batch)
    )
    found = await one(registry, f"{DAK_LAK}/t-1-1-sms", organisation="so-vhttdl")
    assert found["standings"][0]["current"]["state"] == "done"
    assert found["state"] == "overdue"  # three quarters before it lack theirs


async def test_what_no_event_can_prove_is_closed_by_its_lead(registry: Running) -> None:
    address = f"{DAK_LAK}/v-3-capacity"
    headers = {"Authorization": f"Bearer {fakes.KEY}"}
    body = {"organisation": "so-gddt", "status": "done", "done": "Tập huấn 120 trường", "after": 0}
    made = await registry.client.post(f"{address}/statements", json=body, headers=headers)
    assert made.status_code == 200, made.text
    await registry.settle()
    found = await one(registry, address)
    assert (found["state"], found["statements"][0]["done"]) == ("done", "Tập huấn 120 trường")

    again = await registry.client.post(f"{address}/statements", json=body, headers=headers)
    assert (again.status_code, again.json()["code"]) == (409, "statement-changed")

    back = {"organisation": "so-gddt", "reason": "Thiếu số văn bản"}
    sent = await registry.client.post(f"{address}/returns", json=back, headers=headers)
    assert sent.status_code == 200, sent.text
    await registry.settle()
    found = await one(registry, address)
    assert found["state"] == "not_started"
    assert found["statements"][0]["returned"]["reason"] == "Thiếu số văn bản"


async def test_an_event_that_is_needed_is_not_replaced_by_a_statement(registry: Running) -> None:
    headers = {"Authorization": f"Bearer {fakes.KEY}"}
    body = {"unit": WARD, "status": "done", "percent": 100}
    made = await registry.client.post(
        f"{DAK_LAK}/t-10-closing-commune/statements", json=body, headers=headers
    )
    assert made.status_code == 200
    await registry.settle()
    assert (await commune(registry, "t-10-closing-commune"))["state"] == "in_progress"


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({"organisation": "so-y-te", "status": "done"}, "not-lead", "/unit"),
        ({"unit": WARD, "status": "done"}, "not-lead", "/unit"),
        ({"status": "done"}, "lead-missing", "/unit"),
        ({"organisation": "so-gddt", "status": "done", "percent": 140}, "invalid-parameter", "/percent"),
        ({"organisation": "so-gddt", "status": "finished"}, "invalid-parameter", "/status"),
        ({"organisation": "so-gddt", "status": "done", "occurrence": "2026-Q9"}, "occurrence-unknown", "/occurrence"),
    ],
)  # fmt: skip
async def test_statements_that_are_refused(
    registry: Running, body: dict[str, Any], code: str, pointer: str
) -> None:
    answer = await registry.client.post(
        f"{DAK_LAK}/v-3-capacity/statements",
        json=body,
        headers={"Authorization": f"Bearer {fakes.KEY}"},
    )
    assert answer.status_code == 422, answer.text
    assert answer.json()["code"] == code
    assert answer.json()["pointer"] == pointer


async def test_a_statement_of_another_body_counts_for_nothing_and_is_listed(
    registry: Running,
) -> None:
    await registry.happen(
        happened("x-1", "task.progressed", "66@2025", "2026-06-01", plan="dak-lak-2026", task="v-3-integrate", organisation="so-y-te", status="done")
    )  # fmt: skip
    found = await one(registry, f"{DAK_LAK}/v-3-integrate")
    assert found["state"] == "not_started"
    assert len(found["statements_not_by_a_lead"]) == found["not_by_a_lead"] == 1


async def test_as_known_before(registry: Running) -> None:
    await registry.happen(
        happened("k-1", "conference.held", "24175@2025", "2026-11-01", kind="closing")
    )
    address = f"{DAK_LAK}/t-10-closing-commune"
    # Objectives of other days come from metrics, which this test does without: the task has none.
    registry.metrics["answer"] = fakes.no_cells
    try:
        before = await one(registry, address, unit="24175", known_at="2026-11-19")
        after = await one(registry, address, unit="24175", known_at="2026-11-21")
    finally:
        registry.metrics["answer"] = fakes.no_metrics
    assert (before["state"], after["state"]) == ("not_started", "done")


async def test_a_line_per_lead_body_for_spreadsheets(registry: Running) -> None:
    answer = await registry.client.get(DAK_LAK, params={"format": "csv", "unit": WARD})
    lines = answer.content.decode("utf-8-sig").splitlines()
    head = next(n for n, line in enumerate(lines) if line.startswith("Mã nhiệm vụ"))
    assert len(lines) - head - 1 == 14
    assert all("Phường Buôn Ma Thuột" in line for line in lines[head + 1 :])
    xlsx = await registry.client.get(DAK_LAK, params={"format": "xlsx"})
    assert xlsx.content[:2] == b"PK"


@pytest.mark.parametrize(
    ("params", "status", "code"),
    [
        ({"lead": "nobody"}, 404, "organisation-unknown"),
        ({"state": "sleeping"}, 422, "state-unknown"),
        ({"late": "maybe"}, 422, "invalid-parameter"),
        ({"format": "pdf"}, 422, "format-unknown"),
        ({"on": "2027-01-01"}, 422, "on-in-future"),
    ],
)
async def test_bad_questions(
    registry: Running, params: dict[str, str], status: int, code: str
) -> None:
    answer = await registry.client.get(DONG_NAI, params=params)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    unknown = await registry.client.get(f"{DONG_NAI}/nothing")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "task-unknown")


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
    assert (await one(registry, f"{DONG_NAI}/iii-8"))["budget_million_vnd"] == 1000
    clock = registry.app.state.registry.clock
    before, clock.at = clock.at, clock.at.replace(day=22)
    try:
        assert (await one(registry, f"{DONG_NAI}/iii-8"))["budget_million_vnd"] == 1500
        shown = (await registry.client.get("/v1/plans/dong-nai-2026")).json()
        assert [a["task"] for a in shown["amendments"]] == ["iii-8"]
    finally:
        clock.at = before


async def test_a_lead_states_its_progress_on_the_page(registry: Running) -> None:
    address = "/plans/dak-lak-2026/tasks/v-6-finance"
    headers = {"Authorization": f"Bearer {fakes.KEY}"}
    page = await registry.client.get(address)
    assert page.status_code == 200
    assert "Báo cáo tiến độ" in page.text
    typed = {"after": "0", "status": "done", "percent": "140", "done": "Đã <b>hướng dẫn</b>"}
    refused = await registry.client.post(
        f"{address}?body=so-tai-chinh", data=typed, headers=headers
    )
    assert refused.status_code == 422
    assert "Đã &lt;b&gt;hướng dẫn&lt;/b&gt;" in refused.text  # nothing typed is lost
    assert 'id="percent-fault">Ghi một số nguyên từ 0 đến 100.' in refused.text
    wrong = typed | {"percent": "nhiều", "product": "y" * 301, "document_date": "32/13/2026"}
    every = await registry.client.post(f"{address}?body=so-tai-chinh", data=wrong, headers=headers)
    assert "Có 3 chỗ cần sửa" in every.text and 'value="nhiều"' in every.text
    assert all(f'id="{n}-fault"' in every.text for n in ("percent", "product", "document_date"))
    sent = await registry.client.post(
        f"{address}?body=so-tai-chinh", data=typed | {"percent": "100"}, headers=headers
    )
    assert sent.status_code == 303, sent.text
    await registry.settle()
    assert "Hoàn thành" in (await registry.client.get(sent.headers["Location"])).text
