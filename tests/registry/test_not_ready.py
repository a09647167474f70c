"""Until the definitions of the log are folded, no route and no page answers anything else."""

import pytest

from services.registry.readiness import ALWAYS
from tests.registry.conftest import Running
from tests.registry.routes import VALUES, routes


@pytest.fixture
def starting(registry: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    follower = registry.app.state.registry.follower
    monkeypatch.setattr(follower, "_goal", follower.history.position + 1)


async def test_every_route_says_not_ready(registry: Running, starting: None) -> None:
    for route in routes(registry):
        method, _, path = route.partition(" ")
        if path.startswith(ALWAYS):
            continue
        for accept in ("application/json", "text/html"):
            answer = await registry.client.request(
                method, path.format(**VALUES), headers={"Accept": accept}
            )
            assert answer.status_code == 503, route
            assert answer.headers["Retry-After"] == "1", route
            page = accept == "text/html" and not path.startswith("/v1/")
            if page:
                assert answer.headers["content-type"].startswith("text/html"), route
                assert "đang khởi động" in answer.text
            else:
                assert answer.json()["code"] == "not-ready" and answer.json()["retryable"]


async def test_what_needs_no_definitions_answers(registry: Running, starting: None) -> None:
    for path in ("/health/live", "/metrics", "/docs", "/openapi.json", "/static/hocvuso.css"):
        assert (await registry.client.get(path)).status_code == 200, path
    ready = await registry.client.get("/health/ready")
    assert (ready.status_code, ready.json()["code"]) == (503, "not-ready")


async def test_then_it_answers(registry: Running) -> None:
    assert (await registry.client.get("/v1/plans")).json()["plans"]
