"""A server span and a duration for every request, as the HTTP semantic conventions say; pure ASGI.

The span's path is the route, never what a caller wrote into the address or its query: FastAPI's
own spans carry `url.query`, in which an identity number may stand, so they are switched off.
"""

from time import perf_counter

from fastapi.telemetry import TelemetryConfig
from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared import telemetry
from shared.instruments import HTTP_ACTIVE, HTTP_DURATION, MEASUREMENTS

_KNOWN = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
_QUIET = frozenset({"/health/live", "/health/ready", "/metrics"})
tracer = trace.get_tracer("hocvuso.http", schema_url=telemetry.SCHEMA_URL)

NATIVE_OFF: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False}
"""For `FastAPI(telemetry=...)`: see the module's docstring."""


class ServerSpans:
    """Opens a span with the caller's W3C parent around each request but health checks.

    A request that ended before an answer began is measured without a status, as `no-answer`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._active = 0
        MEASUREMENTS.look("http", lambda: HTTP_ACTIVE.set(self._active))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in _QUIET:
            await self._app(scope, receive, send)
            return
        parent = None
        for name, value in scope["headers"]:
            if name == b"traceparent":
                parent = telemetry.parent_context(value.decode("latin-1"))
        method = scope["method"] if scope["method"] in _KNOWN else "_OTHER"
        status = 0
        started = perf_counter()
        self._active += 1

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with tracer.start_as_current_span(
            method,
            context=parent,
            kind=SpanKind.SERVER,
            attributes={"http.request.method": method, "url.scheme": scope["scheme"]},
            # The message of an exception may repeat what a caller sent.
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                await self._app(scope, receive, noting)
            finally:
                self._active -= 1
                path = getattr(scope.get("route"), "path", None)
                if path is not None:
                    span.update_name(f"{method} {path}")
                    span.set_attribute("http.route", path)
                    span.set_attribute("url.path", path)
                if status:
                    span.set_attribute("http.response.status_code", status)
                if status >= 500:
                    span.set_attribute("error.type", str(status))
                    span.set_status(Status(StatusCode.ERROR))
                HTTP_DURATION.record(
                    perf_counter() - started,
                    method,
                    scope["scheme"],
                    path,
                    status or None,
                    str(status) if status >= 500 else None if status else "no-answer",
                    span=span.get_span_context(),
                )
