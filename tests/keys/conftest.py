"""The whole service on a real database, as the tests of the front door have it."""

from typing import Any

import httpx
import pytest

from shared.clock import FixedClock
from tests.activities.conftest import NOW
from tests.activities.conftest import admin as admin
from tests.activities.conftest import database as database
from tests.activities.conftest import port as port
from tests.activities.conftest import service as service
from tests.activities.conftest import settings as settings


@pytest.fixture
def clock() -> FixedClock:
    """A clock of its own for each test: these tests move it."""
    return FixedClock(NOW)


class Api:
    """Requests with a key."""

    def __init__(self, client: httpx.AsyncClient, key: str) -> None:
        self.client, self.key = client, key

    async def __call__(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        """The JSON of the answer; `code` of a problem is checked by the caller."""
        answer = await self.ask(method, path, json=body, **more)
        return answer.json() if answer.content else None

    async def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """The answer."""
        headers = {"Authorization": f"Bearer {self.key}", **more.pop("headers", {})}
        return await self.client.request(method, path, headers=headers, **more)

    def with_key(self, key: str) -> "Api":
        """The same with another key."""
        return Api(self.client, key)


@pytest.fixture
def api(service: tuple[Any, httpx.AsyncClient], admin: str) -> Api:
    """Requests with the administrator's key."""
    return Api(service[1], admin)
