"""Changing the set of measures that is counted: a new generation, under all lane locks.

Bumping every fence matters: a worker whose transaction waits for a lane's row would see the new
row, but still the old generation (its statement's snapshot is older); the fence stops it.
"""

from shared.contracts.record import DEFINITION_LANE
from shared.db import Connection


async def lock_lanes(connection: Connection) -> None:
    """Wait for every batch under way and keep others from committing until the caller is done."""
    await connection.execute("SELECT 1 FROM progress ORDER BY lane FOR UPDATE")


async def next_generation(connection: Connection) -> int:
    """Start a new generation; all workers must claim again. Needs `lock_lanes`."""
    await connection.execute("UPDATE progress SET fence = fence + 1")
    generation: int = await connection.fetchval(
        "UPDATE projection SET generation = generation + 1 WHERE one RETURNING generation"
    )
    return generation


async def go_live_if_nothing_counted(connection: Connection) -> bool:
    """Make all measures live if no fact was ever counted: then there is nothing to rebuild.

    Needs `lock_lanes`. The case of every first start: plans come before facts.
    """
    counted = await connection.fetchval(
        "SELECT coalesce(max(last), 0) FROM progress WHERE lane <> $1", DEFINITION_LANE
    )
    if counted:
        return False
    await connection.execute("UPDATE measure SET state = 'live' WHERE state = 'building'")
    await next_generation(connection)
    return True
