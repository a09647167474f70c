"""Sends the answers that are committed; forgets one only when the broker has it."""

import asyncio
from collections.abc import Iterable

import asyncpg
from aiokafka import AIOKafkaProducer

from services.activities.intake import outbox
from services.activities.intake.model import Partner
from shared import kafka
from shared.broker import Broker

AT_ONCE = 1_000
IDLE_SECONDS = 1.0
HEADERS = [("content-type", b"application/json")]


class Sender:
    """The way from the outbox to the receipts topic of one partner, in the order of commits."""

    def __init__(self, pool: asyncpg.Pool, who: Partner, broker: Broker | str) -> None:
        self._pool = pool
        self._who = who
        self._broker = broker
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """There is something to send."""
        self._wake.set()

    async def run(self) -> None:
        """Send until something fails; what was not acknowledged is sent again."""
        producer = kafka.producer(self._broker, "hocvuso-intake-receipts")
        try:
            await kafka.start(producer, self._broker)
            while True:
                self._wake.clear()
                if not await self._send_some(producer):
                    try:
                        async with asyncio.timeout(IDLE_SECONDS):
                            await self._wake.wait()
                    except TimeoutError:
                        continue
        finally:
            await kafka.stop_quietly(producer)

    async def _send_some(self, producer: AIOKafkaProducer) -> bool:
        waiting = await outbox.waiting_receipts(self._pool, self._who.name, AT_ONCE)
        if not waiting:
            return False
        await kafka.insisting(lambda: self._send(producer, waiting))
        await outbox.drop_receipts(self._pool, [number for number, _ in waiting])
        return True

    async def _send(
        self, producer: AIOKafkaProducer, waiting: Iterable[tuple[int, outbox.ReceiptMessage]]
    ) -> None:
        partitions = sorted(await producer.partitions_for(self._who.receipts))
        sent = [
            await producer.send(
                self._who.receipts,
                receipt.body,
                key=None if receipt.key is None else receipt.key.encode(),
                # An answer to a partition's messages stays in the order of that partition.
                partition=partitions[receipt.partition % len(partitions)],
                headers=HEADERS,
            )
            for _, receipt in waiting
        ]
        await kafka.acknowledged(sent)
