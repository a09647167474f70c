"""A partner's own list of ids beside what the log holds: the differences, at any volume.

The list is written to an unnamed file as it comes, then into a temporary table: PostgreSQL sorts
and compares; memory stays flat here.
"""

import tempfile
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager
from datetime import date
from typing import Any, BinaryIO, cast

from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from services.activities.reconciliation import day as days
from services.activities.reconciliation import tables
from services.activities.reconciliation.day import ACCEPTED, Day, Scope
from services.activities.reconciliation.listed import TYPES, Listed, read_ids
from shared.db import Connection

OPENAPI = {
    "requestBody": {
        "required": True,
        "content": {
            kind: {"schema": {"type": "string"}, "example": example}
            for kind, example in zip(
                TYPES, ("id-1\nid-2\n", '{"id": "id-1"}\n', "id,name\nid-1,x\n"), strict=True
            )
        },
    }
}
CSV_COLUMNS = ("kind", "id", "position", "recorded", "code", "number")


class Missing(BaseModel):
    """Listed, and not in the log; where it was refused: why, and its number in the quarantine."""

    id: str
    code: str | None
    number: int | None


class Unlisted(BaseModel):
    """Accepted on the day, and not listed."""

    id: str
    position: int


class OtherDay(BaseModel):
    """Listed and accepted, but recorded on another day."""

    id: str
    position: int
    recorded: date


class Malformed(BaseModel):
    """Lines that hold no id that could have been accepted; they are not repeated."""

    count: int
    lines: list[int] = Field(description="numbers of the first 100, from 1")


class Digests(BaseModel):
    """SHA-256 over the distinct ids, as `LC_ALL=C sort -u ids | sha256sum`."""

    manifest: str
    accepted: str
    agree: bool


class Comparison(BaseModel):
    """`ids` = both + missing + other_day; accepted = both + not_in_manifest."""

    source: str
    day: date
    partner: str | None
    ids: int = Field(description="distinct ids listed")
    repeated: int = Field(description="lines that repeat an id")
    malformed: Malformed
    accepted: int
    both: int
    missing: int
    not_in_manifest: int
    other_day: int
    digest: Digests
    missing_ids: list[Missing]
    not_in_manifest_ids: list[Unlisted]
    other_day_ids: list[OtherDay]
    truncated: bool = Field(description="there are more than are listed; CSV lists all")
    warnings: list[str] = Field(description="that nothing ever came from this source, say")


def new_file() -> BinaryIO:
    """An unnamed file, gone when it is closed."""
    return cast(BinaryIO, tempfile.TemporaryFile())


async def receive(request: Request) -> AbstractContextManager[Listed]:
    """Read the body to its end. Raises Problem 408, 413, 415, 400."""
    file = new_file()
    try:
        return await read_ids(request, file)
    except BaseException:
        file.close()
        raise


async def answer(
    connection: Connection,
    scope: Scope,
    day: Day,
    listed: Listed,
    limit: int,
    warnings: list[str],
    *,
    as_csv: bool,
) -> Comparison | Response:
    """The comparison; with `as_csv` every difference as a line."""
    await _load(connection, scope, day, listed)
    ids, mine = await days.digest(connection, 'SELECT id FROM listed ORDER BY id COLLATE "C"')
    accepted, theirs = await days.digest(connection, 'SELECT id FROM taken ORDER BY id COLLATE "C"')
    if as_csv:
        return await _csv(connection)
    counts = await connection.fetchrow(
        """
        SELECT (SELECT count(*) FROM rest WHERE position IS NULL) AS missing,
          (SELECT count(*) FROM rest WHERE position IS NOT NULL) AS other_day,
          (SELECT count(*) FROM unlisted) AS unlisted
        """
    )
    if counts is None:
        raise RuntimeError("a count returned no row")
    found = {
        kind: await connection.fetch(f"{sql} LIMIT {int(limit)}") for kind, sql in _LISTS.items()
    }
    return Comparison(
        source=scope.source,
        day=scope.day,
        partner=scope.partner,
        ids=ids,
        repeated=listed.ids - ids,
        malformed=Malformed(count=listed.malformed, lines=listed.malformed_lines),
        accepted=accepted,
        both=accepted - counts["unlisted"],
        missing=counts["missing"],
        not_in_manifest=counts["unlisted"],
        other_day=counts["other_day"],
        digest=Digests(manifest=mine, accepted=theirs, agree=mine == theirs),
        missing_ids=[Missing(**r) for r in found["missing"]],
        not_in_manifest_ids=[Unlisted(**r) for r in found["not_in_manifest"]],
        other_day_ids=[OtherDay(**r) for r in found["other_day"]],
        truncated=max(counts) > limit,
        warnings=warnings,
    )


