"""A running stack with one plan, and what a test asks of it before and after a backup."""

import asyncio
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import asyncpg
import httpx
import pytest

from deploy.local import services
from deploy.local.home import Home
from deploy.local.stack import LocalStack
from tests.activities.fake import event
from tests.activities.posting import UNITS, unit

ROOT = Path(__file__).parents[2]

Rows = list[tuple[Any, ...]]


def certified(number: int) -> dict[str, Any]:
    person = {"scheme": "account", "value": f"person-{number}"}
    data = {"person": person, "platform": "vneid", "target_groups": ["adult"]}
    return event(id=f"c-{number}", data=data)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """One for all, with a few units and one plan; the whole country would prove nothing more."""
    with LocalStack(tmp_path_factory.mktemp("running") / "home", stages=without_load) as made:
        load_one_plan(made, tmp_path_factory.mktemp("folder") / "plans")
        yield made


def load_one_plan(stack: LocalStack, folder: Path) -> None:
    """The units of one ward and its province's plan."""
    folder.mkdir()
    shutil.copy(ROOT / "plans" / "dak-lak-2026.yaml", folder)
    assert post(stack, *(unit(*u) for u in UNITS))["accepted"] == len(UNITS)
    loaded = hocvuso("plans", "load", "--folder", folder, home=stack.home.path)
    assert loaded.returncode == 0, loaded.stderr


def without_load(env: Any, addresses: Any) -> Any:
    return services.stages(env, addresses)[:2]


def hocvuso(*arguments: str | Path, home: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "deploy.local", *map(str, arguments)],
        env={**os.environ, "HOCVUSO_HOME": str(home), **env},
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


def post(stack: LocalStack, *events: dict[str, Any]) -> dict[str, int]:
    answer = httpx.post(
        f"{stack.urls['activities']}/v1/events",
        json=list(events),
        headers={
            "Authorization": f"Bearer {stack.home.admin_key.read_text().strip()}",
            "Content-Type": "application/cloudevents-batch+json",
        },
        timeout=60,
        trust_env=False,
    )
    found: dict[str, int] = answer.json()
    return found


def ask(url: str, question: str) -> Rows:
    async def run() -> Rows:
        connection = await asyncpg.connect(url)
        rows = await connection.fetch(question)
        await connection.close()
        return [tuple(row) for row in rows]

    return asyncio.run(run())


class Running(Protocol):
    """A system that is asked."""

    @property
    def superuser_url(self) -> str: ...
    @property
    def urls(self) -> dict[str, str]: ...
    @property
    def home(self) -> Home: ...


def counted(stack: Running) -> Rows:
    """The evidence and what registry keeps, once everything in the log is in them."""
    deadline = time.monotonic() + 60
    wanted = (
        "SELECT (SELECT position FROM activities.counter) AS log,"
        " (SELECT min(through) FROM metrics.progress) AS counted,"
        " (SELECT min(through) FROM registry.progress) AS known,"
        # A measure whose plan is read after its events is counted from the log beside the lanes.
        " (SELECT count(*) FROM metrics.measure WHERE state = 'building') AS building"
    )
    while True:
        log, done, known, building = ask(stack.superuser_url, wanted)[0]
        if done >= log and known >= log and not building:
            break
        assert time.monotonic() < deadline, (log, done, known, building)
        time.sleep(0.2)
    return ask(
        stack.superuser_url,
        "SELECT 'metrics', position, type, recorded::text FROM metrics.definition UNION ALL"
        " SELECT 'registry', position, type, recorded::text FROM registry.definition UNION ALL"
        # Of a key there may be several rows; their sum counts.
        " SELECT 'tally', sum(n)::bigint, unit_id, occurred::text FROM metrics.tally"
        " GROUP BY measure, unit_id, occurred, recorded HAVING sum(n) <> 0 ORDER BY 1, 2, 3, 4",
    )


def everything_of_activities(url: str) -> dict[str, Rows]:
    """Every row of every table that is not made from the log; but the epoch, which must change."""
    names = ask(
        url,
        "SELECT relname FROM pg_class WHERE relkind = 'r'"
        " AND relnamespace = 'activities'::regnamespace ORDER BY 1",
    )
    rest = "to_jsonb(t) - 'epoch'"
    return {
        name: ask(url, f"SELECT ({rest})::text FROM activities.{name} t ORDER BY 1")
        for (name,) in names
    }


def table(stack: Running) -> Any:
    """The table of the plan's communes, once the tables show the log's end."""
    [(position,)] = ask(stack.superuser_url, "SELECT position FROM activities.counter")
    deadline = time.monotonic() + 60
    while True:
        answer = httpx.get(
            f"{stack.urls['registry']}/v1/plans/dak-lak-2026/table",
            params={"after_position": position, "wait": 5},
            headers={"Authorization": f"Bearer {stack.home.admin_key.read_text().strip()}"},
            timeout=30, trust_env=False,
        )  # fmt: skip
        cells = answer.json().get("rows", [])
        if answer.status_code == 200 and "building" not in answer.text:
            return cells
        assert time.monotonic() < deadline, answer.text[:500]
