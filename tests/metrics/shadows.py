"""A rebuild beside the live tables, and what it stores."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg

from shared.contracts.record import Through
from tests.metrics.memory_log import MemoryLog

TABLES = ("tally", "evidence", "evidence_past", "measure", "combination")


async def state(pool: asyncpg.Pool) -> dict[str, Any]:
    found = {
        table: sorted(str(tuple(row)) for row in await pool.fetch(f"SELECT * FROM {table}"))
        for table in TABLES
    }
    found["generation"] = await pool.fetchval("SELECT generation FROM projection")
    return found


class Pages:
    """A log in small pages, of which the reading may break off."""

    def __init__(self, log: MemoryLog, breaks_after: int | None = None) -> None:
        self._log, self._breaks_after = log, breaks_after

    async def pages(
        self, after: int, lanes: list[int], page: int = 20, types: list[str] | None = None
    ) -> AsyncIterator[tuple[bytes, Through]]:
        read = 0
        async for found in self._log.pages(after, lanes, 20, types):
            if self._breaks_after is not None and read >= self._breaks_after:
                raise ConnectionError("the log is gone")
            read += 1
            yield found


async def shadows(pool: asyncpg.Pool) -> list[str]:
    rows = await pool.fetch("SELECT relname FROM pg_class WHERE relname LIKE '%\\_next'")
    return [row["relname"] for row in rows]
