"""Activities' routes under what foreign clients send, with the administrator's key and without."""

from typing import Any

import httpx
import pytest

from tests import foreign
from tests.keys.conftest import Api
from tests.keys.routes import VALUES


@pytest.mark.parametrize("signed_in", [True, False])
async def test_nothing_is_answered_by_a_5xx(
    service: tuple[Any, httpx.AsyncClient], api: Api, signed_in: bool
) -> None:
    app, client = service
    if signed_in:
        client.headers["Authorization"] = f"Bearer {api.key}"
    client.headers["X-Experience-API-Version"] = "1.0.3"
    assert await foreign.bad_bodies(app, client, VALUES) == []
    assert await foreign.bad_parameters(app, client, VALUES) == []
    assert await foreign.bad_credentials(app, client, VALUES) == []


async def test_head_and_allow(service: tuple[Any, httpx.AsyncClient], api: Api) -> None:
    app, client = service
    client.headers["Authorization"] = f"Bearer {api.key}"
    assert await foreign.unlike_heads(app, client, VALUES) == []
