"""The running service of tests/activities, and a proxy in front of it that misbehaves."""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from tests.activities.conftest import admin, clock, database, port, service, settings

__all__ = ["admin", "clock", "database", "port", "service", "settings"]


@dataclass
class Chaos:
    """Counts what it did; `calm` it forwards everything; `script` are the next fates."""

    port: int = 0
    calm: bool = False
    done: dict[str, int] = field(default_factory=dict)
    script: list[str] = field(default_factory=list)


@pytest.fixture
async def chaos(port: int) -> AsyncIterator[Chaos]:
    """A proxy that, seeded, answers 503, 429, cuts before the request or after its commit."""
    state, chance = Chaos(), random.Random(20260701)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _forward(reader, writer, port, state, chance)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    state.port = server.sockets[0].getsockname()[1]
    yield state
    server.close()


async def _forward(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    port: int,
    state: Chaos,
    chance: random.Random,
) -> None:
    """One request, one fate."""
    head = await reader.readuntil(b"\r\n\r\n")
    fields = dict(
        line.split(": ", 1) for line in head.decode().lower().split("\r\n")[1:] if ": " in line
    )
    body = await reader.readexactly(int(fields.get("content-length", "0")))
    fate = chance.choice(
        [*["pass"] * 6, "503", "429", "cut before", "cut after", "half answer"]
    )  # fmt: skip
    if state.script:
        fate = state.script.pop(0)
    elif state.calm:
        fate = "pass"
    state.done[fate] = state.done.get(fate, 0) + 1
    if fate in ("503", "429"):
        writer.write(
            f"HTTP/1.1 {fate} No\r\nRetry-After: 0\r\nContent-Length: 0\r\n"
            "Connection: close\r\n\r\n".encode()
        )
        await writer.drain()
        return
    if fate == "cut before":
        return
    up_reader, up_writer = await asyncio.open_connection("127.0.0.1", port)
    lines = [x for x in head.split(b"\r\n") if not x.lower().startswith(b"connection:")]
    lines.insert(1, b"Connection: close")
    up_writer.write(b"\r\n".join(lines) + body)
    answer = await up_reader.read()  # the service has committed when it has answered
    up_writer.close()
    if fate == "cut after":
        return
    writer.write(answer[: len(answer) // 2] if fate == "half answer" else answer)
    await writer.drain()
