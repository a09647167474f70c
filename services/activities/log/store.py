"""The SQL of the append, statement by statement. Every one runs under the counter's lock."""

import asyncio
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import asyncpg
import msgspec

from services.activities.log.amend import Amendment
from services.activities.log.rows import COLUMNS, WIRE_SQL, Row
from shared.db import Connection
from shared.domain.growing import GROWING_TYPES


@dataclass
class Counter:
    """The counter row: everything an append must know of those before it.

    `xid` names the transaction, to ask later whether it was committed.
    """

    epoch: str
    position: int
    recorded: date
    lane_last: list[int]
    units_position: int
    links_position: int
    respelling: bool = False
    """Whether the log holds references of an earlier version of `shared.identity`."""
    xid: str = ""

    def copy(self) -> "Counter":
        """The counter as it is now, to go back to."""
        return replace(self, lane_last=list(self.lane_last))

    def restore(self, earlier: "Counter") -> None:
        """Go back to an earlier copy, after a nested transaction was rolled back."""
        for name, value in vars(earlier).items():
            setattr(self, name, value)


@dataclass(frozen=True)
class Known:
    """An event that the log already holds."""

    position: int
    content_mac: bytes


@dataclass(frozen=True, slots=True)
class StoredContent:
    """What an event said when it was appended."""

    type: str
    subject: str
    unit_id: str
    time: str
    data: dict[str, Any]


Thing = tuple[str, str, str]
"""(type, source, ref) of a thing that events refer to, e.g. a class."""


async def lock(connection: Connection) -> Counter:
    """Lock the counter row and read it: a statement of its own.

    A combined statement would read the rest with a snapshot from before the wait (gaps, and
    events without an answer; design, section 4).
    """
    row = await connection.fetchrow(
        "SELECT epoch, position, recorded, lane_last, units_position, links_position,"
        " respelling, pg_current_xact_id()::text AS xid FROM counter WHERE one FOR UPDATE"
    )
    if row is None:
        raise RuntimeError("the counter row is missing: run `hocvuso migrate`")
    return Counter(
        row["epoch"],
        row["position"],
        row["recorded"],
        list(row["lane_last"]),
        row["units_position"],
        row["links_position"],
        row["respelling"],
        row["xid"],
    )


async def committed(connection: Connection, xid: str) -> bool:
    """Whether a transaction that nobody heard of again was committed."""
    while True:
        status = await connection.fetchval("SELECT pg_xact_status($1::text::xid8)", xid)
        if status != "in progress":
            return bool(status == "committed")
        await asyncio.sleep(0.05)


async def save(connection: Connection, counter: Counter, books: tuple[list[Any], ...]) -> None:
    """Store the counter, add to the books (`Books.columns`), wake the relay at commit.

    One statement, since every group of events waits for it.
    """
    await connection.execute(
        """
        WITH booked AS (
          INSERT INTO book AS b (source, day, partner, type, path, accepted, duplicate, rejected,
                                 not_kept, first_position, last_position)
          SELECT * FROM unnest($6::text[], $7::date[], $8::text[], $9::text[], $10::text[],
            $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[],
            $16::bigint[])
          ON CONFLICT (source, day, partner, type, path) DO UPDATE SET
            accepted = b.accepted + excluded.accepted,
            duplicate = b.duplicate + excluded.duplicate,
            rejected = b.rejected + excluded.rejected,
            not_kept = b.not_kept + excluded.not_kept,
            first_position = coalesce(b.first_position, excluded.first_position),
            last_position = coalesce(excluded.last_position, b.last_position)
        )
        UPDATE counter SET position = $1, recorded = $2, lane_last = $3, units_position = $4,
          links_position = $5
        WHERE one
        RETURNING pg_notify('hocvuso_log', '')
        """,
        counter.position,
        counter.recorded,
        counter.lane_last,
        counter.units_position,
        counter.links_position,
        *books,
    )


async def classify(
    connection: Connection, keys: list[tuple[str, str]]
) -> dict[tuple[str, str], Known]:
    """Which (source, id) the log already holds.

    Lateral, with a limit, so that no plan can ever read the whole log instead of the index (a
    generic plan made before the first ANALYZE did: 12 ms instead of 0.05 at 30,000 rows).
    """
    rows = await connection.fetch(
        """
        SELECT l.source, l.id, l.position, l.content_mac
        FROM unnest($1::text[], $2::text[]) AS u (source, id)
        CROSS JOIN LATERAL (
          SELECT source, id, position, content_mac FROM log
          WHERE source = u.source AND id = u.id AND ordinal = 0 LIMIT 1
        ) AS l
        """,
        [source for source, _ in keys],
        [id for _, id in keys],
    )
    return {(r["source"], r["id"]): Known(r["position"], r["content_mac"]) for r in rows}


async def contents(connection: Connection, positions: list[int]) -> dict[int, StoredContent]:
    """What the events at these positions said when they were appended."""
    rows = await connection.fetch(
        "SELECT position, type, subject, unit_id, time, data FROM log"
        " WHERE position = ANY($1::bigint[])",
        positions,
    )
    return {
        r["position"]: StoredContent(
            r["type"], r["subject"], r["unit_id"], r["time"], msgspec.json.decode(r["data"])
        )
        for r in rows
    }


async def insert(connection: Connection, rows: list[Row]) -> None:
    """Write rows; the classification before has ruled out every conflict."""
    if rows:
        await connection.copy_records_to_table("log", records=rows, columns=list(COLUMNS))


