"""`GET /v1/plans/{plan}/share`: how many units meet each target, and how many targets each meets."""

from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from services.registry.access import CurrentPrincipal
from services.registry.answers import json_answer, page
from services.registry.asking import AskedPage, AskedUnits
from services.registry.reach import authorize_unit
from services.registry.state import JoinedRoute, Registry
from services.registry.tables.build import Question, build
from services.registry.tables.model import Cell, Table

router = APIRouter(prefix="/v1/plans/{plan}", tags=["progress"], route_class=JoinedRoute)


def shares(table: Table) -> list[dict[str, Any]]:
    """Per objective: units that meet it, do not, and of which nobody can say; exact counts.

    `share` is met / units, and None as soon as one unit is unknown: then it lies between
    `share_at_least` (all unknown ones fail) and `share_at_most` (all of them meet it). Units to
    which the target does not apply are no part of it. Where a plan reads "units without events
    have not met it", the evaluator has said so: such a unit is not_met, never unknown.
    """
    found = []
    for objective in table.objectives:
        if objective.state == "not_counted":
            continue
        cells = [row.cells.get(objective.id) for row in table.rows]
        told = tally(cells)
        units = len(cells) - told["not_applicable"]
        met, unknown = told["met"], told["unknown"]
        found.append(
            {
                "objective": objective.id,
                "name_vi": objective.name_vi,
                "units": units,
                **told,
                "share": met / units if units and not unknown else None,
                "share_at_least": met / units if units else None,
                "share_at_most": (met + unknown) / units if units else None,
                "flags": sorted(
                    {
                        flag
                        for cell in cells
                        if cell is not None and verdict(cell) == "unknown"
                        for flag in cell.flags
                    }
                ),
            }
        )
    return found


def verdict(cell: Cell | None) -> str:
    """met, not_met, not_applicable (it has no target here, or nothing is judged yet) or unknown; of a
    rhythm as its status says, of the last week or month that is over."""
    if cell is None:
        return "unknown"
    if cell.status in ("no_target", "not_judged"):
        return "not_applicable"
    judged = cell.judged()
    if judged is None or judged.met is None:
        return "unknown"
    return "met" if judged.met else "not_met"


def tally(cells: Iterable[Cell | None]) -> dict[str, int]:
    """How many cells have each verdict."""
    counts = Counter(verdict(cell) for cell in cells)
    return {name: counts[name] for name in ("met", "not_met", "unknown", "not_applicable")}


@router.get("/share", response_class=Response)
async def show_share(
    state: Registry,
    principal: CurrentPrincipal,
    plan: str,
    asked: Annotated[AskedUnits, Depends()],
    paged: Annotated[AskedPage, Depends()],
) -> Response:
    """Number and share of the units of a level that meet each target, and of targets per unit.
    Paged by units; `objectives` is of all units on every page."""
    day = asked.as_of or state.clock.today()
    unit = authorize_unit(principal, state, state.plan(plan), asked.unit, day)
    table = await build(state, Question(plan, unit, asked.level, asked.as_of, asked.known_at))
    shown, following = page(table.rows, lambda row: [row.unit_id], paged.cursor, paged.limit)
    units = [
        {
            "unit": row.unit,
            "unit_id": row.unit_id,
            "name_vi": row.name_vi,
            **tally(row.cells.values()),
        }
        for row in shown
    ]
    return json_answer(
        {
            "plan": plan,
            "unit_id": table.unit_id,
            "level": table.level,
            "as_of": table.as_of,
            "known_at": table.known_at,
            "position": table.position,
            "definitions_pending": table.definitions_pending,
            "objectives": shares(table),
            "total": len(table.rows),
            "next": following,
            "units": units,
        },
        paged.if_none_match,
    )
