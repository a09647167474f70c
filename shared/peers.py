"""Clients with which services read from each other.

A connection may be lost at any moment: the other side restarts, or closed it while it was idle (our
servers keep one longer than these clients do, see `shared/serving.py`). A read changes nothing, so it
is asked again; whatever writes is never repeated here.
"""

import asyncio
from typing import Any

import httpx

IDLE_SECONDS = 30.0
LOST = (httpx.NetworkError, httpx.RemoteProtocolError)
"""A connection that could not be made or broke, before the answer was whole."""

_READS = frozenset({"GET", "HEAD", "OPTIONS"})
READ: dict[str, Any] = {"read": True}
"""`extensions` of a POST that reads only (its question is too long for an address)."""

_PAUSE_SECONDS = 0.1


class PeerClient(httpx.AsyncClient):
    """An httpx.AsyncClient that asks a read again, once, when its connection was lost."""

    async def send(
        self, request: httpx.Request, *, stream: bool = False, **how: Any
    ) -> httpx.Response:
        """As httpx's; also raises what the second try raises."""
        try:
            return await super().send(request, stream=stream, **how)
        except LOST:
            if not (request.method in _READS or request.extensions.get("read")):
                raise
        await asyncio.sleep(_PAUSE_SECONDS)
        return await super().send(request, stream=stream, **how)


def peer(
    url: str,
    credential: httpx.Auth | None = None,
    *,
    timeout: httpx.Timeout | float,
    transport: httpx.AsyncBaseTransport | None = None,
) -> PeerClient:
    """A client of another service, by this machine's own network only (no proxies). `credential`:
    what it shows of its own."""
    return PeerClient(
        base_url=url,
        auth=credential,
        timeout=timeout,
        trust_env=False,
        transport=transport,
        limits=httpx.Limits(
            max_connections=100, max_keepalive_connections=20, keepalive_expiry=IDLE_SECONDS
        ),
    )
