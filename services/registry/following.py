"""What both projections of registry do alike: rows and the lanes' progress, in one transaction."""

from abc import ABC, abstractmethod

import asyncpg

from shared import progress
from shared.contracts.record import LogRecord
from shared.db import Connection, repeated
from shared.lanes import Lane


class StoredProjection(ABC):
    """A `shared.lane_consumer.Projection` that stores each batch before it takes the next."""

    def __init__(self, pool: asyncpg.Pool, held: progress.Claim) -> None:
        self._pool = pool
        self._held = held
        self._epoch: str | None = None

    @abstractmethod
    async def store(self, connection: Connection, records: list[LogRecord]) -> None:
        """Store what the rows add, in the transaction of `connection`."""

    @property
    def lanes(self) -> dict[int, Lane]:
        """The lanes held, as stored."""
        return self._held.lanes

    async def bind(self, epoch: str) -> None:
        """Learn which log this is; raise EpochChanged when it is another than before."""
        if epoch != self._epoch:
            async with self._pool.acquire() as connection:
                await progress.bind_epoch(connection, epoch)
            self._epoch = epoch

    async def apply(self, records: list[LogRecord], lanes: dict[int, Lane]) -> None:
        """Store the rows and the lanes' progress in one transaction."""
        steps = [
            progress.Advance(number, self._held.lanes[number].last, lane.last, lane.through)
            for number, lane in lanes.items()
        ]
        await repeated(lambda: self._apply(records, steps))
        self._held.lanes.update(lanes)

    async def _apply(self, records: list[LogRecord], steps: list[progress.Advance]) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            await progress.advance(connection, self._held, steps)
            await self.store(connection, records)

    async def settle(self) -> None:  # noqa: B027
        """Nothing to wait for: what was applied is stored."""
