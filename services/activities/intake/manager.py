"""Which process reads which partner: an advisory lock each. Other processes stand by.

The locks only save work. That nothing is doubled is proven by the positions' compare-and-set.
"""

import asyncio
import logging
import os
import socket

import asyncpg

from services.activities.ingest.door import Door
from services.activities.intake import store
from services.activities.intake.ending import end
from services.activities.intake.partner import Intake
from shared.broker import Broker
from shared.clock import Clock
from shared.worker import forever

log = logging.getLogger(__name__)

LOCK = 0x68763034
"""First half of the locks; the second is the hash of the partner's name."""

CHANNEL = "hocvuso_intake"
LOOK_SECONDS = 3.0
GONE_SECONDS = 60
ANSWER_SECONDS = 10


class Manager:
    """Runs the loops of all partners that no other process runs."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        door: Door,
        broker: Broker | str,
        clock: Clock,
        *,
        name: str | None = None,
    ) -> None:
        self._pool = pool
        self._door = door
        self._broker = broker
        self._clock = clock
        self._name = name or f"intake-{socket.gethostname()}-{os.getpid()}"
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Work until the connection that holds the locks fails; the caller starts it again."""
        async with self._pool.acquire() as connection:
            try:
                await connection.execute("SET idle_in_transaction_session_timeout = 0")
                await connection.add_listener(CHANNEL, lambda *_: self._wake.set())
                while True:
                    self._wake.clear()
                    async with asyncio.timeout(ANSWER_SECONDS):
                        await self._look(connection)
                    try:
                        async with asyncio.timeout(LOOK_SECONDS):
                            await self._wake.wait()
                    except TimeoutError:
                        continue
            finally:
                await self._end(set(self._tasks))
                # Closing frees the locks whatever state the connection is in.
                connection.terminate()

    async def _look(self, connection: asyncpg.pool.PoolConnectionProxy) -> None:
        await connection.execute(
            "INSERT INTO intake_worker VALUES ($1, now())"
            " ON CONFLICT (name) DO UPDATE SET heartbeat = now()",
            self._name,
        )
        await connection.execute(
            "DELETE FROM intake_worker WHERE heartbeat < now() - make_interval(secs => $1)",
            GONE_SECONDS,
        )
        wanted = await store.enabled(connection)
        gone = set(self._tasks) - wanted
        await self._end(gone)
        for name in gone:
            await connection.execute("SELECT pg_advisory_unlock($1, hashtext($2))", LOCK, name)
        for name in sorted(wanted - set(self._tasks)):
            mine = await connection.fetchval(
                "SELECT pg_try_advisory_lock($1, hashtext($2))", LOCK, name
            )
            if mine:
                intake = Intake(name, self._pool, self._door, self._broker, self._clock)
                self._tasks[name] = asyncio.create_task(
                    forever(f"intake of {name}", intake.run, longest_wait_s=5)
                )

    async def _end(self, names: set[str]) -> None:
        await end([self._tasks.pop(name) for name in names])
