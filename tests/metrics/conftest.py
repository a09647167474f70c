"""A migrated database for metrics, and a log in memory that serves as activities would."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from deploy.local.stack import LocalStack
from shared.contracts.definitions import Catalogue
from shared.db import connect_pool
from tests.conftest import migrated_database, no_task_outlives

MIGRATIONS = Path(__file__).parents[2] / "services" / "metrics" / "migrations"

EMPTY = """
TRUNCATE evidence, evidence_past, tally, dirty, definition, parked, dismissed, first_day, measure, combination,
         cell, objective_state, worker, unseen, tally_span, span_state;
UPDATE progress SET last = 0, through = 0, owner = NULL, fence = 0;
UPDATE projection SET log_epoch = NULL, generation = 0, whole_from = 0;
UPDATE shown SET position = 0, refreshed_at = NULL, as_of = NULL, log_epoch = NULL;
"""


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return Catalogue.load()


@pytest.fixture(scope="session")
async def database(infrastructure: LocalStack) -> str:
    """The address of a database with the tables of metrics."""
    url = await migrated_database(infrastructure, "metrics")
    return url


@pytest.fixture(scope="session")
async def session_pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    pool = await connect_pool(database, "metrics", high=8)
    yield pool
    await pool.close()


@pytest.fixture
async def pool(session_pool: asyncpg.Pool) -> AsyncIterator[asyncpg.Pool]:
    """The database, emptied. Workers that a failing test leaves behind do not outlive it."""
    await empty(session_pool)
    async with no_task_outlives():
        yield session_pool


async def empty(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        await connection.execute(EMPTY)
