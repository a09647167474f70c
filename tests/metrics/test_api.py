"""The addresses of metrics over a real database."""

import asyncio
import gc
from pathlib import Path

import httpx
import yaml

from tests.metrics.serving import client as client
from tests.metrics.smoke import PLANS


async def test_cells_of_any_day(client: httpx.AsyncClient) -> None:
    ask = {"plan": "dak-lak-2026", "unit": "66", "level": "commune"}
    body = (await client.get("/v1/cells", params=ask | {"as_of": "2026-07-05"})).json()
    cells = {(c["unit_id"], c["objective"]): c for c in body["cells"]}
    assert body["position"] == 8
    assert {unit for unit, _ in cells} == {"66@2025", "24133@2025", "24121@2025"}
    assert cells["24133@2025", "adults-certified-vneid"]["value"] == 1
    assert cells["24121@2025", "adults-certified-vneid"]["value"] == 0
    assert cells["66@2025", "adults-certified-vneid"]["value"] == 1
    before = (await client.get("/v1/cells", params=ask | {"as_of": "2026-06-29"})).json()
    values = {c["value"] for c in before["cells"] if c["objective"] == "adults-certified-vneid"}
    assert values == {0}


async def test_before_the_first_recorded_day_is_not_in_operation(client: httpx.AsyncClient) -> None:
    ask = {"plan": "dak-lak-2026", "known_at": "2026-06-29"}
    body = (await client.get("/v1/cells", params=ask)).json()
    assert body["not_in_operation"] is True
    assert {c["status"] for c in body["cells"]} == {"not_in_operation"}


async def test_what_stands_behind_a_cell(client: httpx.AsyncClient) -> None:
    ask = {"plan": "dak-lak-2026", "unit": "66", "objective": "adults-certified-vneid"}
    proof = (await client.get("/v1/evidence", params=ask)).json()
    assert (proof["counted"], proof["figure"], proof["next"]) == (1, "n", None)
    (event,) = proof["events"]
    assert (event["position"], event["type"], event["weight"]) == (6, "citizen.certified", 1)
    assert event["unit_id"] == "24133@2025" and "person_ref" not in str(event)
    days = {"from": "2026-06-29", "to": "2026-07-01", "every": "day"}
    course = (await client.get("/v1/series", params=ask | days)).json()
    assert [p["as_of"] for p in course["points"]] == ["2026-06-29", "2026-06-30", "2026-07-01"]
    assert [p["cells"][0]["value"] for p in course["points"]] == [0, 1, 1]
    days = {"from_as_of": "2026-06-29", "to_as_of": "2026-07-05"}
    why = (await client.get("/v1/differences", params=ask | days)).json()
    parts = ("change", "by_events", "by_definitions", "unexplained")
    assert [why[part] for part in parts] == [1, 1, 0, 0]
    assert [(e["position"], e["how"], e["effect"]) for e in why["events"]] == [(6, "happened", 1)]
    for path, wrong, code in (
        ("evidence", {"cursor": "x"}, "cursor-invalid"),
        ("evidence", {"part": "denominator"}, "part-unknown"),
        ("series", {"from": "2026-12-31"}, "series-invalid"),
        ("series", {"from": "2020-01-01", "every": "day"}, "series-too-long"),
        ("differences", {"unit": "75"}, "unit-unknown"),
    ):
        answer = await client.get(f"/v1/{path}", params=ask | wrong)
        assert answer.json()["code"] == code, path


async def test_problems_have_codes(client: httpx.AsyncClient) -> None:
    unknown = await client.get("/v1/cells", params={"plan": "none"})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "plan-unknown")
    unit = await client.get("/v1/cells", params={"plan": "dak-lak-2026", "unit": "99999"})
    assert (unit.status_code, unit.json()["code"]) == (422, "unit-unknown")
    tree = await client.get("/v1/cells", params={"plan": "dak-lak-2026", "tree": "x"})
    assert tree.json()["code"] == "tree-invalid"


async def test_why_an_event_counts_or_not(client: httpx.AsyncClient) -> None:
    first = (await client.get("/v1/events/6")).json()
    assert first["state"] == "counted"
    assert {o["objective"] for o in first["objectives"]} == {"adults-certified-vneid"}
    second = (await client.get("/v1/events/7")).json()
    assert second["state"] == "counted_by_another_event"
    third = (await client.get("/v1/events/8")).json()
    assert third["state"] == "not_counted"
    assert "feedback.received" in third["reason"]
    assert (await client.get("/v1/events/9")).json()["code"] == "not-counted-yet"


async def test_plans_are_checked(client: httpx.AsyncClient) -> None:
    document = yaml.safe_load((Path(PLANS) / "gia-lai-2026.yaml").read_text())
    good = (await client.post("/v1/plans/check", json=document)).json()
    assert (good["ok"], good["errors"]) == (True, [])
    document["objectives"][0]["measure"]["of"][0]["filter"] = {"nobody": "x"}
    bad = (await client.post("/v1/plans/check", json=document)).json()
    assert [e["objective"] for e in bad["errors"]] == [document["objectives"][0]["id"]]
    assert bad["errors"][0]["pointer"] == "/objectives/0/measure/of/0/filter/nobody"
    answer = await client.post("/v1/plans/check", json=document | {"version": "two"})
    assert (answer.status_code, answer.json()["pointer"]) == (422, "/version")
    assert (await client.get(f"/v1/events/{2**70}")).status_code == 422
    for _ in range(300):
        if (await client.get("/health/ready")).status_code == 200:
            break
        await asyncio.sleep(0.1)  # units and plans are being read
    assert (await client.get("/health/ready")).json() == {"status": "ready"}
    text = (await client.get("/metrics")).text
    assert 'db_client_connection_max{db_client_connection_pool_name="metrics"} 8' in text


async def test_the_service_is_calm_about_garbage(
    default_collector: None, client: httpx.AsyncClient
) -> None:
    """Full collections under load held answers up for 100 to 300 ms."""
    assert gc.get_threshold()[0] >= 100_000
