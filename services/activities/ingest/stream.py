"""One connection of a named NDJSON stream: lines in, answers out, in step with the commits.

Works full duplex (answers come while lines are still being sent) and half duplex alike. What is
not yet answered is bounded: while a group is being written nothing more is read.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Literal

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from services.activities.ingest.answers import Result, encode
from services.activities.ingest.lines import Line, LineSplitter
from services.activities.ingest.problems import MAX_EVENT_BYTES
from services.activities.log.model import Status
from shared.problems import Problem

Acks = Literal["all", "errors", "none"]
GROUP_LINES = 500
GROUP_BYTES = 4 * 1024 * 1024
PATIENCE_S = 0.05
"""A slow sender's lines wait at most so long for more to be written with them."""

IDLE_S = 300
Judge = Callable[[list[bytes]], Awaitable[list[Result]]]
Advance = Callable[[int], Awaitable[None]]


class Superseded(Exception):
    """A newer connection of the same stream has taken over."""


class StreamResponse(Response):
    """Answers a PUT by reading its body while writing; bypasses Starlette's body handling, which
    would swallow what comes after the answer began."""

    media_type = "application/x-ndjson"

    def __init__(
        self, offset: int, skip_to: int, acks: Acks, judge: Judge, advance: Advance
    ) -> None:
        super().__init__(media_type=self.media_type)
        del self.headers["content-length"]
        self._splitter = LineSplitter(offset, MAX_EVENT_BYTES)
        self._committed = skip_to
        self._acks = acks
        self._judge = judge
        self._advance = advance
        self._counts = dict.fromkeys(Status, 0)
        self._group: list[Line] = []
        self._group_bytes = 0

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        closing: dict[str, Any] = {"done": False}
        try:
            closing["done"] = await self._read(receive, send)
        except Problem as problem:
            closing["problem"] = problem.body()
        except Superseded:
            closing["problem"] = Problem(
                "stream-superseded",
                "A newer connection of this stream has taken over.",
                status=409,
                hint="Use one connection per stream name.",
            ).body()
        closing["committed"] = self._committed
        closing |= {f"{status.value}": count for status, count in self._counts.items()}
        await send({"type": "http.response.body", "body": encode(closing) + b"\n"})

    async def _read(self, receive: Receive, send: Send) -> bool:
        """Take in the body; True when it was complete, False when the connection was cut."""
        while True:
            message = await self._next(receive, send)
            if message is None or message["type"] == "http.disconnect":
                await self._flush(send)
                return False
            for line in self._splitter.feed(message.get("body", b"")):
                await self._take(line, send)
            if not message.get("more_body", False):
                for line in self._splitter.end():
                    await self._take(line, send)
                await self._flush(send)
                return True

    async def _next(self, receive: Receive, send: Send) -> Message | None:
        """The next chunk; None after a long silence. Writes what waits when none comes soon."""
        waiting = asyncio.ensure_future(receive())
        try:
            done, _ = await asyncio.wait({waiting}, timeout=PATIENCE_S)
            if not done:
                await self._flush(send)
                done, _ = await asyncio.wait({waiting}, timeout=IDLE_S)
            return waiting.result() if done else None
        finally:
            waiting.cancel()

    async def _take(self, line: Line, send: Send) -> None:
        if line.number < self._committed:
            return  # sent again after a cut
        self._group.append(line)
        self._group_bytes += len(line.raw or b"")
        if len(self._group) >= GROUP_LINES or self._group_bytes >= GROUP_BYTES:
            await self._flush(send)

    async def _flush(self, send: Send) -> None:
        """Write the group; answer its lines after the commit."""
        group, self._group, self._group_bytes = self._group, [], 0
        if not group:
            return
        events = [line.raw for line in group if line.raw]
        results = iter(await self._judge(events) if events else [])
        answers = []
        for line in group:
            if line.raw == b"":
                continue
            result = _too_long() if line.raw is None else next(results)
            self._counts[result.status] += 1
            if self._acks == "all" or (self._acks == "errors" and result.status is Status.REJECTED):
                answers.append(_answer(line.number, result))
        await self._advance(group[-1].number + 1)
        self._committed = group[-1].number + 1
        answers.append(encode({"committed": self._committed}) + b"\n")
        await send({"type": "http.response.body", "body": b"".join(answers), "more_body": True})


def _answer(number: int, result: Result) -> bytes:
    members = {"line": number, **result.body()}
    if result.problem is not None:
        members["problem"] = result.problem.body()
    return encode(members) + b"\n"


def _too_long() -> Result:
    problem = Problem(
        "line-too-long",
        f"A line may have at most {MAX_EVENT_BYTES} bytes.",
        status=413,
        hint="One event per line.",
    )
    return Result(None, None, Status.REJECTED, None, problem)
