"""A log, a door and intake processes over the shared PostgreSQL and broker; a partner per test."""

import asyncio
import contextlib
import json
import os
import uuid
import zlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from deploy.local.stack import LocalStack
from services.activities.ingest.door import Door, Path
from services.activities.ingest.intake import Intake as Judge
from services.activities.intake import admin
from services.activities.intake.ending import end
from services.activities.intake.kafka import LATEST, Kafka
from services.activities.intake.manager import Manager
from services.activities.keys.model import Key
from services.activities.log.log import Log
from services.activities.privacy import Pseudonyms
from shared.broker import Broker, options_of
from shared.clock import Clock, clock_from_environment
from shared.contracts import topics
from shared.contracts.definitions import Catalogue
from shared.db import connect_pool
from shared.kafka import stop_quietly
from shared.worker import forever
from tests.activities.posting import UNITS, unit
from tests.conftest import migrated_database

APACHE = bool(os.environ.get("HOCVUSO_KAFKA_HOME"))
apache_only = pytest.mark.skipif(
    not APACHE, reason="the embedded broker cannot do this: make test-kafka"
)
PATIENCE = 40
SOURCE = "https://telecom.example/training"
STRUCTURED = [("content-type", b"application/cloudevents+json; charset=UTF-8")]
CCCD = "066099001234"
Headers = Sequence[tuple[str, bytes]]


def attended(id: str, **changes: Any) -> dict[str, Any]:
    """A good event of a telecom."""
    made = {
        "specversion": "1.0",
        "id": id,
        "source": SOURCE,
        "type": "vn.hocvuso.training.attended",
        "subject": "24133",
        "time": "2026-06-30T09:12:00+07:00",
        "data": {
            "person": {"scheme": "cccd", "value": f"0660990{zlib.crc32(id.encode()) % 100_000:05}"},
            "target_groups": ["adult"],
        },
        **changes,
    }
    return {name: value for name, value in made.items() if value is not None}


def raw(event: Mapping[str, Any]) -> bytes:
    return json.dumps(event).encode()


def binary(event: Mapping[str, Any], **more: str) -> tuple[bytes, Headers]:
    """An event in binary mode: its data, and its attributes as headers."""
    headers = [(f"ce_{k}", v.encode()) for k, v in {**event, **more}.items() if k != "data"]
    return raw(event["data"]), [("content-type", b"application/json"), *headers]


