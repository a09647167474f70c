"""Every route with every role. A route that stands in no list below fails the test: whoever adds one
says here who may use it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastapi.routing import APIRoute
from starlette.routing import Mount, Route

from services.registry.access import PUBLIC
from services.registry.parameters import taken
from shared.auth.principal import STAFF
from tests.registry import fakes
from tests.registry.conftest import Running
from tests.registry.disclosing import disclosure
from tests.registry.routes import VALUES, routes, walk

ROLES = [
    "administrator", "police", "mooc", "telecom", "department", "commune", "hamlet", "school",
    "enterprise", "association", "service_centre", "provider", "registrar", "media",
    "mass_organisation", "party_body", "reader",
]  # fmt: skip
BOTH = ["events:write", "tables:read"]
PLAN = "/v1/plans/{plan}"
PAGE = "/plans/{plan}"

FREE = {
    "GET /health/live", "GET /health/ready", "GET /login", "POST /login", "POST /logout",
    "GET /accept", "POST /accept", "POST /confirm", "POST /language", "POST /first-page",
    "GET /plans/plan.schema.json",
}  # fmt: skip
"""Nothing to read there; codes and keys are judged by activities."""
ANY_KEY = {
    "GET /v1/units", "GET /v1/units/{code}", "GET /v1/units/{code}/children",
    "GET /v1/units/{code}/history", "GET /v1/units/{code}/hamlets", "GET /v1/plans", f"GET {PLAN}",
    f"GET {PLAN}/published", f"GET {PLAN}/difference", f"GET {PLAN}/objectives", f"GET {PLAN}/populations",
    f"GET {PLAN}/populations/sheet", "GET /v1/changes", "GET /", "GET /plans", "GET /enter", "GET /enter/queue", "GET /enter/{type}", "GET /units",
    "GET /units/{code}", "GET /units/{code}/hamlets", f"GET {PAGE}/populations",
    "GET /units/import", "GET /units/{code}/changes",
}  # fmt: skip
"""What is said about units and plans, and forms: every key."""
OF_A_UNIT = {
    f"GET {PLAN}/table", f"GET {PLAN}/units/{{code}}", f"GET {PLAN}/series", f"GET {PLAN}/share",
    f"GET {PLAN}/doubts", "GET /v1/calendar",
    f"GET {PLAN}/cold-spots", f"GET {PLAN}/completeness", f"GET {PLAN}/calendar",
    f"GET {PLAN}/documents", f"GET {PLAN}/documents/{{obligation}}/{{period}}",
    f"GET {PLAN}/documents/{{obligation}}/{{period}}/comparison",
    f"GET {PLAN}/documents/{{obligation}}/{{period}}/life",
    f"GET {PLAN}/documents/{{obligation}}/{{period}}/files/{{sha256}}",
    f"GET {PLAN}/template", f"GET {PLAN}/template/file",
    f"GET {PLAN}/reports", f"GET {PLAN}/inspections", f"GET {PLAN}/feedback",
    f"GET {PLAN}/tasks", f"GET {PLAN}/tasks/{{task}}", f"GET {PAGE}/tasks",
    f"GET {PAGE}", f"GET {PAGE}/units/{{code}}", f"GET {PAGE}/calendar",
    f"GET {PAGE}/units/{{code}}/objectives/{{objective}}",
    f"GET {PAGE}/documents/{{obligation}}/{{period}}", f"GET {PAGE}/template",
    f"GET {PAGE}/documents/{{obligation}}/{{period}}/comparison",
}  # fmt: skip
"""Numbers of the unit that is asked for: whoever's key is bound to it, or to a unit above it."""
OF_ONES_OWN = {
    f"GET {PLAN}/ranking", f"GET {PLAN}/reports/{{obligation}}/{{period}}", f"GET {PLAN}/reports/{{obligation}}/{{period}}/consolidated",
    f"GET {PAGE}/tasks/{{task}}", f"GET {PAGE}/cold-spots", f"GET {PAGE}/completeness",
    f"GET {PAGE}/objectives/{{objective}}", f"GET {PAGE}/reports/{{obligation}}/{{period}}",
    f"GET {PAGE}/ranking", f"GET {PAGE}/week", f"GET {PAGE}/work",
}  # fmt: skip
"""No unit is named: everybody within the plan gets what is theirs of it, others are refused."""
EVENTS = {
    f"GET {PLAN}/evidence", f"GET {PLAN}/changes",
    f"GET {PAGE}/units/{{code}}/objectives/{{objective}}/changes", "GET /v1/receipts",
    "GET /receipts",
}  # fmt: skip
"""Single events: staff, of their own units."""
NATION = {"GET /v1/nation"}
"""Every key, of its own units."""
STAFF_PAGES = {"GET /staff", "GET /audit"}
OWN_ACCESS = {"GET /devices", "GET /confirm"}
"""Whoever has a credential, of that credential."""
OWN_WORK = {"GET /week", "GET /own", "GET /own/edit", "GET /own/cancel"}
"""Whoever may read, of what they posted themselves and of their own commune; others are led on."""
WRITES = {
    "POST /week/nil", "POST /own/edit", "POST /own/cancel",
    "POST /v1/units/changes", "POST /v1/units/import", "POST /v1/units/{code}/hamlets",
    "POST /v1/units/{code}/hamlets/changes", f"POST {PLAN}/populations",
    f"POST {PLAN}/populations/sheet", f"POST {PLAN}/nil",
    f"PUT {PLAN}/reports/{{obligation}}/{{period}}", f"POST {PLAN}/tasks/{{task}}/statements",
    f"POST {PLAN}/tasks/{{task}}/returns",
    f"POST {PLAN}/documents/{{obligation}}/{{period}}/steps", f"PUT {PLAN}/documents/{{obligation}}/{{period}}/signed",
    f"PUT {PLAN}/template",
    f"POST {PLAN}/reports/{{obligation}}/requests",
    f"POST {PLAN}/reports/{{obligation}}/{{period}}/returns", "POST /enter/{type}", "POST /units/{code}/hamlets",
    f"POST {PAGE}/reports/{{obligation}}/{{period}}", f"POST {PAGE}/tasks/{{task}}",
    f"POST {PAGE}/documents/{{obligation}}/{{period}}", f"POST {PAGE}/documents/{{obligation}}/{{period}}/signed",
    f"POST {PAGE}/template",
    "POST /staff", "POST /staff/{id}/revoke", "POST /devices/end", "POST /devices/{id}/end",
    f"POST {PAGE}/populations", f"POST {PAGE}/week", "POST /units/import", "POST /units/{code}/changes",
}  # fmt: skip
"""A key, which activities judges."""
LISTS = (
    FREE,
    ANY_KEY,
    OF_A_UNIT,
    OF_ONES_OWN,
    EVENTS,
    NATION,
    STAFF_PAGES,
    OWN_ACCESS,
    OWN_WORK,
    WRITES,
)
NO_DATA = {"/openapi.json", "/docs", "/docs/reference.css", "/static"}
"""Descriptions and styles. `/metrics` is closed at the origin (tests/deploy/test_origin.py)."""
QUERY = {
    "objective": "adults-certified-vneid", "unit": "24133", "source": "https://way.example", "id": "w-1",
    "against": "gia-lai-2026",
}  # fmt: skip


