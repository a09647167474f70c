"""Subjects that cannot be counted wait here, with everything that follows for them.

Nothing is skipped silently: the position is reported as parked, cells that the subject may touch
are flagged, and `hocvuso-metrics parked` lists, retries or dismisses. When parking becomes the
rule, something else is wrong and the worker stops (`TooManyParked`).
"""

from typing import Any

import asyncpg
import msgspec

from services.metrics.counting.contribute import Contributor
from services.metrics.definition_rows import grown_catalogue
from services.metrics.projecting import spans
from services.metrics.projecting.apply import BatchCounter
from services.metrics.projecting.store import (
    LIVE,
    Subject,
    force_indexes,
    load_measures,
    mark_dirty,
)
from shared.contracts.definitions import Catalogue
from shared.contracts.record import LogRecord, record_decoder
from shared.db import Connection, repeated


class TooManyParked(RuntimeError):
    """Parking has become the rule: a person must look before anything else is counted."""


async def parked_subjects(connection: Connection, lanes: list[int]) -> set[Subject]:
    """The subjects of these lanes that wait."""
    rows = await connection.fetch(
        "SELECT DISTINCT lane, subject FROM parked WHERE lane = ANY($1::smallint[])", lanes
    )
    return {(row["lane"], row["subject"]) for row in rows}


async def park(connection: Connection, waiting: list[tuple[LogRecord, str]]) -> None:
    """Put rows aside, in the transaction in which their lanes move past them."""
    if not waiting:
        return
    await connection.executemany(
        """
        INSERT INTO parked (position, lane, subject, unit_id, type, problem, record)
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING
        """,
        [
            (r.position, r.lane, r.key, _unit(r), _type(r), problem[:500], msgspec.json.encode(r))
            for r, problem in waiting
        ],
    )


async def retry(pool: asyncpg.Pool, counter: BatchCounter, subject: Subject) -> str | None:
    """Count a waiting subject again, all its rows or none; the problem if it still has one.

    The lane is locked meanwhile, so that no worker parks a further row unseen.
    """
    return await repeated(lambda: _retry(pool, counter, subject))


async def _retry(pool: asyncpg.Pool, counter: BatchCounter, subject: Subject) -> str | None:
    lane, key = subject
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT 1 FROM progress WHERE lane = $1 FOR UPDATE", lane)
        await force_indexes(connection)
        rows = await connection.fetch(
            "SELECT record FROM parked WHERE lane = $1 AND subject = $2 ORDER BY position", *subject
        )
        batch = counter.prepare([record_decoder.decode(row["record"]) for row in rows])
        await counter.combinations.know(connection, batch.marks)
        if batch.poison:
            return batch.poison[0].problem
        counted = await counter.write(connection, LIVE, batch)
        if counted.poison:
            return counted.poison[0].problem
        await connection.execute("DELETE FROM parked WHERE lane = $1 AND subject = $2", lane, key)
        # Whoever holds the lane believes that this subject waits: let it read that again.
        await connection.execute("UPDATE progress SET fence = fence + 1 WHERE lane = $1", lane)
        await spans.forget(connection, {key[0] for key in counted.deltas})
        await mark_dirty(connection, counted.pairs())
        await connection.execute("INSERT INTO dirty VALUES (0, '')")
    return None


async def waiting(pool: asyncpg.Pool, limit: int = 1_000) -> tuple[list[dict[str, Any]], int]:
    """Subjects that wait, oldest first (at most `limit`), and how many there are."""
    rows = await pool.fetch(
        """
        SELECT min(position) AS position, count(*) AS rows, min(parked_at) AS since,
               (array_agg(type ORDER BY position))[1] AS type,
               (array_agg(unit_id ORDER BY position))[1] AS unit_id,
               (array_agg(problem ORDER BY position))[1] AS problem, count(*) OVER () AS total
        FROM parked GROUP BY lane, subject ORDER BY 1 LIMIT $1
        """,
        limit,
    )
    found = [{**row, "since": row["since"].isoformat(timespec="seconds")} for row in rows]
    total = found[0]["total"] if found else 0
    return [{k: v for k, v in row.items() if k != "total"} for row in found], total


async def retry_waiting(
    pool: asyncpg.Pool, catalogue: Catalogue, position: int | None
) -> list[dict[str, Any]]:
    """Retry the subject of a waiting row (None: all): position of its first row, counted, problem."""
    async with pool.acquire() as connection:
        live, _ = await load_measures(connection)
        counter = BatchCounter(Contributor(live, await grown_catalogue(connection, catalogue)))
        await counter.combinations.reload(connection)
    rows = await pool.fetch(
        "SELECT lane, subject, min(position) AS first FROM parked"
        " GROUP BY lane, subject HAVING $1::bigint IS NULL OR bool_or(position = $1) ORDER BY 3",
        position,
    )
    found = []
    for row in rows:
        problem = await retry(pool, counter, (row["lane"], row["subject"]))
        found.append({"position": row["first"], "counted": problem is None, "problem": problem})
    return found


async def dismiss(pool: asyncpg.Pool, position: int, reason: str) -> bool:
    """Give a waiting row up, with a reason that stays; False if none waits at this position."""
    async with pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(
            "DELETE FROM parked WHERE position = $1 RETURNING record", position
        )
        if row is None:
            return False
        await connection.execute(
            "INSERT INTO dismissed (position, reason, record) VALUES ($1, $2, $3)",
            position,
            reason,
            row["record"],
        )
        await connection.execute("INSERT INTO dirty VALUES (0, '')")
    return True


def _unit(record: LogRecord) -> str:
    return record.effective.unitid if record.effective is not None else record.unitid


def _type(record: LogRecord) -> str:
    return record.effective.type if record.effective is not None else record.short_type
