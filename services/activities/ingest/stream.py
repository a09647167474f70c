"""One connection of a named NDJSON stream: lines in, answers out, in step with the commits.

Works full duplex (answers come while lines are still being sent) and half duplex alike. What is
held is bounded, whatever the length: while a group is written, or an answer is not read by the
other side, nothing more is read.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any, Literal

import msgspec
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from services.activities.ingest.answers import Result, encode
from services.activities.ingest.door import Element
from services.activities.ingest.inflate import Inflater, not_gzip
from services.activities.ingest.lines import Line, LineSplitter
from services.activities.ingest.problems import MAX_EVENT_BYTES
from services.activities.log.model import GiveUp, Status
from shared.problems import Problem

Acks = Literal["all", "errors", "none"]
GROUP_LINES = 500
GROUP_BYTES = 4 * 1024 * 1024
PATIENCE_S = 0.05
"""A slow sender's lines wait at most so long for more to be written with them."""

IDLE_S = 300
CHECKPOINT_S = 1.0
"""How often `committed` is told when there is nothing else to tell."""

OVERLOADED_TRIES, OVERLOADED_S = 30, 1

Deal = Callable[[list[Element], int, bool], Awaitable[list[Result]]]
"""(events, lines dealt with then, whether that closes the stream) -> results, after the commit."""


class Superseded(GiveUp):
    """A newer connection of the same stream has taken over."""


class StreamResponse(Response):
    """Answers a PUT by reading its body while writing; bypasses Starlette's body handling, which
    would swallow what comes after the answer began."""

    media_type = "application/x-ndjson"

    def __init__(
        self, offset: int, skip_to: int, acks: Acks, deal: Deal, inflater: Inflater | None = None
    ) -> None:
        super().__init__(media_type=self.media_type)
        del self.headers["content-length"]
        self._splitter = LineSplitter(offset, MAX_EVENT_BYTES)
        self._inflater = inflater
        self._committed = skip_to
        self._through = skip_to
        self._acks = acks
        self._deal = deal
        self._counts = dict.fromkeys(Status, 0)
        self._group: list[Line] = []
        self._group_bytes = 0
        self._closed = False
        self._told_at = float("-inf")
        self._told = -1

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
        except TimeoutError:
            return  # nobody reads the answer: the connection ends, GET tells what is committed
        closing |= {"committed": self._committed, "closed": self._closed}
        closing |= {f"{status.value}": count for status, count in self._counts.items()}
        await self._say(send, encode(closing) + b"\n", more=False)

    async def _read(self, receive: Receive, send: Send) -> bool:
        """Take in the body; True when it was complete, False when the connection was cut."""
        async for message in self._messages(receive, send):
            if message["type"] == "http.disconnect":
                break
            try:
                for piece in self._pieces(message.get("body", b"")):
                    await self._take(self._splitter.feed(piece), send)
                    # Lines that cost nothing to judge must not keep others from their turn.
                    await asyncio.sleep(0)
            except Problem:
                await self._flush(send)  # what was whole before the fault
                raise
            if not message.get("more_body", False):
                if self._inflater is not None and not self._inflater.whole:
                    await self._flush(send)
                    raise not_gzip()
                await self._take(self._splitter.end(), send)
                await self._flush(send, last=True)
                return True
        await self._flush(send)
        return False

    def _pieces(self, chunk: bytes) -> Iterable[bytes]:
        return (chunk,) if self._inflater is None else self._inflater.feed(chunk)

    async def _messages(self, receive: Receive, send: Send) -> AsyncIterator[Message]:
        """The chunks, until a long silence. What waits is written when none comes soon."""
        while True:
            waiting = asyncio.ensure_future(receive())
            try:
                done, _ = await asyncio.wait({waiting}, timeout=PATIENCE_S)
                if not done:
                    await self._flush(send, last=True)
                    done, _ = await asyncio.wait({waiting}, timeout=IDLE_S)
                if not done:
                    return
                yield waiting.result()
            finally:
                waiting.cancel()

    async def _take(self, lines: Iterable[Line], send: Send) -> None:
        for line in lines:
            if line.number < self._committed:
                continue  # sent again after a cut
            if self._closed and line.raw != b"":
                raise closed(self._committed, "There is a line after the closing line.")
            self._through = line.number + 1
            if line.raw == b"":
                continue
            if _is_closing(line.raw):
                await self._flush(send, close=True)
                continue
            self._group.append(line)
            self._group_bytes += len(line.raw or b"")
            if len(self._group) >= GROUP_LINES or self._group_bytes >= GROUP_BYTES:
                await self._flush(send)

    async def _flush(self, send: Send, *, close: bool = False, last: bool = False) -> None:
        """Write the group; answer its lines after the commit."""
        group, self._group, self._group_bytes = self._group, [], 0
        told = b""
        if self._through > self._committed:
            results = await self._dealt([_element(line) for line in group], close)
            self._committed, self._closed = self._through, self._closed or close
            for line, result in zip(group, results, strict=True):
                self._counts[result.status] += 1
                refused = result.status is Status.REJECTED
                if self._acks == "all" or (self._acks == "errors" and refused):
                    told += _answer(line.number, result)
        elif not last or self._told in (-1, self._committed):
            return
        now = time.monotonic()
        if told or last or close or now - self._told_at >= CHECKPOINT_S:
            self._told_at, self._told = now, self._committed
            await self._say(send, told + encode({"committed": self._committed}) + b"\n")

    async def _dealt(self, elements: list[Element], close: bool) -> list[Result]:
        """Hand a group in; the sender is made to wait while too much is waiting before it."""
        for _ in range(OVERLOADED_TRIES):
            try:
                return await self._deal(elements, self._through, close)
            except Problem as problem:
                if problem.code != "overloaded":
                    raise
            await asyncio.sleep(OVERLOADED_S)
        return await self._deal(elements, self._through, close)

    async def _say(self, send: Send, body: bytes, *, more: bool = True) -> None:
        """Send a part of the answer. Raises TimeoutError when nobody takes it for long."""
        async with asyncio.timeout(IDLE_S):
            await send({"type": "http.response.body", "body": body, "more_body": more})


def closed(committed: int, detail: str = "The stream is closed.") -> Problem:
    """A stream that its sender has closed takes nothing more."""
    return Problem(
        "stream-closed",
        detail,
        status=409,
        hint="Its sender ended it with a closing line. Send what is new under a new name.",
        extra={"committed": committed},
    )


def _is_closing(raw: bytes | None) -> bool:
    if raw is None or len(raw) > 64 or b"close" not in raw:
        return False
    try:
        return bool(msgspec.json.decode(raw) == {"close": True})
    except msgspec.MsgspecError:
        return False


def _element(line: Line) -> Element:
    if line.raw is not None:
        return line.raw
    return Problem(
        "line-too-long",
        f"A line may have at most {MAX_EVENT_BYTES} bytes.",
        status=413,
        hint="One event per line.",
    )


def _answer(number: int, result: Result) -> bytes:
    members = {"line": number, **result.body()}
    if result.problem is not None:
        members["problem"] = result.problem.body()
    return encode(members) + b"\n"
