"""A service in memory, as misbehaved as a test wants it."""

import gzip
import json
from collections.abc import Callable
from typing import Any

import httpx

Trouble = Callable[[httpx.Request], httpx.Response | None]


class Service:
    """Idempotent by (source, id); `troubles` answer (or raise) instead, first ones first."""

    def __init__(self) -> None:
        self.log: dict[tuple[str, str], dict[str, Any]] = {}
        self.requests: list[httpx.Request] = []
        self.batches: list[int] = []
        self.before: list[Trouble] = []
        self.after: list[Trouble] = []
        self.refuse: Callable[[dict[str, Any]], dict[str, Any] | None] = lambda _: None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self.before and (answer := self.before.pop(0)(request)) is not None:
            return answer
        body = request.content
        if request.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        events = json.loads(body)
        self.batches.append(len(events))
        results = [self._one(index, event) for index, event in enumerate(events)]
        if self.after and (answer := self.after.pop(0)(request)) is not None:
            return answer
        return httpx.Response(200, json={"results": results})

    def _one(self, index: int, event: dict[str, Any]) -> dict[str, Any]:
        key = event["source"], event["id"]
        body = {"index": index, "source": key[0], "id": key[1]}
        problem = self.refuse(event)
        if problem is not None:
            return {**body, "status": "rejected", "position": None, "problem": problem}
        status = "duplicate" if key in self.log else "accepted"
        self.log.setdefault(key, event)
        return {**body, "status": status, "position": len(self.log)}


def says(status: int, headers: dict[str, str] | None = None, **body: Any) -> Trouble:
    """Answers this instead."""
    return lambda _: httpx.Response(status, headers=headers, json=body)


def cut(request: httpx.Request) -> httpx.Response:
    """The connection ends."""
    raise httpx.ReadError("cut", request=request)


def fine(_: httpx.Request) -> None:
    """No trouble this time."""
