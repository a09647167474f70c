"""Reading the journal: what facts say today, or said as known on a day."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import asyncpg

# Per event the newest revision; among its rows the one that is not void (another key may be).
_STANDING = """
SELECT * FROM (
  SELECT DISTINCT ON (j.origin) j.origin, j.position, j.type, j.unit_id, j.occurred, j.content,
         o.source, o.id, o.recorded
  FROM journal j JOIN journal o ON o.position = j.origin
  WHERE j.type = ANY($1) AND ($2::date IS NULL OR j.recorded <= $2)
  ORDER BY j.origin, j.revision DESC, j.content IS NULL
) s
WHERE content IS NOT NULL AND unit_id = ANY($3::text[])
  AND occurred >= coalesce($4, '-infinity'::date) AND occurred <= coalesce($5, 'infinity'::date)
ORDER BY occurred, origin
"""

THROUGH = "SELECT min(through) FROM progress"


@dataclass(frozen=True)
class Fact:
    """One standing event; `recorded` is the day of its first row, `position` of the one that holds."""

    origin: int
    position: int
    type: str
    unit_id: str
    occurred: date
    recorded: date
    source: str
    id: str
    data: dict[str, Any]


async def standing(
    pool: asyncpg.Pool,
    types: list[str],
    units: list[str],
    *,
    known_at: date | None = None,
    since: date | None = None,
    until: date | None = None,
) -> list[Fact]:
    """The facts of `types` in `units` that occurred in a span, corrections applied, oldest first."""
    rows = await pool.fetch(_STANDING, types, known_at, units, since, until)
    return [
        Fact(
            row["origin"],
            row["position"],
            row["type"],
            row["unit_id"],
            row["occurred"],
            row["recorded"],
            row["source"],
            row["id"],
            row["content"]["data"],
        )
        for row in rows
    ]


async def complete_to(pool: asyncpg.Pool) -> int:
    """The position up to which the journal holds everything."""
    return int(await pool.fetchval(THROUGH) or 0)
