"""The front door with a log in memory; and, for what needs it, with the real one."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from deploy.local.stack import LocalStack
from services.activities.app import create_app
from services.activities.ingest import openapi
from services.activities.ingest.door import Door as FrontDoor
from services.activities.ingest.intake import Intake
from services.activities.keys.model import Key
from services.activities.keys.store import ensure_admin_key
from services.activities.privacy import Pseudonyms
from services.activities.settings import ActivitiesSettings
from shared.clock import FixedClock
from shared.contracts.definitions import Catalogue
from tests.activities.fake import FakeKeys, FakeLog
from tests.activities.posting import UNITS, send, unit
from tests.conftest import migrated_database
from tests.described import AnswersAsDescribed

NOW = datetime(2026, 7, 1, 8, tzinfo=UTC)
PSEUDONYM_KEY = bytes(range(32))


@dataclass
class Door:
    """The service to post to, and what lies behind it."""

    client: httpx.AsyncClient
    app: FastAPI
    log: FakeLog
    intake: Intake


def _client(app: FastAPI) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx.AsyncClient(
        transport=transport,
        base_url="http://activities",
        event_hooks={"response": [AnswersAsDescribed(app)]},
    )


@pytest.fixture(scope="session")
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture(scope="session")
def intake(clock: FixedClock) -> Intake:
    return Intake(Catalogue.load(), Pseudonyms(PSEUDONYM_KEY), clock)


@pytest.fixture
async def door(intake: Intake, clock: FixedClock) -> AsyncIterator[Door]:
    app = create_app()
    log = FakeLog()
    every = frozenset({"events:write", "events:stream"})
    app.state.door, app.state.clock = FrontDoor(intake, log), clock
    app.state.catalogue = Catalogue.load()
    app.state.keys = FakeKeys(
        police=Key("police", "police", frozenset({"police"}), every),
        commune=Key("commune", "commune", frozenset({"commune"}), every),
        admin=Key("admin", "admin", frozenset({"administrator"}), every),
        bound=Key(
            "bound",
            "bound",
            frozenset({"police", "commune"}),
            every,
            types=("course.*", "citizen.certified"),
            sources=("https://congan.daklak.example/vneid",),
        ),
        mute=Key("mute", "mute", frozenset({"police"}), frozenset()),
    )
    openapi.install(app, app.state.catalogue)
    async with _client(app) as client:
        yield Door(client, app, log, intake)


@pytest.fixture
async def database(infrastructure: LocalStack) -> str:
    """The address of a migrated, empty database."""
    url = await migrated_database(infrastructure, "activities")
    return url


@pytest.fixture
def settings(database: str, tmp_path: Path) -> ActivitiesSettings:
    key_file = tmp_path / "pseudonym.key"
    key_file.write_text(PSEUDONYM_KEY.hex())
    return ActivitiesSettings(activities_database_url=database, pseudonym_key_file=key_file)


@pytest.fixture
async def service(
    settings: ActivitiesSettings, clock: FixedClock
) -> AsyncIterator[tuple[FastAPI, httpx.AsyncClient]]:
    """The whole service on a real database, its lifespan running."""
    app = create_app(settings, clock)
    async with app.router.lifespan_context(app), _client(app) as client:
        yield app, client


@pytest.fixture
async def admin(service: tuple[FastAPI, httpx.AsyncClient], tmp_path: Path) -> str:
    """The administrator's key; the units are there."""
    return await administered(service, tmp_path)


async def administered(service: tuple[FastAPI, httpx.AsyncClient], folder: Path) -> str:
    """Post the units; the administrator's key."""
    app, client = service
    path = folder / "admin.key"
    async with app.state.pool.acquire() as connection:
        await ensure_admin_key(connection, path)
    key = path.read_text().strip()
    answer = await send(client, key, [unit(*u) for u in UNITS])
    assert answer["accepted"] == len(UNITS), answer
    return key


@pytest.fixture(scope="module")
async def shared_service(
    infrastructure: LocalStack, clock: FixedClock, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[FastAPI, httpx.AsyncClient, str]]:
    """One service with an administrator's key for all tests of a file that leave no traces."""
    folder = tmp_path_factory.mktemp("shared")
    key_file = folder / "pseudonym.key"
    key_file.write_text(PSEUDONYM_KEY.hex())
    url = await migrated_database(infrastructure, "activities")
    app = create_app(
        ActivitiesSettings(activities_database_url=url, pseudonym_key_file=key_file), clock
    )
    async with app.router.lifespan_context(app), _client(app) as client:
        yield app, client, await administered((app, client), folder)


@pytest.fixture
async def port(service: tuple[FastAPI, httpx.AsyncClient]) -> AsyncIterator[int]:
    server = uvicorn.Server(
        uvicorn.Config(service[0], port=0, lifespan="off", log_level="warning", log_config=None)
    )
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await task