def guarded(registry: Running, *methods: str) -> list[str]:
    """Those that need a key; all methods if none is named."""
    wanted = methods or ("GET", "POST", "PUT", "DELETE", "PATCH")
    return [r for r in routes(registry) if r not in FREE and r.split()[0] in wanted]


def key(role: str, subtree: str | None = None) -> str:
    return f"hv_{role}_{subtree or 'all'}"


@pytest.fixture
async def closed(registry: Running) -> AsyncIterator[Running]:
    state = registry.app.state.registry
    for role in ROLES:
        for subtree in (None, "66@2025", "24133@2025", "24154@2025", "52@2025"):
            rights = {"name": role, "roles": [role], "scopes": BOTH, "subtree": subtree}
            registry.activities.keys[key(role, subtree)] = rights
    known = {row.id for row in registry.activities.rows}
    if QUERY["id"] not in known:
        event = {
            "id": QUERY["id"], "source": QUERY["source"], "type": "vn.hocvuso.citizen.certified",
            "subject": "24133@2025", "time": "2026-06-30T09:00:00+07:00", "data": {},
        }  # fmt: skip
        await registry.happen(event)
    state.settings.registry_open = False
    yield registry
    state.settings.registry_open = True


async def ask(registry: Running, route: str, text: str | None, **more: Any) -> Any:
    method, _, path = route.partition(" ")
    headers = {"Authorization": f"Bearer {text}"} if text else {}
    params = more.pop("params", None)
    if params is None:
        (found,) = [r for r in walk(registry.app.routes) if isinstance(r, APIRoute)
                    and r.path == path and method in r.methods]  # fmt: skip
        params = {name: QUERY[name] for name in sorted(taken(found) & set(QUERY))}
    return await registry.client.request(
        method, path.format(**VALUES), headers=headers | {"Accept": "*/*"},
        params=params, **more,
    )  # fmt: skip


