"""Quotas and uses of keys in one process, and the background task that writes and reads them."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence

import asyncpg

from services.activities.ingest.answers import Result
from services.activities.keys.model import Key
from services.activities.keys.quotas import Quotas
from services.activities.keys.uses import Uses, outcome_of
from shared.clock import Clock
from shared.problems import Problem

log = logging.getLogger(__name__)

EXCHANGE_S = 1.0
WRITE_EVERY = 5
"""Uses are written with every fifth exchange of quotas: within five seconds."""

FORGET_EVERY = 600
QUIET_TURNS = 3
"""Exchanges are that much rarer while this process takes nothing in."""


# A backend that is killed between two statements may end as any of these.
LOST = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


class Rights:
    """What the door and the key store tell of each use."""

    def __init__(self, clock: Clock) -> None:
        self.quotas = Quotas(clock)
        self.uses = Uses(clock)

    # -- for the door --------------------------------------------------------------------------

    def spend(self, key: Key, path: str, number: int) -> None:
        """Events are about to be taken in. Raises Problem (429) when a quota is used up."""
        try:
            self.quotas.spend(key.quota_account, number)
        except Problem:
            self.uses.note(key.prefix, path, "over_quota", number)
            raise

    async def pause(self, key: Key, path: str, number: int) -> None:
        """As `spend`, for paths that stop reading until the quota of the minute has room."""
        try:
            await self.quotas.pause(key.quota_account, number)
        except Problem:
            self.uses.note(key.prefix, path, "over_quota", number)
            raise

    def answered(self, key: Key, path: str, results: Sequence[Result], *, dry_run: bool) -> None:
        """They were answered, after the commit."""
        if dry_run:
            self.uses.note(key.prefix, path, "request", len(results))
            return
        for result in results:
            self.uses.note(key.prefix, path, outcome_of(result))

    def not_taken(self, key: Key, number: int) -> None:
        """They were not taken in: the log was not there."""
        self.quotas.give_back(key.quota_account, number)

    # -- for the process -----------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def running(self, pool: asyncpg.Pool) -> AsyncIterator[None]:
        """Know the quotas from the start, keep books while the body runs, write the rest after."""
        await self.write(pool)
        task = asyncio.create_task(self._forever(pool), name="rights")
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            with contextlib.suppress(*LOST):
                await self.write(pool)

    async def write(self, pool: asyncpg.Pool) -> None:
        """Exchange quotas and write uses now."""
        async with pool.acquire() as connection:
            await self.quotas.exchange(connection)
            await self.uses.write(connection)

    async def _forever(self, pool: asyncpg.Pool) -> None:
        turn = 0
        while True:
            await asyncio.sleep(EXCHANGE_S)
            turn += 1
            if turn % QUIET_TURNS and not self.quotas.spent and turn % WRITE_EVERY:
                continue  # nothing was sent here: what others have counted can wait
            try:
                async with pool.acquire() as connection:
                    await self.quotas.exchange(connection)
                    if turn % WRITE_EVERY == 0:
                        await self.uses.write(connection)
                    if turn % FORGET_EVERY == 0:
                        await self.quotas.forget(connection)
            except LOST as error:
                # Kept in memory for the next turn: partners go on, on what is known here.
                log.warning("uses of keys are not written: %s", type(error).__name__)
