"""One connection of a named NDJSON stream: lines in, answers out, in step with the commits.

Works full duplex (answers come while lines are still being sent) and half duplex alike. What is
held is bounded, whatever the length: while a group is written, or an answer is not read by the
other side, nothing more is read than the group after it, which is judged meanwhile.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from services.activities.ingest.answers import Result, encode
from services.activities.ingest.door import Element, Ready
from services.activities.ingest.lines import Line, LineSplitter
from services.activities.ingest.problems import MAX_EVENT_BYTES
from services.activities.log.model import GiveUp, Status
from shared import strict_json
from shared.bodies import OWN_READER
from shared.inflate import Inflater, not_gzip
from shared.problems import Problem

Acks = Literal["all", "errors", "none"]
GROUP_LINES = 500
GROUP_BYTES = 4 * 1024 * 1024
PATIENCE_S = 0.05
"""When nothing comes for so long, what waits is written."""

WAIT_S = 0.2
"""The lines of a slow but steady sender wait about so long for more to be written with them."""

IDLE_S = 300
CHECKPOINT_S = 1.0
"""How often `committed` is told when there is nothing else to tell."""

LONGEST_CLOSING = 256
"""Bytes of the line that closes a stream, white space included."""

OVERLOADED_TRIES, OVERLOADED_S = 30, 1

Deal = Callable[[list[Element], int, bool, Ready], Awaitable[list[Result]]]
"""(events, lines dealt with then, whether that closes the stream, what to await before writing) ->
results, after the commit."""


@dataclass(frozen=True)
class _Writing:
    """A group that is judged or written just now."""

    lines: list[Line]
    through: int
    close: bool
    results: "asyncio.Task[list[Result]]"


class Superseded(GiveUp):
    """A newer connection of the same stream has taken over."""


class StreamResponse(Response):
    """Answers a PUT by reading its body while writing; bypasses Starlette's body handling, which
    would swallow what comes after the answer began."""

    media_type = "application/x-ndjson"

    def __init__(
        self,
        offset: int,
        skip_to: int,
        acks: Acks,
        deal: Deal,
        inflater: Inflater | None = None,
        stopping: asyncio.Event | None = None,
    ) -> None:
        super().__init__(media_type=self.media_type)
        del self.headers["content-length"]
        self._splitter = LineSplitter(offset, MAX_EVENT_BYTES)
        self._inflater = inflater
        self._committed = skip_to
        self._through = self._handed = skip_to
        self._writing: _Writing | None = None
        self._acks = acks
        self._deal = deal
        self._counts = dict.fromkeys(Status, 0)
        self._group: list[Line] = []
        self._group_bytes = 0
        self._closed = False
        self._told_at = float("-inf")
        self._told = skip_to
        self._handed_at = time.monotonic()
        self._stopping = stopping or asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[OWN_READER] = True
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
            await self._abandon()
            return  # nobody reads the answer: the connection ends, GET tells what is committed
        await self._abandon()
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
                if self._group and time.monotonic() - self._handed_at >= WAIT_S:
                    await self._flush(send, last=True)
            except Problem:
                await self._flush(send, last=True)  # what was whole before the fault
                raise
            if not message.get("more_body", False):
                if self._inflater is not None and not self._inflater.whole:
                    await self._flush(send, last=True)
                    raise not_gzip()
                await self._take(self._splitter.end(), send)
                await self._flush(send, last=True)
                return True
        await self._flush(send, last=True)
        return False

    def _pieces(self, chunk: bytes) -> Iterable[bytes]:
        return (chunk,) if self._inflater is None else self._inflater.feed(chunk)

    async def _messages(self, receive: Receive, send: Send) -> AsyncIterator[Message]:
        """The chunks, until a long silence or until this process is told to stop. What waits is
        written when none comes soon."""
        stopped = asyncio.ensure_future(self._stopping.wait())
        try:
            while not stopped.done():
                waiting = asyncio.ensure_future(receive())
                either = {waiting, stopped}
                try:
                    done, _ = await asyncio.wait(
                        either, timeout=PATIENCE_S, return_when=asyncio.FIRST_COMPLETED
                    )
                    if not done:
                        await self._flush(send, last=True)
                        await asyncio.wait(
                            either, timeout=IDLE_S, return_when=asyncio.FIRST_COMPLETED
                        )
                    if not waiting.done():
                        return
                    yield waiting.result()
                finally:
                    waiting.cancel()
        finally:
            stopped.cancel()

    async def _take(self, lines: Iterable[Line], send: Send) -> None:
        for line in lines:
            if line.number < self._committed:
                continue  # sent again after a cut
            if self._closed:
                raise closed(self._committed, "There is a line after the closing line.")
            self._through = line.number + 1
            if _is_closing(line.raw):
                await self._flush(send, close=True)
                continue
            self._group.append(line)
            self._group_bytes += len(line.raw or b"")
            if len(self._group) >= GROUP_LINES or self._group_bytes >= GROUP_BYTES:
                await self._flush(send)
        self._through = max(self._through, self._splitter.next)  # blank lines count, too

    async def _flush(self, send: Send, *, close: bool = False, last: bool = False) -> None:
        """Hand the group in and answer the one before it; `close`, `last`: answer both.

        So one group is judged while the one before it is written.
        """
        group, self._group, self._group_bytes = self._group, [], 0
        told, before = b"", self._writing
        if self._through > self._handed:
            elements = [_element(line) for line in group]
            self._handed, self._handed_at = self._through, time.monotonic()
            self._writing = _Writing(
                group, self._through, close,
                asyncio.create_task(self._dealt(elements, self._through, close, before)),
            )  # fmt: skip
            if before is not None:
                told += await self._answers(before)
        if (last or close) and self._writing is not None:
            told += await self._answers(self._writing)
            self._writing = None
        now = time.monotonic()
        new = self._committed > self._told
        if told or (new and (last or close or now - self._told_at >= CHECKPOINT_S)):
            self._told_at, self._told = now, self._committed
            await self._say(send, told + encode({"committed": self._committed}) + b"\n")

    async def _answers(self, writing: _Writing) -> bytes:
        """The lines answered of a group, after its commit; raises what the commit raised."""
        told = []
        results = await writing.results
        self._committed = writing.through
        self._closed = self._closed or writing.close
        for line, result in zip(writing.lines, results, strict=True):
            self._counts[result.status] += 1
            refused = result.status is Status.REJECTED
            if self._acks == "all" or (self._acks == "errors" and refused):
                told.append(_answer(line.number, result))
        return b"".join(told)

    async def _dealt(
        self, elements: list[Element], through: int, close: bool, before: _Writing | None
    ) -> list[Result]:
        """Hand a group in; the sender is made to wait while too much is waiting before it."""

        async def ready() -> None:
            if before is not None:
                await asyncio.wait({before.results})
                before.results.result()

        for _ in range(OVERLOADED_TRIES):
            try:
                return await self._deal(elements, through, close, ready)
            except Problem as problem:
                if problem.code != "overloaded":
                    raise
            await asyncio.sleep(OVERLOADED_S)
        return await self._deal(elements, through, close, ready)

    async def _abandon(self) -> None:
        """Give up a group that waits for one that failed; nothing of it is written."""
        if self._writing is not None:
            self._writing.results.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await self._writing.results

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
    if raw is None or len(raw) > LONGEST_CLOSING or b"close" not in raw:
        return False
    try:
        found = strict_json.read(raw)[0]
    except Problem:
        return False  # it is answered as any other bad line
    return isinstance(found, dict) and found.keys() == {"close"} and found["close"] is True


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