def test_every_route_is_classified(registry: Running) -> None:
    listed = [route for one in LISTS for route in one]
    assert len(listed) == len(set(listed)), "a route stands in one list"
    assert set(routes(registry)) <= set(listed), "new routes: say above who may use them"
    others = {r.path for r in walk(registry.app.routes) if isinstance(r, Route | Mount)}
    others -= {route.partition(" ")[2] for route in routes(registry)}
    assert others <= NO_DATA | {"/metrics"}
    assert {f"GET {path}" for path in PUBLIC} <= ANY_KEY | OF_A_UNIT
    assert {r.partition(" ")[0] for r in WRITES} <= {"POST", "PUT", "DELETE"}


async def test_without_a_key_every_route_is_closed(closed: Running) -> None:
    for text in (None, "hv_wrong_key"):
        for route in guarded(closed):
            answer = await ask(closed, route, text, json={})
            if route.startswith("GET /") and not route.startswith("GET /v1/"):
                assert (route, answer.status_code) == (route, 303)
                assert answer.headers["location"].startswith("/login")
            else:
                assert (route, answer.status_code) == (route, 401), answer.text


@pytest.mark.security("API5", "V8.2.1")
@pytest.mark.parametrize("role", ROLES[1:])
async def test_a_key_that_only_writes_reads_nothing(closed: Running, role: str) -> None:
    for scopes in ([], ["events:write", "events:stream", "xapi:write"], ["log:read"]):
        text = f"hv_{role}_writes-{len(scopes)}"
        closed.activities.keys[text] = {"name": role, "roles": [role], "scopes": scopes}
        for route in set(guarded(closed, "GET")) - OWN_ACCESS:
            answer = await ask(closed, route, text)
            assert (route, answer.status_code) == (route, 403)


async def test_what_the_province_has_opened_and_nothing_else(closed: Running) -> None:
    """Also there no other plan, no other route."""
    await closed.happen(disclosure("route-1", True, VALUES["plan"]))
    closed.metrics["answer"] = lambda _: fakes.httpx.Response(
        200, json={"position": 1, "cells": []}
    )
    public = {f"GET {path}" for path in PUBLIC}
    try:
        for route in guarded(closed, "GET"):
            answer = await ask(closed, route, None, params={})
            expected = 200 if route in public else 401 if " /v1/" in route else 303
            assert (route, answer.status_code) == (route, expected), answer.text
            if "{plan}" in route:
                other = route.replace("{plan}", "dong-nai-2026")
                assert (await ask(closed, other, None, params={})).status_code in (303, 401)
    finally:
        closed.metrics["answer"] = fakes.no_metrics
        await closed.happen(disclosure("route-2", False, VALUES["plan"]))


def expected(route: str, role: str, subtree: str | None) -> set[int]:
    """What a key may get that asks for 24133, a commune of 66. 503: metrics is away here; what is
    refused is refused before it is asked. 404: there is no ranking and no such report."""
    above = subtree in (None, "66@2025", "24133@2025")
    gets = {200, 404, 503}
    if route in OWN_WORK or route == "GET /":
        return gets | {303}
    if route in STAFF_PAGES:
        # The fake lets administrators invite; activities also keys with staff:invite.
        return {200} if role == "administrator" else {403}
    if route in EVENTS:
        staff = role in STAFF
        return {200, 503} if above and staff else {403}
    if route in OF_A_UNIT:
        return gets if above else {403}
    if route in OF_ONES_OWN:
        return gets if subtree != "52@2025" else {403}
    return gets


@pytest.mark.security("API1", "V8.2.2", "V8.4.1")
@pytest.mark.parametrize("subtree", [None, "66@2025", "24133@2025", "24154@2025", "52@2025"])
@pytest.mark.parametrize("role", ROLES)
async def test_every_role_reads_what_it_may(
    closed: Running, role: str, subtree: str | None
) -> None:
    for route in guarded(closed, "GET"):
        answer = await ask(closed, route, key(role, subtree))
        assert answer.status_code in expected(route, role, subtree), (route, answer.text[:300])
        if answer.status_code == 403 and route not in STAFF_PAGES and " /v1/" in route:
            problem = answer.json()
            assert problem["code"] in ("unit-outside-key", "role-not-permitted")
            assert (problem["hint"] and "pointer" in problem) or "role" in problem["code"]


