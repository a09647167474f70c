"""Reads between services survive a lost connection; writes are left to whoever knows what they mean."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from deploy.local.services import Addresses, http_service
from shared.lane_consumer import LogReader
from shared.peers import IDLE_SECONDS, READ, PeerClient, peer
from shared.serving import KEEP_ALIVE_SECONDS

ROOT = Path(__file__).parents[2]
MARKER = b'{"epoch":"e","through":7,"last":{"64":7}}'


class Frail:
    """A server that treats each request as the next of `fates` says: lose, cut, or a status."""

    def __init__(self) -> None:
        self.fates: list[str | int] = []
        self.seen: list[str] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                size = re.search(rb"content-length: (\d+)", head, re.I)
                if size:
                    await reader.readexactly(int(size[1]))
                self.seen.append(head.split(b"\r\n")[0].decode())
                fate = self.fates.pop(0) if self.fates else 200
                if fate == "lose":
                    return
                status = 200 if fate == "cut" else int(fate)
                length = len(MARKER) + (10 if fate == "cut" else 0)
                writer.write(
                    b"HTTP/1.1 %d x\r\ncontent-length: %d\r\n\r\n" % (status, length) + MARKER
                )
                await writer.drain()
                if fate == "cut":
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()


@pytest.fixture
async def frail() -> AsyncIterator[Frail]:
    made = Frail()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield made


@pytest.fixture
async def client(frail: Frail) -> AsyncIterator[PeerClient]:
    async with peer(frail.url, timeout=10) as made:
        yield made


@pytest.mark.parametrize("fate", ["lose", "cut"])
async def test_a_read_is_asked_once_more(frail: Frail, client: PeerClient, fate: str) -> None:
    await client.get("/first")  # a connection that will be used again, and be gone
    for ask in (
        client.get("/x"),
        client.request("POST", "/x", json={"a": 1}, extensions=READ),
    ):
        frail.fates = [fate]
        assert (await ask).content == MARKER
    frail.fates = [fate, fate]
    with pytest.raises(httpx.TransportError):
        await client.get("/x")
    assert len(frail.seen) == 7


async def test_what_writes_is_not_repeated(frail: Frail, client: PeerClient) -> None:
    frail.fates = ["lose"]
    with pytest.raises(httpx.RemoteProtocolError):
        await client.post("/v1/events", json={})
    assert len(frail.seen) == 1


async def test_reading_the_log_goes_on_while_activities_restarts(
    frail: Frail, client: PeerClient
) -> None:
    frail.fates = ["lose", "lose", "cut", 503, 502, "lose"]
    pages = [page async for page in LogReader(client).read(0, [64])]
    assert [marker.through for _, marker in pages] == [7]
    frail.fates = [503] * 50
    with pytest.raises(httpx.HTTPStatusError):
        await anext(LogReader(client, patience_s=0.5).pages(0, [64]))
    frail.fates = [404]
    frail.seen.clear()
    with pytest.raises(httpx.HTTPStatusError):
        await anext(LogReader(client).pages(0, [64]))
    assert len(frail.seen) == 1


def test_our_servers_keep_a_connection_longer_than_our_clients_do() -> None:
    assert KEEP_ALIVE_SECONDS > 2 * IDLE_SECONDS
    command = http_service("registry", {}, Addresses(8000)).argv
    assert not callable(command)
    kept = [command[command.index("--timeout-keep-alive") + 1]]
    kept += re.findall(
        r'"--timeout-keep-alive", "(\d+)"', (ROOT / "deploy/docker/Dockerfile").read_text()
    )
    assert kept == [str(KEEP_ALIVE_SECONDS)] * 4
    origin = (ROOT / "deploy/docker/nginx/nginx.conf").read_text()
    assert all(int(s) < KEEP_ALIVE_SECONDS for s in re.findall(r"keepalive_timeout (\d+)s", origin))
