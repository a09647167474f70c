"""The three services over databases of their own, each asking the real activities about credentials."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from services.activities.keys.files import ensure_service_keys
from services.metrics.app import create_app as create_metrics
from services.metrics.projecting.projection import MetricsProjection
from services.metrics.settings import MetricsSettings
from services.registry.app import create_app as create_registry
from services.registry.settings import RegistrySettings
from shared.auth.service import SERVICES, service_key
from shared.clock import FixedClock
from shared.contracts.definitions import Catalogue
from shared.contracts.record import LANES, LogRecord
from shared.db import connect_pool
from shared.lane_consumer import LaneConsumer
from tests.conftest import migrated_database, new_database
from tests.keys.conftest import Api
from tests.keys.conftest import admin as admin
from tests.keys.conftest import api as api
from tests.keys.conftest import clock as clock
from tests.keys.conftest import database as database
from tests.keys.conftest import service as service
from tests.keys.conftest import settings as settings
from tests.keys.invitations import accept, invite
from tests.metrics.memory_log import MemoryLog
from tests.metrics.smoke import DAY, a_province
from tests.registry import fakes
from tests.registry.conftest import NOW
from tests.registry.conftest import defined_rows as defined_rows
from tests.registry.conftest import definitions as definitions
from tests.registry.conftest import filled as filled
from tests.registry.conftest import tree as tree
from tests.rights.matrix import EVENT


class LogApart(httpx.AsyncBaseTransport):
    """activities as registry asks it: its log is a list in memory, all else is the real service."""

    def __init__(self, log: httpx.MockTransport, app: FastAPI) -> None:
        self._log, self._rest = log, httpx.ASGITransport(app)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        receipt = path == "/v1/events" and request.method == "GET"
        to = self._log if receipt or path.startswith("/v1/log") else self._rest
        return await to.handle_async_request(request)


@dataclass
class System:
    """The three services and a credential of each kind."""

    clients: dict[str, httpx.AsyncClient]
    apps: dict[str, FastAPI]
    api: Api
    credentials: dict[str, str | None]
    staff_key: str

    async def credential(self, principal: str) -> str | None:
        """The credential of a principal; of a session a fresh one, since some routes end it."""
        if principal != "session of that staff":
            return self.credentials[principal]
        made = await self.api.with_key(self.staff_key)("POST", "/v1/sessions", {})
        return str(made["session"])


@pytest.fixture
async def system(
    service: tuple[FastAPI, httpx.AsyncClient],
    api: Api,
    clock: FixedClock,
    infrastructure: Any,
    filled: str,
    defined_rows: list[LogRecord],
    tmp_path: Path,
) -> AsyncIterator[System]:
    app, client = service
    app.state.attempts.most = 10**9
    url = await migrated_database(infrastructure, "metrics")
    pool = await connect_pool(url, "metrics", high=3)
    await _count(pool)
    await pool.close()
    metrics = create_metrics(
        MetricsSettings(metrics_database_url=url, key_cache_seconds=0, service_key_folder=tmp_path),
        clock,
        activities=httpx.ASGITransport(app),
    )
    log = fakes.FakeActivities(list(defined_rows))
    registry = create_registry(
        RegistrySettings(
            registry_database_url=await new_database(infrastructure, "registry", like=filled),
            kafka_bootstrap_servers="127.0.0.1:1",
            key_cache_seconds=0,
            service_key_folder=tmp_path,
        ),
        FixedClock(NOW),
        activities=LogApart(log.transport(), app),
        metrics=httpx.ASGITransport(metrics),
    )
    log.append(EVENT)
    async with (
        metrics.router.lifespan_context(metrics),
        registry.router.lifespan_context(registry),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(metrics, raise_app_exceptions=False),
            base_url="http://metrics",
        ) as to_metrics,
        httpx.AsyncClient(
            transport=httpx.ASGITransport(registry, raise_app_exceptions=False),
            base_url="http://registry",
        ) as to_registry,
    ):
        for _ in range(300):
            if (await to_registry.get("/health/ready")).status_code == 200:
                break
            await asyncio.sleep(0.1)
        clients = {"activities": client, "metrics": to_metrics, "registry": to_registry}
        apps = {"activities": app, "metrics": metrics, "registry": registry}
        credentials = await _credentials(api, app, clock, tmp_path)
        yield System(clients, apps, api, credentials, str(credentials["staff that invites"]))


async def _count(pool: asyncpg.Pool) -> None:
    """A province with one certified person, as metrics has counted it."""
    catalogue = Catalogue.load()
    log = MemoryLog(catalogue)
    a_province(log)
    person = {"person_ref": "cccd:A", "target_groups": ["adult"]}
    log.post("citizen.certified", "24133@2025", DAY, DAY, person)
    projection = MetricsProjection(pool, "w", catalogue)
    await projection.begin(frozenset(range(LANES)))
    consumer = LaneConsumer(projection, log, "unused:1", "test")  # type: ignore[arg-type]
    await consumer.catch_up(list(range(LANES)))


async def _credentials(
    api: Api, app: FastAPI, clock: FixedClock, folder: Path
) -> dict[str, str | None]:
    async def made(name: str, role: str, *scopes: str, **more: Any) -> str:
        order = {"name": name, "roles": [role], "scopes": list(scopes)} | more
        return str((await api("POST", "/v1/keys", order))["key"])

    ended = await made("p-0", "telecom", "events:write", "tables:read")
    await api.ask("DELETE", f"/v1/keys/{ended.split('_')[1]}")
    async with app.state.pool.acquire() as connection:
        await ensure_service_keys(connection, folder)
    head = await accept(api, (await invite(api, "administrator", "66"))["code"])
    every = ("events:write", "events:stream", "xapi:write", "quarantine:replay")
    commune = {"subtree": "24133@2025"}
    found: dict[str, str | None] = {
        "nobody": None,
        "wrong key": "hv_00000000_wrong",
        "ended key": ended,
        "partner that writes": await made("p-1", "telecom", "events:write"),
        "partner with every way in": await made("p-2", "mooc", *every),
        "reader of the commune": await made("r-1", "reader", "tables:read", **commune),
        "reader of another province": await made("r-2", "reader", "tables:read", subtree="75@2025"),
        "staff of the commune": await made("s-1", "commune", "events:write", "tables:read", **commune),
        "staff that invites": head["key"],
        "session of that staff": None,
        "administrator": api.key,
    }  # fmt: skip
    for name in SERVICES:
        found[f"service {name}"] = service_key(folder, name).read_text().strip()
    clock.at += timedelta(seconds=1)
    return found
