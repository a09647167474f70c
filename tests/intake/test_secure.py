"""The whole chain over SASL_SSL, where a partner may do two things and nothing else."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    GroupCoordinatorNotAvailableError,
    KafkaError,
    TopicAuthorizationFailedError,
)

from deploy.local.stack import LocalStack
from services.activities.intake.kafka import Kafka
from services.activities.relay import Relay
from shared.contracts import topics
from shared.kafka import stop_quietly
from shared.worker import forever
from tests.intake.cluster import OURS
from tests.intake.cluster import cluster as cluster
from tests.intake.conftest import (
    PATIENCE,
    STRUCTURED,
    System,
    apache_only,
    attended,
    close,
    make_system,
    raw,
)
from tests.intake.secure import Cluster

pytestmark = [pytest.mark.stack, apache_only]


@pytest_asyncio.fixture
async def system(infrastructure: LocalStack, cluster: Cluster) -> AsyncIterator[System]:
    made = await make_system(infrastructure, cluster.user("hocvuso"))
    made.partner = "one"
    yield made
    await close(made)


async def write(cluster: Cluster, user: str, topic: str, event: dict[str, Any]) -> None:
    options = cluster.user(user).options()
    producer = AIOKafkaProducer(**options, acks="all", enable_idempotence=True)
    await producer.start()
    try:
        await producer.send_and_wait(topic, raw(event), headers=STRUCTURED)
    finally:
        await producer.stop()


async def read(cluster: Cluster, user: str, topic: str) -> list[bytes]:
    """The first messages of a topic."""
    consumer = AIOKafkaConsumer(**cluster.user(user).options(), auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, n) for n in range(2)])
        found: list[bytes] = []
        async with asyncio.timeout(PATIENCE):
            while not found:
                for messages in (await consumer.getmany(timeout_ms=500)).values():
                    found += [message.value for message in messages]
        return found
    finally:
        await stop_quietly(consumer)


async def use_group(cluster: Cluster, user: str, group: str) -> None:
    """Ask for a consumer group, as every consumer in one does first."""
    client = AIOKafkaAdminClient(**cluster.user(user).options())
    await client.start()
    try:
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    await client.find_coordinator(group)
                    return
                except GroupCoordinatorNotAvailableError:
                    await asyncio.sleep(0.3)  # the broker makes its topic of groups
    finally:
        await client.close()


async def test_a_partner_writes_its_events_and_reads_its_receipts_only(
    system: System, cluster: Cluster
) -> None:
    ours = cluster.user("hocvuso")
    relay = Relay(system.pool, ours, 2, system.clock)
    system.tasks.append(asyncio.create_task(forever("relay", relay.run, longest_wait_s=1)))
    system.start()
    for partner in ("two", "one"):
        system.partner = partner
        await system.enable(acks="all", apply_acls=True, sources=[f"https://{partner}.example/"])
        await system.topic_there()

    async def let_in() -> bool:
        return not await system.pool.fetchval("SELECT count(*) FROM intake WHERE acls_version = 0")

    await system.until(let_in)
    await write(cluster, "one", topics.intake("one"), attended("a", source="https://one.example/x"))
    await write(cluster, "two", topics.intake("two"), attended("b", source="https://two.example/x"))
    await system.read_to_end()

    async def relayed() -> bool:
        return bool(
            await system.pool.fetchval(
                "SELECT (SELECT position FROM relay) = (SELECT max(position) FROM log)"
            )
        )

    await system.until(relayed)
    assert await system.accepted() == ["a"]
    own = topics.receipts("one")
    assert b'"accepted"' in b"".join(await read(cluster, "one", own))
    await use_group(cluster, "one", f"{own}.reader")

    refused_to_write = [topics.LOG, topics.PROGRESS, topics.intake("two"), own]
    for topic in refused_to_write:
        with pytest.raises(TopicAuthorizationFailedError):
            await write(cluster, "one", topic, attended("intruder"))
    # Not even what it wrote itself: raw identifiers are for the intake alone.
    refused_to_read = [
        topics.LOG,
        topics.intake("two"),
        topics.receipts("two"),
        topics.intake("one"),
    ]
    async with Kafka(cluster.user("one")) as kafka:
        for topic in refused_to_read:
            with pytest.raises(TopicAuthorizationFailedError):
                await kafka.fetch(topic, {0: 1}, {0: 0})
        assert await kafka.fetch(own, {0: 1}, {0: 0})
    with pytest.raises(GroupAuthorizationFailedError):
        await use_group(cluster, "one", "somebody-elses-group")
    async with Kafka(cluster.user("one")) as kafka:
        with pytest.raises(KafkaError):
            await kafka.create("mine", 1, {})
        assert await kafka.allow(OURS) is not None
    assert "intruder" not in [r["id"] for r in await system.pool.fetch("SELECT id FROM log")]


async def test_strangers_do_not_get_in(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "wrong").write_text("guess")
    for broker in (
        cluster.user("one", password_file=tmp_path / "wrong"),
        cluster.user("one", ca_file=tmp_path / "stranger.pem"),
        cluster.user("one", protocol="SASL_PLAINTEXT"),
    ):
        with pytest.raises((KafkaError, OSError, TimeoutError, ssl.SSLError)):
            async with Kafka(broker):
                pass


async def test_a_broker_without_rules_says_so_and_the_intake_goes_on(
    infrastructure: LocalStack,
) -> None:
    system = await make_system(infrastructure, infrastructure.bootstrap_servers)
    try:
        await system.enable(apply_acls=True)
        system.start()
        await system.topic_there()
        await system.events(attended("a"))
        await system.read_to_end()
        assert await system.accepted() == ["a"]
        assert [t["kind"] for t in await system.troubles()] == ["acls-refused"]
    finally:
        await close(system)
