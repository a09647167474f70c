"""`GET /v1/plans/{plan}/share`: how many units meet each target, and how many targets each meets."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import Response

from services.registry.answers import IfNoneMatch, json_answer
from services.registry.state import Registry
from services.registry.tables.build import Question, build
from services.registry.tables.model import Row, Table

router = APIRouter(prefix="/v1/plans/{plan}", tags=["progress"])


def shares(table: Table) -> list[dict[str, Any]]:
    """Per objective: units that meet it, do not, and of which nobody can say; exact counts.

    `share` is of all units of the level: one whose denominator is unknown has not met it.
    """
    found = []
    for objective in table.objectives:
        if objective.state == "not_counted":
            continue
        verdicts = [_met(row, objective.id) for row in table.rows]
        met = verdicts.count(True)
        found.append(
            {
                "objective": objective.id,
                "name_vi": objective.name_vi,
                "units": len(verdicts),
                "met": met,
                "not_met": verdicts.count(False),
                "unknown": verdicts.count(None),
                "share": met / len(verdicts) if verdicts else None,
                "flags": sorted(
                    {
                        flag
                        for row in table.rows
                        if (cell := row.cells.get(objective.id)) and cell.met is None
                        for flag in cell.flags
                    }
                ),
            }
        )
    return found


def _met(row: Row, objective: str) -> bool | None:
    cell = row.cells.get(objective)
    return cell.met if cell else None


@router.get("/share", response_class=Response)
async def show_share(
    state: Registry,
    plan: str,
    unit: Annotated[str | None, Query(description="code or code@era; default the plan's")] = None,
    level: Annotated[str | None, Query(description="level of the units counted")] = None,
    as_of: Annotated[date | None, Query(description="what had happened by the end of")] = None,
    known_at: Annotated[date | None, Query(description="what was recorded by the end of")] = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Number and share of the units of a level that meet each target, and of targets per unit."""
    table = await build(state, Question(plan, unit, level, as_of, known_at))
    units = [
        {
            "unit": row.unit,
            "unit_id": row.unit_id,
            "name_vi": row.name_vi,
            "met": sum(cell.met is True for cell in row.cells.values()),
            "not_met": sum(cell.met is False for cell in row.cells.values()),
            "unknown": sum(cell.met is None for cell in row.cells.values()),
        }
        for row in table.rows
    ]
    return json_answer(
        {
            "plan": plan,
            "unit_id": table.unit_id,
            "level": table.level,
            "as_of": table.as_of,
            "known_at": table.known_at,
            "position": table.position,
            "objectives": shares(table),
            "units": units,
        },
        if_none_match,
    )
