"""The whole system of an earlier commit serves and counts while this version's migrations run.

Real old code: the tree of the commit before the newest migration of each service, started as
`make up` starts it. `HOCVUSO_UPGRADE_FROM` names another commit.
"""

import asyncio
import contextlib
import io
import os
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from deploy.doctor.databases import newest_revision
from deploy.local import services
from deploy.local.home import Home
from deploy.local.stack import LocalStack
from tests.deploy.serving import ROOT, Poster, in_log
from tests.deploy.test_backup import hocvuso
from tests.deploy.test_restarts import until, with_units

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]
SERVICES = ("activities", "metrics", "registry")
PLAN, OBJECTIVE, WARD = "dak-lak-2026", "adults-certified-vneid", "24133"

RUN = """
import sys
from pathlib import Path
from deploy.local import services
from deploy.local.stack import LocalStack
with LocalStack(Path(sys.argv[1]), stages=lambda e, a: services.stages(e, a)[:2]) as stack:
    print("ready", *stack.urls.values(), flush=True)
    sys.stdin.read()
"""


def git(*arguments: str) -> bytes:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip("the history that holds the version before is not here")
    return done.stdout


def version_before() -> str:
    """The commit before the oldest of the services' newest migrations."""
    if named := os.environ.get("HOCVUSO_UPGRADE_FROM"):
        return named
    added = {
        git("log", "-1", "--diff-filter=A", "--format=%ct %H", "--", str(newest)).decode().strip()
        for service in SERVICES
        for newest in [sorted((ROOT / "services" / service / "migrations/versions").glob("0*"))[-1]]
    }
    if "" in added:
        pytest.skip("a migration is not committed yet")
    return min(added, key=lambda line: int(line.split()[0])).split()[1] + "^"


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The old tree."""
    folder = tmp_path_factory.mktemp("before")
    with tarfile.open(fileobj=io.BytesIO(git("archive", version_before()))) as tree:
        tree.extractall(folder, filter="data")
    return folder


@contextlib.contextmanager
def old_system(before: Path, home: Path) -> Iterator[list[str]]:
    """Runs until the block ends; the addresses of registry, activities and metrics."""
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, str(home)], cwd=before, text=True,
        env={**os.environ, "PYTHONPATH": str(before)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None and process.stdout is not None
    try:
        for line in process.stdout:
            if line.startswith("ready"):
                break
        yield line.split()[1:]
    finally:
        process.stdin.close()
        process.wait(60)


def revisions(url: str) -> dict[str, str]:
    async def ask() -> dict[str, str]:
        connection = await asyncpg.connect(url)
        try:
            return {
                name: await connection.fetchval(f"SELECT version_num FROM {name}.alembic_version")
                for name in SERVICES
            }
        finally:
            await connection.close()

    return asyncio.run(ask())


def shown(registry: str, url: str, key: str) -> Any:
    """The ward's number once all of the log is in the table."""

    async def end() -> int:
        connection = await asyncpg.connect(url)
        position: int = await connection.fetchval("SELECT position FROM activities.counter")
        await connection.close()
        return position

    deadline, position = time.monotonic() + 120, asyncio.run(end())
    while True:
        with contextlib.suppress(httpx.TransportError):
            answer = httpx.get(
                f"{registry}/v1/plans/{PLAN}/table",
                params={"unit": WARD, "after_position": position, "wait": 20},
                headers={"Authorization": f"Bearer {key}"}, timeout=60, trust_env=False,
            )  # fmt: skip
            if answer.status_code == 200 and "building" not in answer.text:
                return answer.json()["rows"][0]["cells"][OBJECTIVE]["value"]
        assert time.monotonic() < deadline, answer.text[:500]
        time.sleep(0.5)


def test_all_services_go_on_while_they_are_migrated_and_the_new_version_goes_on_from_there(
    before: Path, tmp_path: Path
) -> None:
    home = Home(tmp_path / "home")
    poster = None
    with old_system(before, home.path) as (registry, activities, _):
        url = _superuser(home)
        old = revisions(url)
        key = home.admin_key.read_text().strip()
        asyncio.run(with_units(activities, key))
        plans = tmp_path / "plans"
        plans.mkdir()
        (plans / "plan.yaml").write_bytes((before / "plans" / f"{PLAN}.yaml").read_bytes())
        loaded = subprocess.run(
            [sys.executable, "-m", "deploy.local", "plans", "load", "--folder", str(plans)],
            cwd=before, env={**os.environ, "PYTHONPATH": str(before),
            "HOCVUSO_HOME": str(home.path)}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert loaded.returncode == 0, loaded.stderr[-800:]

        poster = Poster(activities, key)
        asyncio.run(_post_and_migrate(poster, home))
        new = revisions(url)
        assert new == {name: newest_revision(name) for name in SERVICES} and new != old
        assert all(problem.get("retryable") for problem in poster.problems), poster.problems[:3]
        assert poster.cut == 0
        accepted = {id for id, status in poster.answered.items() if status == 201}
        assert len(accepted) >= 200 and asyncio.run(in_log(url)) == accepted
        # The old version counts and shows what came before, during and after.
        assert shown(registry, url, key) == len(accepted)

    with LocalStack(home.path, stages=lambda e, a: services.stages(e, a)[:2]) as stack:
        assert shown(stack.urls["registry"], stack.superuser_url, key) == len(accepted)


async def _post_and_migrate(poster: Poster, home: Home) -> None:
    posting = asyncio.create_task(poster.run(4))
    await until(poster, 100)
    migrated = await asyncio.to_thread(hocvuso, "migrate", home=home.path)
    assert migrated.returncode == 0, migrated.stderr[-800:]
    await until(poster, len(poster.answered) + 100)
    poster.stopping = True
    await posting


def _superuser(home: Home) -> str:
    from deploy.local.backup_cli import _superuser_url

    return _superuser_url(home)
