"""`GET /v1/plans/{plan}/doubts`: numbers that a data officer should look at, cell by cell."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from services.registry.access import CurrentPrincipal
from services.registry.answers import json_answer, page
from services.registry.asking import AskedPage, AskedUnits
from services.registry.reach import authorize_unit
from services.registry.state import JoinedRoute, Registry
from services.registry.tables.build import Question, build
from services.registry.tables.model import Table

router = APIRouter(prefix="/v1/plans/{plan}", tags=["progress"], route_class=JoinedRoute)

DOUBTS = (
    "exceeds_denominator",
    "denominator_partial",
    "hamlets_incomplete",
    "parked",
    "amendment_refused",
)
"""Flags that somebody can do something about. What is not declared at all is listed by
`/populations` (`owed`)."""


def doubts(table: Table) -> list[dict[str, Any]]:
    """Every cell of the table with a flag of `DOUBTS`, the unit itself first."""
    found = []
    whole = [table.whole] if table.whole else []
    for row in [*whole, *(r for r in table.rows if r.unit_id != table.unit_id)]:
        for objective in table.objectives:
            cell = row.cells.get(objective.id)
            flags = [flag for flag in DOUBTS if cell is not None and flag in cell.flags]
            if cell is not None and flags:
                found.append(
                    {
                        "unit": row.unit,
                        "unit_id": row.unit_id,
                        "name_vi": row.name_vi,
                        "objective": objective.id,
                        "objective_vi": objective.name_vi,
                        "flags": flags,
                        "value": cell.value,
                        "denominator": cell.denominator,
                    }
                )
    return found


@router.get("/doubts", response_class=Response)
async def show_doubts(
    state: Registry,
    principal: CurrentPrincipal,
    plan: str,
    asked: Annotated[AskedUnits, Depends()],
    paged: Annotated[AskedPage, Depends()],
) -> Response:
    """Cells whose numbers somebody should look at: more counted than there is, a denominator that is
    declared in part, events that wait. What is met stays so."""
    day = asked.as_of or state.clock.today()
    unit = authorize_unit(principal, state, state.plan(plan), asked.unit, day)
    table = await build(state, Question(plan, unit, asked.level, asked.as_of, asked.known_at))
    found = doubts(table)
    shown, following = page(
        found, lambda d: [d["unit_id"], d["objective"]], paged.cursor, paged.limit
    )
    return json_answer(
        {
            "plan": plan,
            "unit_id": table.unit_id,
            "level": table.level,
            "as_of": table.as_of,
            "known_at": table.known_at,
            "position": table.position,
            "total": len(found),
            "next": following,
            "doubts": shown,
        },
        paged.if_none_match,
    )
