"""Whether objectives are met, per unit, for the tasks that they close."""

from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from services.registry.state import State
from services.registry.tables.past import past
from shared.domain.plan_history import PlanVersion

# Of a rhythm, as its status says: the last week or month that is over.
_NOW = """
SELECT w.position, w.definitions, w.as_of, c.unit_id, c.objective, c.met_on_time, c.value,
       CASE WHEN c.bucket IS NULL THEN c.met ELSE (c.status_bucket->>'met')::boolean END AS met
FROM indicators.watermark w
LEFT JOIN indicators.cells c ON c.plan = $1 AND c.objective = ANY($2)
"""


class ObjectiveState(NamedTuple):
    """What a cell says of its target; `begun`: anything has been counted."""

    met: bool | None
    met_on_time: bool | None
    begun: bool


@dataclass(frozen=True)
class Met:
    """The objectives of a plan by unit. `stamp` changes whenever a cell may have changed."""

    by_unit: dict[str, dict[str, ObjectiveState]]
    top: str
    stamp: tuple[Any, ...]

    def of(self, unit_id: str | None, objective: str) -> ObjectiveState | None:
        """Of a unit; where it has no cell of its own, of the plan's unit."""
        own = self.by_unit.get(unit_id or self.top, {}).get(objective)
        return own or self.by_unit.get(self.top, {}).get(objective)


async def stamp_now(state: State) -> tuple[Any, ...]:
    """The stamp of now, without the cells."""
    row = await state.pool.fetchrow("SELECT position, as_of FROM indicators.watermark")
    return tuple(row) if row is not None else ()


async def load_met(
    state: State, plan: PlanVersion, as_of: date | None, known_at: date | None
) -> Met:
    """Now (`as_of` and `known_at` None), or of another day, which metrics evaluates."""
    top = plan.document["unit"]
    wanted = sorted({n for task in plan.document["tasks"] for n in task.get("objectives") or ()})
    found: dict[str, dict[str, ObjectiveState]] = {}
    if as_of is None and known_at is None:
        rows = await state.pool.fetch(_NOW, plan.plan, wanted)
        for row in rows[:1]:
            await state.agree(row["position"], row["definitions"])
        for row in rows:
            if row["unit_id"] is not None:
                one = ObjectiveState(row["met"], row["met_on_time"], bool(row["value"]))
                found.setdefault(row["unit_id"], {})[row["objective"]] = one
        stamp = (rows[0]["position"], rows[0]["as_of"]) if rows else ()
        return Met(found, top, stamp)
    level = "hamlet" if plan.document.get("unit_level") in ("ward", "commune") else "commune"
    answer = await past(
        state.metrics,
        plan=plan.plan,
        unit=top,
        level=level,
        as_of=as_of or state.clock.today(),
        known_at=known_at,
        tree="as_of",
    )
    for unit_id, cells in answer.cells.items():
        found[unit_id] = {
            name: ObjectiveState(
                said.met if (said := cells[name].judged()) is not None else None,
                cells[name].met_on_time,
                bool(cells[name].value),
            )
            for name in wanted
            if name in cells
        }
    return Met(found, top, (answer.position, as_of, known_at))
