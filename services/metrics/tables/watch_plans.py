"""How far the plans are, as metrics: few numbers, for a dashboard. The tables have the rest."""

import asyncpg

from services.metrics.definition_rows import StoredRows
from shared.clock import Clock
from shared.domain.history import DefinitionHistory
from shared.instruments import PLAN_CELLS, PLAN_OBJECTIVES, PLAN_RATIO

EVERY_SECONDS = 30.0


class PlanWatch:
    """Looks at the published cells."""

    def __init__(self, pool: asyncpg.Pool, definitions: DefinitionHistory, clock: Clock) -> None:
        self._pool = pool
        self._definitions = definitions
        self._clock = clock

    async def look(self) -> None:
        """Measure once. Raises what the database raises."""
        today = self._clock.today()
        async with (
            self._pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            known = await self._definitions.get(StoredRows(connection))
            found = {plan: known.plan(plan, today) for plan in known.plan_ids()}
            roots = {plan: one.document["unit"] for plan, one in found.items() if one is not None}
            cells = await connection.fetch(
                "SELECT plan, status, count(*) AS cells FROM cell GROUP BY plan, status"
            )
            own = await connection.fetch(
                "SELECT plan, objective, status, ratio FROM cell"
                " WHERE (plan, unit_id) IN (SELECT * FROM unnest($1::text[], $2::text[]))",
                list(roots),
                list(roots.values()),
            )
        for gauge in (PLAN_CELLS, PLAN_OBJECTIVES, PLAN_RATIO):
            gauge.forget()
        for row in cells:
            PLAN_CELLS.set(row["cells"], row["plan"], row["status"])
        # That nothing is met yet is a number to show, not one that is missing.
        counts = {(plan, "met"): 0 for plan in roots}
        for row in own:
            key = (row["plan"], row["status"])
            counts[key] = counts.get(key, 0) + 1
            if row["ratio"] is not None:
                PLAN_RATIO.set(row["ratio"], row["plan"], row["objective"])
        for (plan, status), number in counts.items():
            PLAN_OBJECTIVES.set(number, plan, status)
