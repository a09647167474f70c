"""`/v1/streams/{name}`: resumable NDJSON of any length."""

import asyncio
import re
from typing import Annotated

import asyncpg
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from services.activities.ingest import stream_store
from services.activities.ingest.answers import Result
from services.activities.ingest.door import Door, Element, Path, Ready
from services.activities.ingest.stream import Acks, StreamResponse, Superseded, closed
from services.activities.keys.model import STREAM
from services.activities.keys.routes import Authenticated
from shared import telemetry
from shared.db import Connection
from shared.in_clear import refuse_in_clear
from shared.inflate import Inflater
from shared.problems import Problem

router = APIRouter(tags=["streams"])
NDJSON = ("application/x-ndjson", "application/ndjson", "application/jsonl")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class StreamState(BaseModel):
    """Where a stream is: the number of lines committed, which is the offset to go on with."""

    name: str
    committed: int
    closed: bool = Field(description="its sender has sent the closing line; it takes no more")


@router.get("/v1/streams/{name}")
async def read_stream(request: Request, name: str, key: Authenticated) -> StreamState:
    """The committed offset of a stream of this key's partner, and whether it is closed."""
    key.require(STREAM)
    _check_name(name)
    row = await stream_store.read(request.app.state.pool, key.name, name)
    return StreamState(name=name, committed=row.committed, closed=row.closed)


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

    Answers are NDJSON: lines as `acks` says (`{"line", "status", ...}`), `{"committed": N}` after
    commits, and one closing line with `done` and the counts. What is committed is in the log; a bad
    line gets its own answer and never ends the stream. Lines before the committed offset are
    skipped. `{"close": true}` as the last line closes the stream for good. The body may be gzip.
    Read while you send where the path allows it (with `acks=all` you must); otherwise read the
    answer afterwards, or `GET` the offset. The newest connection of a name holds the stream.
    """
    key.require(STREAM)
    _check_name(name)
    pool: asyncpg.Pool = request.app.state.pool
    inflater = _inflater(request)
    before = await stream_store.read(pool, key.name, name)
    if before.closed:
        raise closed(before.committed)
    if offset > before.committed:
        raise Problem(
            "stream-offset-ahead",
            f"The offset lies beyond the {before.committed} lines that are committed.",
            status=409,
            hint=f"Send the lines from {before.committed} on, with ?offset={before.committed}.",
            extra={"committed": before.committed},
        )
    mine = await stream_store.connect(pool, key.name, name)
    if mine.closed:
        raise closed(mine.committed)
    door: Door = request.app.state.door

    async def deal(elements: list[Element], lines: int, close: bool, ready: Ready) -> list[Result]:
        async def also(connection: Connection) -> None:
            if not await stream_store.advance(
                connection, key.name, name, mine.attempt, lines, close=close
            ):
                raise Superseded

        return await door.take(
            elements, key, Path.STREAM, traceparent=telemetry.traceparent(), also=also, ready=ready
        )

    stopping: asyncio.Event = request.app.state.stopping
    return StreamResponse(offset, mine.committed, acks, deal, inflater, stopping)


def _inflater(request: Request) -> Inflater | None:
    """What decompresses the body. Raises Problem (415) for what is no NDJSON, plain or gzip."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in NDJSON:
        raise Problem(
            "content-type-unsupported",
            "A stream is NDJSON.",
            status=415,
            hint=f"Send Content-Type {NDJSON[0]}, one event a line.",
        )
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("gzip", "x-gzip"):
        return Inflater()
    if encoding not in ("", "identity"):
        raise Problem(
            "content-encoding-unsupported",
            "The Content-Encoding is not one that is taken.",
            status=415,
            hint="Send gzip, or no Content-Encoding.",
        )
    return None


def _check_name(name: str) -> None:
    refuse_in_clear(name, "/name")
    if not _NAME.fullmatch(name):
        raise Problem(
            "stream-name-malformed",
            "A stream's name has 1 to 64 letters, digits, dots, dashes and underscores.",
            pointer="/name",
            hint="Name it like vnpt-2026-07.",
        )
