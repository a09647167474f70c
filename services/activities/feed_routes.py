"""`GET /v1/feed`: what of a partner's events was accepted and refused lately, for whoever watches.

It reads the end of the log, not its past: that is what reconciliation is for.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from services.activities.keys.routes import Authenticated, bearer
from shared.problems import Problem

router = APIRouter(prefix="/v1/feed", tags=["events"], dependencies=[Depends(bearer)])

MOST = 500
SPAN = 50_000
"""So many positions are looked at in one answer, whoever's they are."""

ACCEPTED = """
SELECT position, source, id, type, unit_id, occurred::text AS occurred, recorded_at AS at
FROM log WHERE position > $1 AND position <= $2 AND ordinal = 0
  AND ($3::text IS NULL OR partner = $3) AND ($4::text IS NULL OR source = $4)
ORDER BY position LIMIT $5
"""
REFUSED = """
SELECT number, coalesce(source, '') AS source, coalesce(id, '') AS id, type, code, problem,
  last_seen AS at
FROM quarantine WHERE last_seen > $1 AND ($2::text IS NULL OR partner = $2)
  AND ($3::text IS NULL OR source = $3)
ORDER BY last_seen LIMIT $4
"""


class Entry(BaseModel):
    """One event and what became of it. `source`, `id`, `type` are empty where nobody knows them or
    they must not be repeated."""

    status: Literal["accepted", "rejected"]
    at: datetime
    source: str
    id: str
    type: str
    position: int | None = None
    unit_id: str | None = None
    occurred: str | None = None
    number: int | None = Field(None, description="in the quarantine")
    code: str | None = None
    detail: str | None = None
    hint: str | None = None


class Feed(BaseModel):
    """In the order of time; go on with `cursor`."""

    entries: list[Entry]
    cursor: str


@router.get("")
async def feed(
    request: Request,
    key: Authenticated,
    cursor: Annotated[
        str | None,
        Query(max_length=64, description="of the answer before; without one: from now on"),
    ] = None,
    source: Annotated[str | None, Query(max_length=512, description="only of this source")] = None,
) -> Feed:
    """What came since the last answer: a partner's own events, an administrator everybody's.

    Ask again every few seconds. An answer holds 500 accepted and 500 refused events at most.
    """
    pool, partner = request.app.state.pool, None if key.is_administrator else key.name
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
        end = await connection.fetchval("SELECT position FROM counter WHERE one")
        now = request.app.state.clock.now()
        if cursor is None:
            return Feed(entries=[], cursor=_cursor(end, now))
        after, since = _read(cursor)
        through = min(end, after + SPAN)
        rows = await connection.fetch(ACCEPTED, after, through, partner, source, MOST)
        refused = await connection.fetch(REFUSED, since, partner, source, MOST)
    if len(rows) == MOST:
        through = rows[-1]["position"]
    entries = [Entry(status="accepted", **row) for row in rows] + [_refusal(r) for r in refused]
    since = refused[-1]["at"] if refused else since
    return Feed(
        entries=sorted(entries, key=lambda entry: entry.at),
        cursor=_cursor(max(through, min(after, end)), since),
    )


def _refusal(row: Any) -> Entry:
    about = dict(row)
    problem = msgspec.json.decode(about.pop("problem"))
    return Entry(status="rejected", detail=problem.get("detail"), hint=problem.get("hint"), **about)


def _cursor(position: int, since: datetime) -> str:
    return f"{position}.{since.isoformat()}"


def _read(cursor: str) -> tuple[int, datetime]:
    position, _, since = cursor.partition(".")
    try:
        at = datetime.fromisoformat(since)
        if at.tzinfo is None or not 0 <= int(position) < 2**62:
            raise ValueError
        return int(position), at
    except ValueError:
        raise Problem(
            "invalid-parameter",
            "query cursor: is not one that an answer gave.",
            pointer="/cursor",
            hint="Leave it out to begin now.",
        ) from None
