"""Kafka intake: durable events per second beside a bare consumer that decodes and inserts."""

import asyncio
import time

import asyncpg
import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from bench.ingest import event
from bench.report import Row
from deploy.local.stack import LocalStack
from shared.kafka import stop_quietly
from tests.intake.conftest import STRUCTURED, System, close, make_system

EVENTS = 40_000


async def measure(stack: LocalStack) -> list[Row]:
    """Both over the broker of the stack, the same messages, one partition."""
    system = await make_system(stack, stack.bootstrap_servers)
    try:
        await system.enable(roles=["police"], sources=None, partitions=1, acks="none")
        maker = system.start("maker")
        await system.topic_there()
        await system.stop()
        await asyncio.gather(maker, return_exceptions=True)
        await _produce(system, [msgspec.json.encode(event(n)) for n in range(EVENTS)])
        started = time.perf_counter()
        system.start("bench")
        while (
            await system.pool.fetchval(
                "SELECT count(*) FROM log WHERE partner = $1", system.partner
            )
            < EVENTS
        ):
            await asyncio.sleep(0.2)
        rate = EVENTS / (time.perf_counter() - started)
        await system.stop()
        reference = await _bare(stack, system)
    finally:
        await close(system)
    text = "consume, decode, unnest insert with conflict check"
    return [Row("Kafka intake, durable, one partition", rate, "events/s", text, reference, 0.5)]


async def _produce(system: System, bodies: list[bytes]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=system.broker, acks="all", linger_ms=20)
    await producer.start()
    sent = [
        await producer.send(system.topic, body, headers=STRUCTURED, partition=0) for body in bodies
    ]
    await asyncio.gather(*sent)
    await producer.stop()


async def _bare(stack: LocalStack, system: System) -> float:
    connection = await asyncpg.connect(stack.superuser_url)
    await connection.execute(
        "CREATE TABLE bench_intake (position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
        " source text, id text, data json, UNIQUE (source, id))"
    )
    consumer = AIOKafkaConsumer(
        bootstrap_servers=system.broker, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    await consumer.start()
    consumer.assign([TopicPartition(system.topic, 0)])
    done, started = 0, time.perf_counter()
    while done < EVENTS:
        for messages in (await consumer.getmany(timeout_ms=200, max_records=500)).values():
            events = [msgspec.json.decode(message.value) for message in messages]
            await connection.execute(
                "INSERT INTO bench_intake (source, id, data) SELECT * FROM"
                " unnest($1::text[], $2::text[], $3::json[]) ON CONFLICT DO NOTHING",
                [e["source"] for e in events],
                [e["id"] for e in events],
                [msgspec.json.encode(e["data"]).decode() for e in events],
            )
            done += len(messages)
    seconds = time.perf_counter() - started
    await stop_quietly(consumer)
    await connection.execute("DROP TABLE bench_intake")
    await connection.close()
    return EVENTS / seconds
