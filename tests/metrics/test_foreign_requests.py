"""Metrics' routes under what foreign clients send."""

import httpx

from tests import foreign
from tests.metrics.serving import client as client

VALUES = {"position": 1}


async def test_nothing_is_answered_by_a_5xx(client: httpx.AsyncClient) -> None:
    app = client._transport.app  # type: ignore[attr-defined]
    assert await foreign.bad_bodies(app, client, VALUES) == []
    assert await foreign.bad_parameters(app, client, VALUES) == []
    assert await foreign.bad_credentials(app, client, VALUES) == []
    assert await foreign.unlike_heads(app, client, VALUES) == []
