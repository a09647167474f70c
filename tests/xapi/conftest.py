"""A learning platform with a key of its own, on the real service."""

import base64
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tests.activities.conftest import admin, clock, database, port, service, settings

__all__ = ["admin", "clock", "database", "port", "service", "settings"]

SOURCE = "https://mooc.example"


@dataclass
class Platform:
    """A partner's platform as it talks to the service."""

    app: FastAPI
    client: httpx.AsyncClient
    key: str

    @property
    def headers(self) -> dict[str, str]:
        text = base64.b64encode(f"mooc:{self.key}".encode()).decode()
        return {"Authorization": f"Basic {text}", "X-Experience-API-Version": "1.0.3"}

    async def post(self, body: Any) -> httpx.Response:
        return await self.client.post("/xapi/statements", json=body, headers=self.headers)

    async def get(self, path: str = "/xapi/statements", **params: Any) -> httpx.Response:
        return await self.client.get(path, params=params, headers=self.headers)

    async def events(self) -> list[Any]:
        """The events of the platform in the log, first rows only."""
        return list(
            await self.app.state.pool.fetch(
                "SELECT id, source, type, unit_id, time, data, position FROM log"
                " WHERE partner = 'mooc' AND ordinal = 0 ORDER BY position"
            )
        )

    async def kept(self) -> list[Any]:
        """The rows of statements."""
        return list(await self.app.state.pool.fetch("SELECT * FROM xapi_statement ORDER BY seq"))

    async def standing(self, event_id: str) -> bool:
        """Whether the newest revision of an event says something."""
        row = await self.app.state.pool.fetchrow(
            "SELECT l.void FROM log l JOIN log o ON l.origin = o.position"
            " WHERE o.id = $1 AND o.ordinal = 0 AND o.origin = o.position"
            " ORDER BY l.revision DESC LIMIT 1",
            event_id,
        )
        return not row["void"]


@pytest.fixture
async def mooc(service: tuple[FastAPI, httpx.AsyncClient], admin: str) -> Platform:
    app, client = service
    key = await app.state.keys.create(
        "mooc", roles=["mooc", "department"], scopes=["xapi:write"], sources=[SOURCE]
    )
    return Platform(app, client, key)
