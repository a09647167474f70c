"""In front of every route: what is wrong with a request is seen before anything of it is parsed.

Addresses: valid percent-encoding of UTF-8, no U+0000, a bounded number of parameters. Bodies that
the framework parses: the key first, then at most `bodies.SMALL` bytes in bounded time, strict JSON.
Routes that read by `bodies.read_body`, or a stream, keep their own bounds. Pure ASGI.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import unquote_to_bytes

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import solve_dependencies
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.bodies import OWN_READER, SECONDS_TO_SEND, limit_of, strictly, too_large, too_slow
from shared.problems import Problem

PARAMETERS = 200
LARGEST_TARGET = 16 * 1024
JSON = ("application/json", "+json")

# What FastAPI takes as a dependency: a coroutine, or a generator that yields once.
KeyCheck = Callable[..., Any]


class RequestGuard:
    """`keys`: the dependencies that check a key, and those that limit who may try one; what a route
    has of them is asked, in the route's order, before its body is read."""

    def __init__(self, app: ASGIApp, keys: tuple[KeyCheck, ...] = ()) -> None:
        self._app = app
        self._keys = frozenset(keys)
        self._first: dict[int, Dependant | None] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            check_target(scope)
        except Problem as problem:
            app: FastAPI = scope["app"]
            response = await app.exception_handlers[Problem](Request(scope), problem)  # type: ignore[misc]
            await response(scope, receive, send)
            return
        await self._app(scope, _Body(self, scope, receive).receive, send)

    async def ask_key(self, scope: Scope) -> None:
        """Raise Problem when the route needs a key and the request has none that holds."""
        route = scope.get("route")
        dependant = getattr(route, "dependant", None)
        if dependant is None or "fastapi_inner_astack" not in scope:
            return
        if id(route) not in self._first:
            found = {d.call: d for d in reversed([*_below(dependant)]) if d.call in self._keys}
            first_of_each = [*reversed(found.values())]
            self._first[id(route)] = (
                Dependant(dependencies=first_of_each) if first_of_each else None
            )
        first = self._first[id(route)]
        if first is not None:
            async with AsyncExitStack() as stack:
                await solve_dependencies(
                    request=Request(scope),
                    dependant=first,
                    async_exit_stack=stack,
                    embed_body_fields=False,
                )


class _Body:
    """What the application receives of one request."""

    def __init__(self, guard: RequestGuard, scope: Scope, receive: Receive) -> None:
        self._guard, self._scope, self._receive = guard, scope, receive
        self._begun = False

    async def receive(self) -> Message:
        """The next message; the first one holds all of a body that the framework parses."""
        if self._begun or OWN_READER in self._scope:
            return await self._receive()
        self._begun = True
        await self._guard.ask_key(self._scope)
        limit = limit_of(self._scope.get("route"))
        headers = dict(self._scope["headers"])
        declared = headers.get(b"content-length", b"")
        if declared.isdigit() and int(declared) > limit:
            raise too_large(limit, "The body")
        body = b""
        try:
            async with asyncio.timeout(SECONDS_TO_SEND):
                more = True
                while more:
                    message = await self._receive()
                    if message["type"] == "http.disconnect":
                        return message
                    body += message.get("body", b"")
                    more = message.get("more_body", False)
                    if len(body) > limit:
                        raise too_large(limit, "The body")
        except TimeoutError:
            raise too_slow() from None
        kind = headers.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip().lower()
        if body and kind.endswith(JSON):
            await strictly(body)
        return {"type": "http.request", "body": body, "more_body": False}


def _below(dependant: Dependant) -> Iterator[Dependant]:
    for one in dependant.dependencies:
        yield one
        yield from _below(one)


def check_target(scope: Scope) -> None:
    """Raise Problem where an address cannot be read in one way only."""
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    query: bytes = scope["query_string"]
    if len(path) + len(query) > LARGEST_TARGET:
        raise _wrong("target-too-long", f"is longer than {LARGEST_TARGET} bytes", 414)
    if b"%" not in path and b"%" not in query and query.count(b"&") < PARAMETERS:
        return
    for part in (path, query):
        plain = unquote_to_bytes(part)
        if b"\0" in plain:
            raise _wrong("invalid-parameter", "holds the character U+0000", 422)
        try:
            plain.decode()
        except UnicodeDecodeError:
            raise _wrong("invalid-parameter", "is not UTF-8 when it is unquoted", 422) from None
    if query.count(b"&") >= PARAMETERS:
        raise _wrong("invalid-parameter", f"has more than {PARAMETERS} parameters", 422)


def _wrong(code: str, what: str, status: int) -> Problem:
    return Problem(
        code,
        f"The address of the request {what}.",
        status=status,
        pointer="/query",
        hint="Send an address as the documentation writes it (/docs).",
    )
