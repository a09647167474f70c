"""Answers that are committed and not yet sent: written by the append, deleted when they are."""

from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from shared.db import Connection


@dataclass(frozen=True, slots=True)
class ReceiptMessage:
    """An answer that is to go to the receipts topic."""

    partition: int
    key: str | None
    body: bytes


async def keep_receipts(
    connection: Connection, name: str, receipts: Sequence[ReceiptMessage]
) -> None:
    """Put answers into the outbox, inside the caller's transaction."""
    if receipts:
        await connection.execute(
            "INSERT INTO intake_receipt (partner, partition, key, body)"
            " SELECT $1, * FROM unnest($2::int[], $3::text[], $4::bytea[])",
            name,
            [r.partition for r in receipts],
            [r.key for r in receipts],
            [r.body for r in receipts],
        )


async def waiting_receipts(
    pool: asyncpg.Pool, name: str, limit: int
) -> list[tuple[int, ReceiptMessage]]:
    """The oldest answers not yet sent, with their numbers."""
    rows = await pool.fetch(
        "SELECT id, partition, key, body FROM intake_receipt WHERE partner = $1"
        " ORDER BY id LIMIT $2",
        name, limit,
    )  # fmt: skip
    return [(r["id"], ReceiptMessage(r["partition"], r["key"], r["body"])) for r in rows]


async def drop_receipts(pool: asyncpg.Pool, ids: Sequence[int]) -> None:
    """Forget answers that the broker has taken."""
    await pool.execute("DELETE FROM intake_receipt WHERE id = ANY ($1::bigint[])", ids)


async def too_many_receipts(pool: asyncpg.Pool, name: str, limit: int) -> bool:
    """Whether so many answers wait that reading on would only pile up more."""
    rows = await pool.fetchval(
        "SELECT count(*) FROM (SELECT 1 FROM intake_receipt WHERE partner = $1 LIMIT $2) AS x",
        name, limit,
    )  # fmt: skip
    return bool(rows >= limit)
