"""One recorded day of one source: the books, the log, and a digest that its partner can compute.

`accepted` is counted in the log itself, in one snapshot with the books, which bound the positions
to look at; that both agree is part of the answer.
"""

import hashlib
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import asyncpg

from services.activities.quarantine import store as quarantine
from shared.db import Connection

PATIENCE = "SET LOCAL statement_timeout = '600s'"
FETCH = 5_000

ACCEPTED = """
FROM log WHERE position BETWEEN $1 AND $2 AND source = $3 AND recorded = $4 AND ordinal = 0
  AND ($5::text IS NULL OR partner = $5)
"""


@dataclass(frozen=True)
class Scope:
    """What is reconciled: `partner` None means everybody's events of the source."""

    source: str
    day: date
    partner: str | None

    def bounds(self, first: int, last: int) -> tuple[Any, ...]:
        """The parameters of `ACCEPTED`."""
        return first, last, self.source, self.day, self.partner


@dataclass
class Day:
    """The books of a scope and what the log holds of it, in one snapshot."""

    position: int
    final: bool
    paths: dict[str, dict[str, int]] = field(default_factory=dict)
    first: int = 0
    last: int = -1
    accepted: int = 0
    digest: str = ""
    booked: Counter[str] = field(default_factory=Counter)

    @property
    def received(self) -> int:
        """Every element that came, on whatever path."""
        return self.booked["accepted"] + self.booked["duplicate"] + self.booked["rejected"]


@asynccontextmanager
async def snapshot(pool: asyncpg.Pool) -> AsyncIterator[Connection]:
    """A connection on which every statement sees the same log."""
    async with (
        pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read"),
    ):
        await connection.execute(PATIENCE)
        yield connection


async def read_day(connection: Connection, scope: Scope, today: date) -> Day:
    """The books, without looking at the log."""
    position = await connection.fetchval("SELECT position FROM counter WHERE one")
    day = Day(position, today > scope.day)
    rows = await connection.fetch(
        """
        SELECT path, sum(accepted)::bigint AS accepted, sum(duplicate)::bigint AS duplicate,
          sum(rejected)::bigint AS rejected, sum(not_kept)::bigint AS not_kept,
          sum(expired)::bigint AS expired, min(first_position) AS first, max(last_position) AS last
        FROM book WHERE source = $1 AND day = $2 AND ($3::text IS NULL OR partner = $3)
        GROUP BY path ORDER BY path
        """,
        scope.source,
        scope.day,
        scope.partner,
    )
    firsts = [r["first"] for r in rows if r["first"] is not None]
    if firsts:
        day.first = min(firsts)
        day.last = max(r["last"] for r in rows if r["last"] is not None)
    for row in rows:
        day.paths[row["path"]] = {n: row[n] for n in ("accepted", "duplicate", "rejected")}
        day.booked.update(
            {n: row[n] for n in ("accepted", "duplicate", "rejected", "not_kept", "expired")}
        )
    return day


async def count_accepted(connection: Connection, scope: Scope, day: Day) -> None:
    """Count what the log holds and make its digest; flat memory, PostgreSQL sorts."""
    day.accepted, day.digest = await digest(
        connection,
        f'SELECT id {ACCEPTED} ORDER BY id COLLATE "C"',
        *scope.bounds(day.first, day.last),
    )


async def digest(connection: Connection, sql: str, *values: Any) -> tuple[int, str]:
    """(number, SHA-256) of ids as `LC_ALL=C sort -u ids | sha256sum` has it; sorted and distinct."""
    count, total = 0, hashlib.sha256()
    async for row in connection.cursor(sql, *values, prefetch=FETCH):
        total.update(row["id"].encode() + b"\n")
        count += 1
    return count, total.hexdigest()


async def pages(
    pool: asyncpg.Pool, scope: Scope, day: Day, size: int
) -> AsyncIterator[list[asyncpg.Record]]:
    """The accepted events in position order, in pages; each a statement of its own."""
    after = day.first - 1
    while after < day.last:
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute(PATIENCE)
            rows = await connection.fetch(
                "SELECT position, id, type, unit_id, occurred"
                f" {ACCEPTED} ORDER BY position LIMIT $6",
                *scope.bounds(after + 1, day.last),
                size,
            )
        if not rows:
            return
        yield rows
        after = rows[-1]["position"]


async def refused(pool: asyncpg.Pool, scope: Scope) -> dict[tuple[str, str], int]:
    """Contents first refused that day and still kept, by (code, state)."""
    wanted = quarantine.Filter(scope.partner, source=scope.source, day=scope.day)
    return await quarantine.counts(pool, wanted)
