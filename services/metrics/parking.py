"""Subjects that cannot be counted wait here, with everything that follows for them.

Nothing is skipped silently: the position is reported as parked, cells that the subject may touch
are flagged, and `hocvuso-metrics parked` lists, retries or dismisses. When parking becomes the
rule, something else is wrong and the worker stops (`TooManyParked`).
"""

import asyncpg
import msgspec

from services.metrics.apply import BatchCounter
from services.metrics.store import LIVE, Subject, force_indexes, mark_dirty
from shared.contracts.record import LogRecord, record_decoder
from shared.db import Connection


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
        await mark_dirty(connection, {(key[0], key[1]) for key in counted.deltas})
        await connection.execute("INSERT INTO dirty VALUES (0, '')")
    return None


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
