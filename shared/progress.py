"""Progress of a projection in its own schema, and which worker holds which lane.

Progress is written in the same transaction as what was counted, by compare-and-set on
(`last`, owner, fence, generation): a worker that lost a lane, or that works with an outdated set
of measures, cannot commit. Tables: see `PROGRESS_DDL`, used by the migrations of each projection.
"""

from dataclasses import dataclass

import asyncpg

from shared.contracts.record import LANES
from shared.db import Connection, repeated
from shared.lanes import Lane

PROGRESS_DDL = f"""
CREATE TABLE progress (
  lane smallint PRIMARY KEY,
  last bigint NOT NULL DEFAULT 0,
  through bigint NOT NULL DEFAULT 0,
  owner text,
  fence bigint NOT NULL DEFAULT 0,
  CHECK (last <= through)
);
INSERT INTO progress (lane) SELECT generate_series(0, {LANES - 1});
CREATE TABLE projection (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  log_epoch text,
  generation bigint NOT NULL DEFAULT 0
);
INSERT INTO projection DEFAULT VALUES;
CREATE TABLE worker (
  name text PRIMARY KEY,
  heartbeat timestamptz NOT NULL
);
"""

LIVE_SECONDS = 10
"""A worker that has not said anything for so long has lost its lanes."""


class LanesLost(RuntimeError):
    """Another worker took a lane, or the measure set changed: start over from what is stored."""


class EpochChanged(RuntimeError):
    """The log is another one than the one counted (restored or re-created): rebuild."""


@dataclass(frozen=True)
class Advance:
    """One lane's step, as read and as it shall be."""

    lane: int
    expected: int
    last: int
    through: int


@dataclass
class Claim:
    """The lanes a worker holds, with the fence each was taken under."""

    worker: str
    generation: int
    lanes: dict[int, Lane]
    fences: dict[int, int]


async def heartbeat(connection: Connection, worker: str, wanted: frozenset[int]) -> frozenset[int]:
    """Say that `worker` lives; the lanes of `wanted` that are its share among the living."""
    await connection.execute(
        "INSERT INTO worker VALUES ($1, now()) ON CONFLICT (name) DO UPDATE SET heartbeat = now()",
        worker,
    )
    # Two that wake at the same time and bury each other must not wait for each other's row.
    await connection.execute(
        """
        DELETE FROM worker WHERE name IN (
          SELECT name FROM worker WHERE heartbeat < now() - make_interval(secs => $1)
          ORDER BY name FOR UPDATE SKIP LOCKED)
        """,
        LIVE_SECONDS,
    )
    living = [r["name"] for r in await connection.fetch("SELECT name FROM worker ORDER BY name")]
    mine = living.index(worker)
    return frozenset(lane for lane in wanted if lane % len(living) == mine)


async def claim(pool: asyncpg.Pool, worker: str, share: frozenset[int]) -> Claim:
    """Take the lanes of `share` that nobody living holds, give back the others.

    Raises nothing when a lane is still held elsewhere: it is simply not in the claim yet.
    """
    return await repeated(lambda: _claim(pool, worker, share))


async def _claim(pool: asyncpg.Pool, worker: str, share: frozenset[int]) -> Claim:
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT 1 FROM progress ORDER BY lane FOR UPDATE")
        await connection.execute(
            "UPDATE progress SET owner = NULL WHERE owner = $1 AND NOT lane = ANY($2::smallint[])",
            worker,
            sorted(share),
        )
        await connection.execute(
            """
            UPDATE progress SET owner = $1, fence = fence + 1
            WHERE lane = ANY($2::smallint[]) AND owner IS DISTINCT FROM $1
              AND (owner IS NULL OR owner NOT IN (SELECT name FROM worker))
            """,
            worker,
            sorted(share),
        )
        rows = await connection.fetch(
            "SELECT lane, last, through, fence FROM progress WHERE owner = $1", worker
        )
        generation = await connection.fetchval("SELECT generation FROM projection WHERE one")
    return Claim(
        worker,
        generation,
        {r["lane"]: Lane(r["last"], r["through"]) for r in rows},
        {r["lane"]: r["fence"] for r in rows},
    )


async def release(pool: asyncpg.Pool, worker: str) -> None:
    """Give everything back at a clean stop, so that others need not wait for the time-out."""
    await repeated(lambda: _release(pool, worker))


async def _release(pool: asyncpg.Pool, worker: str) -> None:
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "SELECT 1 FROM progress WHERE owner = $1 ORDER BY lane FOR UPDATE", worker
        )
        await connection.execute("UPDATE progress SET owner = NULL WHERE owner = $1", worker)
        await connection.execute("DELETE FROM worker WHERE name = $1", worker)


async def advance(connection: Connection, held: Claim, steps: list[Advance]) -> None:
    """Store the steps inside the caller's transaction, all or none.

    Raises LanesLost when any lane is no longer held, has moved, or the generation changed. A
    statement that waits for a lane's row may have read the generation before: whoever starts a
    generation raises the fence of every lane in the same transaction.

    Rows of `progress` are locked by lane, here and wherever several are: an UPDATE of several takes
    them in whatever order its plan has, and two of those may wait for each other in a circle.
    """
    if not steps:
        return
    await connection.execute(
        "SELECT 1 FROM progress WHERE lane = ANY($1::smallint[]) ORDER BY lane FOR UPDATE",
        [step.lane for step in steps],
    )
    changed = await connection.fetch(
        """
        UPDATE progress p SET last = v.last, through = greatest(p.through, v.through)
        FROM unnest($1::smallint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])
             AS v (lane, expected, last, through, fence)
        WHERE p.lane = v.lane AND p.last = v.expected AND p.fence = v.fence AND p.owner = $6
          AND (SELECT generation FROM projection WHERE one) = $7
        RETURNING p.lane
        """,
        [s.lane for s in steps],
        [s.expected for s in steps],
        [s.last for s in steps],
        [s.through for s in steps],
        [held.fences[s.lane] for s in steps],
        held.worker,
        held.generation,
    )
    if len(changed) != len(steps):
        raise LanesLost(f"{held.worker} no longer holds all of {[s.lane for s in steps]}")


async def bind_epoch(connection: Connection, epoch: str) -> None:
    """Remember which log is counted; raise EpochChanged when it is another than before."""
    known = await connection.fetchval("SELECT log_epoch FROM projection WHERE one")
    if known is None:
        known = await connection.fetchval(
            "UPDATE projection SET log_epoch = coalesce(log_epoch, $1) WHERE one"
            " RETURNING log_epoch",
            epoch,
        )
    if known != epoch:
        raise EpochChanged(
            f"The log's epoch is {epoch}, but this projection counted {known}."
            " Make sure which log is the right one, then run `hocvuso start-over`."
        )
