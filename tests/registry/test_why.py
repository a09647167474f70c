"""Series, evidence, differences: asked of metrics, with the unit resolved and the trace added."""

from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest

from services.registry.progress import live
from tests.registry import fakes
from tests.registry.conftest import Running

DAK_LAK = "/v1/plans/dak-lak-2026"
OBJECTIVE = "adults-certified-vneid"


class Asked:
    """Metrics that remembers the question."""

    def __init__(self) -> None:
        self.path = ""
        self.params: dict[str, list[str]] = {}
        self.answer: dict[str, Any] = {}
        self.status = 200

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.path = request.url.path
        names = request.url.params.keys()
        self.params = {name: request.url.params.get_list(name) for name in names}
        return httpx.Response(self.status, json=self.answer)


@pytest.fixture
def metrics(registry: Running) -> Iterator[Asked]:
    asked = Asked()
    registry.metrics["answer"] = asked
    yield asked
    registry.metrics["answer"] = fakes.no_metrics


async def test_series(registry: Running, metrics: Asked) -> None:
    metrics.answer = {"points": [{"as_of": "2026-06-30", "cells": []}]}
    answer = await registry.client.get(
        f"{DAK_LAK}/series",
        params={"unit": "24133", "objective": [OBJECTIVE, "adults-digital-skills"], "every": "month",
                "from": "2026-01-01", "to": "2026-06-30"},
    )  # fmt: skip
    assert answer.json() == metrics.answer
    assert (metrics.path, metrics.params) == (
        "/v1/series",
        {
            "plan": ["dak-lak-2026"], "unit": ["24133@2025"],
            "objective": [OBJECTIVE, "adults-digital-skills"], "from": ["2026-01-01"],
            "to": ["2026-06-30"], "every": ["month"],
        },
    )  # fmt: skip


async def test_evidence_leads_to_receipts_and_traces(registry: Running, metrics: Asked) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    position = registry.activities.append(
        {
            "id": "ev-1", "source": "https://congan.example/v", "type": "vn.hocvuso.citizen.certified",
            "subject": "24133@2025", "time": "2026-06-30T09:00:00+07:00", "data": {},
        }
    )  # fmt: skip
    last = registry.activities.rows[-1]
    registry.activities.rows[-1] = msgspec.structs.replace(
        last, traceparent=f"00-{trace}-b7ad6b7169203331-01"
    )
    event = {"position": position, "source": "https://congan.example/v", "id": "ev-1", "weight": 1}
    metrics.answer = {"figure": "n", "counted": 1, "events": [event], "next": None}
    answer = await registry.client.get(f"{DAK_LAK}/evidence", params={"objective": OBJECTIVE})
    (shown,) = answer.json()["events"]
    assert shown["trace_id"] == trace
    assert shown["receipt"] == "/v1/receipts?source=https%3A%2F%2Fcongan.example%2Fv&id=ev-1"
    assert metrics.params["unit"] == ["66@2025"]


async def test_differences(registry: Running, metrics: Asked) -> None:
    metrics.answer = {"change": 3, "events": []}
    answer = await registry.client.get(
        f"{DAK_LAK}/changes",
        params={"objective": OBJECTIVE, "from_as_of": "2026-06-01", "to_as_of": "2026-06-30"},
    )
    assert answer.json()["change"] == 3
    assert metrics.path == "/v1/differences"
    assert metrics.params["from_as_of"] == ["2026-06-01"]
    await registry.client.get(
        f"{DAK_LAK}/changes",
        params={"objective": OBJECTIVE, "from_position": 0, "to_position": 7},
    )
    assert (metrics.params["from_position"], metrics.params["to_position"]) == (["0"], ["7"])


@pytest.mark.parametrize(
    ("path", "params", "status", "code"),
    [
        ("series", {"objective": "no-such"}, 404, "objective-unknown"),
        ("series", {"to": "2026-11-22"}, 422, "to-in-future"),
        ("series", {"every": "hour"}, 422, "invalid-parameter"),
        ("series", {"unit": "75"}, 422, "unit-outside-plan"),
        ("evidence", {"objective": "no-such"}, 404, "objective-unknown"),
        ("evidence", {}, 422, "invalid-parameter"),
        (
            "changes",
            {"objective": OBJECTIVE, "to_known_at": "2027-01-01"},
            422,
            "to-known-at-in-future",
        ),
    ],
)
async def test_bad_questions(
    registry: Running, metrics: Asked, path: str, params: dict[str, str], status: int, code: str
) -> None:
    answer = await registry.client.get(f"{DAK_LAK}/{path}", params=params)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert metrics.path == ""


async def test_what_metrics_refuses_is_passed_on(registry: Running, metrics: Asked) -> None:
    metrics.status = 409
    metrics.answer = {"code": "measure-building", "detail": "wait", "retryable": True}
    answer = await registry.client.get(f"{DAK_LAK}/evidence", params={"objective": OBJECTIVE})
    assert (answer.status_code, answer.json()["code"]) == (409, "measure-building")
    registry.metrics["answer"] = fakes.no_metrics
    answer = await registry.client.get(f"{DAK_LAK}/evidence", params={"objective": OBJECTIVE})
    assert (answer.status_code, answer.json()["code"]) == (503, "metrics-not-available")


async def test_whether_there_is_something_new(registry: Running) -> None:
    first = await registry.client.get("/v1/changes")
    assert first.json()["position"] == 91234
    headers = {"If-None-Match": first.headers["ETag"]}
    assert (await registry.client.get("/v1/changes", headers=headers)).status_code == 304
    await registry.database.execute("UPDATE indicators.watermark SET position = 91235")
    try:
        again = await registry.client.get("/v1/changes", headers=headers)
        assert (again.status_code, again.json()["position"]) == (200, 91235)
    finally:
        await registry.database.execute("UPDATE indicators.watermark SET position = 91234")


async def test_a_stream_says_when_the_watermark_moves(registry: Running) -> None:
    class Reader:
        app = registry.app

        async def is_disconnected(self) -> bool:
            return False

    state = registry.app.state.registry
    stream = live._stream(Reader(), state)  # type: ignore[arg-type]
    assert b'"position":91234' in await anext(stream)
    await registry.database.execute("UPDATE indicators.watermark SET position = 91236")
    try:
        said = await anext(stream)
        assert said.startswith(b"event: watermark\nid: 91236\ndata: {")
        assert said.endswith(b"\n\n")
    finally:
        await stream.aclose()
        await registry.database.execute("UPDATE indicators.watermark SET position = 91234")