@pytest.mark.parametrize("format", ["json", "csv", "xlsx"])
async def test_who_names_no_unit_gets_their_own(closed: Running, format: str) -> None:
    """Nothing of the neighbours: not in rows, not in totals, not in files."""
    mine, theirs = key("reader", "24154@2025"), "24133@2025"
    for route in sorted(OF_A_UNIT | OF_ONES_OWN | NATION):
        if "{code}" in route or route not in routes(closed):
            continue
        params = {}
        if route.endswith("/table"):
            params = {"format": format}
        elif route.endswith("/series"):
            params = {"objective": "adults-certified-vneid"}
        answer = await ask(closed, route, mine, params=params)
        assert answer.status_code in (200, 404, 503), (route, answer.text)
        assert theirs not in answer.text, route
        if route.endswith("/table") and format == "json":
            table = answer.json()
            assert (table["unit_id"], table["whole"]["unit_id"]) == ("24154@2025",) * 2


async def test_a_province_reads_its_plan_whole(closed: Running) -> None:
    for bound in (None, "66@2025"):
        table = (await ask(closed, f"GET {PLAN}/table", key("reader", bound), params={})).json()
        assert (table["unit_id"], len(table["rows"])) == ("66@2025", 102)


async def test_the_first_page_leads_only_to_tables_that_open(closed: Running) -> None:
    link = f'href="/plans/{VALUES["plan"]}"'
    for bound, shown in ((None, True), ("24154@2025", True), ("75@2025", False)):
        reader = key("reader", bound)
        page = await ask(closed, "GET /plans", reader, params={})
        opened = await ask(closed, f"GET {PAGE}", reader, params={})
        assert (link in page.text, opened.status_code == 200) == (shown, shown), bound


async def test_the_opened_table_is_also_for_those_with_a_narrow_key(closed: Running) -> None:
    """Signing in must not show less than a citizen sees."""
    route, unit = f"GET {PLAN}/table", {"unit": "66", "as_of": "2026-11-15"}
    narrow = key("reader", "24133@2025")
    assert (await ask(closed, route, narrow, params=unit)).status_code == 403
    await closed.happen(disclosure("route-3", True, VALUES["plan"]))
    closed.metrics["answer"] = lambda _: fakes.httpx.Response(
        200, json={"position": 1, "cells": []}
    )
    try:
        answer = await ask(closed, route, narrow, params=unit)
        assert (answer.status_code, answer.json()["position"]) == (200, 0)
        refused = await ask(closed, route, narrow, params=unit | {"known_at": "2026-11-15"})
        assert refused.status_code == 401
        page = await ask(closed, f"GET {PAGE}", narrow, params={"unit": "66"})
        assert "làm tròn xuống" in page.text
    finally:
        closed.metrics["answer"] = fakes.no_metrics
        await closed.happen(disclosure("route-4", False, VALUES["plan"]))


async def test_a_token_is_as_narrow_as_its_client(closed: Running) -> None:
    """OpenID Connect: activities says what the token may; registry holds it to that."""
    token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJuYXJyb3cifQ.c2ln"
    rights = {
        "name": "sso",
        "roles": ["department"],
        "scopes": ["tables:read"],
        "subtree": "24154@2025",
    }
    closed.activities.keys[token] = rights
    try:
        for route in guarded(closed, "GET"):
            answer = await ask(closed, route, token)
            if route not in STAFF_PAGES:
                assert answer.status_code in expected(route, "department", "24154@2025"), route
    finally:
        del closed.activities.keys[token]


async def test_every_writing_is_for_activities_to_judge(closed: Running) -> None:
    """Registry forwards the caller's key; a role that may not is refused there, and passed on."""
    closed.activities.refuse = {"code": "type-not-permitted", "detail": "no", "status": 403}
    body = {
        "unit": "24133",
        "types": ["citizen.certified"],
        "from": "2026-11-01",
        "to": "2026-11-07",
    }
    try:
        answer = await ask(closed, f"POST {PLAN}/nil", key("telecom"), json=body)
    finally:
        closed.activities.refuse = None
    assert (answer.status_code, answer.json()["code"]) == (403, "type-not-permitted")


@pytest.mark.security("V3.5.1", "V3.5.3")
async def test_writing_from_a_foreign_page_is_refused(closed: Running) -> None:
    client = closed.client
    client.cookies.set("hocvuso_session", fakes.SESSION)
    try:
        for route in sorted(set(routes(closed)) & WRITES):
            method, _, path = route.partition(" ")
            for site in (None, "cross-site", "same-site"):
                headers = {"Sec-Fetch-Site": site} if site else {}
                answer = await client.request(
                    method, path.format(**VALUES), json={}, headers=headers
                )
                # What is not even a request of this kind is refused before anybody is asked.
                assert answer.status_code == 403, (route, answer.text)
                assert "foreign-page" in answer.text
    finally:
        client.cookies.clear()
