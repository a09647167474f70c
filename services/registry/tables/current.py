"""The current cells: one statement on the views that metrics publishes."""

import asyncio
import time
from datetime import date
from typing import Any

import asyncpg

from services.registry.tables.model import Cell, Cells, Counted
from shared.problems import Problem

# One statement sees one snapshot: cells and watermark belong together. The outer join keeps the
# watermark when there is no cell yet.
CELLS_SQL = """
SELECT w.position, w.as_of, w.refreshed_at, w.log_epoch, c.unit_id, c.objective, c.value,
       c.denominator, c.ratio, c.met, c.met_on_time, c.status, c.basis,
       c.required_per_week::float8, c.flags, c.not_attributable
FROM indicators.watermark w
LEFT JOIN indicators.cells c ON c.plan = $1 AND c.unit_id = ANY($2::text[])
"""
POLL_SECONDS = 0.05


async def current(pool: asyncpg.Pool, plan: str, unit_ids: list[str], today: date) -> Counted:
    """The cells of `unit_ids` as of now; empty before the first refresh."""
    records = await pool.fetch(CELLS_SQL, plan, unit_ids)
    cells: Cells = {unit_id: {} for unit_id in unit_ids}
    for record in records:
        row: tuple[Any, ...] = tuple(record)
        if row[4] is not None:
            cells[row[4]][row[5]] = Cell(*row[6:])
    if not records:
        return Counted(cells, 0, today)
    position, as_of, refreshed_at, epoch = tuple(records[0])[:4]
    return Counted(cells, position, as_of or today, refreshed_at, epoch)


class Watermark:
    """The position up to which the current tables are complete."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def read(self) -> int:
        """Now."""
        return int(await self._pool.fetchval("SELECT position FROM indicators.watermark") or 0)

    async def reach(self, position: int, seconds: float) -> None:
        """Return once the tables show `position`; a retryable problem when they do not in time."""
        until = time.monotonic() + seconds
        while (now := await self.read()) < position:
            left = until - time.monotonic()
            if left <= 0:
                raise Problem(
                    "not-yet-counted",
                    f"The tables are complete up to position {now}, not yet {position}.",
                    status=503,
                    pointer="/after_position",
                    hint="Ask again in a moment, or with a longer ?wait= (at most 30 seconds). A"
                    " position beyond the end of the log is never reached: see the receipt.",
                    retryable=True,
                    retry_after=1,
                    extra={"position": now},
                )
            await asyncio.sleep(min(POLL_SECONDS, left))
