"""Who gave which key, in the database: what was given ends with whoever gave it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from services.activities.keys.model import Key
from shared.db import Connection

GIVEN_BY = """
WITH RECURSIVE given AS (
  SELECT prefix FROM key WHERE granted_by = $1
  UNION
  SELECT k.prefix FROM key k JOIN given g ON k.granted_by = g.prefix
)
SELECT prefix FROM given
"""

HEAD = """
WITH RECURSIVE chain AS (
  SELECT prefix, rotated_to FROM key WHERE prefix = $1
  UNION ALL
  SELECT k.prefix, k.rotated_to FROM chain c JOIN key k ON k.prefix = c.rotated_to
)
SELECT k.* FROM chain c JOIN key k USING (prefix) WHERE c.rotated_to IS NULL
"""


async def lock(connection: Connection) -> None:
    """Let nobody else give or end keys until this transaction is over."""
    await connection.execute("LOCK TABLE key IN SHARE ROW EXCLUSIVE MODE")


async def given_by(connection: Connection, prefix: str) -> list[str]:
    """All that a key gave, and what those gave."""
    return [row["prefix"] for row in await connection.fetch(GIVEN_BY, prefix)]


async def direct(connection: Connection, prefix: str) -> list[asyncpg.Record]:
    """The living keys that a key gave itself."""
    return await connection.fetch(
        "SELECT * FROM key WHERE granted_by = $1 AND revoked_at IS NULL", prefix
    )


async def head(connection: Connection, prefix: str) -> asyncpg.Record | None:
    """The newest key of a rotation; None for what is no stored key (the server itself)."""
    return await connection.fetchrow(HEAD, prefix)


async def hand_over(connection: Connection, old: str, new: str) -> None:
    """What one key gave is another one's from now on: keys and invitations."""
    for table in ("key", "invitation"):
        await connection.execute(
            f"UPDATE {table} SET granted_by = $2 WHERE granted_by = $1", old, new
        )


async def end(
    connection: Connection, prefixes: Sequence[str], now: datetime
) -> list[tuple[str, str]]:
    """End keys, their sessions and open invitations; prefix and name of those that were living."""
    rows = await connection.fetch(
        "UPDATE key SET revoked_at = $2 WHERE prefix = ANY ($1) AND revoked_at IS NULL"
        " RETURNING prefix, name",
        prefixes, now,
    )  # fmt: skip
    await connection.execute(
        "UPDATE session SET ended_at = $2 WHERE key_prefix = ANY ($1) AND ended_at IS NULL",
        prefixes, now,
    )  # fmt: skip
    await connection.execute(
        "UPDATE invitation SET revoked_at = $2 WHERE revoked_at IS NULL"
        " AND granted_by = ANY ($1) AND accepted_at IS NULL",
        prefixes, now,
    )  # fmt: skip
    return [(row["prefix"], row["name"]) for row in rows]


async def narrow(connection: Connection, prefix: str, without: list[str]) -> None:
    """Take scopes from a key and from what it has promised."""
    await connection.execute(
        "UPDATE key SET scopes = ARRAY(SELECT unnest(scopes) EXCEPT SELECT unnest($2::text[])"
        " ORDER BY 1) WHERE prefix = $1",
        prefix, without,
    )  # fmt: skip
    for row in await connection.fetch(
        "SELECT id, rights FROM invitation WHERE granted_by = $1 AND accepted_at IS NULL", prefix
    ):
        rights = msgspec.json.decode(row["rights"])
        rights["scopes"] = [scope for scope in rights["scopes"] if scope not in without]
        await connection.execute(
            "UPDATE invitation SET rights = $2 WHERE id = $1",
            row["id"], msgspec.json.encode(rights).decode(),
        )  # fmt: skip


def as_giver(row: Any) -> Key:
    """The rights of a stored key, as far as giving is concerned."""
    return Key(
        row["prefix"],
        row["name"],
        frozenset(row["roles"]),
        frozenset(row["scopes"]),
        types=None if row["types"] is None else tuple(row["types"]),
        sources=None if row["sources"] is None else tuple(row["sources"]),
        subtree=row["subtree"],
        era=row["era"],
        expires_at=row["expires_at"],
        account=row["account"],
    )


def without_end(key: Key) -> Key:
    """The same, lasting for ever: what ends earlier may still end what lasts longer."""
    return replace(key, expires_at=None)