async def _load(connection: Connection, scope: Scope, day: Day, listed: Listed) -> None:
    """The temporary tables: listed, taken, unlisted, and rest (listed, not of this day)."""
    await connection.execute(
        'CREATE TEMP TABLE raw (id text COLLATE "C") ON COMMIT DROP;'
        'CREATE TEMP TABLE taken (id text COLLATE "C", position bigint) ON COMMIT DROP'
    )
    listed.file.seek(0)
    await connection.copy_to_table("raw", source=listed.file, schema_name="pg_temp")
    await connection.execute(
        f"INSERT INTO taken SELECT id, position {ACCEPTED}", *scope.bounds(day.first, day.last)
    )
    await connection.execute(
        """
        CREATE TEMP TABLE listed ON COMMIT DROP AS SELECT DISTINCT id FROM raw;
        ANALYZE listed; ANALYZE taken;
        CREATE TEMP TABLE unlisted ON COMMIT DROP AS
          SELECT id, position FROM taken WHERE NOT EXISTS (SELECT FROM listed l WHERE l.id = taken.id)
        """
    )
    await connection.execute(
        """
        CREATE TEMP TABLE rest (id text COLLATE "C", position bigint, recorded date, code text,
          number bigint) ON COMMIT DROP
        """
    )
    # Lateral, with a limit: the index of idempotency keys, whatever the planner thinks.
    await connection.execute(
        """
        INSERT INTO rest
        SELECT l.id, o.position, o.recorded, q.code, q.number
        FROM listed l
        LEFT JOIN LATERAL (
          SELECT position, recorded FROM log
          WHERE source = $1 AND id = l.id AND ordinal = 0 AND ($2::text IS NULL OR partner = $2)
          LIMIT 1
        ) o ON true
        LEFT JOIN LATERAL (
          SELECT code, number FROM quarantine
          WHERE o.position IS NULL AND source = $1 AND id = l.id
            AND ($2::text IS NULL OR partner = $2)
          ORDER BY number DESC LIMIT 1
        ) q ON true
        WHERE NOT EXISTS (SELECT FROM taken t WHERE t.id = l.id)
        """,
        scope.source,
        scope.partner,
    )


_LISTS = {
    "missing": "SELECT id, code, number FROM rest WHERE position IS NULL ORDER BY id",
    "not_in_manifest": "SELECT id, position FROM unlisted ORDER BY position",
    "other_day": "SELECT id, position, recorded FROM rest WHERE position IS NOT NULL ORDER BY id",
}


async def _csv(connection: Connection) -> Response:
    """Every difference, written to a file first: a slow reader must not hold a snapshot."""
    file = new_file()
    file.write(tables.line(CSV_COLUMNS).encode())
    for kind, sql in _LISTS.items():
        async for row in connection.cursor(sql, prefetch=days.FETCH):
            values = {**dict.fromkeys(CSV_COLUMNS), **dict(row), "kind": kind}
            file.write(tables.line("" if v is None else v for v in values.values()).encode())
    file.seek(0)
    return StreamingResponse(_chunks(file), media_type=tables.CSV)


async def _chunks(file: BinaryIO) -> AsyncIterator[Any]:
    with file:
        while chunk := file.read(64 * 1024):
            yield chunk
