"""What happens to tasks besides being done: a commune merges, two write at once, a day is moved after
it has passed, a number that cannot be."""

import asyncio
import json
from pathlib import Path
from typing import Any

import jsonschema_rs

from tests.registry import fakes
from tests.registry.conftest import Running
from tests.registry.tasks import DAK_LAK, commune, happened, one
from tests.registry.unit_writes import AUTH, WRITE, change

SCHEMAS = Path(__file__).parents[2] / "shared" / "contracts" / "schemas"


async def test_what_a_merged_commune_did_is_of_the_one_it_went_into(registry: Running) -> None:
    """Its events prove the task there; it states nothing any more, and its statement closes nothing."""
    asked = {"op": "merge", "units": ["24175"], "into": "24169", "on": "2026-11-15"}
    made = await change(registry, asked, **WRITE)
    assert made.status_code == 200, made.text
    old = "24175@2025"
    stated = {"plan": "dak-lak-2026", "task": "v-9-mobilise", "status": "done"}
    await registry.happen(
        happened("m-1", "conference.held", old, "2026-11-03", kind="closing"),
        happened("m-2", "task.progressed", old, "2026-11-03", **stated),
    )
    assert (await commune(registry, "t-10-closing-commune", "24169"))["state"] == "done"
    mobilised = await one(registry, f"{DAK_LAK}/v-9-mobilise")
    assert old in {s["unit_id"] for s in mobilised["statements_not_by_a_lead"]}
    assert (await commune(registry, "v-9-mobilise", "24169"))["state"] == "not_started"
    answer = await registry.client.post(
        f"{DAK_LAK}/v-9-mobilise/statements",
        json={"unit": old, "status": "done"},
        headers={"Authorization": f"Bearer {fakes.KEY}"},
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "not-lead"), answer.text


async def test_of_two_statements_at_once_one_holds_and_the_other_is_told(
    registry: Running,
) -> None:
    """Each would replace the same one; who comes second names what it replaces, and is heard."""
    address = f"{DAK_LAK}/v-5-integrate"
    said = [
        {"organisation": "so-noi-vu", "status": "in_progress", "percent": 40, "done": "một nửa"},
        {"organisation": "so-noi-vu", "status": "done", "percent": 100, "done": "xong"},
    ]
    sent = await asyncio.gather(
        *(registry.client.post(f"{address}/statements", json=one, headers=AUTH) for one in said)
    )
    assert sorted(answer.status_code for answer in sent) == [200, 409]
    ((lost, refused),) = [(o, a) for o, a in zip(said, sent, strict=True) if a.status_code == 409]
    assert refused.json()["code"] == "statement-changed"
    await registry.settle()
    (kept,) = (await one(registry, address, organisation="so-noi-vu"))["statements"]
    assert kept["done"] != lost["done"]
    # Sent again it is known; another that names none is refused, one that names it holds.
    again = next(one for one in said if one is not lost)
    known = await registry.client.post(f"{address}/statements", json=again, headers=AUTH)
    assert known.json()["result"]["status"] == "duplicate"
    blind = await registry.client.post(f"{address}/statements", json=lost, headers=AUTH)
    assert (blind.status_code, blind.json()["newest"]) == (409, kept["event"]["position"])
    named = lost | {"after": kept["event"]["position"]}
    assert (
        await registry.client.post(f"{address}/statements", json=named, headers=AUTH)
    ).status_code == 200
    await registry.settle()
    found = await one(registry, address, organisation="so-noi-vu")
    assert found["standings"][0]["current"]["statement"]["done"] == lost["done"]


