"""The ways in on which one event can be posted, each answering in the same three words."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

BATCH = "application/cloudevents-batch+json"
NDJSON = "application/x-ndjson"


@dataclass
class Answer:
    """What the partner is told of one event, whatever the way in."""

    status: str
    position: int | None
    problem: dict[str, Any] | None
    warnings: list[str]


Way = Callable[[httpx.AsyncClient, str, bytes], Awaitable[Answer]]


def _answer(found: dict[str, Any]) -> Answer:
    if "code" in found:  # a problem alone
        return Answer("rejected", found.get("position"), found, [])
    return Answer(
        found["status"], found["position"], found.get("problem"), found.get("warnings", [])
    )


async def _post(client: httpx.AsyncClient, key: str, body: bytes, **headers: str) -> Any:
    sent = {"Authorization": f"Bearer {key}", **headers}
    return (await client.post("/v1/events", content=body, headers=sent)).json()


async def single(client: httpx.AsyncClient, key: str, raw: bytes) -> Answer:
    kind = {"Content-Type": "application/cloudevents+json"}
    return _answer(await _post(client, key, raw, **kind))


async def batch(client: httpx.AsyncClient, key: str, raw: bytes) -> Answer:
    found = await _post(client, key, b"[" + raw + b"]", **{"Content-Type": BATCH})
    return _answer(found["results"][0] if "results" in found else found)


async def binary(client: httpx.AsyncClient, key: str, raw: bytes) -> Answer:
    """Only for what can be written in headers; the caller looks."""
    event = json.loads(raw)
    headers = {"Content-Type": event.get("datacontenttype", "application/json")}
    for name, value in event.items():
        if name not in ("data", "datacontenttype"):
            headers[f"ce-{name}"] = quote(value, safe=" :/@+-._~!*'()?,;=")
    return _answer(
        await _post(client, key, json.dumps(event["data"], ensure_ascii=False).encode(), **headers)
    )


async def stream(client: httpx.AsyncClient, key: str, raw: bytes) -> Answer:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": NDJSON}
    name = "/v1/streams/vectors"
    done = (await client.get(name, headers=headers)).json()["committed"]
    answer = await client.put(
        name, params={"offset": done, "acks": "all"}, content=raw + b"\n", headers=headers
    )
    told = [json.loads(line) for line in answer.text.splitlines()]
    return _answer(next(line for line in told if line.get("line") == done))


HTTP: dict[str, Way] = {"single": single, "batch": batch, "binary": binary, "stream": stream}
