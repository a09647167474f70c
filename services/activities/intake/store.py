"""How far each partner's topic is read, and what must not be forgotten on the way.

Positions move by compare-and-set inside the transaction that appends; it also looks at the topic's
incarnation and the version of the partner's rights. So a second reader, one with outdated rights,
or one that still sees a topic that is gone, cannot commit.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from services.activities.intake.model import Kind, Partner, Topic, Trouble
from services.activities.log.model import GiveUp
from shared.db import Connection

COLUMNS = (
    "partner, roles, types, sources, subtree, era, acks, partitions, retention_hours, principal,"
    " apply_acls, version, acls_version"
)


class Fenced(GiveUp):
    """Another reader moved on, or rights or topic changed: start over from what is stored."""


@dataclass(frozen=True, slots=True)
class Move:
    """One partition's step."""

    partition: int
    expected: int
    next: int


@dataclass(slots=True)
class Count:
    """How many messages of a partition became what, and the broker's time of the last."""

    partition: int
    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    read_ms: int = 0


async def enabled(connection: Connection) -> set[str]:
    """Names of the partners whose topics are to be read."""
    rows = await connection.fetch("SELECT partner FROM intake WHERE enabled")
    return {row["partner"] for row in rows}


async def partner(pool: asyncpg.Pool, name: str) -> Partner | None:
    """A partner as it is now, if it is enabled."""
    row = await pool.fetchrow(f"SELECT {COLUMNS} FROM intake WHERE partner = $1 AND enabled", name)
    return None if row is None else partner_of(row)


def partner_of(row: asyncpg.Record) -> Partner:
    """A row of `intake` as a partner."""
    return Partner(
        name=row["partner"],
        roles=frozenset(row["roles"]),
        types=None if row["types"] is None else tuple(row["types"]),
        sources=None if row["sources"] is None else tuple(row["sources"]),
        subtree=row["subtree"],
        era=row["era"],
        acks=row["acks"],
        partitions=row["partitions"],
        retention_hours=row["retention_hours"],
        principal=row["principal"],
        apply_acls=row["apply_acls"],
        version=row["version"],
        acls_version=row["acls_version"],
    )


async def see_topic(
    pool: asyncpg.Pool, name: str, topic: Topic, earliest: Mapping[int, int], now: datetime
) -> dict[int, int]:
    """Note which topic there is now and what changed; the next offset of each partition.

    A topic seen for the first time begins at `earliest`; one recreated, and a partition added, at
    0: what is not there any more has then been lost, and is noted when it is read. What the gone
    incarnation still held unread, as far as it was seen, is noted as lost here.
    """
    async with pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(
            "SELECT topic_id, topic_partitions FROM intake WHERE partner = $1 FOR UPDATE", name
        )
        if row is None:
            raise Fenced(f"{name} is no longer there")
        known, count = row["topic_id"], row["topic_partitions"]
        troubles: list[Trouble] = []
        if known is not None and known != topic.id:
            troubles.append(
                Trouble(Kind.RECREATED, f"it was {known}, with {count} partitions; now {topic.id}")
            )
            unread = await connection.fetch(
                "SELECT partition, next, high FROM intake_position"
                " WHERE partner = $1 AND topic_id = $2 AND next < high ORDER BY partition",
                name, known,
            )  # fmt: skip
            why = "unread when the topic was recreated"
            troubles += [
                Trouble(Kind.LOST, why, gone["partition"], gone["next"], gone["high"] - 1)
                for gone in unread
            ]
        number = len(topic.leaders)
        if count is not None and number > count:
            troubles.append(Trouble(Kind.MORE_PARTITIONS, f"from {count} to {number}"))
        if count is not None and number < count:
            troubles.append(Trouble(Kind.FEWER_PARTITIONS, f"from {count} to {number}"))
        if known != topic.id or count != number:
            await connection.execute(
                "UPDATE intake SET topic_id = $2, topic_partitions = $3 WHERE partner = $1",
                name, topic.id, number,
            )  # fmt: skip
            await connection.executemany(
                "INSERT INTO intake_position (partner, topic_id, partition, next)"
                " VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
                [
                    (name, topic.id, p, earliest.get(p, 0) if known is None else 0)
                    for p in sorted(topic.leaders)
                ],
            )
        await note(connection, name, topic.id, troubles, now)
        rows = await connection.fetch(
            "SELECT partition, next FROM intake_position WHERE partner = $1 AND topic_id = $2",
            name, topic.id,
        )  # fmt: skip
    return {row["partition"]: row["next"] for row in rows if row["partition"] in topic.leaders}


async def see_compaction(pool: asyncpg.Pool, name: str, compacted: bool, now: datetime) -> bool:
    """Note whether the topic is compacted; True when it has become so just now."""
    async with pool.acquire() as connection, connection.transaction():
        changed = await connection.fetchrow(
            "UPDATE intake SET compacted = $2 WHERE partner = $1 AND compacted <> $2"
            " RETURNING topic_id",
            name, compacted,
        )  # fmt: skip
        if changed is None or not compacted:
            return False
        trouble = Trouble(
            Kind.COMPACTED, "cleanup.policy holds compact: messages with equal keys may vanish"
        )
        await note(connection, name, changed["topic_id"], [trouble], now)
    return True


