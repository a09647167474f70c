"""Every route with every role: who may read, see single events, write; nothing is forgotten."""

from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any

import pytest
from fastapi.routing import APIRoute

from services.registry.access import PUBLIC, STAFF
from tests.registry import fakes
from tests.registry.conftest import Running

ROLES = [
    "administrator", "police", "mooc", "telecom", "department", "commune", "hamlet", "school",
    "enterprise", "association", "service_centre", "provider", "registrar", "media",
    "mass_organisation", "party_body", "reader",
]  # fmt: skip
FREE = {"/health/live", "/health/ready", "/login", "/logout", "/accept"}
EVENTS = {"/v1/plans/{plan}/evidence", "/v1/plans/{plan}/changes"}
VALUES = {
    "plan": "dak-lak-2026", "code": "24133", "objective": "adults-certified-vneid",
    "obligation": "final-report-2026", "period": "once", "type": "class.held",
    "id": "00000001",
}  # fmt: skip
QUERY = {"objective": "adults-certified-vneid", "unit": "24133"}


def walk(routes: Iterable[Any]) -> Iterator[APIRoute]:
    """All routes, also of included routers, which FastAPI keeps as they are."""
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        elif hasattr(route, "original_router"):
            yield from walk(route.original_router.routes)


def routes(registry: Running) -> list[tuple[str, str]]:
    return [
        (method, route.path)
        for route in walk(registry.app.routes)
        if route.path not in FREE
        for method in sorted(route.methods)
    ]


def key(role: str, subtree: str | None = None) -> str:
    return f"hv_{role}_{subtree or 'all'}"


@pytest.fixture
async def closed(registry: Running) -> AsyncIterator[Running]:
    state = registry.app.state.registry
    for role in ROLES:
        for subtree in (None, "66@2025", "24133@2025", "24154@2025"):
            rights = {"name": role, "roles": [role], "scopes": ["events:write"], "subtree": subtree}
            registry.activities.keys[key(role, subtree)] = rights
    state.settings.registry_open = False
    yield registry
    state.settings.registry_open = True


async def ask(registry: Running, method: str, path: str, text: str | None, **more: Any) -> Any:
    headers = {"Authorization": f"Bearer {text}"} if text else {}
    address = path.format(**VALUES)
    return await registry.client.request(
        method, address, headers=headers | {"Accept": "*/*"}, params=QUERY, **more
    )


async def test_without_a_key_every_route_is_closed(closed: Running) -> None:
    asked = routes(closed)
    assert len(asked) > 30
    for method, path in asked:
        answer = await ask(closed, method, path, None, json={})
        page = not path.startswith("/v1/")
        if page and method == "GET":
            assert (path, answer.status_code) == (path, 303)
            assert answer.headers["location"].startswith("/login")
        else:
            assert (path, answer.status_code) == (path, 401), answer.text


async def test_with_a_wrong_key_too(closed: Running) -> None:
    for method, path in routes(closed):
        answer = await ask(closed, method, path, "hv_wrong_key", json={})
        assert answer.status_code in (303, 401), path


@pytest.mark.parametrize("subtree", [None, "66@2025", "24133@2025"])
@pytest.mark.parametrize("role", ROLES)
async def test_every_role_reads_what_it_may(
    closed: Running, role: str, subtree: str | None
) -> None:
    """Tables are the same for every key, wherever it is bound: who lags is no secret between
    communes. Single events and invitations are not."""
    for method, path in routes(closed):
        if method != "GET":
            continue
        answer = await ask(closed, method, path, key(role, subtree))
        if path == "/staff":
            # The fake lets administrators invite; activities also keys with staff:invite.
            expected = 200 if role == "administrator" else 403
        elif path in EVENTS:
            # Staff gets through to metrics, which is away here.
            expected = 503 if role in STAFF else 403
        else:
            expected = answer.status_code if answer.status_code in (200, 404, 503) else 200
        assert (path, answer.status_code) == (path, expected), answer.text


@pytest.mark.parametrize("role", sorted(STAFF))
async def test_single_events_only_of_ones_own_subtree(closed: Running, role: str) -> None:
    for path in EVENTS:
        assert (await ask(closed, "GET", path, key(role, "66@2025"))).status_code == 503
        answer = await ask(closed, "GET", path, key(role, "24154@2025"))
        assert (answer.status_code, answer.json()["code"]) == (403, "unit-outside-key")


async def test_writing_is_for_activities_to_judge(closed: Running) -> None:
    """Registry forwards the caller's key; a role that may not is refused there, and passed on."""
    closed.activities.refuse = {"code": "type-not-permitted", "detail": "no", "status": 403}
    body = {"unit": "24133", "types": ["nil.reported"], "from": "2026-11-01", "to": "2026-11-07"}
    body["types"] = ["citizen.certified"]
    try:
        answer = await ask(closed, "POST", "/v1/plans/{plan}/nil", key("telecom"), json=body)
    finally:
        closed.activities.refuse = None
    assert (answer.status_code, answer.json()["code"]) == (403, "type-not-permitted")


async def test_writing_from_a_foreign_page_is_refused(closed: Running) -> None:
    client, address = closed.client, "/v1/plans/dak-lak-2026/nil"
    body = {
        "unit": "24133",
        "types": ["citizen.certified"],
        "from": "2026-11-01",
        "to": "2026-11-07",
    }
    client.cookies.set("hocvuso_key", fakes.KEY)
    try:
        for site in (None, "cross-site", "same-site"):
            headers = {"Sec-Fetch-Site": site} if site else {}
            answer = await client.post(address, json=body, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (403, "foreign-page")
        headers = {"Sec-Fetch-Site": "same-origin"}
        params = {"dry_run": "true"}
        answer = await client.post(address, json=body, headers=headers, params=params)
        assert answer.status_code == 200, answer.text
    finally:
        client.cookies.clear()


def test_what_is_public_exists(registry: Running) -> None:
    paths = {route.path for route in walk(registry.app.routes)}
    assert paths >= PUBLIC
    assert not PUBLIC & EVENTS
