"""What the projections report back, as marks for receipts."""

import asyncio
from datetime import datetime
from time import monotonic

import asyncpg
from msgspec.structs import replace

from services.activities.receipts import receipts
from shared import kafka
from shared.broker import Broker
from shared.contracts import topics
from shared.contracts.record import Progress, progress_decoder

SILENCE_SECONDS = 6.0
"""Each worker says where it is every two seconds."""


class ProgressListener:
    """Turns the progress topic into marks for receipts."""

    def __init__(self, pool: asyncpg.Pool, servers: Broker | str) -> None:
        self._pool = pool
        self._servers = servers
        self._said: dict[tuple[int, ...], Progress] = {}

    async def run(self) -> None:
        """Follow the topic until the broker fails or is silent: where a topic was made again, a
        consumer may wait for an offset that is far ahead. Marks come again with the next progress.
        """
        self._said.clear()
        consumer = await kafka.tail(self._servers, topics.PROGRESS, "hocvuso-receipts")
        heard = monotonic()
        waiting = kafka.Waiting(consumer, self._servers)
        waiting.quiet()
        try:
            while monotonic() - heard < SILENCE_SECONDS:
                try:
                    # getmany's own time-out does not hold while the broker is gone.
                    async with asyncio.timeout(SILENCE_SECONDS):
                        batches = await consumer.getmany(timeout_ms=2000)
                except TimeoutError:
                    return
                if batches:
                    heard = monotonic()
                news = False
                for messages in batches.values():
                    for message in messages:
                        news |= await self._take(message.value)
                waiting.heard(news)
        finally:
            await kafka.stop_quietly(consumer)

    async def _take(self, value: bytes) -> bool:
        """Mark what a message says; whether it says anything new."""
        progress = progress_decoder.decode(value)
        if progress.projection != "metrics" or self._repeats(progress):
            return False
        at = datetime.fromisoformat(progress.at)
        async with self._pool.acquire() as connection:
            if progress.epoch != await connection.fetchval("SELECT epoch FROM counter WHERE one"):
                return False  # the positions of another log, from before this one was restored, say
            counted = {lane: state.last for lane, state in progress.lanes.items()}
            await receipts.mark(connection, "counted", counted, at)
            if progress.refreshed is not None:
                await receipts.mark(
                    connection, "visible", {receipts.VISIBLE_LANE: progress.refreshed}, at
                )
        if progress.parked or progress.parked_complete:
            await receipts.note_parked(
                self._pool, progress.parked, at, complete=progress.parked_complete
            )
        self._remember(progress)
        return True

    def _repeats(self, progress: Progress) -> bool:
        """Workers say again and again where they are, for listeners that were not there."""
        return self._said.get(_about(progress)) == replace(progress, at="")

    def _remember(self, progress: Progress) -> None:
        if progress.parked_complete or progress.refreshed is not None:
            self._said[_about(progress)] = replace(progress, at="")


def _about(progress: Progress) -> tuple[int, ...]:
    return tuple(sorted(progress.lanes))
