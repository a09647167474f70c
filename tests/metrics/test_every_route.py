"""Metrics is not for the world: the origin leads nobody there. What changes something there, or shows
what waits for a person, needs the administrator's key even inside; the rest needs the network."""

import httpx
from fastapi.routing import APIRoute

from services.metrics.app import create_app
from tests.metrics.test_parked_api import client as client
from tests.registry.test_every_route import walk

INSIDE = {
    "GET /health/live", "GET /health/ready", "GET /v1/cells", "POST /v1/plans/check",
    "GET /v1/events/{position}", "POST /v1/explanations", "GET /v1/evidence", "GET /v1/series",
    "GET /v1/differences",
}  # fmt: skip
ADMINISTRATOR = {
    "GET /v1/parked", "POST /v1/parked/{position}/retry", "POST /v1/parked/{position}/dismiss",
}  # fmt: skip


def test_every_route_is_classified() -> None:
    found = {
        f"{method} {route.path}"
        for route in walk(create_app().routes)
        if isinstance(route, APIRoute)
        for method in route.methods
    }
    assert found == INSIDE | ADMINISTRATOR


async def test_what_waits_is_for_administrators(client: httpx.AsyncClient) -> None:
    for route in ADMINISTRATOR:
        method, _, path = route.partition(" ")
        for key, status in ((None, 401), ("hv_aaaaaaaa_wrong", 401), ("hv_aaaaaaaa_partner", 403)):
            headers = {"Authorization": f"Bearer {key}"} if key else {}
            answer = await client.request(method, path.format(position=1), headers=headers)
            assert (route, answer.status_code) == (route, status), answer.text