async def test_nobody_speaks_for_another_body(registry: Running) -> None:
    """Neither a commune for a department nor one department for another, in tasks and in duties."""
    about = {"plan": "dak-lak-2026", "task": "v-6-integrate", "organisation": "so-tai-chinh", "status": "done"}  # fmt: skip
    owed = {"plan": "dak-lak-2026", "obligation": "final-report-2026", "reporter": "so-tai-chinh"}
    other = await established(registry, "so-cong-thuong")
    await registry.happen(
        happened("an-1", "task.progressed", "24133@2025", "2026-11-03", **about),
        happened("an-2", "task.progressed", other, "2026-11-03", **about),
        happened("an-3", "report.submitted", "24133@2025", "2026-11-03", **owed),
        happened("an-4", "report.submitted", other, "2026-11-03", **owed),
    )
    task = await one(registry, f"{DAK_LAK}/v-6-integrate")
    assert task["state"] == "not_started"
    assert {s["unit_id"] for s in task["statements_not_by_a_lead"]} == {"24133@2025", other}
    assert task["statements"] == []
    report = await one(registry, "/v1/plans/dak-lak-2026/reports/final-report-2026/once")
    states = {e.get("organisation") or e["unit_id"]: e["state"] for e in report["entries"]}
    assert (states["so-tai-chinh"], states["24133@2025"]) == ("due", "due")
    assert {r["unit_id"] for r in report["others"]} == {"24133@2025", other}


async def established(registry: Running, organisation: str) -> str:
    made = {"op": "establish", "code": f"66.{organisation}", "name_vi": organisation, "kind": "organisation", "organisation_kind": "department", "parent": "66", "on": "2026-01-01"}  # fmt: skip
    answer = await change(registry, made, **WRITE)
    assert answer.status_code == 200, answer.text
    await registry.settle()
    return f"66.{organisation}@2025"


async def test_a_department_with_a_key_of_its_own_does_its_work(registry: Running) -> None:
    """It sees its tasks and duties, states, hands in; all of it is posted for its own unit. Another
    department's it neither sees nor states."""
    own = await established(registry, "so-gddt")
    registry.activities.keys["hv_department_own"] = {
        "name": "so-gddt", "roles": ["department"], "scopes": ["events:write", "tables:read"],
        "subtree": own, "sources": ["https://sogddt.example/"],
    }  # fmt: skip
    headers = {"Authorization": "Bearer hv_department_own"}

    async def ask(address: str, **params: str) -> dict[str, Any]:
        answer = await registry.client.get(address, params=params, headers=headers)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    listed = await ask(DAK_LAK)
    assert {t["id"] for t in listed["tasks"]} >= {"v-3-capacity", "v-3-integrate", "t-6-schools"}
    assert all(t["bodies"] == 1 for t in listed["tasks"])
    calendar = await ask("/v1/calendar")
    states = {e["item"]: e["state"] for e in calendar["entries"] if e["kind"] == "duty"}
    assert states["final-report-2026"] == "due"
    for named in ({"unit": "66.so-gddt"}, {"organisation": "so-gddt"}):
        said = named | {"status": "in_progress", "percent": 50, "after": 0}
        address = f"{DAK_LAK}/v-3-integrate/statements?dry_run=true"
        answer = await registry.client.post(address, json=said, headers=headers)
        event = answer.json()["event"]
        assert (event["subject"], event["data"]["organisation"]) == (own, "so-gddt")
        address = "/v1/plans/dak-lak-2026/reports/final-report-2026/once?dry_run=true"
        answer = await registry.client.put(address, json=named, headers=headers)
        event = answer.json()["event"]
        assert (event["subject"], event["data"]["reporter"]) == (own, "so-gddt")
    said = {"unit": "66.so-gddt", "status": "done", "done": "đã lồng ghép"}
    address = f"{DAK_LAK}/v-3-integrate"
    await registry.client.post(f"{address}/statements", json=said, headers=headers)
    await registry.settle()
    assert (await one(registry, address))["state"] == "done"
    other = "/v1/plans/dak-lak-2026/reports"
    answer = await registry.client.get(other, params={"organisation": "so-noi-vu"}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "unit-outside-key")


