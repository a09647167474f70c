"""Backup and restore of real processes: the same tables again, under a new log epoch."""

import asyncio
import errno
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from deploy.local import backup as backups
from deploy.local.backup import read_manifest
from deploy.local.postgres import find_binaries
from deploy.local.stack import LocalStack
from deploy.start_over import PROJECTIONS
from tests.activities.posting import UNITS
from tests.deploy.backups import (
    ROOT,
    Rows,
    ask,
    certified,
    counted,
    hocvuso,
    post,
    table,
    without_load,
)
from tests.deploy.backups import stack as stack

pytestmark = [pytest.mark.timeout(300), pytest.mark.slow]


@pytest.fixture(scope="module")
def backup(stack: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of it."""
    folder = tmp_path_factory.mktemp("backup") / "made"
    assert hocvuso("backup", folder, home=stack.home.path).returncode == 0
    return folder


def test_a_restored_log_shows_the_same_tables_under_a_new_epoch(
    stack: LocalStack, tmp_path: Path
) -> None:
    key, epoch, before, shown = _saved(stack, tmp_path)
    new = tmp_path / "new"
    refused = hocvuso("restore", tmp_path / "backup", home=new)
    assert refused.returncode == 1 and "pseudonym key" in refused.stderr, refused.stderr
    assert not (new / "postgres").exists()
    new.mkdir(exist_ok=True)
    (new / "pseudonym.key").write_text(key)
    done = hocvuso("restore", tmp_path / "backup", home=new)
    assert done.returncode == 0, done.stderr
    again = hocvuso("restore", tmp_path / "backup", home=new)
    assert again.returncode == 1 and "holds data already" in again.stderr

    with LocalStack(new, stages=without_load) as restored:
        assert counted(restored) == before
        assert table(restored) == shown
        assert ask(restored.superuser_url, "SELECT epoch FROM activities.counter") != epoch
        # Sent again by the partner: those before the backup are known, those after are new.
        answer = post(restored, *(certified(n) for n in range(60)))
        assert (answer["duplicates"], answer["accepted"]) == (50, 10)


def _saved(stack: LocalStack, tmp_path: Path) -> tuple[str, Rows, Rows, Any]:
    """Some events, a backup, and more events that are lost with the machine."""
    assert post(stack, *(certified(n) for n in range(50)))["accepted"] == 50
    before = counted(stack)
    epoch = ask(stack.superuser_url, "SELECT epoch FROM activities.counter")
    made = hocvuso("backup", tmp_path / "backup", home=stack.home.path)
    assert made.returncode == 0, made.stderr
    assert {p.name for p in (tmp_path / "backup").iterdir()} == {"hocvuso.dump", "manifest.json"}
    key = stack.home.pseudonym_key.read_text().strip()
    assert key.encode() not in (tmp_path / "backup/hocvuso.dump").read_bytes()
    shown = table(stack)
    assert any(cell["value"] == 50 for row in shown for cell in row["cells"].values())
    assert post(stack, *(certified(n) for n in range(50, 60)))["accepted"] == 10
    return key, epoch, before, shown


def test_the_drill(stack: LocalStack, tmp_path: Path) -> None:
    """Well; with a key that is not the log's; and with a log that is not the running one."""
    counted(stack)
    made = hocvuso("backup", tmp_path / "backup", home=stack.home.path)
    assert made.returncode == 0, made.stderr

    def drill(key: Path) -> subprocess.CompletedProcess[str]:
        return hocvuso("drill", tmp_path / "backup", "--key", key, home=stack.home.path)

    done = drill(stack.home.pseudonym_key)
    assert done.returncode == 0, done.stdout + done.stderr
    for said in ("rows are the running system's", "counted again to", "minutes from the backup"):
        assert said in done.stdout
    wrong = tmp_path / "wrong.key"
    wrong.write_text("ab" * 32)
    refused = drill(wrong)
    assert refused.returncode == 1 and "not the pseudonym key of the log" in refused.stderr
    lost = drill(tmp_path / "lost.key")
    assert lost.returncode == 1 and "kept apart" in lost.stderr


def test_a_damaged_backup_is_refused(backup: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(backup, tmp_path / "backup")
    dump = folder / "hocvuso.dump"
    raw = bytearray(dump.read_bytes())
    raw[len(raw) // 2] ^= 1
    dump.write_bytes(raw)
    done = hocvuso("restore", folder, home=tmp_path / "new")
    assert done.returncode == 1 and "damaged" in done.stderr
    assert not (tmp_path / "new").exists()
    dump.write_bytes(raw[: len(raw) // 2])
    done = hocvuso("restore", folder, home=tmp_path / "new")
    assert done.returncode == 1 and "damaged" in done.stderr
    dump.unlink()
    done = hocvuso("restore", folder, home=tmp_path / "new")
    assert done.returncode == 1 and "no backup" in done.stderr and "Traceback" not in done.stderr


def test_a_backup_onto_a_full_disk_leaves_nothing_that_looks_like_one(
    stack: LocalStack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(path: Path, _: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(backups, "_write", full)
    with pytest.raises(OSError, match="No space left"):
        asyncio.run(backups.back_up(stack.superuser_url, tmp_path / "backup"))
    assert not (tmp_path / "backup").exists()
    monkeypatch.undo()
    # What was left half-way does not stand in the way of the next.
    made = hocvuso("backup", tmp_path / "backup", home=stack.home.path)
    assert made.returncode == 0, made.stderr


def test_the_containers_backup_job_makes_what_restore_takes(
    stack: LocalStack, tmp_path: Path
) -> None:
    url, into = urlsplit(stack.superuser_url), tmp_path / "backups"
    into.mkdir()
    (tmp_path / "password").write_text(url.password or "")
    env = {
        "PATH": f"{find_binaries()}:{os.environ['PATH']}", "PGHOST": url.hostname or "",
        "PGPORT": str(url.port), "PGPASSWORD_FILE": str(tmp_path / "password"),
        "BACKUP_DIR": str(into), "BACKUP_KEEP": "2",
    }  # fmt: skip

    def job(*arguments: str) -> int:
        command = ["sh", str(ROOT / "deploy/docker/backup.sh"), *arguments]
        return subprocess.run(command, env=env, check=False).returncode

    assert job("check") != 0
    for old in ("2020-01-01T000000Z", "2020-01-02T000000Z", ".2020-01-03T000000Z.new"):
        (into / old).mkdir()
    assert job("once") == 0 and job("check") == 0
    left = sorted(path.name for path in into.iterdir())
    assert len(left) == 2 and left[0] == "2020-01-02T000000Z", left
    manifest = read_manifest(into / left[1])
    [(position,)] = ask(stack.superuser_url, "SELECT position FROM activities.counter")
    assert manifest.position == position > len(UNITS) and manifest.key_fingerprint
    new = tmp_path / "new"
    new.mkdir(mode=0o700)
    (new / "pseudonym.key").write_text(stack.home.pseudonym_key.read_text())
    done = hocvuso("restore", into / left[1], home=new)
    assert done.returncode == 0, done.stderr


def test_moving_to_a_server_of_ones_own(stack: LocalStack, backup: Path, tmp_path: Path) -> None:
    """From the embedded stack into an empty database of another server."""
    with LocalStack(tmp_path / "server", stages=lambda *_: []) as server:
        base, address = server.superuser_url.rsplit("/", 1)[0], tmp_path / "address"

        async def make() -> None:
            connection = await asyncpg.connect(server.superuser_url)
            await connection.execute("CREATE DATABASE moved")
            await connection.close()

        asyncio.run(make())
        address.write_text(f"{base}/moved\n")
        address.chmod(0o600)
        done = hocvuso("restore", backup, "--url-file", address, home=tmp_path / "none")
        assert done.returncode == 0, done.stderr
        moved = f"{base}/moved"
        assert ask(moved, "SELECT count(*) FROM activities.log") == ask(
            stack.superuser_url, "SELECT count(*) FROM activities.log"
        )
        again = hocvuso("restore", backup, "--url-file", address, home=tmp_path / "none")
        assert again.returncode == 1 and "not empty" in again.stderr
        # The services' own roles can work there.
        for service in ("activities", *PROJECTIONS):
            url = server.database_urls[service].rsplit("/", 1)[0] + "/moved"
            assert ask(url, f"SELECT 1 FROM {service}.alembic_version") == [(1,)]


def test_projections_notice_another_log_and_count_it_when_told(stack: LocalStack) -> None:
    """The log is replaced under a running system: nothing is mixed, then all is counted again."""
    before = counted(stack)

    async def replace() -> None:
        connection = await asyncpg.connect(stack.superuser_url)
        await connection.execute("UPDATE activities.counter SET epoch = 'another'")
        await connection.close()

    asyncio.run(replace())
    for name in ("activities", "relay", "worker", "registry"):
        stack.kill(name)
    deadline = time.monotonic() + 60
    while "EpochChanged" not in (stack.home.logs / "worker.log").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.2)
    known = "SELECT log_epoch FROM metrics.projection"
    assert ask(stack.superuser_url, known) != [("another",)]
    done = hocvuso("start-over", home=stack.home.path, **stack.added_env)
    assert done.returncode == 0, done.stderr
    for name in ("worker", "registry", "metrics"):
        stack.kill(name)
    deadline = time.monotonic() + 60
    while ask(stack.superuser_url, known) != [("another",)]:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    # Measures that were not live again at once are built beside what is counted.
    while (again := counted(stack)) != before and time.monotonic() < deadline:
        time.sleep(0.5)
    assert again == before
