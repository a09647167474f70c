"""The official OpenTelemetry Collector, run with the configuration that is deployed.

Only addresses are replaced, and the rhythm of span metrics. A second one stands for Tempo: what the first sends it by
gRPC is written to a file.
"""

import json
import re
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from google.protobuf import json_format  # type: ignore[import-untyped]
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from deploy.local.ports import free_port
from tests.e2e.collector import _KINDS, Span
from tests.observability.otelcol_build import NotHereError, built

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "deploy" / "otel" / "collector.yaml"


class RealCollector:
    """Two processes in `folder` until `close`; skips the test where the program is not built."""

    def __init__(self, folder: Path) -> None:
        try:
            program = built()
        except NotHereError as reason:
            pytest.skip(str(reason))
        folder.mkdir()
        self._file = folder / "traces.json"
        self._logs: list[Path] = []
        self._processes: list[subprocess.Popen[bytes]] = []
        http, grpc, health, scraped, own, tempo = (free_port() for _ in range(6))
        self.endpoint = f"http://127.0.0.1:{http}"
        self._scraped, self._own = scraped, own
        stands_for_tempo = {
            "receivers": {"otlp": {"protocols": {"grpc": {"endpoint": f"127.0.0.1:{tempo}"}}}},
            "exporters": {"file": {"path": str(self._file), "flush_interval": "200ms"}},
            "service": {
                "telemetry": {"metrics": {"level": "none"}},
                "pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["file"]}},
            },
        }
        addresses = {
            "extensions": {"health_check": {"endpoint": f"127.0.0.1:{health}"}},
            "receivers": {
                "otlp": {
                    "protocols": {
                        "http": {"endpoint": f"127.0.0.1:{http}"},
                        "grpc": {"endpoint": f"127.0.0.1:{grpc}"},
                    }
                }
            },
            "connectors": {"spanmetrics": {"metrics_flush_interval": "1s"}},
            "exporters": {
                "otlp/tempo": {"endpoint": f"127.0.0.1:{tempo}"},
                "prometheus": {"endpoint": f"127.0.0.1:{scraped}"},
            },
            "service": {
                "telemetry": {
                    "metrics": {
                        "readers": [
                            {
                                "pull": {
                                    "exporter": {"prometheus": {"host": "127.0.0.1", "port": own}}
                                }
                            }
                        ]
                    }
                }
            },
        }
        self._start(folder, program, "tempo", [], stands_for_tempo)
        self._ready(lambda: _listens(tempo))
        self._start(folder, program, "collector", [CONFIG], addresses)
        self._ready(lambda: _is_well(f"http://127.0.0.1:{health}/"))

    def _start(
        self, folder: Path, program: Path, name: str, configs: list[Path], added: dict[str, Any]
    ) -> None:
        own, log = folder / f"{name}.yaml", folder / f"{name}.log"
        own.write_text(yaml.safe_dump(added))
        self._logs.append(log)
        with log.open("wb") as out:
            self._processes.append(
                subprocess.Popen(
                    [program, *(f"--config={path}" for path in [*configs, own])],
                    stdout=out, stderr=out,
                )
            )  # fmt: skip

    def _ready(self, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not ready():
            ended = any(process.poll() is not None for process in self._processes)
            assert not ended and time.monotonic() < deadline, [
                path.read_text()[-900:] for path in self._logs
            ]
            time.sleep(0.2)

    def close(self) -> None:
        for process in reversed(self._processes):
            process.terminate()
            process.wait(20)

    def log(self) -> str:
        """What the collector itself has logged."""
        return self._logs[-1].read_text()

    def scrape(self) -> str:
        """What Prometheus gets from it: span metrics, and metrics that came by OTLP."""
        return httpx.get(f"http://127.0.0.1:{self._scraped}/metrics", trust_env=False).text

    def own(self, name: str) -> dict[str, float]:
        """A metric of the collector itself, by transport or exporter."""
        text = httpx.get(f"http://127.0.0.1:{self._own}/metrics", trust_env=False).text
        rows = re.findall(rf"^{name}\S*{{(.*?)}} (\S+)$", text, re.M)
        return {
            found[1]: float(value)
            for labels, value in rows
            if (found := re.search(r'(?:transport|exporter)="([^"]+)"', labels))
        }

    def spans(self) -> list[Span]:
        """What arrived behind the collector, read from OTLP's JSON encoding."""
        if not self._file.exists():
            return []
        lines = self._file.read_text().splitlines()
        return [
            _span(_texts(resource["resource"]["attributes"]), span)
            for line in lines
            if line.endswith("}")
            for resource in json.loads(line)["resourceSpans"]
            for scope in resource["scopeSpans"]
            for span in scope["spans"]
        ]


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _is_well(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def _texts(attributes: list[dict[str, Any]]) -> dict[str, str]:
    return {a["key"]: a["value"].get("stringValue", "") for a in attributes}


def _span(resource: dict[str, str], span: dict[str, Any]) -> Span:
    attributes = span.get("attributes", [])
    return Span(
        service=resource["service.name"],
        name=span["name"],
        trace_id=span["traceId"],
        span_id=span["spanId"],
        parent_id=span.get("parentSpanId", ""),
        links=frozenset((link["traceId"], link["spanId"]) for link in span.get("links", [])),
        # As the protocol's own JSON decoder would print it.
        attributes={a["key"]: _printed(a["value"]) for a in attributes},
        numbers={a["key"]: int(a["value"].get("intValue", 0)) for a in attributes},
        start=int(span["startTimeUnixNano"]),
        end=int(span["endTimeUnixNano"]),
        kind=_KINDS[span["kind"]],
        failed=span.get("status", {}).get("code") == 2,
    )


def _printed(value: dict[str, Any]) -> str:
    return str(json_format.ParseDict(value, AnyValue()))
