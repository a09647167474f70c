"""HTTP semantics (RFC 9110) for every address alike: HEAD, OPTIONS, `Allow`, ETags, conditions.

Routes say what they do on GET, PUT ...; the rest follows from it. Pure ASGI.
"""

import asyncio
import contextlib
import hashlib
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.routing import Match, Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.http_conditions import CONDITIONS, conditional, is_known, may_proceed
from shared.problems import Problem, problem_response

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
WRITES = ("PUT", "PATCH", "DELETE")
KEPT_AT_304 = frozenset(
    {b"etag", b"cache-control", b"content-location", b"date", b"expires", b"last-modified", b"vary"}
)
OWN_CONDITIONS = "/xapi/"
"""Below it the specification of xAPI says what conditions mean."""


class HttpSemantics:
    """Completes what the routes of a service answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        method, headers = scope["method"], Headers(scope=scope)
        own = scope["path"].startswith(OWN_CONDITIONS)
        if method == "OPTIONS" and not own and (allow := allowed(scope)):
            answer = Response(status_code=204, headers={"Allow": ", ".join(allow)})
            await answer(scope, receive, send)
        elif method in WRITES and not own and conditional(headers) and await self._fails(scope):
            await problem_response(_failed())(scope, receive, send)
        elif method == "HEAD" and not _handles(scope, "HEAD"):
            scope["route"] = await self._begin({**scope, "method": "GET"}, receive, send)
        else:
            await self._app(scope, receive, _Answer(scope, headers, send).send)

    async def _begin(self, scope: Scope, receive: Receive, send: Send) -> Any:
        """Run a GET up to the headers of its answer, which go out alone; its route."""
        answer = _Answer(scope, Headers(scope=scope), send, head=True)

        async def run() -> None:
            await self._app(scope, receive, answer.send)

        running = asyncio.create_task(run())
        begun = asyncio.create_task(answer.endless.wait())
        try:
            await asyncio.wait({running, begun}, return_when=asyncio.FIRST_COMPLETED)
            if not running.done():  # a stream, of which nothing more is wanted
                running.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await running
            else:
                running.result()
        finally:
            begun.cancel()
            running.cancel()
        return scope.get("route")

    async def _fails(self, scope: Scope) -> bool:
        """Whether a precondition of a request that writes does not hold; what is there says GET."""
        if not _handles(scope, "GET"):
            return False
        told: Message = {}

        async def no_body() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def note(message: Message) -> None:
            if message["type"] == "http.response.start":
                told.update(message)

        kept = [
            (name, value)
            for name, value in scope["headers"]
            if name.decode("latin-1") not in CONDITIONS and not name.startswith(b"content-")
        ]
        await self._begin({**scope, "method": "GET", "headers": kept}, no_body, note)
        status = told.get("status")
        if status not in (200, 404):
            return False  # the request itself will say why
        found, headers = Headers(raw=told["headers"]), Headers(scope=scope)
        current = status == 200, found.get("etag"), found.get("last-modified")
        return not may_proceed(headers, *current) or is_known(headers, *current)


class _Answer:
    """What goes out: an ETag of whole answers, 304 and 412, `Allow` at 405, no body after HEAD."""

    def __init__(self, scope: Scope, asked: Headers, send: Send, *, head: bool = False) -> None:
        self._scope, self._asked, self._send, self._head = scope, asked, send, head
        self._start: Message | None = None
        self._ended = False
        self.endless = asyncio.Event()
        """Set when the headers of an answer of unknown length went out alone."""

    async def send(self, message: Message) -> None:
        """Pass a message on, completed; the start of a whole answer waits for its body."""
        if self._ended:
            return
        if message["type"] != "http.response.start":
            start, self._start = self._start, None
            if start is not None:
                await self._whole(start, message)
            elif not self._ended:
                await self._send(message)
            return
        headers = MutableHeaders(raw=list(message["headers"]))
        message = {**message, "headers": headers.raw}
        if message["status"] == 405:
            headers["Allow"] = ", ".join(allowed(self._scope))
        if "content-length" in headers:
            self._start = message
            return
        await self._send(message)
        if self._head:
            await self._end()
            self.endless.set()

    async def _whole(self, start: Message, message: Message) -> None:
        headers = MutableHeaders(raw=start["headers"])
        reads = self._scope["method"] in ("GET", "HEAD") and start["status"] == 200
        if reads:
            _tag(headers, message)
        if reads and conditional(self._asked):
            current = True, headers.get("etag"), headers.get("last-modified")
            if not may_proceed(self._asked, *current):
                failed = problem_response(_failed())
                start = {**start, "status": 412, "headers": failed.raw_headers}
                message = {"type": "http.response.body", "body": bytes(failed.body)}
            elif is_known(self._asked, *current):
                kept = [(name, value) for name, value in headers.raw if name in KEPT_AT_304]
                start = {**start, "status": 304, "headers": kept}
                message = {"type": "http.response.body", "body": b""}
        changed = start["status"] in (304, 412) and not message.get("more_body", False)
        await self._send(start)
        if self._head:
            await self._end()
        else:
            await self._send(message)
            self._ended = changed

    async def _end(self) -> None:
        self._ended = True
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})


def _tag(headers: MutableHeaders, message: Message) -> None:
    """Give a whole answer an ETag, unless it has one or must not be kept."""
    if (
        "etag" in headers
        or message.get("more_body")
        or "no-store" in headers.get("cache-control", "")
    ):
        return
    headers["ETag"] = f'"{hashlib.sha256(message.get("body", b"")).hexdigest()[:20]}"'
    headers.setdefault("Cache-Control", "no-cache")


def _failed() -> Problem:
    return Problem(
        "precondition-failed",
        "A precondition of the request (If-Match, If-None-Match ...) does not hold.",
        status=412,
        hint="Read the address again, look at what changed, and send the new ETag.",
    )


def _handles(scope: Scope, method: str) -> bool:
    """Whether a route of the application takes this method at the address."""
    wanted = {**scope, "method": method}
    for route in scope["app"].router.routes:
        if route.matches(wanted)[0] is Match.FULL:
            return not isinstance(route, Mount) or method in ("GET", "HEAD")
    return False


def allowed(scope: Scope) -> list[str]:
    """The methods that the address takes, complete; empty where there is no such address."""
    found = [method for method in METHODS if _handles(scope, method)]
    if "GET" in found and "HEAD" not in found:
        found.append("HEAD")
    return sorted({*found, "OPTIONS"}) if found else []
