"""What was refused, in the database: read, closed, forgotten when it is too old.

Whoever touches rows of a partner locks its row of `quarantine_use` first, so that nobody waits in
a circle. An open row whose (source, id) the log has taken in since is resolved by that: nothing
needs to be written for it, and it costs the append nothing.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

import asyncpg
import msgspec

from shared.db import Connection

State = Literal["open", "resolved", "dismissed"]
EXPIRE_AT_ONCE = 5_000

_SELECT = """
SELECT q.number, q.partner, q.source, q.id, q.type, q.path, q.day, q.code, q.problem, q.event,
  q.digest, q.bytes, q.traceparent, q.times, q.first_seen, q.last_seen, q.reason, q.closed_by,
  q.closed_at, q.replays, q.replay_problem, coalesce(q.position, later.position) AS position,
  CASE WHEN q.state = 'open' AND later.position IS NOT NULL THEN 'resolved' ELSE q.state END
    AS state
FROM quarantine q LEFT JOIN LATERAL (
  SELECT position FROM log
  WHERE q.state = 'open' AND source = q.source AND id = q.id AND ordinal = 0
    AND position > q.after_position LIMIT 1
) AS later ON true
"""
STANDING = (
    "(CASE WHEN q.state = 'open' AND later.position IS NOT NULL THEN 'resolved' ELSE q.state END)"
)


@dataclass(frozen=True)
class Refused:
    """One row; `event` is what is kept of it (masks.py), `partner` whose it is."""

    number: int
    partner: str
    source: str | None
    id: str | None
    type: str
    path: str
    day: date
    code: str
    problem: dict[str, Any]
    event: dict[str, Any] | None
    digest: bytes
    bytes: int
    traceparent: str | None
    times: int
    first_seen: datetime
    last_seen: datetime
    reason: str | None
    closed_by: str | None
    closed_at: datetime | None
    replays: int
    replay_problem: dict[str, Any] | None
    position: int | None
    state: State


@dataclass(frozen=True)
class Filter:
    """Which rows: those of `partner` (None: of everybody) that agree in all that is given."""

    partner: str | None
    source: str | None = None
    id: str | None = None
    code: str | None = None
    type: str | None = None
    day: date | None = None
    since: datetime | None = None
    state: State | None = None

    def sql(self, first: int) -> tuple[str, list[Any]]:
        """The condition, with parameters numbered from `first`."""
        parts, values = ["true"], []
        for name, value in vars(self).items():
            if value is None:
                continue
            values.append(value)
            place = f"${first + len(values) - 1}"
            if name == "since":
                parts.append(f"q.last_seen >= {place}")
            elif name == "state":
                parts.append(f"{STANDING} = {place}")
            else:
                parts.append(f"q.{name} = {place}")
        return " AND ".join(parts), values


async def page(pool: asyncpg.Pool, wanted: Filter, before: int, limit: int) -> list[Refused]:
    """Rows below a number, newest first."""
    condition, values = wanted.sql(3)
    rows = await pool.fetch(
        f"{_SELECT} WHERE q.number < $1 AND {condition} ORDER BY q.number DESC LIMIT $2",
        before, limit, *values,
    )  # fmt: skip
    return [_row(row) for row in rows]


async def one(connection: Connection | asyncpg.Pool, number: int) -> Refused | None:
    """The row with this number."""
    row = await connection.fetchrow(f"{_SELECT} WHERE q.number = $1", number)
    return None if row is None else _row(row)


async def has_code(pool: asyncpg.Pool, code: str) -> bool:
    """Whether anything is kept that was refused with this code."""
    return bool(await pool.fetchval("SELECT 1 FROM quarantine WHERE code = $1 LIMIT 1", code))


async def counts(pool: asyncpg.Pool, wanted: Filter) -> dict[tuple[str, str], int]:
    """Rows by (code, state)."""
    condition, values = wanted.sql(1)
    rows = await pool.fetch(
        f"SELECT code, state, count(*) FROM ({_SELECT} WHERE {condition}) AS s GROUP BY 1, 2",
        *values,
    )
    return {(r["code"], r["state"]): r["count"] for r in rows}


async def locked(connection: Connection, refused: Refused) -> Refused | None:
    """The row as it is now, held until the end of the transaction; None when it is gone."""
    await connection.execute(
        "SELECT 1 FROM quarantine_use WHERE partner = $1 FOR UPDATE", refused.partner
    )
    return await one(connection, refused.number)


async def close(
    connection: Connection,
    number: int,
    state: State,
    by: str,
    at: datetime,
    *,
    position: int | None = None,
    reason: str | None = None,
) -> None:
    """Resolve or dismiss a row."""
    await connection.execute(
        "UPDATE quarantine SET state = $2, closed_by = $3, closed_at = $4, position = $5,"
        " reason = $6 WHERE number = $1",
        number, state, by, at, position, reason,
    )  # fmt: skip


async def note_replay(
    connection: Connection, number: int, problem: dict[str, Any], *, mended: bool
) -> None:
    """A replay was refused; without changes its reason is the row's reason from now on."""
    text = msgspec.json.encode(problem).decode()
    await connection.execute(
        "UPDATE quarantine SET replays = replays + 1, replay_problem = $2 WHERE number = $1",
        number, text,
    )  # fmt: skip
    if not mended:
        await connection.execute(
            "UPDATE quarantine SET code = $2, problem = $3 WHERE number = $1",
            number, problem["code"], text,
        )  # fmt: skip


async def expire(pool: asyncpg.Pool, now: datetime, days: int) -> int:
    """Forget what was last refused more than `days` ago, and say so in the books; how many."""
    before = now - timedelta(days=days)
    gone = 0
    async for partner in _partners(pool, before):
        while True:
            async with pool.acquire() as connection, connection.transaction():
                await connection.execute(
                    "SELECT 1 FROM quarantine_use WHERE partner = $1 FOR UPDATE", partner
                )
                rows: int = await connection.fetchval(_EXPIRE, partner, before, EXPIRE_AT_ONCE)
            gone += rows
            if rows < EXPIRE_AT_ONCE:
                break
    return gone


async def _partners(pool: asyncpg.Pool, before: datetime) -> AsyncIterator[str]:
    rows = await pool.fetch("SELECT DISTINCT partner FROM quarantine WHERE last_seen < $1", before)
    for row in rows:
        yield row["partner"]


# Only what nobody had closed is told as expired: the rest had come to its end before.
_EXPIRE = f"""
WITH old AS ({_SELECT} WHERE q.partner = $1 AND q.last_seen < $2 ORDER BY q.number LIMIT $3),
gone AS (DELETE FROM quarantine d USING old WHERE d.number = old.number),
lost AS (
  INSERT INTO book AS b (source, day, partner, type, path, accepted, duplicate, rejected, expired)
  SELECT coalesce(source, ''), day, partner, type, path, 0, 0, 0, count(*) FROM old
  WHERE state = 'open' GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 3, 4, 5, 2
  ON CONFLICT (source, day, partner, type, path) DO UPDATE SET
    expired = b.expired + excluded.expired
),
used AS (
  UPDATE quarantine_use SET rows = rows - (SELECT count(*) FROM old),
    bytes = bytes - (SELECT coalesce(sum(bytes) FILTER (WHERE event IS NOT NULL), 0) FROM old)
  WHERE partner = $1
)
SELECT count(*) FROM old
"""


def _row(row: asyncpg.Record) -> Refused:
    found = dict(row)
    for name in ("problem", "event", "replay_problem"):
        if found[name] is not None:
            found[name] = msgspec.json.decode(found[name])
    return Refused(**found)
