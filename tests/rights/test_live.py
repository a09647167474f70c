"""Every kind of principal at every route and method of the three services, writing included.

What each is let in to is written in `access.yaml`; a route in no class fails in `test_matrix.py`.
"""

from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute

from services.registry.parameters import taken
from tests.rights.conftest import System
from tests.rights.matrix import EVENT, PRINCIPALS, may
from tests.rights.placed import PLACED, found_routes

VALUES = {
    "plan": "dak-lak-2026", "code": "24133", "objective": "adults-certified-vneid",
    "obligation": "final-report-2026", "period": "once", "type": "class.held", "id": "00000000",
    "prefix": "00000000", "partner": "somebody", "name": "checklist.css", "number": 1,
    "position": 6, "type_name": "class.held", "version": 1, "task": "t-10-closing-commune",
    "sha256": "0" * 64,
}  # fmt: skip
QUERY = {
    "objective": "adults-certified-vneid", "unit": "24133", "source": EVENT["source"],
    "id": EVENT["id"], "against": "gia-lai-2026", "plan": "dak-lak-2026", "day": "2026-07-01",
}  # fmt: skip


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
        "POST /v1/quarantine/replay": {"code": "no-such-code"},
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
    code = answer.json().get("code") if "json" in kind and answer.content else ""
    # What was typed in is wrong, not who sends it.
    return code not in ("key-wrong-confirmation", "type-not-permitted")


@pytest.mark.security("API1", "API5", "V8.2.1")
@pytest.mark.timeout(1200)
async def test_everybody_is_let_in_where_they_may_and_nowhere_else(system: System) -> None:
    wrong = []
    for principal in PRINCIPALS:
        for service, app in system.apps.items():
            for route, found in sorted(found_routes(app).items()):
                kind = PLACED.get((service, route))
                if kind in (None, "proof", "closed") or route.endswith("/confirmation"):
                    continue
                credential = await system.credential(principal)
                answer = await ask(system, service, route, found, credential)
                assert answer.status_code < 500 or answer.status_code == 503, (route, answer.text)
                if is_refused(answer) == may(principal, service, str(kind)):
                    wrong.append(
                        (principal, service, route, kind, answer.status_code, answer.text[:90])
                    )
    assert not wrong, "\n".join(str(one) for one in wrong)
