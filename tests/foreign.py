"""What foreign clients and scanners send to every route of a service: never answered by a 5xx."""

from collections.abc import Iterator
from typing import Any

import httpx
from fastapi import FastAPI
from fastapi.routing import APIRoute

BODIES: dict[str, bytes] = {
    "no UTF-8": b'{"a": "\xff"}',
    "brackets": b"[" * 60_000,
    "objects": b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    "half a surrogate": b'{"a": "\\ud800"}',
    "NUL": b'{"a": "\\u0000"}',
    "NaN": b'{"a": NaN}',
    "a long number": b'{"a": ' + b"9" * 5_000 + b"}",
    "a list": b"[true, null, 1e999]",
    "true": b"true",
    "nothing": b"",
    "form": b"a=1&" * 4_000 + b"key=%00&unit=%ff",
}
TYPES = (
    "application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
    "application/cloudevents+json", "application/cloudevents-batch+json", "application/x-ndjson",
    "text/plain", "",
)  # fmt: skip
VALUES = ("%00", "%ff", "true", "-1", "1" * 30, "a" * 5_000, "%F0%9F%98%80", "0.5", "NaN", "''", "")
UNAVAILABLE = 503
"""Says that another service or a projection is not there yet, and when to ask again."""
LONELY = {"GET /v1/changes"}
"""They wait, which is what they are for."""


def routes(found: Any) -> Iterator[APIRoute]:
    for route in found:
        if hasattr(route, "original_router"):
            yield from routes(route.original_router.routes)
        elif isinstance(route, APIRoute):
            yield route


def each(app: FastAPI) -> Iterator[tuple[str, APIRoute]]:
    for route in routes(app.routes):
        for method in sorted(route.methods or ()):
            if f"{method} {route.path}" not in LONELY:
                yield method, route


async def bad_bodies(app: FastAPI, client: httpx.AsyncClient, values: dict[str, Any]) -> list[Any]:
    """The routes that answer a body with a 5xx."""
    failed = []
    for method, route in each(app):
        if method in ("GET", "HEAD"):
            continue
        path = route.path.format(**values)
        for name, body in BODIES.items():
            for kind in TYPES:
                headers = {"Content-Type": kind, "Sec-Fetch-Site": "same-origin"}
                answer = await client.request(method, path, content=body, headers=headers)
                if answer.status_code >= 500 and answer.status_code != UNAVAILABLE:
                    failed.append((method, route.path, name, kind, answer.text[:200]))
    return failed


async def bad_parameters(
    app: FastAPI, client: httpx.AsyncClient, values: dict[str, Any]
) -> list[Any]:
    """The routes that answer a parameter of the query or the path with a 5xx."""
    failed = []
    for method, route in each(app):
        path = route.path.format(**values)
        asked = [f"{path}?{field.alias}={bad}" for field in names(route) for bad in VALUES]
        for name in values:
            if "{" + name + "}" in route.path:
                asked += [route.path.format(**{**values, name: bad}) for bad in VALUES if bad]
        for address in asked:
            answer = await client.request(method, address)
            if answer.status_code >= 500 and answer.status_code != UNAVAILABLE:
                failed.append((method, address[:200], answer.text[:200]))
    return failed


def names(route: APIRoute) -> Iterator[Any]:
    def below(dependant: Any) -> Iterator[Any]:
        yield from dependant.query_params
        for one in dependant.dependencies:
            yield from below(one)

    yield from below(route.dependant)


async def bad_credentials(
    app: FastAPI, client: httpx.AsyncClient, values: dict[str, Any]
) -> list[Any]:
    """The routes that answer credentials of any bytes with a 5xx."""
    failed = []
    for method, route in each(app):
        path = route.path.format(**values)
        for header in (
            b"Bearer hv_\xe9_x",
            b"Bearer hv_a_\xc3\xa9",
            b"Bearer eyJ.\xe9.x",
            b"Bearer",
        ):
            for headers in (
                [(b"authorization", header)],
                [(b"cookie", b"hocvuso_key=" + header.removeprefix(b"Bearer "))],
            ):
                more: Any = [*headers, (b"sec-fetch-site", b"same-origin")]
                answer = await client.request(method, path, headers=more)
                if answer.status_code >= 500 and answer.status_code != UNAVAILABLE:
                    failed.append((method, route.path, header, answer.text[:200]))
    return failed


async def unlike_heads(
    app: FastAPI, client: httpx.AsyncClient, values: dict[str, Any]
) -> list[Any]:
    """The routes whose HEAD is not what their GET is, or whose 405 does not name all methods."""
    failed: list[Any] = []
    methods: dict[str, set[str]] = {}
    for method, route in each(app):
        methods.setdefault(route.path, set()).add(method)
    for path, taken in methods.items():
        address = path.format(**values)
        if "GET" in taken:
            got, head = await client.get(address), await client.head(address)
            if (got.status_code, got.headers.get("content-type")) != (
                head.status_code, head.headers.get("content-type")
            ) or head.content:  # fmt: skip
                failed.append((path, got.status_code, head.status_code))
        answer = await client.request("PROPFIND", address)
        allow = set(answer.headers.get("allow", "").split(", "))
        if answer.status_code != 405 or not taken <= allow or ("GET" in taken) > ("HEAD" in allow):
            failed.append((path, answer.status_code, allow))
    return failed
