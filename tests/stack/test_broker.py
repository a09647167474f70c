"""The embedded broker does what the services need of Kafka, and starts empty each time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.local.kafka_probe import answers_metadata
from deploy.local.stack import LocalStack
from shared.kafka import stop_quietly
from tests.stack.conftest import PATIENCE, eventually

MakeStack = Callable[..., LocalStack]
TOPIC = "roundtrip"


async def roundtrip(servers: str, words: list[bytes]) -> list[tuple[bytes, object]]:
    """Create a topic with eight partitions, produce to each, consume all by assignment."""
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    await admin.create_topics([NewTopic(TOPIC, 8, 1)])
    described = await admin.describe_topics([TOPIC])
    assert len(described[0]["partitions"]) == 8
    await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=servers, acks="all")
    consumer = AIOKafkaConsumer(
        bootstrap_servers=servers, auto_offset_reset="earliest", fetch_max_wait_ms=50
    )
    await producer.start()
    await consumer.start()
    got: list[tuple[bytes, object]] = []
    try:
        for number, word in enumerate(words):
            headers = [("traceparent", b"00")]
            await producer.send_and_wait(TOPIC, word, partition=number % 8, headers=headers)
        consumer.assign([TopicPartition(TOPIC, number) for number in range(8)])
        while len(got) < len(words):
            for messages in (await consumer.getmany(timeout_ms=1000)).values():
                got += [(message.value, message.headers) for message in messages]
    finally:
        await producer.stop()
        await stop_quietly(consumer)
    return got


async def cluster_id(servers: str) -> str:
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    try:
        return str((await admin.describe_cluster())["cluster_id"])
    finally:
        await admin.close()


def test_roundtrip_and_a_new_cluster_id_after_a_kill(make_stack: MakeStack) -> None:
    stack = make_stack()
    stack.start()
    servers, pid = stack.bootstrap_servers, stack.pid("broker")
    words = [b"word %d" % number for number in range(40)]
    got = asyncio.run(asyncio.wait_for(roundtrip(servers, words), PATIENCE))
    assert sorted(got) == sorted((word, (("traceparent", b"00"),)) for word in words)
    before = asyncio.run(cluster_id(servers))

    stack.kill("broker")
    eventually(lambda: stack.pid("broker") not in (None, pid), "a new broker")
    host, _, port = servers.rpartition(":")
    eventually(lambda: answers_metadata(host, int(port)), "the broker answers")
    assert asyncio.run(cluster_id(servers)) != before
    got = asyncio.run(asyncio.wait_for(roundtrip(servers, [b"again"]), PATIENCE))
    assert [word for word, _ in got] == [b"again"]


def test_the_probe_does_not_take_another_server_for_a_broker(make_stack: MakeStack) -> None:
    stack = make_stack()
    stack.start()
    assert not answers_metadata("127.0.0.1", stack.port_of("postgres"))
