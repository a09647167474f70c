"""How many lines of each named stream are committed."""

import asyncpg


async def committed(pool: asyncpg.Pool, partner: str, name: str) -> int:
    """Lines committed so far; 0 for a stream never seen."""
    found = await pool.fetchval(
        "SELECT committed FROM stream WHERE partner = $1 AND name = $2", partner, name
    )
    return int(found or 0)


async def advance(pool: asyncpg.Pool, partner: str, name: str, lines: int) -> None:
    """Remember that so many lines are committed; never goes back."""
    await pool.execute(
        "INSERT INTO stream (partner, name, committed) VALUES ($1, $2, $3)"
        " ON CONFLICT (partner, name) DO UPDATE"
        " SET committed = greatest(stream.committed, excluded.committed), updated_at = now()",
        partner, name, lines,
    )  # fmt: skip
