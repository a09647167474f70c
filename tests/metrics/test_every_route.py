"""metrics answers the other services and readers, each for the units of their key; what waits for a
person is the administrator's. A route that stands in no list fails."""

from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute

from services.metrics.app import create_app
from tests.metrics import credentials
from tests.metrics.serving import client as client
from tests.registry.routes import walk

FREE = {"GET /health/live", "GET /health/ready"}
NUMBERS = {"GET /v1/cells", "GET /v1/series", "POST /v1/plans/check"}
EVENTS = {"GET /v1/evidence", "GET /v1/differences", "GET /v1/events/{position}"}
SERVICES = {"POST /v1/explanations"}
ADMINISTRATOR = {
    "GET /v1/parked", "POST /v1/parked/{position}/retry", "POST /v1/parked/{position}/dismiss",
}  # fmt: skip
MAY = {
    "nobody": FREE,
    "partner": FREE,
    "reader": FREE | NUMBERS,
    "staff": FREE | NUMBERS | EVENTS,
    "commune": FREE | NUMBERS | EVENTS,
    "service": FREE | NUMBERS | EVENTS | SERVICES,
    "administrator": FREE | NUMBERS | EVENTS | SERVICES | ADMINISTRATOR,
}
ALL = MAY["administrator"]
PARAMS = {"plan": "dak-lak-2026", "objective": "adults-certified-vneid", "unit": "24133"}


def test_every_route_is_classified() -> None:
    found = {
        f"{method} {route.path}"
        for route in walk(create_app().routes)
        if isinstance(route, APIRoute)
        for method in route.methods
    }
    assert found == ALL


async def ask(client: httpx.AsyncClient, route: str, **more: Any) -> httpx.Response:
    method, _, path = route.partition(" ")
    params = PARAMS if "evidence" in path or "differences" in path else PARAMS | {}
    if "series" in path or "cells" in path:
        params = {name: PARAMS[name] for name in ("plan", "unit")}
    body = None if method == "GET" else {}
    return await client.request(method, path.format(position=6), params=params, json=body, **more)


@pytest.mark.parametrize("name", MAY)
async def test_each_is_let_in_where_it_may(client: httpx.AsyncClient, name: str) -> None:
    for route in sorted(ALL):
        answer = await ask(client, route, headers=credentials.header(name))
        refused = answer.status_code in (401, 403)
        assert refused == (route not in MAY[name]), (route, answer.status_code, answer.text)


@pytest.mark.security("V13.2.1")
async def test_without_a_credential_nothing_is_shown(client: httpx.AsyncClient) -> None:
    del client.headers["Authorization"]
    for route in sorted(ALL - FREE):
        answer = await ask(client, route)
        assert (route, answer.status_code) == (route, 401)


@pytest.mark.security("API1", "V8.2.2")
async def test_a_bound_reader_is_shown_its_own_unit(client: httpx.AsyncClient) -> None:
    headers = credentials.header("commune")
    own = await client.get("/v1/cells", params={"plan": "dak-lak-2026"}, headers=headers)
    assert {cell["unit_id"] for cell in own.json()["cells"]} == {"24133@2025"}
    for unit in ("66", "24121", "24121@2025"):
        for path in ("cells", "series", "evidence", "differences"):
            params = PARAMS | {"unit": unit}
            if path in ("cells", "series"):
                del params["objective"]
            answer = await client.get(f"/v1/{path}", params=params, headers=headers)
            assert (path, unit, answer.json()["code"]) == (path, unit, "unit-outside-key")
    other = await client.get("/v1/events/7", headers=headers)
    assert (other.status_code, other.json()["code"]) == (403, "unit-outside-key")
