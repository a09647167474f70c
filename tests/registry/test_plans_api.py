"""Plans over REST."""

import html

import jsonschema_rs
import pytest

from shared.domain.plan_files.positions import parse
from tests.registry import fakes
from tests.registry.conftest import Running

TOTALS = {
    "dak-lak-2026": 25,
    "gia-lai-2026": 10,
    "tan-lap-100-days-2025": 17,
    "dong-nai-2026": 15,
    "yen-bai-2025-2026": 16,
}


async def test_the_five_plans(registry: Running) -> None:
    plans = (await registry.client.get("/v1/plans")).json()["plans"]
    assert {plan["id"]: plan["objectives"] for plan in plans} == TOTALS
    assert sum(plan["tasks"] for plan in plans) == 196
    assert sum(plan["obligations"] for plan in plans) == 36


@pytest.mark.parametrize("plan", TOTALS)
async def test_every_objective_is_counted_or_says_why_not(registry: Running, plan: str) -> None:
    answer = (await registry.client.get(f"/v1/plans/{plan}/objectives")).json()
    assert len(answer["objectives"]) == TOTALS[plan]
    assert sum(answer["states"].values()) == TOTALS[plan]
    for objective in answer["objectives"]:
        assert objective["state"] in ("counted", "building", "not_counted")
        assert objective["state"] == "counted" or objective["reason"]
        assert objective["text_vi"]
        assert objective["source_line"]


async def test_the_15th_is_included_in_gia_lai_and_excluded_in_yen_bai(registry: Running) -> None:
    days = {}
    for plan in ("gia-lai-2026", "yen-bai-2025-2026"):
        answer = await registry.client.get(
            f"/v1/plans/{plan}/calendar", params={"on": "2026-12-01"}
        )
        quarterly = answer.json()["obligations"][0]
        assert quarterly["next_due"] == "2026-12-15"
        days[plan] = quarterly["next_last_day"]
    assert days == {"gia-lai-2026": "2026-12-15", "yen-bai-2025-2026": "2026-12-14"}


async def test_the_schema_is_published_at_the_path_of_its_id(registry: Running) -> None:
    """A validator that is not ours takes the five plans by it, and refuses broken ones."""
    answer = await registry.client.get("/plans/plan.schema.json")
    assert answer.headers["content-type"].startswith("application/schema+json")
    schema = answer.json()
    assert schema["$id"].endswith("/plans/plan.schema.json")
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema_rs.meta.validate(schema)
    validator = jsonschema_rs.validator_for(schema, validate_formats=True)
    for file in sorted(fakes.PLANS.glob("*.yaml")):
        plan = parse(file.read_text()).data
        validator.validate(plan)
        for broken in (
            plan | {"unit": "66"},
            plan | {"objectives": [plan["objectives"][0] | {"target": {"value": "many"}}]},
            {name: value for name, value in plan.items() if name != "tasks"},
            plan | {"tasks": [plan["tasks"][0] | {"budget": 3}]},
        ):
            assert not validator.is_valid(broken)


@pytest.mark.parametrize("plan", TOTALS)
async def test_everything_is_traceable_to_its_line(registry: Running, plan: str) -> None:
    """Objectives, tasks, obligations: the words of the plan's file, in the API and on a page."""
    document = parse((fakes.PLANS / f"{plan}.yaml").read_text()).data
    said: dict[str, dict[str, str]] = {}
    for section, path in (
        ("objectives", "objectives"), ("tasks", "tasks?limit=1000"), ("reporting", "calendar"),
    ):  # fmt: skip
        answer = (await registry.client.get(f"/v1/plans/{plan}/{path}")).json()
        items = answer["obligations" if section == "reporting" else section]
        said[section] = {item["id"]: item["source_line"] for item in items}
        assert said[section] == {item["id"]: item["source_line"] for item in document[section]}
        assert all(said[section].values())
    pages = {"tasks": f"/plans/{plan}/tasks", "reporting": f"/plans/{plan}/calendar"}
    for section, page in pages.items():
        text = html.unescape((await registry.client.get(page)).text)
        assert all(f"“{line}”" in text for line in said[section].values())
    first, line = next(iter(said["objectives"].items()))
    text = html.unescape((await registry.client.get(f"/plans/{plan}/objectives/{first}")).text)
    assert f"“{line}”" in text


async def test_a_task_says_who_when_what_it_costs_and_what_proves_it(registry: Running) -> None:
    for plan in TOTALS:
        document = parse((fakes.PLANS / f"{plan}.yaml").read_text()).data
        answer = await registry.client.get(f"/v1/plans/{plan}/tasks", params={"limit": 1000})
        told = {task["id"]: task for task in answer.json()["tasks"]}
        for task in document["tasks"]:
            for name in ("lead", "coordinate", "direct", "budget_million_vnd", "deadline_vi"):
                assert told[task["id"]].get(name) == task.get(name)
            assert [p["type"] for p in told[task["id"]]["proofs"]] == task.get("events", [])
    total = await registry.client.get("/v1/plans/dong-nai-2026/tasks", params={"limit": 1})
    assert total.json()["budget_million_vnd"] == 4_200


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/plans/dak-lak-2026/difference?version=9", 404, "version-unknown"),
        ("/v1/plans/dak-lak-2026/difference?against=x", 404, "plan-unknown"),
        ("/v1/plans/dak-lak-2026/published?version=9", 404, "version-unknown"),
        ("/v1/plans/dak-lak-2026/published?version=0", 422, "invalid-parameter"),
    ],
)
async def test_versions_that_never_were(
    registry: Running, path: str, status: int, code: str
) -> None:
    answer = await registry.client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["hint"]
