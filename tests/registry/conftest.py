"""A registry over a database with all units and plans: filled once, copied for each file."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from deploy.local.stack import LocalStack
from services.registry.app import create_app
from services.registry.settings import RegistrySettings
from shared.clock import FixedClock
from shared.contracts.record import LogRecord
from shared.domain.territory import covered
from shared.domain.tree import UnitTree
from tests.conftest import migrated_database, new_database
from tests.registry import fakes

MIGRATIONS = Path(__file__).parents[2] / "services" / "registry" / "migrations"
NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def definitions() -> list[fakes.CloudEvent]:
    return fakes.definition_events()


@pytest.fixture(scope="session")
def tree(definitions: list[fakes.CloudEvent]) -> UnitTree:
    """The tree that the repository's own files make."""
    found = UnitTree()
    for record in fakes.records(definitions):
        found.apply(record)
    return found


@dataclass
class Running:
    """A registry in this process."""

    app: FastAPI
    client: httpx.AsyncClient
    database: asyncpg.Connection
    url: str
    activities: fakes.FakeActivities
    metrics: dict[str, fakes.Answer]

    async def settle(self) -> None:
        """Until registry holds all that is in the log."""
        end = self.activities.rows[-1].position
        for _ in range(300):
            through = await self.database.fetchval("SELECT min(through) FROM registry.progress")
            if through >= end and self.app.state.registry.definitions.position >= max(
                row.position for row in self.activities.rows if row.lane == 64
            ):
                return
            await asyncio.sleep(0.1)
        raise AssertionError(f"registry is at {through} of {end}")

    async def happen(self, *events: fakes.CloudEvent, **more: Any) -> None:
        """Put events into the log and wait until registry knows them."""
        for event in events:
            self.activities.append(event, **more)
        await self.settle()


@asynccontextmanager
async def running(url: str, rows: list[LogRecord]) -> AsyncIterator[Running]:
    """A registry over this database and log, open to readers, once it is ready."""
    activities = fakes.FakeActivities(rows)
    metrics: dict[str, fakes.Answer] = {"answer": fakes.no_metrics}
    app = create_app(
        RegistrySettings(
            registry_database_url=url, registry_open=True, kafka_bootstrap_servers="127.0.0.1:1"
        ),
        FixedClock(NOW),
        activities=activities.transport(),
        metrics=httpx.MockTransport(lambda request: metrics["answer"](request)),
    )
    database = await asyncpg.connect(url)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://registry") as client,
    ):
        for _ in range(300):
            if (await client.get("/health/ready")).status_code == 200:
                break
            await asyncio.sleep(0.1)
        yield Running(app, client, database, url, activities, metrics)
    await database.close()


@pytest.fixture(scope="session")
def defined_rows(definitions: list[fakes.CloudEvent]) -> list[LogRecord]:
    """The definitions as rows of the log."""
    return fakes.records(definitions)


@pytest.fixture(scope="session")
async def filled(
    infrastructure: LocalStack,
    definitions: list[fakes.CloudEvent],
    defined_rows: list[LogRecord],
    tree: UnitTree,
) -> str:
    """A database that registry has filled, with cells of every plan; watermark at 91234."""
    url = await migrated_database(infrastructure, "registry")
    database = await asyncpg.connect(url)
    await database.execute(fakes.INDICATORS)
    await fill(database, definitions, tree)
    await database.close()
    async with running(url, list(defined_rows)):
        pass
    return url


@pytest.fixture(scope="module")
async def registry(
    infrastructure: LocalStack, filled: str, defined_rows: list[LogRecord]
) -> AsyncIterator[Running]:
    """A registry of its own for each file of tests: what one posts, others do not see."""
    url = await new_database(infrastructure, "registry", like=filled)
    async with running(url, list(defined_rows)) as found:
        yield found


async def fill(
    database: asyncpg.Connection, definitions: list[fakes.CloudEvent], tree: UnitTree
) -> None:
    """Cells of every plan for its units of today."""
    for event in definitions:
        if not event["type"].endswith("plan.published"):
            continue
        plan = event["data"]["document"]
        scope = plan["unit"]
        units = [
            u.unit_id
            for u in tree.units()
            if u.exists(fakes.TODAY)
            and u.level in ("province", "commune")
            and u.unit_id in covered(tree, scope)
        ]
        sizes = [(unit_id, 900 + i * 137) for i, unit_id in enumerate(sorted({scope, *units}))]
        await database.copy_records_to_table(
            "cells",
            schema_name="indicators",
            columns=fakes.CELL_COLUMNS,
            records=fakes.cell_rows(plan, sizes, fakes.TODAY),
        )
        for objective in plan["objectives"]:
            state = "not_counted" if objective.get("not_counted") else "counted"
            await database.execute(
                "INSERT INTO indicators.objectives_state VALUES ($1, $2, $3, $4)",
                plan["id"],
                objective["id"],
                state,
                objective.get("not_counted"),
            )
    await database.execute(
        "INSERT INTO indicators.watermark VALUES (91234, $1, $2, 'e1')", NOW, fakes.TODAY
    )
