"""A service in memory that answers batches the way activities does, over real HTTP."""

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

POISON = "poison"


class Activities:
    """Idempotent by (source, id). An event whose subject is POISON spoils its whole request."""

    def __init__(self) -> None:
        self.log: dict[tuple[str, str], dict[str, Any]] = {}
        self.url = ""
        self.requests = 0
        self.stop_after: int | None = None

    def post(self, body: bytes, *, dry_run: bool) -> tuple[int, dict[str, Any]]:
        self.requests += 1
        events = json.loads(body)
        if any(e.get("subject") == POISON for e in events):
            return 400, {"code": "json-invalid", "detail": "Poison.", "status": 400}
        return 200, {"results": [self._one(i, e, dry_run) for i, e in enumerate(events)]}

    def _one(self, index: int, event: dict[str, Any], dry_run: bool) -> dict[str, Any]:
        key = event["source"], event["id"]
        about = {"index": index, "source": key[0], "id": key[1]}
        if event.get("subject") == "99999":
            problem = {
                "code": "unit-unknown", "detail": "No unit.", "pointer": "/subject", "status": 422,
            }  # fmt: skip
            return {**about, "status": "rejected", "position": None, "problem": problem}
        known = key in self.log
        if not dry_run:
            self.log.setdefault(key, event)
        return {**about, "status": "duplicate" if known else "accepted", "position": len(self.log)}


@contextmanager
def running() -> Iterator[Activities]:
    """The service on a port of its own."""
    state = Activities()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            status, answer = state.post(body, dry_run="dry_run=true" in self.path)
            self._answer(status, answer)

        def do_GET(self) -> None:
            rights = {"sources": ["https://xa.example/so"], "name": "xa"}
            self._answer(200, rights if self.path.startswith("/v1/keys/self") else {})

        def _answer(self, status: int, answer: dict[str, Any]) -> None:
            raw = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
