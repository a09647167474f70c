"""What happens to tasks besides being done: a commune merges, two write at once, a day is moved after
it has passed, a number that cannot be."""

import asyncio
import json
from pathlib import Path

import jsonschema_rs

from tests.registry import fakes
from tests.registry.conftest import Running
from tests.registry.tasks import DAK_LAK, commune, happened, one
from tests.registry.unit_writes import WRITE, change

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


async def test_of_two_statements_at_once_both_are_kept_and_the_later_holds(
    registry: Running,
) -> None:
    address = f"{DAK_LAK}/v-5-integrate"
    headers = {"Authorization": f"Bearer {fakes.KEY}"}
    said = [
        {"organisation": "so-noi-vu", "status": "in_progress", "percent": 40, "done": "một nửa"},
        {"organisation": "so-noi-vu", "status": "done", "percent": 100, "done": "xong"},
    ]
    sent = await asyncio.gather(
        *(registry.client.post(f"{address}/statements", json=one, headers=headers) for one in said)
    )
    assert [answer.status_code for answer in sent] == [200, 200]
    await registry.settle()
    found = await one(registry, address, organisation="so-noi-vu")
    assert {s["done"] for s in found["statements"]} == {"một nửa", "xong"}
    newest = max(found["statements"], key=lambda s: s["event"]["position"])
    assert found["standings"][0]["current"]["statement"]["done"] == newest["done"]


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