async def note(
    connection: Connection,
    name: str,
    topic_id: UUID | None,
    troubles: Iterable[Trouble],
    now: datetime,
) -> None:
    """Keep troubles until somebody has acknowledged them, and afterwards."""
    await connection.executemany(
        "INSERT INTO intake_trouble (partner, kind, topic_id, partition, first, last, detail, at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        [
            (name, t.kind.value, topic_id, t.partition, t.first, t.last, t.detail, now)
            for t in troubles
        ],
    )


async def advance(
    connection: Connection, who: Partner, topic_id: UUID, moves: Sequence[Move]
) -> None:
    """Move positions inside the caller's transaction. Raises Fenced before anything is written."""
    held = await connection.fetchval(
        """
        SELECT count(*) FROM (
          SELECT 1 FROM intake_position p
          JOIN unnest($3::int[], $4::bigint[]) AS v (partition, expected)
            ON p.partition = v.partition AND p.next = v.expected
          JOIN intake i ON i.partner = p.partner AND i.topic_id = p.topic_id
          WHERE p.partner = $1 AND p.topic_id = $2 AND i.enabled AND i.version = $5
          ORDER BY p.partition FOR UPDATE OF p FOR SHARE OF i
        ) AS held
        """,
        who.name, topic_id, [m.partition for m in moves], [m.expected for m in moves], who.version,
    )  # fmt: skip
    if held != len(moves):
        raise Fenced(f"{who.name}: partitions {[m.partition for m in moves]} have moved elsewhere")
    await connection.execute(
        "UPDATE intake_position p SET next = v.next"
        " FROM unnest($3::int[], $4::bigint[]) AS v (partition, next)"
        " WHERE p.partner = $1 AND p.topic_id = $2 AND p.partition = v.partition",
        who.name, topic_id, [m.partition for m in moves], [m.next for m in moves],
    )  # fmt: skip


async def count(connection: Connection, name: str, topic_id: UUID, counts: Sequence[Count]) -> None:
    """Add up what became of messages, inside the caller's transaction."""
    await connection.execute(
        """
        UPDATE intake_position p
        SET accepted = p.accepted + v.accepted, duplicates = p.duplicates + v.duplicates,
            rejected = p.rejected + v.rejected, read_ms = greatest(p.read_ms, v.read_ms)
        FROM unnest($3::int[], $4::int[], $5::int[], $6::int[], $7::bigint[])
             AS v (partition, accepted, duplicates, rejected, read_ms)
        WHERE p.partner = $1 AND p.topic_id = $2 AND p.partition = v.partition
        """,
        name, topic_id, [c.partition for c in counts], [c.accepted for c in counts],
        [c.duplicates for c in counts], [c.rejected for c in counts],
        [c.read_ms for c in counts],
    )  # fmt: skip


async def jump(
    pool: asyncpg.Pool,
    who: Partner,
    topic_id: UUID,
    move: Move,
    trouble: Trouble,
    now: datetime,
) -> None:
    """Go on elsewhere in a partition, and keep why. Raises Fenced."""
    async with pool.acquire() as connection, connection.transaction():
        await advance(connection, who, topic_id, [move])
        await note(connection, who.name, topic_id, [trouble], now)


async def observe(
    pool: asyncpg.Pool,
    name: str,
    topic_id: UUID,
    borders: Mapping[int, tuple[int, int]],
    now: datetime,
    *,
    waits_for: str | None = None,
) -> None:
    """Remember the borders (first, high) of what the broker holds, and that somebody reads."""
    # Two statements, not a transaction: rows are locked in no order that the append keeps to.
    await pool.execute(
        "UPDATE intake SET checked_at = $2, waits_for = $3 WHERE partner = $1",
        name, now, waits_for,
    )  # fmt: skip
    await pool.execute(
        """
        UPDATE intake_position p SET first = v.first, high = greatest(v.high, p.next),
          behind_since = CASE WHEN v.high > p.next THEN coalesce(p.behind_since, $6) END
        FROM unnest($3::int[], $4::bigint[], $5::bigint[]) AS v (partition, first, high)
        WHERE p.partner = $1 AND p.topic_id = $2 AND p.partition = v.partition
        """,
        name, topic_id, list(borders), [b[0] for b in borders.values()],
        [b[1] for b in borders.values()], now,
    )  # fmt: skip


async def failed(pool: asyncpg.Pool, name: str, code: str, now: datetime) -> None:
    """Say what the reader waits for when it cannot even see the topic."""
    await pool.execute(
        "UPDATE intake SET checked_at = $2, waits_for = $3 WHERE partner = $1", name, now, code
    )


async def applied_acls(pool: asyncpg.Pool, who: Partner) -> None:
    """Remember for which version of the partner the broker was given rules."""
    await pool.execute(
        "UPDATE intake SET acls_version = $2 WHERE partner = $1", who.name, who.version
    )
