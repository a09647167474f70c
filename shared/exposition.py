"""Measurements as text for Prometheus: OpenMetrics 1.0 with exemplars, or the older text format.

Served by `route` on the HTTP services and by `serve` from processes that have no other address.
Names: dots become underscores, the unit is appended, counters end in `_total`.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterator
from typing import cast

from opentelemetry.sdk.metrics.export import (
    Histogram,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    Sum,
)
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Exemplar
from prometheus_client.core import Metric as PrometheusMetric
from prometheus_client.openmetrics import exposition as openmetrics
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


class _Measurements:
    """All measurements of this process, in the shape that prometheus_client writes."""

    def collect(self) -> Iterator[PrometheusMetric]:
        """A family for each instrument."""
        return map(_family, MEASUREMENTS.collect())


def render(*, open_metrics: bool) -> str:
    """All measurements of this process."""
    # Both ask for a registry but only call its collect().
    write = openmetrics.generate_latest if open_metrics else generate_latest
    return write(cast(CollectorRegistry, _Measurements())).decode()


def _family(metric: Metric) -> PrometheusMetric:
    name = prometheus_name(metric.name, metric.unit or "")
    data = metric.data
    kind = "histogram" if isinstance(data, Histogram) else "gauge"
    if isinstance(data, Sum) and data.is_monotonic:
        kind = "counter"
    unit = _UNITS.get(metric.unit or "", "")
    family = PrometheusMetric(name, metric.description or "", kind, unit)
    for point in data.data_points:
        labels = {k.replace(".", "_"): str(v) for k, v in (point.attributes or {}).items()}
        if isinstance(point, HistogramDataPoint):
            _histogram(family, labels, point)
        elif isinstance(point, NumberDataPoint):
            family.add_sample(f"{name}_total" if kind == "counter" else name, labels, point.value)
    return family


def _histogram(family: PrometheusMetric, labels: dict[str, str], point: HistogramDataPoint) -> None:
    bounds = [*point.explicit_bounds, float("inf")]
    exemplars = {}
    for one in point.exemplars:
        bucket = next(i for i, bound in enumerate(bounds) if one.value <= bound)
        ids = {"trace_id": f"{one.trace_id:032x}", "span_id": f"{one.span_id:016x}"}
        exemplars[bucket] = Exemplar(ids, one.value, one.time_unix_nano / 1e9)
    total = 0
    for bucket, bound in enumerate(bounds):
        total += point.bucket_counts[bucket]
        edge = labels | {"le": "+Inf" if bound == float("inf") else repr(float(bound))}
        family.add_sample(f"{family.name}_bucket", edge, total, exemplar=exemplars.get(bucket))
    family.add_sample(f"{family.name}_count", labels, point.count)
    family.add_sample(f"{family.name}_sum", labels, point.sum)


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
