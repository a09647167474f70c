"""registry and metrics over a filled database, each in a process of its own, at a fixed time.

    python -m bench.volume_servers metrics|registry URL DAY END METRICS_URL

Prints its port. In place of activities stands a log that has nothing more to say.
"""

import asyncio
import socket
import sys
import tempfile
from datetime import date, datetime, time
from pathlib import Path

import httpx
import msgspec
import uvicorn
from fastapi import FastAPI

from services.metrics.app import create_app as metrics_app
from services.metrics.settings import MetricsSettings
from services.registry.app import create_app as registry_app
from services.registry.settings import RegistrySettings
from shared.auth.scopes import READ_METRICS
from shared.auth.service import service_key
from shared.clock import VIETNAM, FixedClock
from shared.contracts.record import Through
from tests.metrics.memory_log import EPOCH


def silent_log(end: int) -> httpx.MockTransport:
    """Answers `/v1/log` with its end only: whoever asks has all rows, and may ask for all."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/keys/self":
            return httpx.Response(200, json={"kind": "service", "scopes": [READ_METRICS]})
        lanes = [int(lane) for lane in request.url.params.get_list("lane")]
        marker = Through(epoch=EPOCH, through=end, last=dict.fromkeys(lanes, 0))
        return httpx.Response(200, content=msgspec.json.encode(marker) + b"\n")

    return httpx.MockTransport(answer)


def app_of(name: str, url: str, day: date, end: int, metrics_url: str) -> FastAPI:
    """The service as it is deployed, but for its clock and its log."""
    clock = FixedClock(datetime.combine(day, time(9), VIETNAM))
    if name == "metrics":
        settings = MetricsSettings(metrics_database_url=url)
        return metrics_app(settings, clock, activities=silent_log(end))
    folder = Path(tempfile.mkdtemp(prefix="hocvuso-bench-"))
    (folder / "registry").mkdir()
    service_key(folder, "registry").write_text("hv_bench_bench")
    of_registry = RegistrySettings(
        service_key_folder=folder,
        registry_database_url=url,
        registry_open=True,
        metrics_url=metrics_url,
        kafka_bootstrap_servers="127.0.0.1:1",
    )
    return registry_app(of_registry, clock, activities=silent_log(end))


async def main(name: str, url: str, day: str, end: str, metrics_url: str) -> None:
    """Serve until killed."""
    app = app_of(name, url, date.fromisoformat(day), int(end), metrics_url)
    listening = socket.create_server(("127.0.0.1", 0))
    print(listening.getsockname()[1], flush=True)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    await server.serve(sockets=[listening])


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
