"""Measurements as text for Prometheus: OpenMetrics 1.0 with exemplars, or the older text format.

Served by `route` on the HTTP services and by `serve` from processes that have no other address.
Names: dots become underscores, the unit is appended, counters end in `_total`.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Mapping

from opentelemetry.sdk.metrics.export import (
    Histogram,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    Sum,
)
from starlette.requests import Request
from starlette.responses import Response

from shared.instruments import MEASUREMENTS
from shared.measuring import Counter, Instrument
from shared.measuring import Histogram as HistogramInstrument

log = logging.getLogger(__name__)

OPEN_METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PLAIN = "text/plain; version=0.0.4; charset=utf-8"
_UNITS = {"s": "seconds", "By": "bytes", "1": "ratio"}


def prometheus_name(name: str, unit: str) -> str:
    """The name of a metric's family: `http.server.request.duration`, `s` ->
    `http_server_request_duration_seconds`. Units in braces are words only."""
    bare = name.replace(".", "_")
    suffix = _UNITS.get(unit)
    return bare if suffix is None or bare.endswith(f"_{suffix}") else f"{bare}_{suffix}"


def series(instrument: Instrument) -> list[str]:
    """The names under which Prometheus stores an instrument."""
    family = prometheus_name(instrument.name, instrument.unit)
    if isinstance(instrument, Counter):
        return [f"{family}_total"]
    if isinstance(instrument, HistogramInstrument):
        return [f"{family}_bucket", f"{family}_count", f"{family}_sum"]
    return [family]


def render(*, open_metrics: bool) -> str:
    """All measurements of this process."""
    lines: list[str] = []
    for metric in MEASUREMENTS.collect():
        _family(lines, metric, open_metrics)
    if open_metrics:
        lines.append("# EOF")
    return "\n".join(lines) + "\n"


def _family(lines: list[str], metric: Metric, open_metrics: bool) -> None:
    family = prometheus_name(metric.name, metric.unit or "")
    data = metric.data
    kind = "histogram" if isinstance(data, Histogram) else "gauge"
    if isinstance(data, Sum) and data.is_monotonic:
        kind = "counter"
    header = f"{family}_total" if kind == "counter" and not open_metrics else family
    lines.append(f"# HELP {header} {_escape(metric.description or '')}")
    lines.append(f"# TYPE {header} {kind}")
    unit = _UNITS.get(metric.unit or "")
    if open_metrics and unit is not None:
        lines.append(f"# UNIT {family} {unit}")
    for point in data.data_points:
        if isinstance(point, HistogramDataPoint):
            _histogram(lines, family, point, open_metrics)
        elif isinstance(point, NumberDataPoint):
            name = f"{family}_total" if kind == "counter" else family
            lines.append(f"{name}{_labels(point.attributes)} {_number(point.value)}")


def _histogram(
    lines: list[str], family: str, point: HistogramDataPoint, open_metrics: bool
) -> None:
    bounds = [*point.explicit_bounds, float("inf")]
    exemplars = {}
    for exemplar in point.exemplars if open_metrics else ():
        bucket = next(i for i, bound in enumerate(bounds) if exemplar.value <= bound)
        exemplars[bucket] = (
            f' # {{trace_id="{exemplar.trace_id:032x}",span_id="{exemplar.span_id:016x}"}}'
            f" {_number(exemplar.value)} {exemplar.time_unix_nano / 1e9:.3f}"
        )
    total = 0
    for bucket, bound in enumerate(bounds):
        total += point.bucket_counts[bucket]
        labels = _labels(point.attributes, le=_number(bound))
        lines.append(f"{family}_bucket{labels} {total}{exemplars.get(bucket, '')}")
    lines.append(f"{family}_count{_labels(point.attributes)} {point.count}")
    lines.append(f"{family}_sum{_labels(point.attributes)} {_number(point.sum)}")


def _labels(attributes: Mapping[str, object] | None, **more: str) -> str:
    pairs = {**{name.replace(".", "_"): v for name, v in (attributes or {}).items()}, **more}
    if not pairs:
        return ""
    return "{" + ",".join(f'{name}="{_escape(str(v))}"' for name, v in pairs.items()) + "}"


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _number(value: float) -> str:
    if value == float("inf"):
        return "+Inf"
    return str(int(value)) if isinstance(value, int) else repr(float(value))


def _wants_open_metrics(accept: str) -> bool:
    return "application/openmetrics-text" in accept


async def route(request: Request) -> Response:
    """`GET /metrics` of an HTTP service."""
    wants = _wants_open_metrics(request.headers.get("accept", ""))
    return Response(render(open_metrics=wants), media_type=OPEN_METRICS if wants else PLAIN)


@contextlib.asynccontextmanager
async def serve(host: str, port: int | None) -> AsyncIterator[int | None]:
    """`GET /metrics` and `/health/live` of a process without HTTP while the block runs; the port.

    It answers from the process's own event loop, so an answer also says that the loop turns.
    `port` None: nothing is served. A taken port is logged: measuring must not stop the work.
    """
    if port is None:
        yield None
        return
    try:
        server = await asyncio.start_server(_answer, host, port)
    except OSError as error:
        log.warning("metrics are not served on %s:%d: %s", host, port, error)
        yield None
        return
    async with server:
        yield int(server.sockets[0].getsockname()[1])


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        async with asyncio.timeout(5):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            request, _, headers = head.partition("\r\n")
            method, path = [*request.split(" "), "", ""][:2]
            status, kind, body = "200 OK", "text/plain", "live\n"
            if method != "GET" or path not in ("/metrics", "/health/live"):
                status, body = "404 Not Found", "GET /metrics or /health/live\n"
            elif path == "/metrics":
                wants = _wants_open_metrics(headers.lower())
                kind, body = OPEN_METRICS if wants else PLAIN, render(open_metrics=wants)
            raw = body.encode()
            writer.write(
                f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(raw)}\r\n"
                "Connection: close\r\n\r\n".encode()
                + raw
            )
            await writer.drain()
    except (TimeoutError, ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        pass  # a caller that is not one of ours
    finally:
        writer.close()
