"""Every route, method, topic and page of the three services with every kind of principal, writing
included. What is not classified in `access.yaml` fails."""

from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute
from starlette.routing import Mount, Route

from services.activities.intake import acls
from services.activities.intake.model import Partner
from services.registry.parameters import taken
from shared.contracts import topics
from tests.registry.test_every_route import walk
from tests.rights.conftest import System
from tests.rights.matrix import CLASSES, EVENT, PAGE, PRINCIPALS, ROUTES, TOPICS, may, page

VALUES = {
    "plan": "dak-lak-2026", "code": "24133", "objective": "adults-certified-vneid",
    "obligation": "final-report-2026", "period": "once", "type": "class.held", "id": "00000000",
    "prefix": "00000000", "partner": "somebody", "name": "checklist.css", "number": 1,
    "position": 6, "type_name": "class.held", "version": 1,
}  # fmt: skip
QUERY = {
    "objective": "adults-certified-vneid", "unit": "24133", "source": EVENT["source"],
    "id": EVENT["id"], "against": "gia-lai-2026", "plan": "dak-lak-2026", "day": "2026-07-01",
}  # fmt: skip
PLACED = {(service, route): kind for service, classes in ROUTES.items()
          for kind, routes in classes.items() for route in routes}  # fmt: skip


def found_routes(app: Any) -> dict[str, Any]:
    """`METHOD path` -> route, of everything that an application answers."""
    found: dict[str, Any] = {}
    for route in walk(app.routes):
        if isinstance(route, Mount):
            found[f"GET {route.path}"] = route
        elif isinstance(route, APIRoute):
            found |= {f"{method} {route.path}": route for method in route.methods}
        elif isinstance(route, Route):
            found[f"GET {route.path}"] = route
    return found


@pytest.mark.security("V8.1.1")
def test_the_page_is_that_of_the_classification() -> None:
    assert PAGE.read_text() == page(), "make generate"
    assert {kind for classes in ROUTES.values() for kind in classes} <= set(CLASSES)
    listed = [(s, r) for s, classes in ROUTES.items() for rs in classes.values() for r in rs]
    assert len(listed) == len(set(listed)), "a route has one class"


@pytest.mark.security("API9")
async def test_every_route_is_classified(system: System) -> None:
    for service, app in system.apps.items():
        there = set(found_routes(app))
        placed = {route for s, route in PLACED if s == service}
        # HEAD answers where GET does, without the body.
        heads = {route for route in there if route.startswith("HEAD ")} - placed
        assert all(route.replace("HEAD ", "GET ") in placed for route in heads)
        assert there - heads - placed == set(), f"classify in access.yaml: {service}"
        assert placed - there == set(), f"no such route any more: {service}"


async def ask(
    system: System, service: str, route: str, found: Any, credential: str | None
) -> httpx.Response:
    method, _, path = route.partition(" ")
    headers = {"Sec-Fetch-Site": "same-origin", "X-Experience-API-Version": "1.0.3"}
    if credential:
        headers["Authorization"] = f"Bearer {credential}"
    params: dict[str, str] = {}
    if isinstance(found, APIRoute):
        params = {name: QUERY[name] for name in sorted(taken(found) & set(QUERY))}
    if method == "PUT" and "streams" in path:
        params = {"offset": "0"}
    more: dict[str, Any] = {} if method in ("GET", "HEAD") else {"json": _body(route)}
    if route == "POST /v1/events":
        more["headers"] = {"Content-Type": "application/cloudevents+json"}
    elif "streams" in path and method == "PUT":
        more = {"content": b"", "headers": {"Content-Type": "application/x-ndjson"}}
    elif path.endswith("manifest"):
        more = {"content": b"x", "headers": {"Content-Type": "text/plain"}}
    headers |= more.pop("headers", {})
    return await system.clients[service].request(
        method, path.format(**VALUES), headers=headers, params=params, timeout=60, **more
    )


def _body(route: str) -> Any:
    """A body that is whole enough to get as far as the rights, and changes nothing."""
    return {
        "POST /v1/log/rows": {"positions": [1], "through": 1},
        "POST /v1/invitations": {"role": "reader", "unit": "99999", "label": "x"},
        "POST /v1/keys": {"name": "x1", "roles": ["nobody"]},
        "POST /v1/keys/clients": {
            "name": "x1", "roles": ["telecom"], "issuer": "https://x.example", "client_id": "x",
        },
        "PATCH /v1/keys/{prefix}": {"without": ["tables:read"]},
        "PUT /v1/intake/{partner}": {"roles": ["nobody"]},
        "POST /v1/quarantine/{number}/dismiss": {"reason": "none"},
        "POST /v1/quarantine/replay": {"numbers": [1]},
        "POST /v1/parked/{position}/dismiss": {"reason": "none"},
        "POST /v1/explanations": {"positions": [1]},
        "POST /v1/sessions/current/confirmation": {"key": "hv_00000000_wrong"},
        "POST /v1/events": {"specversion": "1.0"},
    }.get(route, {})  # fmt: skip


def is_refused(answer: httpx.Response) -> bool:
    """Whether somebody was turned away for who they are."""
    if answer.status_code == 303:
        return answer.headers["location"].startswith("/login?")
    if answer.status_code not in (401, 403):
        return False
    kind = answer.headers.get("content-type", "")
    code = answer.json().get("code") if "json" in kind else ""
    # What was typed in is wrong, not who sends it.
    return code not in ("key-wrong-confirmation", "type-not-permitted")


@pytest.mark.security("API5", "API2", "V8.2.1", "V8.3.1", "V6.3.4")
def _is_shape(answer: httpx.Response) -> bool:
    return "json" in answer.headers.get("content-type", "") and (
        answer.json().get("code") == "invalid-parameter"
    )


@pytest.mark.parametrize("principal", PRINCIPALS)
async def test_everybody_is_let_in_where_they_may_and_nowhere_else(
    system: System, principal: str
) -> None:
    wrong = []
    for service, app in system.apps.items():
        for route, found in sorted(found_routes(app).items()):
            kind = PLACED.get((service, route))
            if kind in (None, "proof", "closed") or route.endswith("/confirmation"):
                continue
            credential = await system.credential(principal)
            answer = await ask(system, service, route, found, credential)
            assert answer.status_code < 500 or answer.status_code == 503, (route, answer.text)
            if answer.status_code == 422 and not route.startswith("GET") and _is_shape(answer):
                continue  # a body that is none may be told first; that tells nothing of anybody
            if is_refused(answer) == may(principal, service, str(kind)):
                wrong.append((service, route, kind, answer.status_code, answer.text[:120]))
    assert not wrong, f"{principal}: {wrong}"


@pytest.mark.security("API1")
def test_every_topic_is_classified_and_partners_get_their_own_only() -> None:
    assert set(TOPICS) == {
        topics.LOG, topics.PROGRESS, topics.intake("{partner}"), topics.receipts("{partner}"),
    }  # fmt: skip
    partner = Partner(
        "vnpt", frozenset({"telecom"}), None, None, None, None, "errors", 3, 72, None, True, 1, 1
    )
    rules = {(r.name, r.operations) for r in acls.rules(partner) if r.resource == "topic"}
    assert rules == {
        (topics.intake("vnpt"), ("Write", "Describe")),
        (topics.receipts("vnpt"), ("Read", "Describe")),
    }
    for name, one in TOPICS.items():
        assert ("the partner" in one["reads"]) == (name == topics.receipts("{partner}"))
        assert ("the partner" in one["writes"]) == (name == topics.intake("{partner}"))
