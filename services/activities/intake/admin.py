"""What the administrator changes: who may write over Kafka, and which troubles have been seen."""

import re
from datetime import datetime
from typing import Any

import asyncpg

from services.activities.intake.manager import CHANNEL
from services.activities.intake.model import Partner
from services.activities.intake.store import COLUMNS, partner_of
from shared.problems import Problem

# As names of keys, but without the underscore: Kafka takes a_b and a.b for one in its metrics.
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,63}")
TROUBLES_SHOWN = 100


def unknown() -> Problem:
    """There is no such partner, or it is none of the asker's business."""
    return Problem(
        "intake-unknown",
        "This partner does not write over Kafka.",
        status=404,
        hint="`hocvuso intake list` shows those that do.",
    )


async def enable(pool: asyncpg.Pool, partner: str, order: dict[str, Any], now: datetime) -> Partner:
    """Let a partner in or change how; `order` has the columns of `intake`. Raises Problem."""
    if not _NAME.fullmatch(partner):
        raise Problem(
            "intake-name-malformed",
            "A partner's name has 2 to 64 small letters, digits, dots and dashes.",
            pointer="/partner",
            hint="Name it like vnpt-dak-lak, the same as its keys.",
        )
    names = list(order)
    async with pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(
            f"INSERT INTO intake (partner, created_at, changed_at, {', '.join(names)})"
            f" VALUES ($1, $2, $2, {', '.join(f'${i}' for i in range(3, len(names) + 3))})"
            " ON CONFLICT (partner) DO UPDATE SET enabled = true, version = intake.version + 1,"
            f" changed_at = $2, {', '.join(f'{n} = excluded.{n}' for n in names)}"
            f" RETURNING {COLUMNS}",
            partner, now, *order.values(),
        )  # fmt: skip
        await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, partner)
    if row is None:
        raise RuntimeError("an upsert always returns its row")
    return partner_of(row)


async def disable(pool: asyncpg.Pool, partner: str, now: datetime) -> None:
    """Stop reading; raises Problem (404)."""
    async with pool.acquire() as connection, connection.transaction():
        done = await connection.fetchval(
            "UPDATE intake SET enabled = false, version = version + 1, changed_at = $2"
            " WHERE partner = $1 RETURNING true",
            partner, now,
        )  # fmt: skip
        if not done:
            raise unknown()
        await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, partner)


async def acknowledge(pool: asyncpg.Pool, partner: str, by: str, now: datetime) -> int:
    """Mark a partner's troubles as seen; how many; raises Problem (404)."""
    if not await pool.fetchval("SELECT true FROM intake WHERE partner = $1", partner):
        raise unknown()
    rows = await pool.fetch(
        "UPDATE intake_trouble SET acknowledged_at = $2, acknowledged_by = $3"
        " WHERE partner = $1 AND acknowledged_at IS NULL RETURNING id",
        partner, now, by,
    )  # fmt: skip
    return len(rows)


async def troubles(pool: asyncpg.Pool, partner: str | None) -> dict[str, list[dict[str, Any]]]:
    """The newest troubles of each partner, or of one, newest first."""
    rows = await pool.fetch(
        """
        SELECT t.* FROM intake i CROSS JOIN LATERAL (
          SELECT * FROM intake_trouble t WHERE t.partner = i.partner ORDER BY id DESC LIMIT $2
        ) AS t
        WHERE $1::text IS NULL OR i.partner = $1
        """,
        partner, TROUBLES_SHOWN,
    )  # fmt: skip
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["partner"], []).append(dict(row))
    return found
