"""The events that somebody posted last: for people who look at what they have just written."""

from datetime import date, datetime

import asyncpg
from pydantic import BaseModel, Field

MOST = 100

_RECENT = """
SELECT source, id, type, position, recorded, recorded_at FROM log
WHERE source = $1 AND partner = $2 AND ordinal = 0 AND ($3::text IS NULL OR id = $3)
  AND type NOT IN ('event.corrected', 'event.revoked')
ORDER BY position DESC LIMIT $4
"""


class Posted(BaseModel):
    """An event of one's own. What it says now is read at `position` of the log."""

    source: str
    id: str
    type: str
    position: int
    recorded: date
    recorded_at: datetime


class RecentEvents(BaseModel):
    """`position`: the end of the log when the answer was made."""

    position: int
    events: list[Posted] = Field(description="newest first; corrections and revocations left out")


async def recent_events(
    pool: asyncpg.Pool, partner: str, source: str, id: str | None, limit: int
) -> RecentEvents:
    """The last events that `partner` posted under a source, or the one with this id."""
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
        end = await connection.fetchval("SELECT position FROM counter WHERE one")
        rows = await connection.fetch(_RECENT, source, partner, id, limit)
    return RecentEvents(position=end, events=[Posted(**row) for row in rows])