async def definition_rows(connection: Connection, after: int) -> list[asyncpg.Record]:
    """Rows of the definition lane behind a position."""
    return await connection.fetch(
        WIRE_SQL + " WHERE lane = 64 AND position > $1 ORDER BY position", after
    )


async def last_definition(connection: Connection) -> int:
    """Position of the last row of the definition lane; 0: there is none."""
    return int(await connection.fetchval("SELECT units_position FROM counter WHERE one") or 0)


async def growing_rows(connection: Connection, after: int) -> list[asyncpg.Record]:
    """Rows of the definition lane behind a position that may add to the catalogue."""
    return await connection.fetch(
        WIRE_SQL + " WHERE lane = 64 AND position > $1"
        " AND (type = ANY($2::text[]) OR type = 'event.corrected') ORDER BY position",
        after,
        sorted(GROWING_TYPES),
    )


async def first_row(connection: Connection, source: str, id: str) -> asyncpg.Record | None:
    """The first row of the event with this idempotency key."""
    return await connection.fetchrow(
        "SELECT * FROM log WHERE source = $1 AND id = $2 AND ordinal = 0", source, id
    )


async def row_at(connection: Connection, position: int) -> asyncpg.Record:
    """The row at a position that is known to exist."""
    row = await connection.fetchrow("SELECT * FROM log WHERE position = $1", position)
    if row is None:
        raise RuntimeError(f"the log has no position {position}")
    return row


async def newest_by_key(connection: Connection, origin: int) -> list[asyncpg.Record]:
    """The newest revision of every count key that an event has or had."""
    return await connection.fetch(
        """
        SELECT DISTINCT ON (key_kind, key) key_index, key_kind, key, lane, revision, void, unit_id, occurred
        FROM log WHERE position = $1 OR (origin = $1 AND origin <> position)
        ORDER BY key_kind, key, revision DESC
        """,
        origin,
    )


async def amendments_of(connection: Connection, root: int) -> list[Amendment]:
    """Every correction and revocation that finally speaks of an event."""
    rows = await connection.fetch("SELECT * FROM amendment WHERE root = $1", root)
    return [
        Amendment(r["position"], r["target"], r["type"], msgspec.json.decode(r["data"]))
        for r in rows
    ]


async def add_amendment(connection: Connection, amendment: Amendment, root: int) -> None:
    """Remember a correction or revocation by its root."""
    await connection.execute(
        "INSERT INTO amendment VALUES ($1, $2, $3, $4, $5)",
        amendment.position,
        amendment.target,
        root,
        amendment.type,
        msgspec.json.encode(amendment.data).decode(),
    )


async def root_of(connection: Connection, amendment_position: int) -> int:
    """The event that an amendment finally speaks of."""
    root = await connection.fetchval(
        "SELECT root FROM amendment WHERE position = $1", amendment_position
    )
    if root is None:
        raise RuntimeError(f"position {amendment_position} is not an amendment")
    return int(root)


async def void_things(connection: Connection, things: list[Thing]) -> set[Thing]:
    """Of these things, those that are revoked (a class held after all needs a new reference)."""
    rows = await connection.fetch(
        """
        SELECT t.type, t.source, t.ref
        FROM unnest($1::text[], $2::text[], $3::text[]) AS u (type, source, ref)
        JOIN thing t USING (type, source, ref)
        GROUP BY 1, 2, 3 HAVING bool_or(t.void)
        """,
        [t[0] for t in things],
        [t[1] for t in things],
        [t[2] for t in things],
    )
    return {(r["type"], r["source"], r["ref"]) for r in rows}


async def add_things(connection: Connection, things: list[tuple[Any, ...]]) -> None:
    """(type, source, ref, origin, void) of new things."""
    if things:
        await connection.copy_records_to_table(
            "thing", records=things, columns=["type", "source", "ref", "origin", "void"]
        )


async def add_references(connection: Connection, references: list[tuple[Any, ...]]) -> None:
    """(type, source, ref, origin) of new references."""
    if references:
        await connection.copy_records_to_table(
            "reference", records=references, columns=["type", "source", "ref", "origin"]
        )


async def void_thing(connection: Connection, origin: int) -> list[Thing]:
    """Mark what thing a revoked event was; the things whose state may have changed."""
    rows = await connection.fetch(
        "UPDATE thing SET void = true WHERE origin = $1 RETURNING type, source, ref", origin
    )
    return [(r["type"], r["source"], r["ref"]) for r in rows]


async def replace_thing(
    connection: Connection, origin: int, thing: Thing | None, void: bool
) -> list[Thing]:
    """Store what thing an event now is; the things whose state may have changed."""
    old = await connection.fetch(
        "DELETE FROM thing WHERE origin = $1 RETURNING type, source, ref", origin
    )
    touched = [(r["type"], r["source"], r["ref"]) for r in old]
    if thing is not None:
        await add_things(connection, [(*thing, origin, void)])
        if thing not in touched:
            touched.append(thing)
    return touched


async def replace_references(connection: Connection, origin: int, things: list[Thing]) -> None:
    """Store what an event now refers to."""
    await connection.execute("DELETE FROM reference WHERE origin = $1", origin)
    await add_references(connection, [(*thing, origin) for thing in things])


async def referring(connection: Connection, things: list[Thing]) -> list[int]:
    """Origins of the events that refer to any of these things."""
    rows = await connection.fetch(
        """
        SELECT DISTINCT r.origin
        FROM unnest($1::text[], $2::text[], $3::text[]) AS u (type, source, ref)
        JOIN reference r USING (type, source, ref) ORDER BY 1
        """,
        [t[0] for t in things],
        [t[1] for t in things],
        [t[2] for t in things],
    )
    return [r["origin"] for r in rows]
