"""An OTLP/HTTP collector inside the test: keeps the spans and metrics that processes export."""

import gzip
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Span:
    """One exported span. `links`: (trace id, span id) of the spans it points at."""

    service: str
    name: str
    trace_id: str
    span_id: str
    parent_id: str
    links: frozenset[tuple[str, str]]
    attributes: dict[str, str]
    numbers: dict[str, int]
    start: int
    end: int
    kind: str = ""
    failed: bool = False

    @property
    def texts(self) -> dict[str, str]:
        """Attributes as plain texts."""
        return {name: _plain(value) for name, value in self.attributes.items()}


class Collector:
    """Listens on a free port until `close`. `beside`: the endpoint of another collector, which gets
    every request as it came, and whose answer is given back."""

    def __init__(self, beside: str | None = None) -> None:
        self.spans: list[Span] = []
        self.metrics: list[ExportMetricsServiceRequest] = []
        kept, metrics = self.spans, self.metrics

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                answer = (
                    b"" if beside is None else _passed_on(beside + self.path, body, self.headers)
                )
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                if self.path == "/v1/traces":
                    kept.extend(_decode(body))
                elif self.path == "/v1/metrics":
                    metrics.append(ExportMetricsServiceRequest.FromString(body))
                self.send_response(200)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: Any) -> None:
                """Be quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def endpoint(self) -> str:
        """For OTEL_EXPORTER_OTLP_ENDPOINT."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def wait_for(self, what: str, wanted: Callable[[Span], bool], seconds: float = 20) -> Span:
        """The first span for which `wanted` holds; waits for it."""
        deadline = time.monotonic() + seconds
        while True:
            for span in list(self.spans):
                if wanted(span):
                    return span
            names = Counter((span.service, span.name) for span in list(self.spans))
            assert time.monotonic() < deadline, f"no span {what} among {names}"
            time.sleep(0.2)


def _passed_on(url: str, body: bytes, headers: Message) -> bytes:
    """The other collector's answer; an error of its own ends this request without an answer."""
    kept = {k: headers[k] for k in ("Content-Type", "Content-Encoding") if headers[k]}
    request = urllib.request.Request(url, body, kept, method="POST")
    with _direct.open(request, timeout=10) as answer:
        return bytes(answer.read())


_KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")


def _plain(printed: str) -> str:
    """`string_value: "x"` -> `x`, `int_value: 5` -> `5`."""
    return printed.strip().partition(": ")[2].strip('"')


def _decode(body: bytes) -> list[Span]:
    found = []
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        names = {a.key: a.value.string_value for a in resource.resource.attributes}
        found += [
            Span(
                service=names.get("service.name", ""),
                name=span.name,
                trace_id=span.trace_id.hex(),
                span_id=span.span_id.hex(),
                parent_id=span.parent_span_id.hex(),
                links=frozenset((link.trace_id.hex(), link.span_id.hex()) for link in span.links),
                attributes={a.key: str(a.value) for a in span.attributes},
                numbers={a.key: a.value.int_value for a in span.attributes},
                start=span.start_time_unix_nano,
                end=span.end_time_unix_nano,
                kind=_KINDS[span.kind],
                failed=span.status.code == 2,
            )
            for scope in resource.scope_spans
            for span in scope.spans
        ]
    return found
