"""OpenTelemetry, set up once per process from the standard `OTEL_*` variables.

Without `OTEL_EXPORTER_OTLP_ENDPOINT` spans are made (trace ids appear in receipts and problems)
but not exported, and metrics are served on `/metrics` only. Names follow the semantic conventions at `SCHEMA_URL`. Attributes never hold a
partner's data, only counts, positions and names that we chose.
"""

import contextlib
import logging
import os
import re
import socket
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.semconv.schemas import Schemas
from opentelemetry.trace import Link, SpanContext, Status, StatusCode, TraceFlags
from opentelemetry.util.types import AttributeValue

from shared.instruments import MEASUREMENTS
from shared.json_logs import JsonFormatter
from shared.sampling import KeepErrors, KeepWays
from shared.unseen import ServerSpanPlans

SCHEMA_URL = Schemas.V1_44_0.value
_EVEN = frozenset("02468aceACE")
"""Last hex digits of trace flags without SAMPLED, their lowest bit."""

_TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-((?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?"
)
_KNOWN_FLAGS = TraceFlags.SAMPLED | TraceFlags.RANDOM_TRACE_ID

MAX_LINKS = 128

_metric_export: "_MetricExport | None" = None
server_spans: ServerSpanPlans | None = None
"""Says which requests are recorded, once `setup` has run."""

_exporting = True


class _MetricExport:
    """Sends this process's measurements every `OTEL_METRIC_EXPORT_INTERVAL` milliseconds.

    The exporter waits out a collector that is away by itself; nothing here stops the process.
    """

    def __init__(self, resource: Resource) -> None:
        self._resource = resource
        # Only a process that exports pays for the exporter's modules.
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter

        self._exporter = OTLPMetricExporter()
        self._stop = threading.Event()
        self._seconds = int(os.environ.get("OTEL_METRIC_EXPORT_INTERVAL", "60000")) / 1000
        self._thread = threading.Thread(target=self._run, name="metric export", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        last = False
        while not last:
            last = self._stop.wait(self._seconds)
            try:
                self._exporter.export(MEASUREMENTS.data(self._resource))
            except Exception as error:
                logging.getLogger(__name__).warning("metrics not sent: %s", type(error).__name__)

    def stop(self) -> None:
        """Send once more; does not wait for it."""
        self._stop.set()

    def shutdown(self) -> None:
        """Wait for that, in bounded time."""
        self.stop()
        self._thread.join(1)
        self._exporter.shutdown()


def setup(service_name: str) -> None:
    """Set up tracing and JSON logs of this process; call once, at start."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(
        level=os.environ.get("HOCVUSO_LOG_LEVEL", "INFO"), handlers=[handler], force=True
    )
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    # An address may hold an identity number that somebody put there: no access log (spans and
    # metrics tell of requests by their route). What else uvicorn says is JSON like the rest.
    for name, quiet in (("uvicorn", False), ("uvicorn.error", False), ("uvicorn.access", True)):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = not quiet
    resource = Resource.create(
        {
            "service.name": service_name,
            "service.instance.id": f"{socket.gethostname()}-{os.getpid()}",
        },
        schema_url=SCHEMA_URL,
    )
    traces = _exports("TRACES")
    provider = TracerProvider(
        resource=resource,
        # Nobody would see what is recorded; ids are made all the same. None: OTEL_TRACES_SAMPLER.
        sampler=None if traces else ALWAYS_OFF,
    )
    global server_spans, _exporting  # one per process, as the tracer provider
    _exporting = traces
    scope = InstrumentationScope("hocvuso.http", schema_url=SCHEMA_URL)
    if traces:
        from shared.otlp_spans import Exporter

        keeping = KeepErrors(Exporter())
        server_spans = ServerSpanPlans(provider.sampler, resource, scope, keeping.on_end)
        provider.sampler = KeepWays(provider.sampler)
        provider.add_span_processor(keeping)
    else:
        server_spans = ServerSpanPlans(None, resource, scope, lambda _: None)
    trace.set_tracer_provider(provider)
    if _exports("METRICS"):
        global _metric_export
        _metric_export = _MetricExport(resource)


def _exports(signal: str) -> bool:
    """Whether `traces` or `metrics` leave this process by OTLP."""
    if os.environ.get(f"OTEL_{signal}_EXPORTER", "otlp") != "otlp":
        return False
    return bool(
        os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")
        or os.environ.get(f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT")
    )


def shutdown() -> None:
    """Export what is still waiting, within three seconds; a collector that is away gets none."""
    global _metric_export
    if _metric_export is not None:
        _metric_export.stop()
    provider = trace.get_tracer_provider()
    if isinstance(provider, TracerProvider):
        provider.shutdown()
    if _metric_export is not None:
        _metric_export.shutdown()
        _metric_export = None


@contextlib.contextmanager
def span(
    tracer: trace.Tracer,
    name: str,
    *,
    kind: trace.SpanKind,
    attributes: Mapping[str, AttributeValue],
    links: Sequence[Link] = (),
    context: Context | None = None,
) -> Iterator[trace.Span]:
    """A current span that says of an error only its type: its message may repeat what a partner
    wrote (PostgreSQL names the values of a violated key)."""
    with tracer.start_as_current_span(
        name,
        context=context,
        kind=kind,
        attributes=attributes,
        links=links,
        record_exception=False,
        set_status_on_exception=False,
    ) as current:
        try:
            yield current
        except Exception as error:
            current.set_attribute("error.type", type(error).__qualname__)
            current.set_status(Status(StatusCode.ERROR))
            raise


def traceparent() -> str | None:
    """The W3C traceparent of the current span, for a row or a message that leaves here."""
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def sampled_header(context: SpanContext | None) -> str:
    """The traceparent of a span that is kept, or nothing."""
    if context is None or not context.trace_flags & TraceFlags.SAMPLED:
        return ""
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def own_traceparent(said: object) -> str | None:
    """The traceparent that an event itself carries (the extension attribute of CloudEvents), if
    its producer keeps that trace; None for any other, also for one that is malformed.

    W3C Trace Context, section 3.2: of a later version only what version 00 knows is read, and of
    the flags only those that are known (sampled, random) go on.
    """
    if not isinstance(said, str) or len(said) < 55 or said[54] in _EVEN:
        return None
    found = _TRACEPARENT.fullmatch(said)
    if found is None or (said[:2] == "00" and len(said) > 55):
        return None
    return f"00-{found[1]}-{int(found[2], 16) & _KNOWN_FLAGS:02x}"


def link_to(header: str) -> None:
    """Links the current span to another one, where anybody will see it."""
    span = trace.get_current_span()
    context = span_context(header) if span.is_recording() else None
    if context is not None:
        span.add_link(context)


def links(traceparents: Iterable[str | None]) -> list[Link]:
    """Links of a batch span to the distinct sampled spans its rows came from (at most 128)."""
    if not _exporting:
        return []
    found: dict[str, Link] = {}
    for header in traceparents:
        # Most rows come from spans that nobody records: the flags at the end tell without parsing.
        if not header or header[-1] in _EVEN or header in found or len(found) >= MAX_LINKS:
            continue
        context = span_context(header)
        if context is not None and context.trace_flags & TraceFlags.SAMPLED:
            found[header] = Link(context)
    return list(found.values())


def span_context(header: str) -> SpanContext | None:
    """The span context that a traceparent names, or None when it names none.

    W3C Trace Context, section 3.2: of a later version than 00 only what 00 knows is read.
    """
    found = _TRACEPARENT.fullmatch(header)
    if found is None or (header[:2] == "00" and len(header) > 55):
        return None
    flags = TraceFlags(int(found[2], 16) & _KNOWN_FLAGS)
    return SpanContext(int(header[3:35], 16), int(header[36:52], 16), True, flags)


def root_context() -> Context:
    """An empty context: for a batch span that starts a trace of its own and links to others."""
    return Context()
