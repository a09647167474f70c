"""From which position on nothing is missing, after a migration beside workers of the version before."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

import services.metrics
from deploy.local.stack import LocalStack
from shared.db import migrate
from tests.conftest import new_database

MIGRATIONS = Path(services.metrics.__path__[0]) / "migrations"


@pytest.mark.parametrize(("before", "after"), [(5, 9), (0, 0)])
async def test_what_is_whole_begins_where_the_version_before_stopped_to_count(
    infrastructure: LocalStack, before: int, after: int
) -> None:
    """It counted from 5 to 9 after 0004; a projection that was whole from the start stays so."""
    url = await new_database(infrastructure, "metrics")
    await asyncio.to_thread(migrate, url, "metrics", MIGRATIONS, revision="0005")
    connection = await asyncpg.connect(url, server_settings={"search_path": "metrics"})
    try:
        await connection.execute("UPDATE projection SET whole_from = $1", before)
        await connection.execute("UPDATE progress SET last = 9, through = 9 WHERE lane = 3")
        await asyncio.to_thread(migrate, url, "metrics", MIGRATIONS, revision="0006")
        assert await connection.fetchval("SELECT whole_from FROM projection") == after
    finally:
        await connection.close()
