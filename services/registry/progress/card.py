"""`GET /v1/plans/{plan}/units/{code}`: everything about one unit, objective by objective."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from services.registry.access import CurrentPrincipal
from services.registry.answers import IfNoneMatch, json_answer
from services.registry.parameters import AsOf, KnownAt
from services.registry.plans.routes import objective_json, objective_states
from services.registry.plans.territory import in_plan
from services.registry.reach import authorize_unit
from services.registry.state import JoinedRoute, Registry
from services.registry.tables.build import Question, build
from services.registry.units.routes import unit_json

router = APIRouter(prefix="/v1/plans/{plan}/units", tags=["progress"], route_class=JoinedRoute)


@router.get("/{code}", response_class=Response)
async def show_card(
    state: Registry,
    principal: CurrentPrincipal,
    plan: str,
    code: str,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """One unit across all objectives of a plan: number, what is required, pace, and the plan's
    words; those that are not counted with the reason."""
    day = as_of or state.clock.today()
    found = state.plan(plan, day)
    unit = in_plan(state, found, code, day)
    authorize_unit(principal, state, found, unit.unit_id, day)
    table = await build(state, Question(plan, unit.unit_id, unit.level, as_of, known_at))
    row = next((r for r in table.rows if r.unit_id == unit.unit_id), table.whole)
    states = await objective_states(state, plan)
    listed: list[dict[str, Any]] = []
    for objective in found.for_unit(unit.unit_id)["objectives"]:
        cell = row.cells.get(objective["id"]) if row else None
        shown = objective_json(objective, states)
        listed.append(
            {
                name: shown[name]
                for name in ("id", "state", "reason", "text_vi", "target", "deadline", "lead")
            }
            | {"cell": cell, "required": cell.required if cell else None}
        )
    return json_answer(
        {
            "plan": plan,
            "unit": unit_json(state, unit, day),
            "as_of": table.as_of,
            "known_at": known_at,
            "position": table.position,
            "definitions_pending": table.definitions_pending,
            "objectives": listed,
        },
        if_none_match,
    )
