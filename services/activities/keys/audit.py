"""The audit: what was done to keys, clients, quotas and the quarantine, by whom; append-only."""

from datetime import datetime
from typing import Any

import asyncpg
import msgspec
from opentelemetry import trace

from services.activities.keys.model import Key
from shared.db import Connection

Json = dict[str, Any]


async def record(
    connection: Connection,
    key: Key,
    action: str,
    detail: Json | None = None,
    *,
    about: str | None = None,
    at: datetime | None = None,
) -> None:
    """Note an act, in the transaction in which it happens.

    `action`: thing and participle, like quarantine.replayed; `about`: the prefix, partner or number
    it happened to; `at`: None for now. `detail` must hold no personal identifier and no secret.
    """
    context = trace.get_current_span().get_span_context()
    await connection.execute(
        "INSERT INTO audit (at, action, by_prefix, by_name, about, detail, trace_id)"
        " VALUES (coalesce($1, now()), $2, $3, $4, $5, $6, $7)",
        at,
        action,
        key.prefix,
        key.name,
        about,
        msgspec.json.encode(detail or {}).decode(),
        trace.format_trace_id(context.trace_id) if context.is_valid else None,
    )


async def acts(
    pool: asyncpg.Pool,
    *,
    before: int | None,
    limit: int,
    action: str | None = None,
    by: str | None = None,
    about: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[Json]:
    """Acts, newest first. `before`: numbers below it; `action`: also its first part (quarantine);
    `by`: prefix or name of the key."""
    rows = await pool.fetch(
        """
        SELECT * FROM audit
        WHERE ($1::bigint IS NULL OR number < $1)
          AND ($3::text IS NULL OR action = $3 OR split_part(action, '.', 1) = $3)
          AND ($4::text IS NULL OR by_prefix = $4 OR by_name = $4)
          AND ($5::text IS NULL OR about = $5)
          AND ($6::timestamptz IS NULL OR at >= $6) AND ($7::timestamptz IS NULL OR at < $7)
        ORDER BY number DESC LIMIT $2
        """,
        before, limit, action, by, about, since, until,
    )  # fmt: skip
    return [dict(row) | {"detail": msgspec.json.decode(row["detail"])} for row in rows]


async def uses(pool: asyncpg.Pool, prefix: str, since: datetime, until: datetime) -> list[Json]:
    """What a key was used for, by hour, newest first."""
    rows = await pool.fetch(
        "SELECT hour, path, outcome, times FROM key_use"
        " WHERE prefix = $1 AND hour >= $2 AND hour < $3 ORDER BY hour DESC, path, outcome",
        prefix, since, until,
    )  # fmt: skip
    return [dict(row) for row in rows]


async def refused(pool: asyncpg.Pool, since: datetime, until: datetime, limit: int) -> list[Json]:
    """Requests that no key let in, by hour and network, newest first and most first."""
    rows = await pool.fetch(
        "SELECT hour, network, code, prefix, times FROM refused_use"
        " WHERE hour >= $1 AND hour < $2 ORDER BY hour DESC, times DESC, network LIMIT $3",
        since, until, limit,
    )  # fmt: skip
    return [dict(row) | {"prefix": row["prefix"] or None} for row in rows]
