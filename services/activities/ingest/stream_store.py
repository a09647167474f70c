"""How far each named stream is committed, who holds it, and whether its sender has closed it."""

from dataclasses import dataclass

import asyncpg

from shared.db import Connection


@dataclass(frozen=True)
class StreamRow:
    """`attempt` counts the connections so far: the newest holds the stream."""

    committed: int = 0
    closed: bool = False
    attempt: int = 0


async def read(pool: asyncpg.Pool, partner: str, name: str) -> StreamRow:
    """The stream as it is; all zero for one never seen."""
    row = await pool.fetchrow(
        "SELECT committed, closed, attempt FROM stream WHERE partner = $1 AND name = $2",
        partner, name,
    )  # fmt: skip
    return StreamRow(**row) if row is not None else StreamRow()


async def connect(pool: asyncpg.Pool, partner: str, name: str) -> StreamRow:
    """Take the stream over, in any process: from here on no earlier connection can write.

    Waits for a transaction of an earlier one that is just being committed, so that what is
    returned is exact.
    """
    row = await pool.fetchrow(
        "INSERT INTO stream AS s (partner, name, attempt) VALUES ($1, $2, 1)"
        " ON CONFLICT (partner, name) DO UPDATE SET attempt = s.attempt + 1"
        " RETURNING committed, closed, attempt",
        partner, name,
    )  # fmt: skip
    if row is None:
        raise RuntimeError("an upsert returned no row")
    return StreamRow(**row)


async def advance(
    connection: Connection, partner: str, name: str, attempt: int, lines: int, *, close: bool
) -> bool:
    """Remember, in the transaction that appends, how many lines are dealt with.

    False, and nothing is written, when a newer connection holds the stream.
    """
    row = await connection.fetchrow(
        "UPDATE stream SET committed = greatest(committed, $4), closed = closed OR $5,"
        " updated_at = now() WHERE partner = $1 AND name = $2 AND attempt = $3 RETURNING 1",
        partner, name, attempt, lines, close,
    )  # fmt: skip
    return row is not None
