"""Projects the definition lane into this schema, and folds it into what the routes ask.

One table holds every row of lane 64 with its position and recorded day; what the rows mean is
folded in memory by `shared.domain.tree` and the two small folds below, so registry cannot
disagree with activities and metrics about the tree, and any replica has the same answers. About
30,000 rows make a fold of well under a second.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

import asyncpg
import msgspec

from services.registry.columns import DEFINITION as COLUMNS
from services.registry.following import StoredProjection
from shared import progress
from shared.contracts.record import DEFINITION_LANE, Content, LogRecord
from shared.db import Connection
from shared.lanes import Lane


class DefinitionProjection(StoredProjection):
    """The projection of lane 64; `applied` is set after each commit."""

    def __init__(self, pool: asyncpg.Pool, held: progress.Claim, applied: asyncio.Event) -> None:
        super().__init__(pool, held)
        self._applied = applied

    async def store(self, connection: Connection, records: list[LogRecord]) -> None:
        """Keep the rows as they are."""
        if records:
            await connection.copy_records_to_table(
                "definition", records=[_row(r) for r in records], columns=COLUMNS
            )

    async def apply(self, records: list[LogRecord], lanes: dict[int, Lane]) -> None:
        """Store the rows and the lane's progress in one transaction, then say so."""
        await super().apply(records, lanes)
        if records:
            self._applied.set()


def _row(record: LogRecord) -> tuple[Any, ...]:
    content = record.effective_content()
    return (
        record.position,
        record.origin,
        record.revision,
        record.recorded,
        record.short_type if content is None else content.type,
        record.source,
        record.id,
        None if content is None else msgspec.to_builtins(content),
    )


@dataclass(frozen=True)
class StoredRows:
    """`shared.domain.history.Rows` in the database of registry."""

    pool: asyncpg.Pool

    async def newest(self) -> tuple[str | None, int]:
        """No epoch (a service that meets another log starts over), and the last position."""
        return None, await self.pool.fetchval("SELECT max(position) FROM definition") or 0

    async def read(self, after: int, through: int | None, limit: int) -> list[LogRecord]:
        """Rows behind a position, in their order."""
        rows = await self.pool.fetch(
            f"SELECT {', '.join(COLUMNS)} FROM definition"
            " WHERE position > $1 AND ($2::bigint IS NULL OR position <= $2)"
            " ORDER BY position LIMIT $3",
            after,
            through,
            limit,
        )
        return [_record(row) for row in rows]


def _record(row: asyncpg.Record) -> LogRecord:
    """A stored row as the record that the shared folds take."""
    stored = row["content"]
    content = None if stored is None else msgspec.convert(stored, Content)
    return LogRecord(
        id=row["id"],
        source=row["source"],
        type=row["type"],
        subject="",
        time="" if content is None else content.time,
        epoch="",
        position=row["position"],
        prev=0,
        lane=DEFINITION_LANE,
        recorded=row["recorded"],
        occurred=row["recorded"] if content is None else content.occurred,
        unitid="" if content is None else content.unitid,
        origin=row["origin"],
        revision=row["revision"],
        keykind="definition",
        key=b"",
        data={},
        void=content is None,
        effective=content,
    )
