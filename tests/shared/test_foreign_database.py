"""A database that holds something else is refused, and nothing in it is changed."""

import os
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from deploy.local.stack import LocalStack
from shared.db import ForeignDatabase, refuse_foreign
from tests.conftest import new_database

ROOT = Path(__file__).parents[2]


async def test_migrate_refuses_a_foreign_database_and_changes_nothing(
    infrastructure: LocalStack, tmp_path: Path
) -> None:
    url = await new_database(infrastructure, "activities")
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE SCHEMA shop; CREATE TABLE shop.orders (id int)")
    with pytest.raises(ForeignDatabase, match="shop"):
        await refuse_foreign(url, "activities")
    ran = subprocess.run(
        [sys.executable, "-m", "deploy.local", "migrate"],
        cwd=ROOT,
        env={
            **os.environ,
            "HOCVUSO_ACTIVITIES_DATABASE_URL": url,
            "HOCVUSO_METRICS_DATABASE_URL": url,
            "HOCVUSO_REGISTRY_DATABASE_URL": url,
            "HOCVUSO_ADMIN_KEY_FILE": str(tmp_path / "admin.key"),
            "HOCVUSO_SERVICE_KEY_FOLDER": str(tmp_path / "services"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert "HOCVUSO_ACTIVITIES_DATABASE_URL" in ran.stderr
    assert "Traceback" not in ran.stderr
    schemas = await connection.fetch(
        "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'"
    )
    assert sorted(r["nspname"] for r in schemas) == ["public", "shop"]
    assert not (tmp_path / "admin.key").exists()
    await connection.close()


async def test_an_empty_database_and_our_own_are_taken(infrastructure: LocalStack) -> None:
    url = await new_database(infrastructure, "activities")
    await refuse_foreign(url, "activities")
    connection = await asyncpg.connect(url)
    await connection.execute(
        "CREATE SCHEMA a; COMMENT ON SCHEMA a IS 'hocvuso:a'; CREATE TABLE a.t ()"
    )
    await connection.close()
    await refuse_foreign(url, "activities")