async def test_a_commune_made_of_others_goes_on_with_what_they_did(registry: Running) -> None:
    """What all of them stated is stated; their group has no member that nobody has listed."""
    stated = {"plan": "dak-lak-2026", "task": "t-2-leadership", "status": "done"}
    quarters = {"2026-Q1": "2026-03-20", "2026-Q2": "2026-06-20", "2026-Q3": "2026-10-02"}
    await registry.happen(
        *(
            happened(f"p-{unit}-{name}", "task.progressed", unit, day, occurrence=name, **stated)
            for unit in ("24181@2025", "24184@2025")
            for name, day in quarters.items()
            if (unit, name) != ("24184@2025", "2026-Q2")
        )
    )
    into = {"code": "99981", "name_vi": "Xã Hợp Nhất", "kind": "commune"}
    asked = {"op": "merge", "units": ["24181", "24184"], "into": into, "on": "2026-11-10"}
    assert (await change(registry, asked, **WRITE)).status_code == 200
    await registry.settle()
    found = await one(registry, f"{DAK_LAK}/t-2-leadership", unit="99981")
    states = {o["occurrence"]: o["state"] for o in found["standings"][0]["history"]}
    assert {s["unit_id"] for s in found["statements"]} == {"24181@2025", "24184@2025"}
    assert states == {"2026-Q1": "done", "2026-Q2": "overdue", "2026-Q3": "done_late", "2026-Q4": "not_started"}  # fmt: skip
    conferences = await one(registry, f"{DAK_LAK}/t-10-closing-commune")
    assert all(s["members_listed"] for s in conferences["standings"])


async def test_a_due_day_is_moved_after_it_has_passed(registry: Running) -> None:
    """From its day on the task is not late any more; before it, it was."""
    address = f"{DAK_LAK}/t-1-4-contest"
    late = await one(registry, address)
    assert (late["state"], late["last_day"]) == ("overdue", "2026-08-31")
    change = happened("am-9", "plan.amended", "66@2025", "2026-11-20", plan="dak-lak-2026", task="t-1-4-contest", changes={"deadline": "2026-12-15"}, valid_from="2026-11-20")  # fmt: skip
    await registry.happen(change)
    moved = await one(registry, address)
    assert (moved["state"], moved["last_day"]) == ("in_progress", "2026-12-15")
    registry.metrics["answer"] = fakes.no_cells
    try:
        before = await one(registry, address, on="2026-11-19")
    finally:
        registry.metrics["answer"] = fakes.no_metrics
    assert (before["state"], before["last_day"]) == ("overdue", "2026-08-31")


def test_a_hundred_and_forty_per_cent_is_refused_by_the_type_itself() -> None:
    """Also where the event comes on another way than through registry."""
    schema = json.loads((SCHEMAS / "task.progressed-1.json").read_text())
    schema = {"type": "object", "properties": {"percent": schema["properties"]["percent"]}}
    kind = jsonschema_rs.Draft202012Validator(schema)
    assert [kind.is_valid({"percent": n}) for n in (-1, 0, 100, 140)] == [False, True, True, False]


async def test_a_day_that_is_moved_for_one_commune_is_moved_for_it_alone(registry: Running) -> None:
    """Its task and its duty, in every answer and in its calendar; another commune's stay."""
    plan = {"plan": "dak-lak-2026", "for_unit": "24133@2025", "valid_from": "2026-11-20"}
    task = plan | {"task": "t-10-closing-commune", "changes": {"deadline": "2026-12-20"}}
    duty = plan | {"obligation": "closing-conference-commune", "changes": {"due": "2026-12-20", "due_dates": ["2026-12-20"]}}  # fmt: skip
    await registry.happen(
        happened("am-u1", "plan.amended", "66@2025", "2026-11-20", **task),
        happened("am-u2", "plan.amended", "66@2025", "2026-11-20", **duty),
    )
    own = await commune(registry, "t-10-closing-commune")
    other = await commune(registry, "t-10-closing-commune", "24154")
    assert [s["current"]["last_day"] for s in (own, other)] == ["2026-12-19", "2026-12-30"]
    report = await one(registry, "/v1/plans/dak-lak-2026/reports/closing-conference-commune/once")
    days = {e["unit_id"]: e["last_day"] for e in report["entries"] if "unit_id" in e}
    assert (days["24133@2025"], days["24154@2025"]) == ("2026-12-19", "2026-12-30")
    for unit, day in (("24133", "2026-12-19"), ("24154", "2026-12-30")):
        found = await one(registry, "/v1/calendar", unit=unit)
        lasts = {e["item"]: e["last"] for e in found["entries"] if e["plan"] == "dak-lak-2026"}
        assert lasts["t-10-closing-commune"] == lasts["closing-conference-commune"] == day


