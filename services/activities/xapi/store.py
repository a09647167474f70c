"""The SQL of kept statements and of the settings of platforms."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.activities.xapi.become import Platform
from shared.db import Connection

Json = dict[str, Any]
COLUMNS = (
    "partner, id, mac, told, stored, statement, verb, activity, activity_type, activities, agents,"
    " related, registration, target, voids, voided, person, entry, reason, source, event_id"
)
_INSERT = (
    f"INSERT INTO xapi_statement ({COLUMNS}) VALUES ({', '.join(f'${i}' for i in range(1, 22))})"
)


@dataclass(frozen=True, slots=True)
class Known:
    """What must be known of a statement that is kept already."""

    mac: bytes
    told: datetime | None
    voids: bool
    voided: bool
    source: str | None
    event_id: str | None


@dataclass(frozen=True, slots=True)
class View:
    """What decides about a batch: kept statements it names, and which of its own are voided."""

    known: dict[uuid.UUID, Known]
    voided: frozenset[uuid.UUID]


@dataclass(slots=True)
class Row:
    """A statement to keep."""

    partner: str
    id: uuid.UUID
    mac: bytes
    told: datetime | None
    stored: datetime
    statement: Json
    verb: str
    activity: str | None
    activity_type: str | None
    activities: list[str]
    agents: list[str]
    related: list[str]
    registration: uuid.UUID | None
    target: uuid.UUID | None
    voids: bool
    voided: bool
    person: str | None
    entry: str | None = None
    reason: str | None = None
    source: str | None = None
    event_id: str | None = None


async def view(
    connection: Connection, partner: str, ids: Sequence[uuid.UUID], targets: Sequence[uuid.UUID]
) -> View:
    """What is known of these statements, and which of `ids` a kept one voids."""
    rows = await connection.fetch(
        "SELECT id, mac, told, voids, voided, source, event_id FROM xapi_statement"
        " WHERE partner = $1 AND id = ANY($2::uuid[])",
        partner,
        sorted({*ids, *targets}),
    )
    voided = await connection.fetch(
        "SELECT target FROM xapi_statement"
        " WHERE partner = $1 AND target = ANY($2::uuid[]) AND voids",
        partner,
        list(ids),
    )
    return View(
        {
            r["id"]: Known(r["mac"], r["told"], r["voids"], r["voided"], r["source"], r["event_id"])
            for r in rows
        },
        frozenset(r["target"] for r in voided),
    )


async def insert(connection: Connection, rows: Sequence[Row]) -> None:
    """Keep statements, in order; what they void is marked."""
    await connection.executemany(
        _INSERT,
        [
            (
                r.partner, r.id, r.mac, r.told, r.stored, r.statement, r.verb, r.activity,
                r.activity_type, r.activities, r.agents, r.related, r.registration, r.target,
                r.voids, r.voided, r.person, r.entry, r.reason, r.source, r.event_id,
            )
            for r in rows
        ],
    )  # fmt: skip
    targets = [(r.partner, r.target) for r in rows if r.voids]
    await connection.executemany(
        "UPDATE xapi_statement SET voided = true WHERE partner = $1 AND id = $2 AND NOT voids",
        targets,
    )


async def one(
    connection: Connection, partner: str, id: uuid.UUID, *, voided: bool
) -> tuple[Json, datetime] | None:
    """A kept statement and when it was stored."""
    row = await connection.fetchrow(
        "SELECT statement, stored FROM xapi_statement"
        " WHERE partner = $1 AND id = $2 AND voided = $3",
        partner,
        id,
        voided,
    )
    return None if row is None else (row["statement"], row["stored"])


async def lag_s(connection: Connection) -> float:
    """The age in seconds of the oldest transaction that writes: it may not be visible yet.

    `stored` is set when a transaction has the counter's lock, so never before its start.
    """
    found = await connection.fetchval(
        "SELECT extract(epoch FROM clock_timestamp() - min(xact_start)) FROM pg_stat_activity"
        " WHERE datname = current_database() AND backend_xid IS NOT NULL"
    )
    return max(float(found or 0), 0.0)


async def platform(connection: Connection, partner: str, home_page: str) -> Platform:
    """What the partner has said of a platform; of every other one where it has said nothing."""
    row = await connection.fetchrow(
        "SELECT subject, target_groups, platform, scheme FROM xapi_platform"
        " WHERE partner = $1 AND home_page IN ($2, '') ORDER BY home_page DESC LIMIT 1",
        partner,
        home_page,
    )
    if row is None:
        return Platform()
    groups = row["target_groups"]
    return Platform(
        row["subject"], tuple(groups) if groups else None, row["platform"], row["scheme"]
    )


async def platforms(connection: Connection, partner: str) -> list[Json]:
    """All that the partner has said of platforms."""
    rows = await connection.fetch(
        "SELECT home_page, subject, target_groups, platform, scheme FROM xapi_platform"
        " WHERE partner = $1 ORDER BY home_page",
        partner,
    )
    return [dict(r) for r in rows]


async def set_platform(
    connection: Connection, partner: str, home_page: str, said: Platform, at: datetime
) -> None:
    """Keep what the partner says of a platform from now on."""
    await connection.execute(
        "INSERT INTO xapi_platform VALUES ($1, $2, $3, $4, $5, $6, $7)"
        " ON CONFLICT (partner, home_page) DO UPDATE SET subject = $3, target_groups = $4,"
        " platform = $5, scheme = $6, changed_at = $7",
        partner, home_page, said.subject,
        None if said.target_groups is None else list(said.target_groups),
        said.platform, said.scheme, at,
    )  # fmt: skip


async def unmapped_counts(connection: Connection, partner: str | None) -> list[Json]:
    """How many statements wait, by partner, verb, activity type and reason; most first."""
    rows = await connection.fetch(
        "SELECT partner, verb, activity_type, reason, count(*) AS statements, min(stored) AS first,"
        " max(stored) AS last FROM xapi_statement"
        " WHERE reason IS NOT NULL AND NOT voided AND ($1::text IS NULL OR partner = $1)"
        " GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC, 1, 2, 3, 4 LIMIT 1000",
        partner,
    )
    return [dict(r) for r in rows]


async def unmapped(
    connection: Connection, partner: str | None, after: int, limit: int, reason: str | None = None
) -> list[Json]:
    """Statements that wait, oldest first, beyond the sequence number `after`."""
    rows = await connection.fetch(
        "SELECT seq, partner, id, verb, activity, activity_type, reason, stored"
        " FROM xapi_statement WHERE reason IS NOT NULL AND NOT voided AND seq > $2"
        " AND ($1::text IS NULL OR partner = $1) AND ($4::text IS NULL OR reason = $4)"
        " ORDER BY seq LIMIT $3",
        partner,
        after,
        limit,
        reason,
    )
    return [dict(r) for r in rows]


async def waiting(
    connection: Connection, partner: str, after: int, limit: int, pairs: Sequence[str]
) -> list[Any]:
    """The same with all that is needed to try again.

    Of those without a mapping only those are read whose `VERB TYPE` is one of `pairs`.
    """
    return list(
        await connection.fetch(
            "SELECT seq, id, statement, person, reason FROM xapi_statement"
            " WHERE partner = $1 AND reason IS NOT NULL AND NOT voided AND NOT voids AND seq > $2"
            " AND (reason <> 'no-mapping' OR verb || ' ' || activity_type = ANY($4::text[]))"
            " ORDER BY seq LIMIT $3",
            partner,
            after,
            limit,
            pairs,
        )
    )


async def without_mapping(connection: Connection, partner: str) -> int:
    """How many statements of a partner no entry of the mapping takes."""
    return int(
        await connection.fetchval(
            "SELECT count(*) FROM xapi_statement"
            " WHERE partner = $1 AND reason = 'no-mapping' AND NOT voided",
            partner,
        )
    )


async def lock_waiting(
    connection: Connection, partner: str, ids: Iterable[uuid.UUID]
) -> set[uuid.UUID]:
    """Which of these still wait, locked until the end of the transaction."""
    rows = await connection.fetch(
        "SELECT id FROM xapi_statement WHERE partner = $1 AND id = ANY($2::uuid[])"
        " AND reason IS NOT NULL AND NOT voided ORDER BY id FOR UPDATE",
        partner,
        list(ids),
    )
    return {r["id"] for r in rows}


async def settle(
    connection: Connection,
    partner: str,
    settled: Sequence[tuple[uuid.UUID, str | None, str | None, str | None, str | None]],
) -> None:
    """Write what became of statements: (id, entry, reason, source, event id)."""
    await connection.executemany(
        "UPDATE xapi_statement SET entry = $3, reason = $4, source = $5, event_id = $6"
        " WHERE partner = $1 AND id = $2",
        [(partner, *one) for one in settled],
    )
