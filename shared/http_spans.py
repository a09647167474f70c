"""A server span and a duration for every request, as the HTTP semantic conventions say; pure ASGI.

The span's path is the route, never what a caller wrote into the address or its query: FastAPI's
own spans carry `url.query`, in which an identity number may stand, so they are switched off.
"""

from collections import Counter
from time import perf_counter, time_ns

from fastapi.telemetry import TelemetryConfig
from opentelemetry import trace
from opentelemetry.context import attach, detach
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    set_span_in_context,
)
from opentelemetry.util.types import AttributeValue
from starlette.requests import ClientDisconnect
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
        self._active: Counter[tuple[str, str]] = Counter()
        MEASUREMENTS.look("http", self._look)

    def _look(self) -> None:
        for (method, scheme), active in self._active.items():
            HTTP_ACTIVE.set(active, method, scheme)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in _QUIET:
            await self._app(scope, receive, send)
            return
        parent = None
        for name, value in scope["headers"]:
            if name == b"traceparent":
                parent = telemetry.span_context(value.decode("latin-1"))
        method = scope["method"] if scope["method"] in _KNOWN else "_OTHER"
        request = _Request(method, scope["scheme"], parent)
        about = method, scope["scheme"]
        self._active[about] += 1

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                request.status = message["status"]
            await send(message)

        token = attach(set_span_in_context(request.span))
        try:
            await self._app(scope, receive, noting)
        except ClientDisconnect:
            raise
        except Exception as error:
            # It becomes an answer further out, where the server's last resort stands.
            request.status = request.status or 500
            request.error = type(error).__qualname__
            raise
        finally:
            detach(token)
            self._active[about] -= 1
            request.end(getattr(scope.get("route"), "path", None))


class _Request:
    """A request's span (bare when nobody will see it), and what is said of it at its end."""

    __slots__ = ("_began", "_method", "_planned", "_scheme", "_started", "error", "span", "status")

    def __init__(self, method: str, scheme: str, parent: SpanContext | None) -> None:
        self._method, self._scheme = method, scheme
        self.status = 0
        self.error: str | None = None
        self._began, self._started = time_ns(), perf_counter()
        plans = telemetry.server_spans
        self._planned = plans.plan(parent) if plans else None
        self.span: Span
        if self._planned is None:
            around = None if parent is None else set_span_in_context(NonRecordingSpan(parent))
            self.span = tracer.start_span(
                method, around, SpanKind.SERVER, attributes=self._attributes()
            )
        else:
            span = self._recorded() if self._planned.kept else None
            self.span = span or NonRecordingSpan(self._planned.context)

    def _attributes(self) -> dict[str, AttributeValue]:
        return {"http.request.method": self._method, "url.scheme": self._scheme}

    def _recorded(self) -> Span | None:
        plans, planned = telemetry.server_spans, self._planned
        if plans is None or planned is None:
            return None
        return plans.span(self._method, planned, self._attributes(), self._began)

    def end(self, path: str | None) -> None:
        """Describe and end the span, measure the request; `path` is its route."""
        error = self.error or (str(self.status) if self.status >= 500 else None)
        span: Span | None = self.span
        if error is not None and not self.span.is_recording():
            span = self._recorded()  # a failure is seen although its trace is not kept
        if span is not None and span.is_recording():
            if path is not None:
                span.update_name(f"{self._method} {path}")
                span.set_attribute("http.route", path)
                span.set_attribute("url.path", path)
            if self.status:
                span.set_attribute("http.response.status_code", self.status)
            if error is not None:
                span.set_attribute("error.type", error)
                span.set_status(Status(StatusCode.ERROR))
            span.end()
        HTTP_DURATION.record(
            perf_counter() - self._started,
            self._method,
            self._scheme,
            path,
            self.status or None,
            error or (None if self.status else "no-answer"),
            span=self.span.get_span_context(),
        )
