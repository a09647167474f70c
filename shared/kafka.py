"""Kafka clients with the settings that every process shares.

Exactness never depends on the broker (see `shared/lanes.py`): producers may be non-idempotent
(the embedded broker knows no idempotent ones) and no offsets are stored.
"""

import asyncio
import contextlib
import logging

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError

log = logging.getLogger(__name__)

REQUEST_TIMEOUT_MS = 10_000


def producer(servers: str, client_id: str) -> AIOKafkaProducer:
    """A producer that waits for all in-sync replicas; the caller starts and stops it."""
    return AIOKafkaProducer(
        bootstrap_servers=servers,
        client_id=client_id,
        acks="all",
        linger_ms=2,
        max_batch_size=512 * 1024,
        max_request_size=4 * 1024 * 1024,
        request_timeout_ms=REQUEST_TIMEOUT_MS,
        metadata_max_age_ms=30_000,
    )


async def ensure_topics(servers: str, topics: dict[str, int]) -> None:
    """Create the topics (name -> partitions) that do not exist; others are left as they are."""
    admin = AIOKafkaAdminClient(
        bootstrap_servers=servers, request_timeout_ms=REQUEST_TIMEOUT_MS, client_id="hocvuso-topics"
    )
    await admin.start()
    try:
        existing = set(await admin.list_topics())
        missing = [
            NewTopic(name, partitions, -1 if partitions < 1 else 1)
            for name, partitions in topics.items()
            if name not in existing
        ]
        if missing:
            with contextlib.suppress(TopicAlreadyExistsError):
                await admin.create_topics(missing)
    finally:
        await admin.close()


async def tail(servers: str, topic: str, client_id: str) -> AIOKafkaConsumer:
    """A consumer of all partitions of `topic`, without a group, positioned at the end.

    What lies before is read from the log itself, which also fills whatever is missed later.
    Raises KafkaError when the topic has no partitions yet.
    """
    # Without a group, a consumer that names its topic is given all its partitions.
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=servers,
        client_id=client_id,
        enable_auto_commit=False,
        auto_offset_reset="latest",
        fetch_max_wait_ms=20,
        request_timeout_ms=REQUEST_TIMEOUT_MS,
        max_partition_fetch_bytes=4 * 1024 * 1024,
        metadata_max_age_ms=30_000,
    )
    try:
        await consumer.start()
        assigned = consumer.assignment()
        if not assigned:
            raise KafkaError(f"topic {topic} does not exist yet")
        await asyncio.wait_for(consumer.seek_to_end(*assigned), REQUEST_TIMEOUT_MS / 1000)
    except BaseException:
        await consumer.stop()
        raise
    return consumer


async def stop_quietly(*clients: AIOKafkaConsumer | AIOKafkaProducer | None) -> None:
    """Stop clients whose broker may be gone, in bounded time."""
    for client in clients:
        if client is not None:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(client.stop(), 5)