@dataclass
class System:
    """What lies behind the topics, and short ways to use them as a partner does."""

    broker: Broker | str
    pool: asyncpg.Pool
    log: Log
    door: Door
    clock: Clock
    partner: str
    url: str
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def topic(self) -> str:
        return topics.intake(self.partner)

    async def enable(self, **changes: Any) -> None:
        order = {
            "roles": ["telecom"], "types": None, "sources": ["https://telecom.example/"],
            "subtree": None, "era": None, "acks": "errors", "partitions": 2,
            "retention_hours": 24, "principal": None, "apply_acls": False, **changes,
        }  # fmt: skip
        await admin.enable(self.pool, self.partner, order, self.clock.now())

    def start(self, name: str = "one", door: Door | None = None) -> asyncio.Task[None]:
        manager = Manager(self.pool, door or self.door, self.broker, self.clock, name=name)
        task = asyncio.create_task(forever(name, manager.run, longest_wait_s=1))
        self.tasks.append(task)
        return task

    async def stop(self) -> None:
        tasks, self.tasks = self.tasks, []
        await end(tasks)

    async def topic_there(self, topic: str | None = None) -> None:
        """Wait for one topic; without a name for both of the partner's, made one after the other."""
        names = (self.topic, topics.receipts(self.partner)) if topic is None else (topic,)

        async def there() -> bool:
            async with Kafka(self.broker) as kafka:
                return None not in [await kafka.topic(name) for name in names]

        await self.until(there)

    async def produce(
        self, *messages: tuple[bytes | None, Headers], partition: int | None = None, **how: Any
    ) -> list[tuple[int, int]]:
        """Send messages as a partner would; (partition, offset) of each."""
        producer = AIOKafkaProducer(
            **options_of(self.broker), acks="all", max_request_size=2**22, **how
        )
        await producer.start()
        try:
            sent = [
                await producer.send(
                    self.topic, value, key=b"k" if value is None else None, headers=list(headers),
                    partition=n % 2 if partition is None else partition,
                )
                for n, (value, headers) in enumerate(messages)
            ]  # fmt: skip
            return [(m.partition, m.offset) for m in await asyncio.gather(*sent)]
        finally:
            await producer.stop()

    async def events(self, *events: Mapping[str, Any], **how: Any) -> list[tuple[int, int]]:
        return await self.produce(*((raw(e), STRUCTURED) for e in events), **how)

    async def ends(self, topic: str | None = None) -> dict[int, int]:
        """The offset after the last message of each partition, once their leaders answer."""
        found: dict[int, int] = {}

        async def known() -> bool:
            try:
                found.update(await self._ends(topic or self.topic))
            except KafkaError as error:
                # A topic is seen a moment before its brokers know that they lead it.
                if not error.retriable:
                    raise
            return bool(found)

        await self.until(known)
        return found

    async def _ends(self, name: str) -> dict[int, int]:
        async with Kafka(self.broker) as kafka:
            found = await kafka.topic(name)
            assert found is not None
            if APACHE:
                return await kafka.offsets(name, found.leaders, LATEST)
            # The embedded broker counts a batch as one message there, but not in a fetch.
            pages = await kafka.fetch(name, found.leaders, dict.fromkeys(found.leaders, 0))
            return {page.partition: page.high for page in pages}

    async def positions(self) -> dict[int, int]:
        rows = await self.pool.fetch(
            "SELECT partition, next FROM intake_position p JOIN intake i USING (partner, topic_id)"
            " WHERE partner = $1",
            self.partner,
        )
        return {r["partition"]: r["next"] for r in rows}

    async def read_to_end(self) -> None:
        """Wait until all that is there is dealt with, and every answer is sent."""
        ends = await self.ends()

        async def done() -> bool:
            # Positions first: an answer waits from the moment that its message is dealt with.
            if await self.positions() != ends:
                return False
            left = await self.pool.fetchval(
                "SELECT count(*) FROM intake_receipt WHERE partner = $1", self.partner
            )
            return bool(left == 0)

        await self.until(done)

    async def until(self, done: Callable[[], Any]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not await done():
                await asyncio.sleep(0.05)

    async def accepted(self) -> list[str]:
        """The ids of this partner's events in the log, one per row."""
        rows = await self.pool.fetch(
            "SELECT id FROM log WHERE partner = $1 ORDER BY position", self.partner
        )
        return [r["id"] for r in rows]

    async def receipts(self) -> list[dict[str, Any]]:
        """All that lies on the receipts topic now, by partition."""
        topic = topics.receipts(self.partner)
        ends = await self.ends(topic)
        consumer = AIOKafkaConsumer(
            **options_of(self.broker),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=50,
        )
        await consumer.start()
        got: list[dict[str, Any]] = []
        try:
            consumer.assign([TopicPartition(topic, n) for n in ends])
            async with asyncio.timeout(PATIENCE):
                while sum(ends.values()) > len(got):
                    for messages in (await consumer.getmany(timeout_ms=200)).values():
                        for message in messages:
                            body = json.loads(message.value)
                            key = None if message.key is None else message.key.decode()
                            assert key == body.get("id"), body
                            got.append(body)
        finally:
            await stop_quietly(consumer)
        return got

    async def answers(self) -> list[dict[str, Any]]:
        return [r for r in await self.receipts() if "committed" not in r]

    async def troubles(self) -> list[dict[str, Any]]:
        found = await admin.troubles(self.pool, self.partner)
        return list(reversed(found.get(self.partner, [])))

    async def delete(self) -> None:
        """Delete the intake topic; the intake makes it again."""
        async with self.admin() as client:
            await client.delete_topics([self.topic])

    @contextlib.asynccontextmanager
    async def admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        client = AIOKafkaAdminClient(**options_of(self.broker))
        await client.start()
        try:
            yield client
        finally:
            await client.close()


async def make_system(
    stack: LocalStack, broker: Broker | str, clock: Clock | None = None, units: bool = True
) -> System:
    """The database of one test, with some units, and the objects over it."""
    url = await migrated_database(stack, "activities")
    pool = await connect_pool(url, "activities", low=2, high=16)
    clock = clock or clock_from_environment()
    catalogue = Catalogue.load()
    judge = Judge(catalogue, Pseudonyms(bytes(range(32))), clock)
    log = Log(pool, catalogue, clock)
    await log.start()
    door = Door(judge, log)
    key = Key("admin", "admin", frozenset({"administrator"}))
    world = [raw(unit(*u)) for u in UNITS] if units else []
    results = await door.take(world, key, Path.REST, traceparent=None)
    assert all(r.problem is None for r in results), results
    return System(broker, pool, log, door, clock, f"p{uuid.uuid4().hex[:10]}", url)


async def close(system: System) -> None:
    await system.stop()
    await system.log.stop()
    system.pool.terminate()


@pytest_asyncio.fixture
async def system(infrastructure: LocalStack) -> AsyncIterator[System]:
    made = await make_system(infrastructure, infrastructure.bootstrap_servers)
    yield made
    await close(made)