async def test_a_duty_without_a_day_gets_one_for_one_commune_alone(registry: Running) -> None:
    """It has a period with that day; who has none is still listed without."""
    units = (await one(registry, "/v1/units", parent="75"))["units"]
    first, other = [u["unit_id"] for u in units if u["level"] == "commune"][:2]
    reports = "/v1/plans/dong-nai-2026/reports"
    dated = {"plan": "dong-nai-2026", "obligation": "workers-periodic-report", "for_unit": first, "valid_from": "2026-11-20", "changes": {"due": "2026-12-20", "due_dates": ["2026-12-20"]}}  # fmt: skip
    await registry.happen(happened("am-d", "plan.amended", "75@2025", "2026-11-20", **dated))
    params = {"obligation": "workers-periodic-report"}
    (row,) = (await one(registry, reports, **params))["reports"]
    assert (row["unit_id"], row["period"], row["last_day"], row["state"]) == (first, "once", "2026-12-20", "due")  # fmt: skip
    for unit, day in ((first, "2026-12-20"), (other, None)):
        entries = (await one(registry, "/v1/calendar", unit=unit))["entries"]
        assert {e["last"] for e in entries if e["item"] == "workers-periodic-report"} == {day}
    handed = {"unit": first, "number": "3/BC-UBND"}
    answer = await registry.client.put(
        f"{reports}/workers-periodic-report/once", json=handed, headers=AUTH
    )
    assert answer.status_code == 200, answer.text
    await registry.settle()
    (row,) = (await one(registry, reports, **params))["reports"]
    assert (row["state"], row["reports"]) == ("on_time", 1)


async def test_a_plan_of_a_province_that_merged_is_carried_on_by_the_one_it_went_into(
    registry: Running,
) -> None:
    """Yên Bái has been Lào Cai since July 2025: what is stated, asked and handed in is posted there."""
    plan = "/v1/plans/yen-bai-2025-2026"
    said = {"organisation": "so-khcn", "status": "done", "done": "đã mở kênh"}
    asked = {"request_ref": "yc-l", "last_day": "2026-12-10", "who": ["so-gddt"]}
    handed = {"organisation": "so-gddt", "number": "5/BC"}
    for method, address, body in (
        ("POST", f"{plan}/tasks/iv-4-4/statements", said),
        ("POST", f"{plan}/reports/on-request-report/requests", asked),
        ("PUT", f"{plan}/reports/on-request-report/yc-l", handed),
    ):
        answer = await registry.client.request(method, address, json=body, headers=AUTH)
        assert answer.status_code == 200, answer.text
        assert answer.json()["event"]["subject"] == "15@2025"
        await registry.settle()
    assert (await one(registry, f"{plan}/tasks/iv-4-4"))["state"] == "done_late"
    (entry,) = (await one(registry, f"{plan}/reports/on-request-report/yc-l"))["entries"]
    assert (entry["organisation"], entry["state"]) == ("so-gddt", "on_time")


async def test_a_term_has_not_begun_before_its_document_was_issued(registry: Running) -> None:
    document = {"document": "hướng dẫn thi đua, khen thưởng", "issued_on": "2026-11-10"}
    await registry.happen(
        happened("cd-1", "central_document.issued", "15@2025", "2026-11-10", **document)
    )
    task = "/v1/plans/yen-bai-2025-2026/tasks/iv-2-2"
    assert (await one(registry, task))["last_day"] == "2026-11-17"
    registry.metrics["answer"] = fakes.no_cells
    try:
        assert (await one(registry, task, on="2026-11-09"))["last_day"] is None
    finally:
        registry.metrics["answer"] = fakes.no_metrics
