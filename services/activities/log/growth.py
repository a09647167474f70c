"""What other processes have defined: looked up when an event is refused for words or a type that
this process does not know. Whoever defines something may use it at once, whichever process answers."""

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg

from services.activities.log import store
from services.activities.log.rows import to_wire
from shared.contracts.live import LiveCatalogue
from shared.contracts.record import record_decoder
from shared.domain.definitions import Definitions
from shared.domain.growing import GROWING_TYPES

Newer = Callable[[], Awaitable[bool]]
"""Learns what was defined since; whether the catalogue is another one now."""


class Growth:
    """Keeps the catalogue of a process up to what the log of its database defines."""

    def __init__(self, pool: asyncpg.Pool, catalogue: LiveCatalogue) -> None:
        self._pool = pool
        self._catalogue = catalogue
        self._known = Definitions(catalogue)
        self._looked = 0
        self._lock = asyncio.Lock()

    async def catch_up(self) -> bool:
        """Take what was defined since; whether the catalogue is another one now. One look at one
        row where nothing was. Raises what the database raises."""
        before = self._catalogue.now
        async with self._lock, self._pool.acquire() as connection:
            last = await store.last_definition(connection)
            if last > self._looked:
                for row in await store.growing_rows(connection, self._looked):
                    record = record_decoder.decode(to_wire(row, ""))
                    content = record.effective_content()
                    if content is not None and content.type in GROWING_TYPES:
                        self._known.apply(record)
                self._looked = last
                self._catalogue.follow(self._known.catalogue, last)
        return self._catalogue.now is not before
