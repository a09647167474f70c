"""`GET /v1/changes`: whether there is something new, by ETag or as server-sent events."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Header, Request
from fastapi.responses import Response, StreamingResponse

from services.registry.answers import IfNoneMatch, json_answer
from services.registry.state import Registry, State
from shared.streaming import begun

router = APIRouter(prefix="/v1/changes", tags=["progress"])

_NOW = "SELECT position, as_of, log_epoch FROM indicators.watermark"
POLL_SECONDS = 0.5
KEEP_ALIVE_SECONDS = 15.0
LONGEST_SECONDS = 3600.0
"""A stream ends then; browsers come back by themselves."""


async def now(state: State) -> dict[str, Any]:
    """What the tables are complete up to, and the newest definition."""
    row = await state.pool.fetchrow(_NOW)
    found = dict(row) if row else {"position": 0, "as_of": None, "log_epoch": None}
    return found | {"definitions": state.definitions.position}


@router.get("", response_class=Response)
async def show_changes(
    request: Request,
    state: Registry,
    accept: Annotated[str, Header()] = "",
    if_none_match: IfNoneMatch = None,
) -> Response:
    """The watermark of the tables: 304 while nothing is new; with `Accept: text/event-stream` an
    event `watermark` whenever it moves."""
    if "text/event-stream" in accept:
        return StreamingResponse(
            await begun(_stream(request, state)),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
        )
    return json_answer(await now(state), if_none_match)


async def _stream(request: Request, state: State) -> AsyncGenerator[bytes]:
    loop = asyncio.get_running_loop()
    end, said = loop.time() + LONGEST_SECONDS, loop.time()
    stopping: asyncio.Event = request.app.state.stopping
    before: dict[str, Any] | None = None
    while loop.time() < end and not await request.is_disconnected():
        current = await now(state)
        if current != before:
            data = msgspec.json.encode(current).decode()
            yield f"event: watermark\nid: {current['position']}\ndata: {data}\n\n".encode()
            before, said = current, loop.time()
        elif loop.time() - said > KEEP_ALIVE_SECONDS:
            yield b": still here\n\n"
            said = loop.time()
        # A browser comes back by itself, to whoever serves then.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(POLL_SECONDS):
                await stopping.wait()
            return
