"""Log -> relay -> broker -> lane consumer, over real ones, with the broker killed in between."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import httpx
import msgspec
import pytest
import pytest_asyncio
from aiokafka.errors import UnknownError
from fastapi import FastAPI

from deploy.local.stack import LocalStack, infrastructure_only
from services.activities.keys.model import READ_LOG
from services.activities.keys.store import KeyStore
from services.activities.listener import ProgressListener
from services.activities.log.log import Log
from services.activities.receipts.receipts import receipt
from services.activities.receipts.routes import router
from services.activities.relay import Relay
from shared import kafka
from shared.clock import FixedClock
from shared.contracts import topics
from shared.contracts.definitions import Catalogue
from shared.contracts.record import LANES, LaneProgress, LogRecord, Progress, encode
from shared.db import connect_pool, migrate
from shared.lane_consumer import LaneConsumer, LogReader
from shared.lanes import Lane, watermark
from shared.worker import forever
from tests.conftest import new_database
from tests.log.conftest import MIGRATIONS, UNITS, attended

pytestmark = pytest.mark.stack
SOURCE = "https://partner.example/system"


class Recorder:
    """A projection in memory that notes every row it was given."""

    def __init__(self) -> None:
        self.lanes = {n: Lane() for n in range(LANES)}
        self.positions: list[int] = []
        self.traceparents: list[str | None] = []

    async def bind(self, epoch: str) -> None:
        assert epoch

    async def apply(self, records: list[LogRecord], lanes: dict[int, Lane]) -> None:
        self.positions += [r.position for r in records]
        self.traceparents += [r.traceparent for r in records]
        self.lanes.update({n: Lane(x.last, x.through) for n, x in lanes.items()})

    async def settle(self) -> None:
        """Nothing to wait for."""

    async def reaches(self, position: int, seconds: float = 60) -> None:
        async with asyncio.timeout(seconds):
            while watermark(self.lanes) < position:
                await asyncio.sleep(0.02)


class System:
    def __init__(self, stack: LocalStack, pool: asyncpg.Pool, log: Log, clock: FixedClock) -> None:
        self.stack, self.pool, self.log, self.clock = stack, pool, log, clock
        self.tasks: list[asyncio.Task[None]] = []
        self.healed = 0

    def relay(self) -> None:
        relay = Relay(self.pool, self.stack.bootstrap_servers, 5, self.clock)
        self.tasks.append(asyncio.create_task(forever("relay", relay.run, longest_wait_s=1)))

    def listener(self) -> None:
        listener = ProgressListener(self.pool, self.stack.bootstrap_servers)
        self.tasks.append(asyncio.create_task(forever("listener", listener.run, longest_wait_s=1)))

    async def progress(self, last: int) -> Progress:
        """What a worker says that has counted and shown everything until `last`."""
        return Progress(
            epoch=await self.pool.fetchval("SELECT epoch FROM counter"),
            projection="metrics",
            at="2026-06-30T05:00:01+00:00",
            lanes={n: LaneProgress(last=last, through=last) for n in range(LANES)},
            watermark=last,
            refreshed=last,
        )

    async def consumer(self, recorder: Recorder) -> None:
        app = FastAPI()
        app.state.pool = self.pool
        app.state.keys = KeyStore(self.pool, self.clock)
        key = await app.state.keys.create("reader", roles=[], scopes=[READ_LOG])
        app.include_router(router)
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app),
            base_url="http://a",
            headers={"Authorization": f"Bearer {key}"},
        )

        def healed(lanes: int) -> None:
            self.healed += lanes

        self.lane_consumer = consumer = LaneConsumer(
            recorder,
            LogReader(client),
            self.stack.bootstrap_servers,
            "test",
            on_healed=healed,
        )
        self.tasks.append(asyncio.create_task(forever("consumer", consumer.run, longest_wait_s=1)))

    async def bus_carries(self, recorder: Recorder, first: int) -> int:
        """Post until rows come over the bus, not only from the log; the last position."""
        before = self.lane_consumer.rows_from_bus
        last = 0
        async with asyncio.timeout(120):
            while self.lane_consumer.rows_from_bus == before:
                last = await self.post(first, 5)
                first += 5
                await recorder.reaches(last)
        return last

    async def post(self, first: int, count: int) -> int:
        outcomes = await self.log.submit(
            [attended(f"e{n}", f"cccd:{n % 50}") for n in range(first, first + count)]
        )
        return max(o.position or 0 for o in outcomes)


@pytest_asyncio.fixture
async def system(tmp_path: Path) -> AsyncIterator[System]:
    with LocalStack(tmp_path / "home", stages=infrastructure_only) as stack:
        url = await new_database(stack, "activities")
        await asyncio.to_thread(migrate, url, "activities", MIGRATIONS)
        pool = await connect_pool(url, "activities", low=2, high=12)
        clock = FixedClock(datetime(2026, 6, 30, 5, tzinfo=UTC))
        log = Log(pool, Catalogue.load(), clock)
        await log.start()
        await log.submit(UNITS)
        made = System(stack, pool, log, clock)
        yield made
        for task in made.tasks:
            task.cancel()
        await asyncio.gather(*made.tasks, return_exceptions=True)
        await log.stop()
        pool.terminate()


async def test_every_row_arrives_once_although_the_broker_dies_and_forgets(system: System) -> None:
    recorder = Recorder()
    system.relay()
    system.relay()  # the second stands by
    last = await system.post(0, 300)
    await system.consumer(recorder)
    await recorder.reaches(last)
    await system.bus_carries(recorder, 10_000)
    for round in range(1, 4):
        last = await system.post(round * 1000, 200)
        if round == 2:
            await asyncio.to_thread(system.stack.kill, "broker")
            last = await system.post(round * 1000 + 500, 100)
    await recorder.reaches(last)
    assert sorted(recorder.positions) == list(range(1, last + 1))
    # And afterwards the bus carries again what is new, quickly.
    last = await system.bus_carries(recorder, 20_000)
    assert sorted(recorder.positions) == list(range(1, last + 1))


async def test_a_row_published_before_anyone_listened_comes_from_the_log(system: System) -> None:
    system.relay()
    last = await system.post(0, 50)
    async with asyncio.timeout(30):
        while await system.pool.fetchval("SELECT position FROM relay") < last:
            await asyncio.sleep(0.05)
    recorder = Recorder()
    await system.consumer(recorder)
    await recorder.reaches(last)
    assert sorted(recorder.positions) == list(range(1, last + 1))


async def test_receipts_go_on_after_the_broker_forgot_while_others_wrote(system: System) -> None:
    """Whoever wrote and listened before goes on with offsets of topics that are made again."""
    servers = system.stack.bootstrap_servers
    last = await system.post(0, 1)
    await kafka.ensure_topics(servers, {topics.LOG: 5, topics.PROGRESS: 1})
    system.listener()
    message = await system.progress(0)
    async with kafka.producer(servers, "survivor") as survivor:
        for _ in range(200):
            await survivor.send_and_wait(topics.PROGRESS, encode(message))
        before = system.stack.pid("broker")
        await asyncio.to_thread(system.stack.kill, "broker")
        async with asyncio.timeout(60):
            while system.stack.pid("broker") in (None, before) or (
                system.stack.states()["broker"] != "ready"
            ):
                await asyncio.sleep(0.05)
        for _ in range(30):
            await kafka.insisting(lambda: survivor.send_and_wait(topics.PROGRESS, encode(message)))
            await survivor.send_and_wait(topics.LOG, b"{}", partition=0)
    await kafka.ensure_topics(servers, {topics.LOG: 5, topics.PROGRESS: 1})
    async with kafka.producer(servers, "fresh") as fresh:
        if not os.environ.get("HOCVUSO_KAFKA_HOME"):
            with pytest.raises(UnknownError):
                await fresh.send_and_wait(topics.PROGRESS, encode(message))
        message = await system.progress(last)
        system.relay()
        async with asyncio.timeout(20):
            while (await receipt(system.pool, SOURCE, "e0")).status != "visible":
                await kafka.insisting(lambda: fresh.send_and_wait(topics.PROGRESS, encode(message)))
                await asyncio.sleep(0.5)
    done = await receipt(system.pool, SOURCE, "e0")
    assert done.published.reached and done.counted.reached


async def test_progress_becomes_a_receipt(system: System) -> None:
    system.relay()
    last = await system.post(0, 1)
    first = await receipt(system.pool, SOURCE, "e0")
    assert (first.status, first.counted.reached) in (("accepted", False), ("published", False))
    system.listener()
    producer = kafka.producer(system.stack.bootstrap_servers, "test")
    with contextlib.suppress(Exception):
        await kafka.ensure_topics(system.stack.bootstrap_servers, {topics.PROGRESS: 1})
    await producer.start()
    message = await system.progress(last)
    other = msgspec.structs.replace(message, epoch="another log's", at="2026-06-30T04:00:00+00:00")
    async with asyncio.timeout(30):
        while (await receipt(system.pool, SOURCE, "e0")).status != "visible":
            await producer.send_and_wait(topics.PROGRESS, encode(other))
            await producer.send_and_wait(topics.PROGRESS, encode(message))
            await asyncio.sleep(0.2)
    done = await receipt(system.pool, SOURCE, "e0")
    assert done.counted.at == datetime(2026, 6, 30, 5, 0, 1, tzinfo=UTC)
    # Parked positions are said as they come, and taken back only by a complete list.
    parked = msgspec.structs.replace(message, parked=[last], lanes={})
    async with asyncio.timeout(30):
        while (await receipt(system.pool, SOURCE, "e0")).status != "parked":
            await producer.send_and_wait(topics.PROGRESS, encode(parked))
            await producer.send_and_wait(topics.PROGRESS, encode(message))
            await asyncio.sleep(0.2)
        await producer.send_and_wait(
            topics.PROGRESS, encode(msgspec.structs.replace(message, parked_complete=True))
        )
        while (await receipt(system.pool, SOURCE, "e0")).status == "parked":
            await asyncio.sleep(0.2)
    await producer.stop()
