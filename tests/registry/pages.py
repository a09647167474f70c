"""Registry's pages on a real port."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
import uvicorn

from tests.registry.conftest import Running


@pytest.fixture
async def address(registry: Running) -> AsyncIterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(
        uvicorn.Config(registry.app, port=port, log_level="error", lifespan="off")
    )
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.05)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await serving
