"""What activities would say of the keys in the tests of metrics: `GET /v1/keys/self`."""

from typing import Any

import httpx

KNOWN: dict[str, dict[str, Any]] = {
    "service": {"kind": "service", "scopes": ["log:read", "metrics:read"]},
    "administrator": {"roles": ["administrator"]},
    "reader": {"roles": ["reader"], "scopes": ["tables:read"]},
    "staff": {"roles": ["department"], "scopes": ["tables:read"]},
    "commune": {"roles": ["commune"], "scopes": ["tables:read"], "subtree": "24133@2025"},
    "partner": {"roles": ["telecom"], "scopes": ["events:write", "events:stream"]},
}


def header(name: str) -> dict[str, str]:
    """The header of one of them; `nobody` and `broken` are known to nobody, or break the asking."""
    return {"Authorization": f"Bearer hv_aaaaaaaa_{name}"}


SERVICE = header("service")


def transport() -> httpx.MockTransport:
    """In the place of activities."""

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/v1/keys/self"
        name = request.headers["Authorization"].rpartition("_")[2]
        if name == "broken":
            return httpx.Response(500)
        if name not in KNOWN:
            return httpx.Response(401)
        return httpx.Response(200, json=KNOWN[name])

    return httpx.MockTransport(answer)
