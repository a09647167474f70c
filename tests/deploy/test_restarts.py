"""May I restart it, may I migrate it: under load, nothing that was answered is lost."""

import asyncio
import io
import re
import signal
import subprocess
import sys
import tarfile
from pathlib import Path

import asyncpg
import pytest

import services.activities
from deploy.local.stack import LocalStack
from services.activities.keys.store import ensure_admin_key
from shared.db import migrate
from tests.activities.wire import Wire, lines
from tests.conftest import migrated_database, new_database
from tests.deploy.restarts import until, with_units
from tests.deploy.serving import ROOT, Poster, activities, in_log

MIGRATIONS = "services/activities/migrations"
pytestmark = pytest.mark.timeout(240)


async def prepared(url: str, folder: Path) -> tuple[dict[str, str], str]:
    """The environment of activities on a migrated database, and an administrator's key."""
    (folder / "pseudonym.key").write_text("ab" * 32)
    connection = await asyncpg.connect(url, server_settings={"search_path": "activities"})
    await ensure_admin_key(connection, folder / "admin.key")
    await connection.close()
    env = {
        "HOCVUSO_ACTIVITIES_DATABASE_URL": url,
        "HOCVUSO_PSEUDONYM_KEY_FILE": str(folder / "pseudonym.key"),
    }
    return env, (folder / "admin.key").read_text().strip()


async def test_a_service_that_is_told_to_stop_answers_what_it_took(
    infrastructure: LocalStack, tmp_path: Path
) -> None:
    database = await migrated_database(infrastructure, "activities")
    env, key = await prepared(database, tmp_path)
    async with activities(ROOT, env) as (process, url):
        await with_units(url, key)
        poster = Poster(url, key)
        posting = asyncio.create_task(poster.run(16))
        await until(poster, 200)
        process.send_signal(signal.SIGTERM)
        code = await asyncio.to_thread(process.wait, 60)
        poster.stopping = True
        await posting
    assert code in (0, -signal.SIGTERM), "it ended by itself, not by kill -9"
    assert not poster.problems, poster.problems[:3]
    # What was answered is there, and what is there was answered: nothing was dropped half-way.
    assert await in_log(database) == set(poster.answered)


async def test_a_service_that_is_told_to_stop_ends_its_streams_with_what_they_are_committed_to(
    infrastructure: LocalStack, tmp_path: Path
) -> None:
    database = await migrated_database(infrastructure, "activities")
    env, key = await prepared(database, tmp_path)
    async with activities(ROOT, env) as (process, url):
        await with_units(url, key)
        async with Wire(int(url.rpartition(":")[2]), key, "police-1", "?acks=none") as wire:
            await wire.send(lines(0, 50))
            told = await wire.read()
            # More lines, and half a line, without waiting for what becomes of them.
            await wire.send(lines(50, 50))
            await wire.send(lines(100, 1)[:40])
            process.send_signal(signal.SIGTERM)
            while "done" not in told[-1]:
                told += await wire.read()
        code = await asyncio.to_thread(process.wait, 60)
    assert code in (0, -signal.SIGTERM), "it ended by itself, not by kill -9"
    last = told[-1]
    # The sender is told that this is not the end, and from which line to go on.
    assert last["done"] is False and last["closed"] is False and "problem" not in last
    assert 50 <= last["committed"] <= 100 and last["accepted"] == last["committed"]
    connection = await asyncpg.connect(database, server_settings={"search_path": "activities"})
    written = {r["id"] for r in await connection.fetch("SELECT id FROM log WHERE id ~ '^[0-9]+$'")}
    kept = await connection.fetchval("SELECT committed FROM stream WHERE name = 'police-1'")
    await connection.close()
    assert written == {str(n) for n in range(last["committed"])}
    assert kept == last["committed"]


async def test_migrations_run_while_the_version_before_them_serves(
    infrastructure: LocalStack, tmp_path: Path
) -> None:
    """The code as it was before the newest migration, under load, while the database moves on."""
    before = _code_before_the_newest_migration(tmp_path / "old")
    database = await new_database(infrastructure, "activities")
    done = await asyncio.to_thread(
        subprocess.run,
        [
            sys.executable, "-c", "import sys; from pathlib import Path; from shared.db import migrate;"
            f" migrate(sys.argv[1], 'activities', Path('{MIGRATIONS}'))", database,
        ],
        cwd=before, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-800:]
    env, key = await prepared(database, tmp_path)
    async with activities(before, env) as (_, url):
        await with_units(url, key)
        poster = Poster(url, key)
        posting = asyncio.create_task(poster.run(8))
        await until(poster, 100)
        folder = Path(services.activities.__path__[0]) / "migrations"
        await asyncio.to_thread(migrate, database, "activities", folder)
        await until(poster, len(poster.answered) + 100)
        poster.stopping = True
        await posting
    assert all(problem.get("retryable") for problem in poster.problems), poster.problems[:3]
    assert poster.cut == 0
    accepted = {id for id, status in poster.answered.items() if status == 201}
    assert len(accepted) >= 200 and await in_log(database) == accepted


def _code_before_the_newest_migration(folder: Path) -> Path:
    """The tree of the last commit that lacked it; skips where there is no history.

    A commit between two branches' merging may hold two newest ones: no version that anybody ran.
    """

    def git(*arguments: str) -> bytes:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False)
        if done.returncode != 0:
            pytest.skip("the history that holds the version before is not here")
        return done.stdout

    def newest(commit: str) -> list[str]:
        """Revisions that no other one follows."""
        text = git("grep", "-hE", "^(down_)?revision\\b.*=", commit, "--", f"{MIGRATIONS}/versions")
        found = re.findall(r'^(down_)?revision\b[^=]*= *"(\w+)"', text.decode(), re.MULTILINE)
        followed = {name for down, name in found if down}
        return [name for down, name in found if not down and name not in followed]

    for changed in git("log", "--format=%H", "--", f"{MIGRATIONS}/versions").decode().split():
        before = f"{changed}^"
        if len(newest(before)) == 1 and newest(before) != newest("HEAD"):
            break
    archive = git("archive", before, "services", "shared")
    with tarfile.open(fileobj=io.BytesIO(archive)) as tree:
        tree.extractall(folder, filter="data")
    return folder
