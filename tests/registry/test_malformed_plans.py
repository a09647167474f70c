"""A plan in the log that does not fit its schema (none is accepted any more) is as if never published."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.registry.conftest import Running

FILE = Path(__file__).parents[2] / "plans" / "gia-lai-2026.yaml"
PLACES: list[tuple[str, int, str, Any, str]] = [
    ("tasks", 0, "deadline", "soon", "tasks"),
    ("tasks", 1, "period", True, "tasks"),
    ("reporting", 0, "due_dates", [{"recurring": "weekly"}], "calendar"),
    ("objectives", 0, "last_day", [[]], "objectives"),
]


@pytest.mark.parametrize("number", range(len(PLACES)))
async def test_what_cannot_be_a_plan_is_as_if_never_published(
    registry: Running, number: int
) -> None:
    section, index, name, value, address = PLACES[number]
    document = copy.deepcopy(yaml.safe_load(FILE.read_text()))
    document["id"] = f"malformed-{number}"
    document[section][index][name] = value
    data = {"plan": document["id"], "version": document["version"], "document": document}
    event = {
        "specversion": "1.0",
        "id": f"malformed-{number}",
        "source": "https://hocvuso.example/registry",
        "type": "vn.hocvuso.plan.published",
        "subject": document["unit"],
        "time": "2026-06-01T00:00:00+07:00",
        "data": data,
    }
    await registry.happen(event)
    answer = await registry.client.get(f"/v1/plans/{document['id']}/{address}")
    assert (answer.status_code, answer.json()["code"]) == (404, "plan-unknown")
    listed = (await registry.client.get("/v1/plans")).json()["plans"]
    assert document["id"] not in [plan["id"] for plan in listed]
    for whole in ("/v1/plans", "/v1/nation", "/", f"/v1/plans/gia-lai-2026/{address}"):
        assert (await registry.client.get(whole)).status_code == 200, whole
