"""Topics that are recreated, cut short, compacted or split: noticed, kept, and nothing doubled."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import NewPartitions, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from services.activities.intake import admin
from services.activities.intake.lag import lags
from shared.broker import options_of
from tests.intake.conftest import STRUCTURED, System, apache_only, attended, raw

pytestmark = pytest.mark.stack


async def kinds(system: System) -> list[str]:
    return [t["kind"] for t in await system.troubles()]


async def noticed(system: System, *wanted: str) -> None:
    async def there() -> bool:
        return set(wanted) <= set(await kinds(system))

    await system.until(there)


async def becomes(system: System, state: str) -> None:
    """Wait for a state: brokers say for a moment that a new topic has no leader."""

    async def there() -> bool:
        (lag,) = await lags(system.pool, system.clock.now(), system.partner)
        return lag.state == state

    await system.until(there)


async def test_a_recreated_topic_is_read_from_its_beginning(system: System) -> None:
    await system.enable(acks="all")
    system.start()
    await system.topic_there()
    await system.events(*(attended(f"e{n}") for n in range(6)))
    await system.read_to_end()
    await asyncio.sleep(1.2)  # the ends are seen
    await system.delete()
    await noticed(system, "recreated")
    await system.topic_there()
    # The first ones come again, as from a partner that starts over; idempotency makes that safe.
    await system.events(*(attended(f"e{n}") for n in range(10)))
    await system.read_to_end()
    assert sorted(await system.accepted()) == sorted(f"e{n}" for n in range(10))
    answers = Counter(a["status"] for a in await system.answers())
    assert answers == Counter(accepted=10, duplicate=6)
    assert await kinds(system) == ["recreated"]
    await becomes(system, "attention")
    assert await admin.acknowledge(system.pool, system.partner, "ops", system.clock.now()) == 1
    await becomes(system, "reading")
    (kept,) = await system.troubles()
    assert kept["acknowledged_by"] == "ops"


async def test_what_was_unread_in_a_recreated_topic_is_kept_as_lost(system: System) -> None:
    await system.enable()
    system.start()
    await system.topic_there()
    await system.events(attended("read"), partition=0)
    await system.read_to_end()
    await system.stop()
    await system.events(*(attended(f"unread{n}") for n in range(3)), partition=0)
    # The end of the topic was seen, but nothing of it taken, when the topic went.
    await system.pool.execute("UPDATE intake_position SET high = 4 WHERE partition = 0")
    await system.delete()
    system.start()
    await noticed(system, "recreated", "lost")
    lost = next(t for t in await system.troubles() if t["kind"] == "lost")
    assert (lost["partition"], lost["first"], lost["last"]) == (0, 1, 3)
    assert await system.accepted() == ["read"]


async def test_a_topic_that_was_recreated_smaller(system: System) -> None:
    await system.enable(partitions=3)
    system.start()
    await system.topic_there()
    await system.events(attended("a"), partition=2)
    await system.read_to_end()
    await system.stop()
    await system.delete()
    async with system.admin() as client:
        await client.create_topics([NewTopic(system.topic, 1, 1)])
    system.start()
    await noticed(system, "recreated", "fewer-partitions")
    await system.events(attended("b"), partition=0)
    await system.read_to_end()
    assert await system.accepted() == ["a", "b"]
    assert await system.positions() == {0: 1}


async def test_a_compacted_topic_is_said_once_and_stays_said(system: System) -> None:
    async with system.admin() as client:
        configs = {"cleanup.policy": "compact"}
        await client.create_topics([NewTopic(system.topic, 1, 1, topic_configs=configs)])
    await system.enable()
    system.start()
    await noticed(system, "compacted")
    await asyncio.sleep(2.5)
    assert await kinds(system) == ["compacted"]
    await admin.acknowledge(system.pool, system.partner, "ops", system.clock.now())
    # Seen, but not mended: it must not look well.
    await becomes(system, "attention")


@apache_only
async def test_messages_deleted_before_they_were_read(system: System) -> None:
    await system.enable(acks="all")
    system.start()
    await system.topic_there()
    await system.events(*(attended(f"a{n}") for n in range(5)), partition=0)
    await system.read_to_end()
    await system.stop()
    await system.events(*(attended(f"b{n}") for n in range(5)), partition=0)
    async with system.admin() as client:
        where = {TopicPartition(system.topic, 0): RecordsToDelete(before_offset=8)}
        await client.delete_records(where)
    system.start()
    await system.read_to_end()
    assert sorted(await system.accepted()) == sorted(["a0", "a1", "a2", "a3", "a4", "b3", "b4"])
    (lost,) = await system.troubles()
    assert (lost["kind"], lost["partition"], lost["first"], lost["last"]) == ("lost", 0, 5, 7)
    await becomes(system, "attention")


@apache_only
async def test_more_partitions_are_read_from_their_beginning(system: System) -> None:
    await system.enable()
    system.start()
    await system.topic_there()
    await system.read_to_end()  # it is seen as it is: with two
    async with system.admin() as client:
        await client.create_partitions({system.topic: NewPartitions(4)})

    async def there() -> bool:
        return len(await system.ends()) == 4

    await system.until(there)
    await system.events(attended("early"), partition=3)
    await system.read_to_end()
    assert await system.accepted() == ["early"]
    assert await kinds(system) == ["more-partitions"]


@apache_only
async def test_policy_changed_to_compact_and_back(system: System) -> None:
    await system.enable()
    system.start()
    await system.topic_there()

    async def policy(value: str) -> None:
        async with system.admin() as client:
            config = ConfigResource(
                ConfigResourceType.TOPIC, system.topic, {"cleanup.policy": value}
            )
            await client.alter_configs([config])

    await policy("compact")
    await noticed(system, "compacted")
    await policy("delete")
    await admin.acknowledge(system.pool, system.partner, "ops", system.clock.now())
    await becomes(system, "reading")
    await policy("compact,delete")

    async def again() -> bool:
        return await kinds(system) == ["compacted", "compacted"]

    await system.until(again)


@apache_only
async def test_aborted_transactions_are_not_taken_and_are_no_gap(system: System) -> None:
    await system.enable(acks="all")
    system.start()
    await system.topic_there()
    producer = AIOKafkaProducer(**options_of(system.broker), transactional_id=system.partner)
    await producer.start()

    async def send(*ids: str) -> None:
        for id in ids:
            body = raw(attended(id))
            await producer.send_and_wait(system.topic, body, headers=STRUCTURED, partition=0)

    async with producer.transaction():
        await send("kept1", "kept2")
    await producer.begin_transaction()
    await send("gone1", "gone2")
    await producer.abort_transaction()
    async with producer.transaction():
        await send("kept3")
    await system.read_to_end()
    # An open transaction holds back what follows it, and nothing of it is taken.
    await producer.begin_transaction()
    await send("open")
    await system.events(attended("behind"), partition=0)
    await asyncio.sleep(1.5)
    assert sorted(await system.accepted()) == ["kept1", "kept2", "kept3"]
    await producer.abort_transaction()
    await producer.stop()
    await system.read_to_end()
    assert sorted(await system.accepted()) == ["behind", "kept1", "kept2", "kept3"]
    assert await system.troubles() == []


@apache_only
async def test_every_codec_of_a_producer(system: System) -> None:
    """The broker unpacks what producers pack; nothing here needs a codec."""
    await system.enable(acks="all")
    system.start()
    await system.topic_there()
    await system.events(*(attended(f"e{n}") for n in range(20)), compression_type="gzip")
    await system.read_to_end()
    assert len(await system.accepted()) == 20


async def test_a_topic_that_ends_before_what_was_read(system: System) -> None:
    await system.enable(acks="all")
    system.start()
    await system.topic_there()
    await system.events(attended("a"), attended("b"), partition=0)
    await system.read_to_end()
    await system.stop()
    # As if the broker had lost the messages from 2 to 49, which had been read.
    await system.pool.execute("UPDATE intake_position SET next = 50 WHERE partition = 0")
    system.start()
    await noticed(system, "rewound")
    await system.events(attended("c"), partition=0)
    await system.read_to_end()
    assert sorted(await system.accepted()) == ["a", "b", "c"]
    (trouble,) = await system.troubles()
    assert (trouble["partition"], trouble["first"], trouble["last"]) == (0, 2, 49)
    answers = Counter(a["status"] for a in await system.answers())
    assert answers == Counter(accepted=3, duplicate=2)


async def test_lag_is_seen_and_silence_too(system: System) -> None:
    async def lag() -> Any:
        (found,) = await lags(system.pool, system.clock.now(), system.partner)
        return found

    await system.enable()
    assert (await lag()).state == "unattended"
    system.start()
    await system.topic_there()
    await system.events(*(attended(f"e{n}") for n in range(8)))
    await system.read_to_end()

    async def current() -> bool:
        found = await lag()
        return found.state == "reading" and found.messages == 0 and found.seconds == 0

    await system.until(current)
    await system.stop()
    await system.pool.execute(
        "UPDATE intake_position SET high = next + 7, behind_since = $1,"
        " read_ms = 1000 * extract(epoch FROM $1::timestamptz) - 5000",
        system.clock.now(),
    )
    found = await lag()
    assert found.messages == 14
    assert found.seconds >= 0
    await system.pool.execute("UPDATE intake SET checked_at = checked_at - interval '20 s'")
    assert (await lag()).state == "unattended"
