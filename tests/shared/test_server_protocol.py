"""Heads of requests are bounded in time and size, over a real port; what is answered is not cut."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn

from shared import server_protocol
from shared.server_protocol import HEAD_BYTES, BoundedHttp


async def app(scope: Any, receive: Any, send: Any) -> None:
    size, more = 0, True
    while more:
        message = await receive()
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    body = str(size).encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    monkeypatch.setattr(server_protocol, "HEAD_SECONDS", 1.0)
    config = uvicorn.Config(
        app, port=0, http=BoundedHttp, lifespan="off", log_level="critical", log_config=None,
        timeout_keep_alive=60,
    )  # fmt: skip
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await task


async def drip(port: int) -> bool:
    """Send a head a byte at a time; whether the server ended it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for byte in b"GET / HTTP/1.1\r\nx-slow: " + b"a" * 200:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.05)
            if reader.at_eof():
                return True
    except ConnectionError:
        return True
    finally:
        writer.close()
    return False


async def test_slow_heads_are_ended(port: int) -> None:
    async with asyncio.timeout(60):
        assert all(await asyncio.gather(*(drip(port) for _ in range(200))))
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await reader.read() == b"", "nothing was ever sent"
        writer.close()


async def test_slow_bodies_and_silence_between_requests_are_not(port: int) -> None:
    async with asyncio.timeout(60):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(2):
            writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n")
            for _ in range(10):
                await asyncio.sleep(0.15)
                writer.write(b"x")
            answer = await reader.readuntil(b"10")
            answer += await reader.readuntil(b"\r\n\r\n10") if b"\r\n\r\n" not in answer else b""
            assert b"200 OK" in answer
            await asyncio.sleep(1.5)
        writer.close()


async def test_large_heads_are_refused(port: int) -> None:
    async with asyncio.timeout(60):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nhost: x\r\nx-large: " + b"a" * (HEAD_BYTES + 10))
        assert (await reader.read()).startswith(b"HTTP/1.1 431 ")
        writer.close()
