"""The loop of one partner: see the topic, read it, hand its events to the door, note how far.

Whatever fails, the loop starts over from what is stored. Nothing is skipped but what is written
down as lost.
"""

import asyncio
import logging

import asyncpg
from aiokafka.errors import KafkaError

from services.activities.ingest.door import Door
from services.activities.intake import acls, outbox, store
from services.activities.intake.batch import Batch, batches
from services.activities.intake.ending import end
from services.activities.intake.kafka import EARLIEST, Kafka, OutOfRange
from services.activities.intake.model import Kind, Partner, Topic, Trouble
from services.activities.intake.sender import Sender
from services.activities.intake.store import Fenced, Move
from shared.broker import Broker
from shared.clock import Clock
from shared.problems import Problem

log = logging.getLogger(__name__)

CHECK_SECONDS = 1.0
RECEIPTS_WAITING = 100_000
"""Answers that may wait for the receipts topic before reading waits for them."""

LONGEST_WAIT_SECONDS = 60


class Intake:
    """Reads one partner's topic; `run` works until something fails, the caller starts it again."""

    def __init__(
        self, name: str, pool: asyncpg.Pool, door: Door, broker: Broker | str, clock: Clock
    ) -> None:
        self._name = name
        self._pool = pool
        self._door = door
        self._broker = broker
        self._clock = clock

    async def run(self) -> None:
        """Read until something fails. Says in the database why it waits."""
        try:
            async with Kafka(self._broker) as kafka:
                who = await self._partner()
                for name, configs in who.topic_configs().items():
                    # Asked first: where others make the topics, we may not have the right to.
                    if await kafka.topic(name) is None:
                        await kafka.create(name, who.partitions, configs)
                sender = Sender(self._pool, who, self._broker)
                sending = asyncio.create_task(sender.run())
                reading = asyncio.create_task(self._read(kafka, who, sender))
                try:
                    await asyncio.wait({sending, reading}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    await end((sending, reading))
                    ended = await asyncio.gather(sending, reading, return_exceptions=True)
                for error in ended:
                    if isinstance(error, Exception):
                        raise error
        except Fenced as fenced:
            log.info("intake of %s starts over: %s", self._name, fenced)
        except (KafkaError, OSError, TimeoutError, ValueError) as error:
            await store.failed(self._pool, self._name, type(error).__name__, self._clock.now())
            raise

    async def _partner(self) -> Partner:
        who = await store.partner(self._pool, self._name)
        if who is None:
            raise Fenced(f"{self._name} is no longer enabled")
        return who

    async def _read(self, kafka: Kafka, who: Partner, sender: Sender) -> None:
        loop = asyncio.get_running_loop()
        topic, positions = await self._see(kafka, who)
        log.info("reading %s (%s) from %s", who.intake, topic.id, positions)
        borders: dict[int, tuple[int, int]] = {}
        await self._give_acls(kafka, who, topic)
        checked = loop.time()
        while True:
            if loop.time() - checked >= CHECK_SECONDS:
                await store.observe(self._pool, who.name, topic.id, borders, self._clock.now())
                if (await self._partner()).version != who.version:
                    raise Fenced(f"the rights of {who.name} have changed")
                seen, positions = await self._see(kafka, who)
                if seen.id != topic.id:
                    log.error("%s was recreated: %s, now %s", who.intake, topic.id, seen.id)
                    borders = {}
                topic = seen
                await self._room(who)
                checked = loop.time()
            try:
                pages = await kafka.fetch(who.intake, topic.leaders, positions)
            except OutOfRange as gone:
                # Perhaps the topic itself is another one: that would explain it.
                seen, positions = await self._see(kafka, who)
                if seen.id == topic.id:
                    await self._skip(who, topic, positions, gone)
                raise Fenced(str(gone)) from None
            borders |= {page.partition: (page.first, page.high) for page in pages}
            for batch in batches(who, topic.id, pages):
                await self._take(batch, borders)
                positions |= {move.partition: move.next for move in batch.moves}
                sender.wake()

    async def _see(self, kafka: Kafka, who: Partner) -> tuple[Topic, dict[int, int]]:
        """The topic as it is now, its changes noted, and where to read on."""
        topic, answers = await kafka.topic(who.intake), await kafka.topic(who.receipts)
        if topic is None or not topic.leaders or answers is None:
            # Starting over makes it again.
            raise Fenced(f"{who.intake if answers else who.receipts} is gone")
        earliest = await kafka.offsets(who.intake, topic.leaders, EARLIEST)
        now = self._clock.now()
        positions = await store.see_topic(self._pool, who.name, topic, earliest, now)
        compacted = await kafka.compacted(who.intake)
        if await store.see_compaction(self._pool, who.name, compacted, now):
            log.error("%s is compacted: messages with equal keys may vanish", who.intake)
        return topic, positions

    async def _skip(
        self, who: Partner, topic: Topic, positions: dict[int, int], gone: OutOfRange
    ) -> None:
        """Go on where the broker holds something again; what lies between is noted as lost."""
        at = positions[gone.partition]
        if at < gone.first:
            trouble = Trouble(
                Kind.LOST, "gone before it was read", gone.partition, at, gone.first - 1
            )
        elif at > gone.high:
            trouble = Trouble(
                Kind.REWOUND,
                "the topic ends before what was read",
                gone.partition,
                gone.high,
                at - 1,
            )
        else:
            return
        log.error("%s %s: %s", who.intake, trouble.kind.value, gone)
        move = Move(gone.partition, at, gone.first)
        await store.jump(self._pool, who, topic.id, move, trouble, self._clock.now())

    async def _room(self, who: Partner) -> None:
        """Wait while too many answers could not be sent."""
        while await outbox.too_many_receipts(self._pool, who.name, RECEIPTS_WAITING):
            await store.failed(self._pool, who.name, "receipts-waiting", self._clock.now())
            await asyncio.sleep(1)

    async def _take(self, batch: Batch, borders: dict[int, tuple[int, int]]) -> None:
        """Hand in a batch until it is committed. Raises Fenced; waits out what passes."""
        while True:
            try:
                await batch.take(self._door, self._clock)
                return
            except Problem as problem:
                if not (problem.retryable or problem.status in (429, 503)):
                    raise
                wait = min(problem.retry_after or 1, LONGEST_WAIT_SECONDS)
                log.warning("intake of %s waits %d s: %s", self._name, wait, problem.code)
                await self._wait(batch, problem.code, wait, borders)

    async def _wait(
        self, batch: Batch, code: str, seconds: float, borders: dict[int, tuple[int, int]]
    ) -> None:
        try:
            await store.observe(
                self._pool, self._name, batch.topic_id, borders, self._clock.now(), waits_for=code
            )
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            log.warning("the database does not answer: %s", type(error).__name__)
        await asyncio.sleep(seconds)

    async def _give_acls(self, kafka: Kafka, who: Partner, topic: Topic) -> None:
        """Have the broker let the partner in, where the administrator said so."""
        if not who.apply_acls or who.acls_version == who.version:
            return
        principal = who.principal or f"User:{who.name}"
        entries = [entry for rule in acls.rules(who) for entry in rule.entries(principal)]
        reason = await kafka.allow(entries)
        if reason is not None:
            trouble = Trouble(Kind.ACLS_REFUSED, reason[:500])
            async with self._pool.acquire() as connection:
                await store.note(connection, who.name, topic.id, [trouble], self._clock.now())
        await store.applied_acls(self._pool, who)
