"""How far behind each partner's intake is, and what is wrong with it: for people and for alarms."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

SILENT_SECONDS = 15
"""Nobody has looked at the topic for so long: what is said of it is old."""

SQL = """
SELECT i.partner, i.enabled, i.topic_id, i.compacted, i.checked_at, i.waits_for,
  p.partition, p.next, p.first, p.high, p.accepted, p.duplicates, p.rejected,
  greatest(0, CASE WHEN p.high > p.next THEN extract(epoch FROM $1::timestamptz
    - greatest(p.behind_since, to_timestamp(p.read_ms / 1000.0))) ELSE 0 END)::float8 AS seconds,
  (SELECT count(*) FROM intake_receipt r WHERE r.partner = i.partner) AS receipts_waiting,
  (SELECT count(*) FROM intake_trouble t
   WHERE t.partner = i.partner AND t.acknowledged_at IS NULL) AS troubles
FROM intake i LEFT JOIN intake_position p ON p.partner = i.partner AND p.topic_id = i.topic_id
WHERE $2::text IS NULL OR i.partner = $2
ORDER BY i.partner, p.partition
"""


@dataclass(frozen=True, slots=True)
class PartitionLag:
    """One partition: `messages` that are there and not read, the oldest since `seconds`."""

    partition: int
    next: int
    first: int
    high: int
    messages: int
    seconds: float
    accepted: int
    duplicates: int
    rejected: int


@dataclass(frozen=True, slots=True)
class Lag:
    """One partner. `state`: disabled, unattended, attention, waiting or reading."""

    partner: str
    state: str
    waits_for: str | None
    topic_id: UUID | None
    compacted: bool
    checked_at: datetime | None
    troubles: int
    receipts_waiting: int
    partitions: tuple[PartitionLag, ...]

    @property
    def messages(self) -> int:
        """Messages of all partitions that are there and not read."""
        return sum(p.messages for p in self.partitions)

    @property
    def seconds(self) -> float:
        """Age of the oldest message that is not read, as far as it is known."""
        return max((p.seconds for p in self.partitions), default=0.0)


async def lags(
    pool: asyncpg.Pool | asyncpg.Connection, now: datetime, partner: str | None = None
) -> list[Lag]:
    """Every partner, or one, by name."""
    found: dict[str, list[asyncpg.Record]] = {}
    for row in await pool.fetch(SQL, now, partner):
        found.setdefault(row["partner"], []).append(row)
    return [_lag(rows, now) for rows in found.values()]


def _lag(rows: list[asyncpg.Record], now: datetime) -> Lag:
    row = rows[0]
    return Lag(
        partner=row["partner"],
        state=_state(row, now),
        waits_for=row["waits_for"],
        topic_id=row["topic_id"],
        compacted=row["compacted"],
        checked_at=row["checked_at"],
        troubles=row["troubles"],
        receipts_waiting=row["receipts_waiting"],
        partitions=tuple(
            PartitionLag(
                partition=r["partition"],
                next=r["next"],
                first=r["first"],
                high=max(r["high"], r["next"]),
                messages=max(0, r["high"] - r["next"]),
                seconds=r["seconds"],
                accepted=r["accepted"],
                duplicates=r["duplicates"],
                rejected=r["rejected"],
            )
            for r in rows
            if r["partition"] is not None
        ),
    )


def _state(row: asyncpg.Record, now: datetime) -> str:
    if not row["enabled"]:
        return "disabled"
    at = row["checked_at"]
    if at is None or (now - at).total_seconds() > SILENT_SECONDS:
        return "unattended"
    if row["troubles"] or row["compacted"]:
        return "attention"
    return "waiting" if row["waits_for"] else "reading"
