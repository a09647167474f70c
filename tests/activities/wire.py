"""A stream of events over a raw connection, which a test may cut anywhere."""

import asyncio
import json
from typing import Any

from tests.activities.fake import event


class Wire:
    """A PUT whose body is sent by hand, chunk by chunk, while its answer is read."""

    def __init__(self, port: int, key: str, name: str, query: str = "") -> None:
        self.head = (
            f"PUT /v1/streams/{name}{query} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
            "Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        self.port = port

    async def __aenter__(self) -> "Wire":
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writer.write(self.head.encode())
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()

    async def send(self, data: bytes) -> None:
        self.writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        await self.writer.drain()

    async def end(self) -> None:
        self.writer.write(b"0\r\n\r\n")
        await self.writer.drain()

    async def read(self) -> list[Any]:
        """The lines of the next chunk of the answer (the headers before it are skipped)."""
        line = await asyncio.wait_for(self.reader.readline(), 10)
        while b":" in line or line.startswith(b"HTTP/") or line == b"\r\n":
            line = await asyncio.wait_for(self.reader.readline(), 10)
        body = await self.reader.readexactly(int(line, 16))
        await self.reader.readline()
        return [json.loads(x) for x in body.splitlines()]


def lines(first: int, count: int) -> bytes:
    return b"".join(
        json.dumps(event(id=str(n))).encode() + b"\n" for n in range(first, first + count)
    )
