"""Fixtures every kind of test may use: one embedded PostgreSQL and broker per process of pytest."""

import asyncio
import contextlib
import gc
import os
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from weakref import WeakKeyDictionary

import asyncpg
import pytest

from deploy.local import postgres
from deploy.local.stack import LocalStack, infrastructure_only
from shared.db import migrate

SERVICES = Path(__file__).parents[1] / "services"

# The tests must not depend on what the machine's user has set.
for _name in [n for n in os.environ if n.startswith(("HOCVUSO_", "OTEL_"))]:
    if _name not in ("HOCVUSO_KAFKA_HOME", "HOCVUSO_POSTGRES_BIN", "HOCVUSO_CLOCK_SHIFT_SECONDS"):
        del os.environ[_name]


WHOLE_SYSTEMS = ("e2e", "readers", "observability", "deploy", "golden", "intake")
"""Folders of tests that start many processes and take long."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long files first: then no process of pytest is left alone with one at the end."""
    here = Path(__file__).parent
    items.sort(
        key=lambda item: (
            item.path.relative_to(here).parts[0] not in WHOLE_SYSTEMS
            if item.path.is_relative_to(here)
            else True
        )
    )


@pytest.fixture(scope="session")
def infrastructure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """PostgreSQL and the broker, started once in each process of pytest."""
    home: Path = tmp_path_factory.mktemp("infrastructure")
    with contextlib.ExitStack() as ending:
        # Nobody pulls the plug of a test's machine. This server alone: tests that start a system
        # of their own, to kill it or to look at it, start it as it is delivered.
        with pytest.MonkeyPatch.context() as patched:
            patched.setitem(postgres.SETTINGS, "fsync", "off")
            stack = ending.enter_context(LocalStack(home / "home", stages=infrastructure_only))
        yield stack


async def new_database(stack: LocalStack, service: str, like: str | None = None) -> str:
    """A database of its own for one test, owned by the service's role; its address.

    Empty, or a copy of the one at the address `like`, to which nobody may be connected.
    """
    name = f"t_{uuid.uuid4().hex[:12]}"
    admin = await asyncpg.connect(stack.superuser_url)
    try:
        copied = f'TEMPLATE "{like.rsplit("/", 1)[1]}"' if like else ""
        await admin.execute(f'CREATE DATABASE "{name}" OWNER "hocvuso_{service}" {copied}')
    finally:
        await admin.close()
    return stack.database_urls[service].rsplit("/", 1)[0] + f"/{name}"


_migrated: WeakKeyDictionary[LocalStack, dict[str, str]] = WeakKeyDictionary()
"""The migrated database of each stack and service; nobody is ever connected to it."""


async def migrated_database(stack: LocalStack, service: str) -> str:
    """A database with the service's tables; its address.

    Migrated once in each process of pytest and copied from then on: migrations take two seconds, a copy
    a twentieth of one.
    """
    made = _migrated.setdefault(stack, {})
    if service not in made:
        url = await new_database(stack, service)
        await asyncio.to_thread(migrate, url, service, SERVICES / service / "migrations")
        made[service] = url
    url = await new_database(stack, service, like=made[service])
    if service == "activities":  # each log has a name of its own
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(
                "UPDATE activities.counter SET epoch = gen_random_uuid()::text"
            )
        finally:
            await connection.close()
    return url


@contextlib.asynccontextmanager
async def no_task_outlives() -> AsyncIterator[None]:
    """End what was begun in the block and still runs: tests of one process share its event loop."""
    before = asyncio.all_tasks()
    try:
        yield
    finally:
        left = asyncio.all_tasks() - before - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


@pytest.fixture
def default_collector() -> Iterator[None]:
    """Python's own thresholds, before whatever is started after this; put back at the end."""
    before = gc.get_threshold()
    gc.set_threshold(700, 10, 10)
    yield
    gc.set_threshold(*before)
