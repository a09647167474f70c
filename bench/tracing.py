"""What tracing costs: single POSTs with every trace exported, and one in ten, beside none."""

import asyncio
import itertools
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec

from bench import load
from bench.ingest import CONNECTIONS, ROUNDS, SECONDS, SINGLE, event, load_units, migrated, serving
from bench.report import Row
from deploy.local.stack import LocalStack


class _Sink(BaseHTTPRequestHandler):
    """A collector that takes everything and keeps nothing."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Be quiet."""


async def measure(stack: LocalStack) -> list[Row]:
    """The rate with traces over the rate without; at most a tenth may be lost."""
    env = await migrated(stack)
    key = Path(env["HOCVUSO_ADMIN_KEY_FILE"]).read_text().strip()
    numbers = itertools.count()

    def singles() -> Iterator[bytes]:
        for n in numbers:
            posted = {**event(n), "id": f"traced-{n}"}
            yield load.request("/v1/events", msgspec.json.encode(posted), SINGLE, key)

    server = ThreadingHTTPServer(("127.0.0.1", 0), _Sink)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    traced = env | {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{server.server_address[1]}"}
    tenth = traced | {
        "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
        "OTEL_TRACES_SAMPLER_ARG": "0.1",
    }
    app = "services.activities.app:create_app"
    rates: dict[str, list[float]] = {"none": [], "tenth": [], "every": []}
    try:
        async with (
            serving(app, env) as plain_port,
            serving(app, tenth) as tenth_port,
            serving(app, traced) as traced_port,
        ):
            await load_units(plain_port, key)
            ports = {"none": plain_port, "tenth": tenth_port, "every": traced_port}
            for _ in range(ROUNDS):
                for kept, port in ports.items():
                    found = await load.run(port, singles, CONNECTIONS, SECONDS)
                    rates[kept].append(found.rate)
                    await asyncio.sleep(0.5)
    finally:
        server.shutdown()
        server.server_close()
    middle = {kept: sorted(values)[len(values) // 2] for kept, values in rates.items()}
    return [
        Row(f"single POST, {name} exported", middle[kept], "events/s",
            "the same without tracing", middle["none"], 0.9)
        for kept, name in (("tenth", "one trace in ten"), ("every", "every trace"))
    ]  # fmt: skip
