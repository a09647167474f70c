"""A stack in a home of its own for each test, and the questions the tests ask of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from deploy.local.component import RestartPolicy
from deploy.local.stack import LocalStack, Stages, infrastructure_only

PATIENCE = 60.0

pytestmark = pytest.mark.stack


@pytest.fixture(autouse=True)
def embedded_parts_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the caller's environment names, these tests start the embedded parts."""
    for name in (
        *("HOCVUSO_HOME", "HOCVUSO_KAFKA_HOME", "HOCVUSO_PSEUDONYM_KEY_FILE"),
        *("KAFKA_BOOTSTRAP_SERVERS", "HOCVUSO_KAFKA_BOOTSTRAP_SERVERS"),
        *("HOCVUSO_ACTIVITIES_DATABASE_URL", "HOCVUSO_METRICS_DATABASE_URL"),
        "HOCVUSO_REGISTRY_DATABASE_URL",
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def make_stack(home: Path) -> Iterator[Callable[..., LocalStack]]:
    """Make stacks of the test's home; what still runs at the end is killed."""
    made: list[LocalStack] = []

    def make(
        stages: Stages = infrastructure_only,
        policy: RestartPolicy | None = None,
        **options: Any,
    ) -> LocalStack:
        said: list[str] = []
        stack = LocalStack(
            options.pop("home", home), stages=stages, policy=policy, report=said.append, **options
        )
        stack.said = said  # type: ignore[attr-defined]
        made.append(stack)
        return stack

    yield make
    for stack in made:
        stack.kill_all()


def eventually(question: Callable[[], Any], what: str) -> Any:
    """Ask until the answer is true."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if answer := question():
            return answer
        time.sleep(0.02)
    raise AssertionError(f"not within {PATIENCE:.0f} s: {what}")


def query(url: str, *statements: str) -> list[Any]:
    """Run the statements in one connection; return the rows of the last."""

    async def ask() -> list[Any]:
        connection = await asyncpg.connect(url, timeout=PATIENCE)
        try:
            for statement in statements[:-1]:
                await connection.execute(statement)
            return [tuple(row) for row in await connection.fetch(statements[-1])]
        finally:
            await connection.close()

    return asyncio.run(ask())


def answers(url: str) -> bool:
    try:
        return query(url, "SELECT 1") == [(1,)]
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return False


WRITE = (
    "CREATE SCHEMA IF NOT EXISTS activities",
    "CREATE TABLE IF NOT EXISTS activities.kept (word text)",
    "INSERT INTO activities.kept VALUES ('kept')",
    "SELECT 1",
)
READ = "SELECT DISTINCT word FROM activities.kept"
