"""Two workers as processes of their own, killed with -9 again and again: the tables are exact."""

import asyncio
import os
import random
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Annotated

import asyncpg
import pytest
import uvicorn
from fastapi import FastAPI, Query
from fastapi.responses import Response

from deploy.local.stack import LocalStack
from services.metrics import rebuild
from shared import kafka
from shared.contracts import topics
from shared.contracts.definitions import Catalogue
from shared.contracts.record import Progress, encode, progress_decoder
from tests.metrics.histories import MEASURES, last_days, play
from tests.metrics.memory_log import MemoryLog
from tests.metrics.naive import values
from tests.metrics.worlds import history, know_measures, tallied

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]
NAMES = ("one", "two")
STEPS = 4


class SlowLog(MemoryLog):
    """A log of which more and more is there."""

    visible = 0


@pytest.fixture
async def served(catalogue: Catalogue) -> AsyncIterator[tuple[SlowLog, str]]:
    """A log at an address, as activities serves it."""
    log, app = SlowLog(catalogue), FastAPI()

    @app.get("/v1/log")
    async def read(after: int, lane: Annotated[list[int], Query()], limit: int) -> Response:
        rows = [r for r in log.rows[after : log.visible] if r.lane in set(lane)][:limit]
        through = rows[-1].position if len(rows) == limit else max(log.visible, after)
        lines = [encode(row) for row in rows] + [encode(log.marker(through, lane))]
        return Response(b"\n".join(lines) + b"\n")

    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", log_config=None))
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield log, f"http://127.0.0.1:{port}"
    server.should_exit = True
    await task


@pytest.fixture
def environment(
    database: str, infrastructure: LocalStack, served: tuple[SlowLog, str]
) -> dict[str, str]:
    """What a worker is told."""
    return {
        **os.environ,
        "HOCVUSO_METRICS_DATABASE_URL": database,
        "HOCVUSO_ACTIVITIES_URL": served[1],
        "HOCVUSO_KAFKA_BOOTSTRAP_SERVERS": infrastructure.bootstrap_servers,
    }


class Workers:
    """Two worker processes."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment
        self._running: dict[str, asyncio.subprocess.Process] = {}
        self.killed = 0

    async def start(self, name: str) -> None:
        environment = {**self._environment, "HOCVUSO_METRICS_WORKER_NAME": name}
        self._running[name] = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "services.metrics.worker"),
            env=environment,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )

    async def kill(self, name: str) -> None:
        process = self._running.pop(name)
        assert process.returncode is None, "it ended by itself"
        process.kill()
        await process.wait()
        self.killed += 1

    async def kill_all(self) -> None:
        for process in self._running.values():
            if process.returncode is None:
                process.kill()
            await process.wait()


async def test_two_workers_that_are_killed_give_the_oracles_tables(
    pool: asyncpg.Pool,
    environment: dict[str, str],
    served: tuple[SlowLog, str],
    catalogue: Catalogue,
) -> None:
    log, _ = served
    dice = random.Random(5)
    ops = history(dice, 100)
    _, told = play(ops, catalogue, log)
    await know_measures(pool)
    workers = Workers(environment)
    owners: set[str] = set()
    try:
        for name in NAMES:
            await workers.start(name)
        for step in range(1, STEPS + 1):
            aim = len(log.rows) * step // STEPS
            before = await pool.fetchval("SELECT sum(last) FROM progress")
            log.visible = aim
            async with asyncio.timeout(120):
                while await pool.fetchval("SELECT sum(last) FROM progress") == before:
                    rows = await pool.fetch("SELECT DISTINCT owner FROM progress")
                    owners |= {row["owner"] for row in rows if row["owner"]}
                    await asyncio.sleep(0.05)
            if step < STEPS:
                name = NAMES[step % 2]
                await workers.kill(name)
                await workers.start(name)
        async with asyncio.timeout(120):
            while await pool.fetchval("SELECT min(through) FROM progress") < len(log.rows):
                await asyncio.sleep(0.1)
    finally:
        await workers.kill_all()
    assert workers.killed == STEPS - 1 and owners == set(NAMES)
    days, known = last_days(ops)
    for known_at in (known[0], known[len(known) // 2], known[-1] + timedelta(days=1)):
        for as_of in days:
            found = await tallied(pool, as_of, known_at)
            for number, measure in MEASURES.items():
                assert found.get(number, {}) == values(measure, told, as_of, known_at)
    report = await rebuild.rebuild(pool, log, catalogue, compare_only=True)  # type: ignore[arg-type]
    assert (report.differences, report.evidence_differences) == ([], 0)


async def test_what_is_counted_and_shown_is_said_again_to_whoever_listens_later(
    pool: asyncpg.Pool,
    environment: dict[str, str],
    infrastructure: LocalStack,
    served: tuple[SlowLog, str],
    catalogue: Catalogue,
) -> None:
    log, _ = served
    play(history(random.Random(6), 20), catalogue, log)
    await know_measures(pool)
    log.visible = end = len(log.rows)
    workers = Workers(environment)
    await kafka.ensure_topics(infrastructure.bootstrap_servers, {topics.PROGRESS: 1})
    try:
        await workers.start("one")
        async with asyncio.timeout(60):
            while await pool.fetchval("SELECT position FROM shown") < end:
                await asyncio.sleep(0.05)
        await asyncio.sleep(3)  # all that it says of this is said
        at = await pool.fetchval("SELECT refreshed_at FROM shown")
        late = await kafka.tail(infrastructure.bootstrap_servers, topics.PROGRESS, "late")
        try:
            async with asyncio.timeout(30):
                said: list[Progress] = []
                while not (
                    any((m.refreshed, m.at) == (end, at.isoformat()) for m in said)
                    and any(
                        min(x.through for x in m.lanes.values()) == end for m in said if m.lanes
                    )
                ):
                    said += [
                        progress_decoder.decode(message.value)
                        for messages in (await late.getmany(timeout_ms=200)).values()
                        for message in messages
                    ]
        finally:
            await kafka.stop_quietly(late)
    finally:
        await workers.kill_all()
