"""Crashes between any two steps, and two processes at once: the sets are compared exactly."""

import asyncio
import random
from collections import Counter
from typing import Any

import pytest

from services.activities.ingest.door import Door
from services.activities.intake import outbox, store
from services.activities.intake.batch import Batch
from services.activities.intake.kafka import Kafka
from services.activities.intake.model import Message
from services.activities.intake.partner import Intake
from services.activities.intake.store import Fenced, Move
from shared.worker import forever
from tests.intake.conftest import STRUCTURED, System, apache_only, attended, raw

pytestmark = pytest.mark.stack


class Crash(BaseException):
    """Ends a process at once."""


def messages(count: int) -> list[tuple[bytes, Any]]:
    """Good ones, and every fifth refused."""
    return [
        (raw(attended(f"e{n}", type="vn.hocvuso.x" if n % 5 == 0 else "vn.hocvuso.training.attended")), STRUCTURED)
        for n in range(count)
    ]  # fmt: skip


async def proven(system: System, count: int) -> None:
    """Every message was dealt with once: one row each in the log, at least one answer each."""
    await system.read_to_end()
    good = {f"e{n}" for n in range(count) if n % 5}
    bad = {f"e{n}" for n in range(count) if not n % 5}
    accepted = await system.accepted()
    assert Counter(accepted) == Counter(good)
    answers = await system.answers()
    statuses = {(a["partition"], a["offset"], a["id"], a["status"]) for a in answers}
    # A receipt may come twice (at least once), but never say another thing the second time.
    assert len(statuses) == count
    assert {s[2] for s in statuses if s[3] == "accepted"} == good
    assert {s[2] for s in statuses if s[3] == "rejected"} == bad
    rows = await system.pool.fetch(
        "SELECT sum(accepted) AS a, sum(duplicates) AS d, sum(rejected) AS r FROM intake_position"
    )
    assert tuple(rows[0].values()) == (len(good), 0, len(bad))


STEPS = {
    "before the door": (Batch, "take", False),
    "after the commit": (Batch, "take", True),
    "positions moved": (store, "advance", True),
    "answers kept": (outbox, "keep_receipts", True),
    "before answers are sent": (outbox, "waiting_receipts", True),
    "answers sent, not forgotten": (outbox, "drop_receipts", False),
    "answers forgotten": (outbox, "drop_receipts", True),
    "topic seen": (store, "see_topic", True),
}


@pytest.mark.parametrize("step", STEPS)
async def test_a_crash_at_each_step(
    system: System, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, name, afterwards = STEPS[step]
    real = getattr(place, name)
    crashed = 0

    async def crash(*arguments: Any, **how: Any) -> Any:
        nonlocal crashed
        value = await real(*arguments, **how) if afterwards else None
        if crashed < 3:
            crashed += 1
            # What a kill leaves: neither the rest of this task nor any handler of ours runs on.
            raise ConnectionResetError(f"crash {crashed}")
        return value if afterwards else await real(*arguments, **how)

    monkeypatch.setattr(place, name, crash)
    await system.enable(acks="all")
    system.start()
    await system.topic_there()
    for at in range(0, 60, 15):
        await system.produce(*messages(60)[at : at + 15])
        await system.read_to_end()
    await proven(system, 60)
    assert crashed == 3


async def test_processes_that_are_killed_all_the_time(system: System) -> None:
    await system.enable(acks="all")
    count, random_ = 600, random.Random(7)
    system.start("first")
    await system.topic_there()

    async def produce() -> None:
        everything = messages(count)
        for at in range(0, count, 50):
            await system.produce(*everything[at : at + 50])
            await asyncio.sleep(random_.uniform(0, 0.2))

    producing = asyncio.create_task(produce())
    for round in range(12):
        await asyncio.sleep(random_.uniform(0.05, 0.6))
        await system.stop()
        system.start(f"after {round}")
    await producing
    await proven(system, count)


async def test_two_readers_of_one_partner_without_the_lock(system: System) -> None:
    """The lock only saves work: without it, the fence alone keeps the count."""
    await system.enable(acks="all")
    readers = 3
    held = fenced = 0
    all_hold = asyncio.Event()

    class Slow(Door):
        """Holds a batch until every reader has one: with two partitions, two have the same."""

        def __init__(self) -> None: ...

        async def take(self, *arguments: Any, **how: Any) -> Any:
            nonlocal held, fenced
            held += 1
            if held == readers:
                all_hold.set()
            await all_hold.wait()
            await asyncio.sleep(0.05)
            try:
                return await system.door.take(*arguments, **how)
            except Fenced:
                fenced += 1
                raise

    async def read() -> None:
        await Intake(system.partner, system.pool, Slow(), system.broker, system.clock).run()

    system.tasks += [
        asyncio.create_task(forever(f"reader {n}", read, longest_wait_s=1)) for n in range(readers)
    ]
    await system.topic_there()
    for at in range(0, 200, 20):
        await system.produce(*messages(200)[at : at + 20])
    await proven(system, 200)
    assert fenced > 0


async def test_a_fenced_batch_leaves_nothing_and_harms_no_neighbour(system: System) -> None:
    await system.enable(acks="all", partitions=2)
    async with Kafka(system.broker) as kafka:
        who = await store.partner(system.pool, system.partner)
        assert who is not None
        await kafka.create(who.intake, 2, {})
        topic = await kafka.topic(who.intake)
        assert topic is not None
    await store.see_topic(system.pool, who.name, topic, {0: 0, 1: 0}, system.clock.now())

    def batch(id: str, *moves: Move) -> Batch:
        message = Message(moves[0].partition, 0, 0, raw(attended(id)), tuple(STRUCTURED))
        return Batch(who, topic.id, [message], list(moves))

    stale = batch("stale", Move(0, 0, 1), Move(1, 5, 6))
    good = batch("good", Move(0, 0, 1))
    both = await asyncio.gather(
        stale.take(system.door, system.clock),
        good.take(system.door, system.clock),
        return_exceptions=True,
    )
    assert isinstance(both[0], Fenced) and both[1] is None
    assert await system.accepted() == ["good"]
    assert await system.positions() == {0: 1, 1: 0}
    waiting = await outbox.waiting_receipts(system.pool, who.name, 10)
    assert len(waiting) == 2  # the answer and its checkpoint, of the good one alone
    # With changed rights, or disabled, the same reader cannot commit either.
    await system.enable(acks="none")
    with pytest.raises(Fenced):
        await batch("outdated", Move(0, 1, 2)).take(system.door, system.clock)
    assert await system.accepted() == ["good"]


@apache_only  # the embedded broker takes messages for a topic that is gone
async def test_answers_wait_while_the_receipts_topic_is_gone(system: System) -> None:
    await system.enable(acks="all")
    system.start()
    await system.topic_there()
    await system.events(attended("e1"), attended("e2"))
    await system.read_to_end()
    who = await store.partner(system.pool, system.partner)
    assert who is not None
    async with Kafka(system.broker) as kafka:
        before = await kafka.topic(who.receipts)
        async with system.admin() as client:
            await client.delete_topics([who.receipts])

        async def gone() -> bool:
            return await kafka.topic(who.receipts) != before

        # What the old topic has taken is gone with it; what comes from now on must not be.
        await system.until(gone)
    await system.events(attended("e3"), attended("e4"))
    await system.read_to_end()
    assert {a["id"] for a in await system.answers()} >= {"e3", "e4"}
