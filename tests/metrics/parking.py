"""Events of adults whose subjects get parked."""

from datetime import date
from typing import Any

import asyncpg

from services.metrics.projecting.projection import MetricsProjection
from shared.contracts.definitions import Catalogue
from shared.contracts.record import LANES
from shared.lane_consumer import LaneConsumer
from tests.metrics.memory_log import MemoryLog
from tests.metrics.worlds import ALL

DAY = date(2026, 2, 1)


def certify(log: MemoryLog, who: str, **more: object) -> int:
    data = {"person_ref": f"cccd:{who}", "target_groups": ["adult"], **more}
    return log.post("citizen.certified", "A@2025", DAY, DAY, data)


async def follow(
    pool: asyncpg.Pool, catalogue: Catalogue, log: MemoryLog, **more: Any
) -> MetricsProjection:
    projection = MetricsProjection(pool, "w", catalogue, **more)
    await projection.begin(ALL)
    await LaneConsumer(projection, log, "unused:1", "w").catch_up(  # type: ignore[arg-type]
        list(range(LANES))
    )
    return projection


async def adults(pool: asyncpg.Pool) -> int | None:
    found: int | None = await pool.fetchval("SELECT sum(n)::bigint FROM tally WHERE measure = 3")
    return found
