"""Without a key nothing is shown, unless the instance is open."""

import pytest

from tests.registry import fakes
from tests.registry.conftest import Running

ADDRESSES = [
    "/v1/units",
    "/v1/plans",
    "/v1/plans/dak-lak-2026/table",
    "/v1/plans/dak-lak-2026/tasks",
]


@pytest.fixture
def closed(registry: Running) -> Running:
    state = registry.app.state.registry
    state.settings.registry_open = False
    yield registry
    state.settings.registry_open = True


@pytest.mark.parametrize("address", ADDRESSES)
async def test_a_key_is_needed(closed: Running, address: str) -> None:
    answer = await closed.client.get(address)
    assert (answer.status_code, answer.json()["code"]) == (401, "key-missing")
    wrong = {"Authorization": "Bearer hv_12345678_wrong"}
    answer = await closed.client.get(address, headers=wrong)
    assert (answer.status_code, answer.json()["code"]) == (401, "key-wrong")
    good = {"Authorization": f"Bearer {fakes.KEY}"}
    assert (await closed.client.get(address, headers=good)).status_code == 200


async def test_activities_is_asked_once_for_a_while(closed: Running) -> None:
    good = {"Authorization": f"Bearer {fakes.KEY}"}
    await closed.client.get("/v1/plans", headers=good)
    before = closed.activities.key_checks
    for _ in range(5):
        await closed.client.get("/v1/plans", headers=good)
    assert closed.activities.key_checks == before


async def test_pages_lead_to_the_sign_in(closed: Running) -> None:
    answer = await closed.client.get("/plans/dak-lak-2026?level=commune")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?next=/plans/dak-lak-2026%3Flevel%3Dcommune"
    closed.client.cookies.clear()
    closed.client.cookies.set("hocvuso_session", fakes.KEY)
    assert (await closed.client.get("/")).status_code == 303, "a key in a cookie opens nothing"
    closed.client.cookies.clear()
    answer = await closed.client.post("/login", data={"key": "hv_1_2"})
    assert answer.status_code == 401
    assert "Khóa không đúng" in answer.text


async def test_health_needs_no_key(closed: Running) -> None:
    for address in ("/health/live", "/health/ready"):
        assert (await closed.client.get(address)).status_code == 200


async def test_a_token_that_activities_takes_is_taken(closed: Running) -> None:
    """OpenID Connect is checked where the clients are known; registry forwards the token."""
    token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln"
    headers = {"Authorization": f"Bearer {token}"}
    answer = await closed.client.get("/v1/plans", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "key-wrong")
    closed.activities.keys[token] = {
        "name": "staff",
        "roles": ["department"],
        "scopes": ["tables:read"],
        "subtree": "66@2025",
    }
    try:
        assert (await closed.client.get("/v1/plans", headers=headers)).status_code == 200
        url = "/v1/plans/gia-lai-2026/evidence?objective=adults-certified-vneid"
        answer = await closed.client.get(url, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "unit-outside-key")
    finally:
        del closed.activities.keys[token]


async def test_what_activities_says_of_a_token_is_passed_on(closed: Running) -> None:
    headers = {"Authorization": "Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJiIn0.c2ln"}
    closed.activities.unknown = {"code": "client-unknown", "detail": "not registered"}
    try:
        answer = await closed.client.get("/v1/plans", headers=headers)
    finally:
        closed.activities.unknown = {"code": "key-wrong"}
    assert (answer.status_code, answer.json()["code"]) == (403, "client-unknown")
