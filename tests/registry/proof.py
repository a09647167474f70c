"""The pages that prove a number, over answers of metrics from memory."""

from typing import Any

import httpx
import pytest

from tests.registry import fakes
from tests.registry.conftest import Running

STORY = "/plans/dak-lak-2026/units/24133/objectives/adults-certified-vneid"

EVENT = {
    "id": "proof-1", "source": "https://congan.example/v", "type": "vn.hocvuso.citizen.certified",
    "subject": "24133@2025", "time": "2026-06-30T09:00:00+07:00", "data": {},
}  # fmt: skip


class Metrics:
    """Answers evidence and differences about one event."""

    def __init__(self) -> None:
        self.asked: dict[str, str] = {}
        self.before: dict[str, Any] = {"count": 4, "not_in_operation": False}
        self.position = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked = dict(request.url.params)
        about = {"source": EVENT["source"], "id": EVENT["id"], "type": "citizen.certified",
                 "unit_id": "24133@2025", "occurred": "2026-06-30", "recorded": "2026-11-20",
                 "position": self.position}  # fmt: skip
        if request.url.path == "/v1/cells":
            return httpx.Response(200, json={"position": 91234, "cells": []})
        if request.url.path == "/v1/series":
            return httpx.Response(200, json={"points": []})
        if request.url.path == "/v1/evidence":
            event = about | {"weight": 1, "since": "2026-06-30"}
            return httpx.Response(
                200, json={"figure": "n", "counted": 1, "events": [event], "next": None}
            )
        definition = {"what": "population", "before": 100, "after": 120}
        return httpx.Response(
            200,
            json={
                "before": self.before, "after": {"count": 5, "not_in_operation": False},
                "change": 1, "by_definitions": 0, "by_events": 1, "total_events": 1,
                "definitions": [definition], "next": None,
                "events": [about | {"how": "recorded", "effect": 1, "origin": self.position}],
            },
        )  # fmt: skip


@pytest.fixture
async def metrics(registry: Running) -> Any:
    found = Metrics()
    known = [row.position for row in registry.activities.rows if row.id == EVENT["id"]]
    if not known:
        await registry.happen(EVENT)
        known = [registry.activities.rows[-1].position]
    found.position = known[0]
    registry.metrics["answer"] = found
    yield found
    registry.metrics["answer"] = fakes.no_metrics
