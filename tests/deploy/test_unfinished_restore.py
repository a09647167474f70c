"""A restore that was interrupted is refused with what to do, and never taken for a healthy system."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from deploy.local import backup as backups
from deploy.local import services
from deploy.local.errors import StackError
from deploy.local.home import Home
from deploy.local.stack import LocalStack, infrastructure_only
from shared.db import UNFINISHED_RESTORE, ForeignDatabase, connect_pool_when_there, refuse_foreign
from tests.deploy.backups import ROOT, hocvuso

pytestmark = [pytest.mark.timeout(600), pytest.mark.slow]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """PostgreSQL with the tables of all services; nothing runs above it."""
    with LocalStack(
        tmp_path_factory.mktemp("source") / "home",
        stages=lambda env, addresses: services.stages(env, addresses)[:1],
    ) as made:
        yield made


@pytest.fixture(scope="module")
def backup(source: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("backup") / "made"
    asyncio.run(backups.back_up(source.superuser_url, folder))
    return folder


def test_a_killed_restore_is_refused_until_it_is_run_again(
    source: LocalStack, backup: Path, tmp_path: Path
) -> None:
    home = Home(tmp_path / "home")
    home.path.mkdir(mode=0o700)
    home.pseudonym_key.write_text(source.home.pseudonym_key.read_text())
    restoring = subprocess.Popen(
        [sys.executable, "-m", "deploy.local", "restore", str(backup)],
        env={**os.environ, "HOCVUSO_HOME": str(home.path)}, cwd=ROOT,
    )  # fmt: skip
    while not home.postgres.exists():
        assert restoring.poll() is None
        time.sleep(0.01)
    os.kill(restoring.pid, signal.SIGKILL)
    restoring.wait()
    said = _refusal(home)
    while "another supervisor" in said:  # its children end after it, and hold the home until then
        time.sleep(0.1)
        said = _refusal(home)
    assert re.search(r"never finished(.|\n)*run the same `hocvuso restore DIR`", said), said
    done = hocvuso("restore", backup, home=home.path)
    assert done.returncode == 0, done.stderr
    assert "throwing away the unfinished restore" in done.stdout
    with LocalStack(home.path, stages=infrastructure_only, report=lambda _: None) as stack:
        asyncio.run(refuse_foreign(stack.superuser_url, "activities"))
    assert hocvuso("restore", backup, home=home.path).returncode == 1, "it holds data now"


def _refusal(home: Home) -> str:
    with pytest.raises(StackError) as refused:
        LocalStack(home.path, stages=infrastructure_only, report=lambda _: None).start()
    return str(refused.value)


async def test_a_database_without_its_new_epoch_is_used_by_nobody(
    source: LocalStack, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = await asyncpg.connect(source.superuser_url)
    url = source.superuser_url.rsplit("/", 1)[0] + "/half"
    try:
        await admin.execute("CREATE DATABASE half")

        async def dies(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(backups, "start_over", dies)
        with pytest.raises(KeyboardInterrupt):
            await backups.restore(url, backup)
        monkeypatch.undo()
        with pytest.raises(
            ForeignDatabase, match=r"unfinished restore of made(.|\n)*drop this database"
        ):
            await refuse_foreign(url, "activities")
        waiting = asyncio.create_task(connect_pool_when_there(url, "activities"))
        done, _ = await asyncio.wait({waiting}, timeout=2)
        assert not done, "a service waits, and says why, until somebody has looked"
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await admin.execute("DROP DATABASE half WITH (FORCE)")
        await admin.execute("CREATE DATABASE half")
        await backups.restore(url, backup)
        await refuse_foreign(url, "activities")
        pool = await connect_pool_when_there(url, "activities")
        note = await pool.fetchval(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = 'half'"
        )
        await pool.close()
        assert not (note or "").startswith(UNFINISHED_RESTORE)
    finally:
        await admin.execute("DROP DATABASE IF EXISTS half WITH (FORCE)")
        await admin.close()
