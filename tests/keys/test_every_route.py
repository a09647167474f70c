"""Every route of activities, with nobody, a partner, invited staff and the administrator. A route that
stands in no list fails the test: whoever adds one says here who may use it."""

from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute

from tests.keys.conftest import Api
from tests.keys.routes import VALUES
from tests.registry.routes import walk

FREE = {
    "GET /health/live", "GET /health/ready", "GET /v1/instance", "GET /v1/types",
    "GET /v1/schemas/{type_name}/{version}", "GET /checklist", "GET /checklist/{name}",
    "GET /xapi/about", "GET /xapi/mapping", "POST /v1/invitations/accept",
}  # fmt: skip
"""No data of anybody: descriptions, a page, and a code that is its own key."""
ADMINISTRATOR = {
    "GET /v1/keys", "GET /v1/keys/{prefix}", "PATCH /v1/keys/{prefix}", "POST /v1/keys", "POST /v1/keys/{prefix}/rotate",
    "DELETE /v1/keys/{prefix}", "POST /v1/keys/clients", "GET /v1/quotas",
    "PUT /v1/quotas/{partner}", "GET /v1/audit", "GET /v1/audit/uses/{prefix}",
    "GET /v1/audit/refused", "GET /v1/intake", "PUT /v1/intake/{partner}",
    "DELETE /v1/intake/{partner}",
}  # fmt: skip
OF_SERVICES = {"GET /v1/log", "POST /v1/log/rows"}
INVITERS = {"POST /v1/invitations", "GET /v1/invitations", "DELETE /v1/invitations/{id}"}
OWN = {
    "POST /v1/sessions", "GET /v1/sessions", "DELETE /v1/sessions", "DELETE /v1/sessions/{id}",
    "POST /v1/sessions/current/confirmation",
    "GET /v1/keys/self", "GET /v1/checklist", "GET /v1/events", "GET /v1/events/recent", "POST /v1/events", "GET /v1/feed",
    "GET /v1/streams/{name}", "PUT /v1/streams/{name}", "GET /v1/intake/{partner}",
    "POST /v1/intake/{partner}/acknowledgement", "GET /v1/quarantine",
    "GET /v1/quarantine/{number}", "POST /v1/quarantine/{number}/replay",
    "POST /v1/quarantine/replay", "POST /v1/quarantine/{number}/dismiss",
    "GET /v1/reconciliations", "GET /v1/reconciliations/events",
    "POST /v1/reconciliations/manifest", "POST /xapi/statements", "PUT /xapi/statements",
    "GET /xapi/statements", "HEAD /xapi/statements", "GET /xapi/unmapped",
    "POST /xapi/replay", "GET /xapi/platforms", "PUT /xapi/platforms",
}  # fmt: skip
"""A key, and of what it sent itself (tests/keys, tests/quarantine, tests/reconciliation)."""
LISTS = (FREE, ADMINISTRATOR, OF_SERVICES, INVITERS, OWN)


def routes(app: Any) -> list[str]:
    return [
        f"{method} {route.path}"
        for route in walk(app.routes)
        if isinstance(route, APIRoute)
        for method in sorted(route.methods)
    ]


async def ask(client: httpx.AsyncClient, route: str, key: str | None) -> httpx.Response:
    method, _, path = route.partition(" ")
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    if path.startswith("/xapi"):
        headers["X-Experience-API-Version"] = "1.0.3"
    body = None if method in ("GET", "HEAD") else {}
    params = {"source": "https://x.example", "id": "x"} if path == "/v1/events" else {}
    return await client.request(
        method, path.format(**VALUES), headers=headers, json=body, params=params
    )


def test_every_route_is_classified(service: tuple[Any, httpx.AsyncClient]) -> None:
    listed = [route for one in LISTS for route in one]
    assert len(listed) == len(set(listed))
    assert set(routes(service[0])) == set(listed)


@pytest.mark.security("API5", "API2", "V8.2.1", "V8.3.1", "V6.3.4")
async def test_nobody_passes_without_a_key(service: tuple[Any, httpx.AsyncClient]) -> None:
    app, client = service
    for route in set(routes(app)) - FREE:
        for key in (None, "hv_00000000_wrong"):
            answer = await ask(client, route, key)
            assert answer.status_code == 401, (route, answer.text)
    body = {"positions": [1], "through": 1}
    assert (await client.post("/v1/log/rows", json=body)).status_code == 401


async def test_what_is_not_for_partners_is_refused_to_them(
    service: tuple[Any, httpx.AsyncClient], api: Api
) -> None:
    """A partner with every scope a partner can have, and invited staff."""
    _, client = service
    scopes = ["events:write", "events:stream", "xapi:write", "quarantine:replay"]
    partner = await api("POST", "/v1/keys", {"name": "vt", "roles": ["telecom"], "scopes": scopes})
    order = {
        "role": "editor", "unit": "24133", "label": "Một cửa",
        "expires_at": "2027-06-30T00:00:00+07:00",
    }  # fmt: skip
    code = (await api("POST", "/v1/invitations", order)).get("code")
    keys = [partner["key"]]
    if code:
        keys.append((await api("POST", "/v1/invitations/accept", {"code": code}))["key"])
    for key in keys:
        for route in sorted(ADMINISTRATOR | OF_SERVICES | INVITERS):
            answer = await ask(client, route, key)
            # A body that is none is told first; it tells nothing of anybody.
            refused = {403} if route.startswith("GET") else {403, 422}
            assert answer.status_code in refused, (route, answer.text)
    for route in sorted(r for r in ADMINISTRATOR if r.startswith("GET")):
        assert (await ask(client, route, api.key)).status_code in (200, 404), route
