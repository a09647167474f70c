"""A bus that loses rows, as projections see it: what arrives names one before it that never came."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import date

import asyncpg
from aiokafka import AIOKafkaProducer

from deploy.local.stack import LocalStack
from shared.contracts import topics
from shared.contracts.record import FACT_LANES, LogRecord, encode

FAR = 1_000_000
"""A position that the log does not reach here."""


def _row(epoch: str, lane: int) -> bytes:
    return encode(
        LogRecord(
            id="x", source="https://x.example/", type="vn.hocvuso.x", subject="x",
            time="2026-06-30T00:00:00Z", epoch=epoch, position=FAR, prev=FAR - 1, lane=lane,
            recorded=date(2026, 6, 30), occurred=date(2026, 6, 30), unitid="x", origin=FAR,
            keykind="x", key=b"x", data={},
        )
    )  # fmt: skip


@contextlib.asynccontextmanager
async def lossy(stack: LocalStack) -> AsyncIterator[None]:
    """While the block runs, every lane shows a hole again and again."""
    connection = await asyncpg.connect(stack.superuser_url)
    epoch = await connection.fetchval("SELECT epoch FROM activities.counter")
    await connection.close()
    producer = AIOKafkaProducer(bootstrap_servers=stack.bootstrap_servers)
    await producer.start()

    async def lose() -> None:
        while True:
            for lane in range(FACT_LANES):
                await producer.send(topics.LOG, _row(epoch, lane), key=bytes([lane]))
            await producer.flush()
            await asyncio.sleep(1)

    task = asyncio.create_task(lose())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await producer.stop()
