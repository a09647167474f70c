"""A small HTTP/1.1 load generator: a fixed number of keep-alive connections, closed or open loop.

Written on asyncio protocols, because a full client library would cost more than the server that
is measured.
"""

import asyncio
import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field


@dataclass
class Result:
    """What a run measured: requests per second and latencies in seconds."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Requests per second."""
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        """The latency below which `share` of the requests stayed, in seconds."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class _Connection(asyncio.Protocol):
    def __init__(
        self,
        requests: Iterator[bytes],
        result: Result,
        until: float,
        due: Iterator[float] | None = None,
    ) -> None:
        self._requests, self._result, self._until = requests, result, until
        self._due = due
        self._buffer = b""
        self._sent = 0.0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._next()

    def _next(self) -> None:
        due = next(self._due) if self._due is not None else time.perf_counter()
        if due >= self._until:
            self._close()
            return
        self._sent = due
        wait = due - time.perf_counter()
        if wait > 0:
            asyncio.get_running_loop().call_later(wait, self._send)
        else:
            self._send()

    def _send(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self._close()
        else:
            self._transport.write(request)  # type: ignore[attr-defined]

    def _close(self) -> None:
        self._transport.close()
        if not self.done.done():
            self.done.set_result(None)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, separator, body = self._buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        lower = head.lower()
        start = lower.index(b"content-length:") + 15
        length = int(lower[start:].split(b"\r\n", 1)[0])
        if len(body) < length:
            return
        self._buffer = body[length:]
        status = int(head[9:12])
        self._result.statuses[status] = self._result.statuses.get(status, 0) + 1
        self._result.latencies.append(time.perf_counter() - self._sent)
        self._next()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("the server closed the connection"))


def request(path: str, body: bytes, content_type: str, key: str | None = None) -> bytes:
    """The bytes of one POST."""
    authorization = f"Authorization: Bearer {key}\r\n" if key else ""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: bench\r\n{authorization}"
        f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def run(
    port: int, requests: Callable[[], Iterator[bytes]], connections: int, seconds: float
) -> Result:
    """Send requests over `connections` connections until the time or the requests are used up."""
    return await _run(port, requests, connections, seconds, None)


async def paced(
    port: int,
    requests: Callable[[], Iterator[bytes]],
    connections: int,
    rate: float,
    seconds: float,
) -> Result:
    """Send `rate` requests per second at fixed times (open loop), answered before or not.

    Latencies count from when a request was due. Where all connections wait for answers, requests
    go out late, and the time they are late is part of their latency.
    """
    return await _run(port, requests, connections, seconds, rate)


async def _run(
    port: int,
    requests: Callable[[], Iterator[bytes]],
    connections: int,
    seconds: float,
    rate: float | None,
) -> Result:
    result = Result()
    shared = requests()
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    due = (started + n / rate for n in itertools.count()) if rate else None
    made = [
        (
            await loop.create_connection(
                lambda: _Connection(shared, result, started + seconds, due), "127.0.0.1", port
            )
        )[1]
        for _ in range(connections)
    ]
    await asyncio.gather(*(connection.done for connection in made))
    result.seconds = time.perf_counter() - started
    return result
