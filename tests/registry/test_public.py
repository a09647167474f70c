"""What everybody may read, and that nobody can be singled out from it."""

import csv
from collections.abc import AsyncIterator
from datetime import date

import httpx
import pytest

from tests.registry import fakes
from tests.registry.conftest import Running
from tests.registry.disclosing import PLAN, disclosure

TABLE = f"/v1/plans/{PLAN}/table"
SUNDAY = "2026-11-15"


class Metrics:
    """Cells of every commune and objective: `truth(unit_id)` is how many people were counted."""

    def __init__(self, registry: Running) -> None:
        self.registry = registry
        self.asked: dict[str, str] = {}
        self.add = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked = dict(request.url.params)
        tree = self.registry.app.state.registry.tree
        units = ["52@2025", *(u.unit_id for u in tree.children("52@2025", date(2026, 11, 15)))]
        plan = self.registry.app.state.registry.plan(PLAN)
        cells = []
        for objective in plan.document["objectives"]:
            for n, unit_id in enumerate(units):
                value = (n * 37 % 400) // 5 * 5 + self.add % 5
                cells.append(
                    {
                        "unit_id": unit_id, "objective": objective["id"], "value": value,
                        "denominator": 400 + self.add % 5, "ratio": value / 400,
                        "met": self.add > 2, "met_on_time": None, "status": "behind",
                        "basis": "persons", "required_per_week": self.add,
                        "flags": ["own_report"] if self.add else [], "target": 90.0,
                        "target_unit": "percent", "not_attributable": self.add,
                    }
                )  # fmt: skip
        return httpx.Response(200, json={"position": 900 + self.add, "cells": cells})


@pytest.fixture(scope="module")
async def disclosed(registry: Running) -> AsyncIterator[Running]:
    await registry.happen(disclosure("open-1", True))
    yield registry
    await registry.happen(disclosure("open-2", False))


@pytest.fixture
async def opened(disclosed: Running) -> AsyncIterator[tuple[Running, Metrics]]:
    """A closed instance whose province has opened one plan."""
    registry = disclosed
    state = registry.app.state.registry
    metrics = Metrics(registry)
    registry.metrics["answer"] = metrics
    state.settings.registry_open = False
    state.public.clear()
    yield registry, metrics
    state.settings.registry_open = True
    registry.metrics["answer"] = fakes.no_metrics


async def test_nothing_is_public_until_the_province_says_so(
    opened: tuple[Running, Metrics],
) -> None:
    registry, _ = opened
    closed = await registry.client.get("/v1/plans/dak-lak-2026/table")
    assert (closed.status_code, closed.json()["code"]) == (401, "key-missing")
    assert (await registry.client.get(TABLE)).status_code == 200
    plans = (await registry.client.get("/v1/plans")).json()["plans"]
    assert [plan["id"] for plan in plans] == [PLAN]


@pytest.mark.parametrize(
    ("address", "code"),
    [
        (f"{TABLE}?known_at=2026-11-15", "parameter-not-public"),
        (f"{TABLE}?after_position=5", "parameter-not-public"),
        (f"{TABLE}?unit=23563", "parameter-not-public"),
        (f"{TABLE}?as_of=2026-11-20", "as-of-not-public"),
        (f"{TABLE}?as_of=2026-11-22", "as-of-not-public"),
        (f"{TABLE}?level=hamlet", "level-not-public"),
        (f"/v1/plans/{PLAN}/evidence?objective=x", "key-missing"),
        (f"/v1/plans/{PLAN}/series", "key-missing"),
        (f"/v1/plans/{PLAN}/changes?objective=x", "key-missing"),
        (f"/v1/plans/{PLAN}/cold-spots", "key-missing"),
        (f"/v1/plans/{PLAN}/completeness", "key-missing"),
        (f"/v1/plans/{PLAN}/populations", "key-missing"),
        (f"/v1/plans/{PLAN}/reports", "key-missing"),
        (f"/v1/plans/{PLAN}/ranking", "key-missing"),
        ("/v1/changes", "key-missing"),
        ("/v1/units/23563", "key-missing"),
    ],
)
async def test_the_rest_stays_closed(
    opened: tuple[Running, Metrics], address: str, code: str
) -> None:
    answer = await opened[0].client.get(address)
    assert answer.json()["code"] == code
    assert answer.status_code in (401, 403, 422)


async def test_every_number_of_people_is_rounded_and_the_whole_is_their_sum(
    opened: tuple[Running, Metrics],
) -> None:
    opened[1].add = 3  # 3 or 8 at the end of every number: rounding has something to do
    table = (await opened[0].client.get(TABLE)).json()
    assert (table["as_of"], table["position"]) == (SUNDAY, 0)
    name = "adults-certified-vneid"
    values = [row["cells"][name]["value"] for row in table["rows"]]
    assert len(values) == 135 and all(v % 5 == 0 for v in values)
    whole = table["whole"]["cells"][name]
    assert whole["value"] == sum(values)
    assert whole["ratio"] == whole["value"] / whole["denominator"]
    answer = await opened[0].client.get(TABLE, params={"format": "csv"})
    lines = answer.content.decode("utf-8-sig").splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("unit,"))
    shown = [row[f"{name}.value"] for row in csv.DictReader(lines[start:])]
    assert shown == [str(value) for value in (whole["value"], *values)]


async def test_the_public_page(opened: tuple[Running, Metrics]) -> None:
    answer = await opened[0].client.get(f"/plans/{PLAN}")
    assert answer.status_code == 200, answer.text
    assert "làm tròn xuống bội số của 5" in answer.text
    assert 'name="known_at"' not in answer.text
