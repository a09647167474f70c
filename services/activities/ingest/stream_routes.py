"""`/v1/streams/{name}`: resumable NDJSON of any length."""

import re
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel
from starlette.responses import Response

from services.activities.ingest import stream_store
from services.activities.ingest.answers import Result
from services.activities.ingest.door import Door, Path
from services.activities.ingest.stream import Acks, StreamResponse, Superseded
from services.activities.keys.model import STREAM
from services.activities.keys.routes import Authenticated
from shared import telemetry
from shared.problems import Problem

router = APIRouter(tags=["streams"])
NDJSON = ("application/x-ndjson", "application/ndjson", "application/jsonl")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class StreamState(BaseModel):
    """Where a stream is: the number of lines committed, which is the offset to go on with."""

    name: str
    committed: int


@router.get("/v1/streams/{name}")
async def read_stream(request: Request, name: str, key: Authenticated) -> StreamState:
    """The committed offset of a stream of this key's partner."""
    key.require(STREAM)
    _check_name(name)
    done = await stream_store.committed(request.app.state.pool, key.name, name)
    return StreamState(name=name, committed=done)


@router.put(
    "/v1/streams/{name}",
    response_class=Response,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                NDJSON[0]: {"schema": {"type": "string", "description": "an event a line"}}
            },
        }
    },
)
async def write_stream(
    request: Request,
    name: str,
    key: Authenticated,
    offset: Annotated[int, Query(ge=0, description="lines before the first of this body")] = 0,
    acks: Annotated[Acks, Query(description="which lines are answered one by one")] = "errors",
) -> Response:
    """Send events, one a line, for as long as you like; go on at `committed` after a cut.

    Answers are NDJSON: lines as `acks` says (`{"line", "status", ...}`), after every commit
    `{"committed": N}`, and one closing line with `done` and the counts. What is committed is in
    the log; a bad line gets its own answer and never ends the stream. Lines before the committed
    offset are skipped. Full duplex where the path allows it; otherwise read the answer afterwards,
    or `GET` the offset.
    """
    key.require(STREAM)
    _check_name(name)
    state = request.app.state
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in NDJSON or "content-encoding" in request.headers:
        raise Problem(
            "content-type-unsupported",
            "A stream is uncompressed NDJSON.",
            status=415,
            hint=f"Send Content-Type {NDJSON[0]}, one event a line.",
        )
    done = await stream_store.committed(state.pool, key.name, name)
    if offset > done:
        raise Problem(
            "stream-offset-ahead",
            f"The offset lies beyond the {done} lines that are committed.",
            status=409,
            hint=f"Send the lines from {done} on, with ?offset={done}.",
            extra={"committed": done},
        )
    door: Door = state.door
    holders: dict[tuple[str, str], object] = state.streams
    mine = object()
    holders[key.name, name] = mine

    async def judge(events: list[bytes]) -> list[Result]:
        if holders.get((key.name, name)) is not mine:
            raise Superseded
        return await door.take(events, key, Path.STREAM, traceparent=telemetry.traceparent())

    async def advance(lines: int) -> None:
        await stream_store.advance(state.pool, key.name, name, lines)

    return StreamResponse(offset, done, acks, judge, advance)


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise Problem(
            "stream-name-malformed",
            "A stream's name has 1 to 64 letters, digits, dots, dashes and underscores.",
            pointer="/name",
            hint="Name it like vnpt-2026-07.",
        )
