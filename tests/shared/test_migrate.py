"""Migrations beside others that work: steps give way, fail whole, and are run by one at a time."""

import asyncio
import sys
from pathlib import Path

import asyncpg
import pytest

from deploy.doctor.databases import newest_revision
from deploy.local.stack import LocalStack
from shared import alembic_env
from shared.db import is_newest, migrate
from tests.conftest import new_database

STEP = '''
from alembic import op
revision, down_revision = "{revision}", {before}
branch_labels = depends_on = None

def upgrade():
    op.execute("""{sql}""")
'''
FIRST = "CREATE TABLE thing (n int); CREATE TABLE other (n int)"


def history(folder: Path, *steps: str) -> Path:
    """An Alembic history whose steps run these statements."""
    (folder / "versions").mkdir(parents=True, exist_ok=True)
    (folder / "env.py").write_text("from shared.alembic_env import run\nrun()\n")
    before = "None"
    for number, sql in enumerate(steps, 1):
        text = STEP.format(revision=f"{number:04}", before=before, sql=sql)
        (folder / "versions" / f"{number:04}_step.py").write_text(text)
        before = f'"{number:04}"'
    return folder


@pytest.fixture
async def database(infrastructure: LocalStack) -> str:
    return await new_database(infrastructure, "activities")


async def connect(url: str) -> asyncpg.Connection:
    return await asyncpg.connect(url, server_settings={"search_path": "scratch"})


async def test_a_step_gives_way_to_who_works_in_the_table(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alembic_env, "LOCK_SECONDS", 0.3)
    await asyncio.to_thread(migrate, database, "scratch", history(tmp_path, FIRST))
    reader, writer = await connect(database), await connect(database)
    reading = reader.transaction()
    await reading.start()
    await reader.fetch("SELECT * FROM thing")

    folder = history(tmp_path, FIRST, "ALTER TABLE thing ADD COLUMN more int")
    migrating = asyncio.create_task(asyncio.to_thread(migrate, database, "scratch", folder))
    # Whoever comes while the step waits for the reader, waits behind it; but never for the reader.
    waited = 0
    while waited < 3 and not migrating.done():
        waiting = await writer.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND datname = current_database() AND query LIKE 'ALTER%'"
        )
        if waiting:
            await asyncio.wait_for(writer.execute("INSERT INTO thing VALUES (1)"), 20)
            waited += 1
        await asyncio.sleep(0.01)
    assert not migrating.done()
    await reading.commit()
    await migrating
    assert await reader.fetch("SELECT more FROM thing") == [(None,)] * 3
    await reader.close()
    await writer.close()


async def test_a_step_that_never_gets_its_lock_changes_nothing_and_says_what_to_do(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alembic_env, "LOCK_SECONDS", 0.1)
    await asyncio.to_thread(migrate, database, "scratch", history(tmp_path, FIRST))
    reader = await connect(database)
    step = "ALTER TABLE other ADD COLUMN more int; ALTER TABLE thing ADD COLUMN more int"
    folder = history(tmp_path, FIRST, step)
    async with reader.transaction():
        await reader.fetch("SELECT * FROM thing")
        with pytest.raises(RuntimeError, match="pg_stat_activity"):
            await asyncio.to_thread(migrate, database, "scratch", folder, patience_s=0.1)
        columns = "SELECT count(*) FROM information_schema.columns WHERE column_name = 'more'"
        assert await reader.fetchval(columns) == 0
    await asyncio.to_thread(migrate, database, "scratch", folder)
    assert await reader.fetchval(columns) == 2
    await reader.close()


async def test_a_step_that_fails_leaves_the_one_before_it_serving(
    database: str, tmp_path: Path
) -> None:
    wrong = "CREATE TABLE more (n int); SELECT 1 / 0"
    folder = history(tmp_path, FIRST, "CREATE TABLE second (n int)", wrong)
    with pytest.raises(Exception, match="division by zero"):
        await asyncio.to_thread(migrate, database, "scratch", folder)
    connection = await connect(database)
    assert await connection.fetchval("SELECT version_num FROM alembic_version") == "0002"
    assert await connection.fetchval("SELECT to_regclass('more')") is None
    await connection.execute("INSERT INTO thing VALUES (1); INSERT INTO second VALUES (1)")
    folder = history(tmp_path, FIRST, "CREATE TABLE second (n int)", "CREATE TABLE more (n int)")
    await asyncio.to_thread(migrate, database, "scratch", folder)
    assert await connection.fetchval("SELECT count(*) FROM second") == 1
    await connection.close()


async def test_two_who_migrate_at_once_do_it_once(database: str, tmp_path: Path) -> None:
    folder = history(tmp_path, FIRST, "SELECT pg_sleep(0.5); INSERT INTO thing VALUES (1)")
    # Alembic keeps its context in the process: the second one is a process of its own.
    code = (
        "import sys; from pathlib import Path; from shared.db import migrate;"
        " migrate(sys.argv[1], 'scratch', Path(sys.argv[2]))"
    )
    both = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", code, database, str(folder))
        for _ in range(2)
    ]
    assert [await process.wait() for process in both] == [0, 0]
    connection = await connect(database)
    assert await connection.fetchval("SELECT count(*) FROM thing") == 1
    await connection.close()


@pytest.mark.parametrize("service", ["activities", "metrics", "registry"])
async def test_what_is_newest_need_not_be_migrated(
    infrastructure: LocalStack, service: str
) -> None:
    """Found by the names of the files, without the library that runs them."""
    migrations = Path(__file__).parents[2] / "services" / service / "migrations"
    url = await new_database(infrastructure, service)
    assert not await is_newest(url, service, migrations)
    last = newest_revision(service)
    revisions = sorted(p.name[:4] for p in (migrations / "versions").glob("[0-9]*.py"))
    assert revisions[-1] == last
    await asyncio.to_thread(migrate, url, service, migrations, revision=revisions[0])
    assert await is_newest(url, service, migrations) == (len(revisions) == 1)
    await asyncio.to_thread(migrate, url, service, migrations)
    assert await is_newest(url, service, migrations)
