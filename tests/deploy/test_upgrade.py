"""The whole system of an earlier commit serves and counts while this version's migrations run.

Step by step: after each one the old system takes events, counts and shows them. The one step after
which it takes and serves, but counts no more until it is replaced, is named here and in
docs/operations.md ("May I migrate it while it runs?").

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
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx
import pytest

import services.activities
import services.metrics
import services.registry
from deploy.doctor.databases import newest_revision
from deploy.local.backup_cli import _superuser_url
from deploy.local.home import Home
from deploy.local.services import stages
from deploy.local.stack import LocalStack
from shared.db import migrate
from tests.deploy.backups import hocvuso
from tests.deploy.restarts import until, with_units
from tests.deploy.serving import ROOT, Poster, in_log

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(900)]
SERVICES = ("activities", "metrics", "registry")
PACKAGES = {"activities": services.activities, "metrics": services.metrics,
            "registry": services.registry}  # fmt: skip
COUNTS_NO_MORE = ("metrics", "0006")
"""Workers of the version before count nothing from this step on; nothing is lost."""

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
        ready = next((line for line in process.stdout if line.startswith("ready")), None)
        assert ready is not None, "the version before did not start"
        yield ready.split()[1:]
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


async def end_of_log(url: str) -> int:
    connection = await asyncpg.connect(url)
    position: int = await connection.fetchval("SELECT position FROM activities.counter")
    await connection.close()
    return position


def table(registry: str, key: str, **asked: int) -> httpx.Response:
    return httpx.get(
        f"{registry}/v1/plans/{PLAN}/table", params={"unit": WARD, **asked},
        headers={"Authorization": f"Bearer {key}"}, timeout=60, trust_env=False,
    )  # fmt: skip


def number(answer: httpx.Response) -> int:
    value: int = answer.json()["rows"][0]["cells"][OBJECTIVE]["value"]
    return value


def shown(registry: str, url: str, key: str) -> int:
    """The ward's number once all that is in the log now is in the table."""
    deadline, position = time.monotonic() + 120, asyncio.run(end_of_log(url))
    while True:
        answer = None
        with contextlib.suppress(httpx.TransportError):
            answer = table(registry, key, after_position=position, wait=20)
            if answer.status_code == 200 and "building" not in answer.text:
                return number(answer)
        assert time.monotonic() < deadline, answer and answer.text[:500]
        time.sleep(0.5)


@dataclass
class Upgrade:
    """An old system that is migrated step by step while somebody posts to it."""

    home: Home
    registry: str
    poster: Poster
    key: str

    @property
    def url(self) -> str:
        return _superuser_url(self.home)

    def accepted(self) -> set[str]:
        return {id for id, status in self.poster.answered.items() if status == 201}

    async def until_counted(self) -> None:
        """More is taken, and all that was taken before now is shown by the old system."""
        await until(self.poster, len(self.poster.answered) + 30)
        before = len(self.accepted())
        assert await asyncio.to_thread(shown, self.registry, self.url, self.key) >= before

    async def run(self, old: dict[str, str]) -> None:
        posting = asyncio.create_task(self.poster.run(2))
        await self.until_counted()
        steps = [
            (s, r) for s in ("activities", "registry", "metrics") for r in revisions_after(s, old)
        ]
        apart = steps.index(COUNTS_NO_MORE) if COUNTS_NO_MORE in steps else len(steps)
        for step in steps[:apart]:
            await self.do(step)
            await self.until_counted()
        for step in steps[apart:]:
            await self.do(step)
            await until(self.poster, len(self.poster.answered) + 30)
            served = await asyncio.to_thread(table, self.registry, self.key)
            assert served.status_code == 200 and number(served) > 0
        self.poster.stopping = True
        await posting

    async def do(self, step: tuple[str, str]) -> None:
        service, revision = step
        address = self.home.environment()[f"HOCVUSO_{service.upper()}_DATABASE_URL"]
        folder = Path(PACKAGES[service].__path__[0]) / "migrations"
        await asyncio.to_thread(migrate, address, service, folder, revision=revision)


def revisions_after(service: str, old: dict[str, str]) -> list[str]:
    folder = Path(PACKAGES[service].__path__[0]) / "migrations/versions"
    found = sorted(path.name[:4] for path in folder.glob("0*.py"))
    return [revision for revision in found if revision > old[service]]


def test_all_services_go_on_while_they_are_migrated_and_the_new_version_goes_on_from_there(
    before: Path, tmp_path: Path
) -> None:
    home = Home(tmp_path / "home")
    with old_system(before, home.path) as (registry, activities, _):
        url = _superuser_url(home)
        old = revisions(url)
        key = home.admin_key.read_text().strip()
        asyncio.run(with_units(activities, key))
        _load_the_plan(before, home, tmp_path / "plans")
        upgrade = Upgrade(home, registry, Poster(activities, key), key)
        asyncio.run(upgrade.run(old))
        # What the operator runs finds nothing left to do.
        migrated = hocvuso("migrate", home=home.path)
        assert migrated.returncode == 0, migrated.stderr[-800:]
        new = revisions(url)
        assert new == {name: newest_revision(name) for name in SERVICES} and new != old
        poster, accepted = upgrade.poster, upgrade.accepted()
        assert all(problem.get("retryable") for problem in poster.problems), poster.problems[:3]
        assert poster.cut == 0
        assert len(accepted) >= 100 and asyncio.run(in_log(url)) == accepted

    with LocalStack(home.path, stages=lambda e, a: stages(e, a)[:2]) as stack:
        assert shown(stack.urls["registry"], stack.superuser_url, key) == len(accepted)


def _load_the_plan(before: Path, home: Home, folder: Path) -> None:
    folder.mkdir()
    (folder / "plan.yaml").write_bytes((before / "plans" / f"{PLAN}.yaml").read_bytes())
    loaded = subprocess.run(
        [sys.executable, "-m", "deploy.local", "plans", "load", "--folder", str(folder)],
        cwd=before, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(before), "HOCVUSO_HOME": str(home.path)},
    )  # fmt: skip
    assert loaded.returncode == 0, loaded.stderr[-800:]
