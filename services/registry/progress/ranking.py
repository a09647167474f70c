"""`GET /v1/plans/{plan}/ranking`: off until the province publishes a formula, then with all inputs.

No plan of the movement has a ranking; one that registry made up would be taken for official. The
published formula gives objectives and weights: the score is the weighted mean of how much of each
target is reached, at most all of it.
"""

from datetime import date
from fractions import Fraction
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import Response

from services.registry.access import CurrentPrincipal
from services.registry.answers import Cursor, IfNoneMatch, Limit, json_answer, page
from services.registry.parameters import AsOf
from services.registry.reach import can_read, see_plan
from services.registry.state import JoinedRoute, Registry, State
from services.registry.tables.build import Question, build
from services.registry.tables.model import Row, Table
from shared.domain.definitions import Statement
from shared.problems import Problem

router = APIRouter(prefix="/v1/plans/{plan}", tags=["progress"], route_class=JoinedRoute)


def published(state: State, plan: str, on: date) -> Statement | None:
    """The formula that holds on a day: the latest by its first day, then by position."""
    holding = [
        s
        for s in state.definitions.statements("ranking.published")
        if s.data["plan"] == plan and date.fromisoformat(s.data["valid_from"]) <= on
    ]
    newest = max(holding, key=lambda s: (s.data["valid_from"], s.position), default=None)
    return newest if newest is not None and newest.data["terms"] else None


def formula_of(state: State, plan: str, on: date) -> Statement:
    """The published formula; 404 when there is none."""
    formula = published(state, plan, on)
    if formula is None:
        raise Problem(
            "ranking-not-published",
            "The province has published no formula; there is no ranking.",
            status=404,
            hint="It is published as an event ranking.published with objectives and weights.",
        )
    return formula


def reached(row: Row, objective: str) -> Fraction | None:
    """The part of a target that a unit has reached, at most 1; of a rhythm, in the week or month that
    its status speaks of; None when it cannot be said."""
    cell = row.cells.get(objective)
    judged = cell.judged() if cell is not None else None
    if judged is None or judged.required is None or judged.value is None:
        return None
    need = judged.required
    return Fraction(1) if need <= 0 else min(Fraction(judged.value, need), Fraction(1))


def score(row: Row, terms: list[dict[str, Any]]) -> Fraction | None:
    """The weighted mean; None when an input is not known, which is no zero."""
    parts = [(reached(row, term["objective"]), int(term["weight"])) for term in terms]
    known = [(part, weight) for part, weight in parts if part is not None]
    if len(known) < len(parts):
        return None
    return sum((p * w for p, w in known), Fraction(0)) / sum(w for _, w in known)


def ranked(table: Table, terms: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """All rows of a table in the order of their scores, each with its rank and inputs. Pure."""
    scored = [(score(row, terms), row) for row in table.rows]
    scored.sort(key=lambda pair: (pair[0] is None, -(pair[0] or 0), pair[1].unit_id))
    found: list[dict[str, Any]] = []
    rank, before = 0, None
    for number, (value, row) in enumerate(scored, 1):
        if value != before:
            rank, before = number, value
        found.append(
            {
                "rank": None if value is None else rank,
                "unit": row.unit,
                "unit_id": row.unit_id,
                "name_vi": row.name_vi,
                "score": None if value is None else round(float(value), 6),
                "inputs": [_input(row, term) for term in terms],
            }
        )
    return found


@router.get("/ranking", response_class=Response)
async def show_ranking(
    state: Registry,
    principal: CurrentPrincipal,
    plan: str,
    level: Annotated[str | None, Query(description="level of the units ranked")] = None,
    as_of: AsOf = None,
    cursor: Cursor = None,
    limit: Limit = 1000,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Units by the published formula, each with the inputs of its score; equal scores share a
    rank, and a unit with an unknown input has none. A key that is bound to a unit is shown the
    ranks of its own units, among all."""
    day = as_of or state.clock.today()
    see_plan(principal, state, state.plan(plan))
    formula = formula_of(state, plan, day)
    table = await build(state, Question(plan, None, level, as_of))
    terms = formula.data["terms"]
    all_ranked = ranked(table, terms)
    order = {one["unit_id"]: [n] for n, one in enumerate(all_ranked)}
    seen = [one for one in all_ranked if can_read(principal, state, one["unit_id"])]
    rows, following = page(seen, lambda one: order[one["unit_id"]], cursor, limit)
    return json_answer(
        {
            "plan": plan,
            "level": table.level,
            "as_of": table.as_of,
            "position": table.position,
            "definitions_pending": table.definitions_pending,
            "formula": {
                "score": "sum(weight * min(value / required, 1)) / sum(weight)",
                "terms": terms,
                "valid_from": formula.data["valid_from"],
                "document_ref": formula.data.get("document_ref"),
                "position": formula.position,
            },
            "total": len(all_ranked),
            "next": following,
            "units": rows,
        },
        if_none_match,
    )


def _input(row: Row, term: dict[str, Any]) -> dict[str, Any]:
    cell = row.cells.get(term["objective"])
    judged = cell.judged() if cell else None
    part = reached(row, term["objective"])
    return {
        "objective": term["objective"],
        "weight": term["weight"],
        "value": judged.value if judged else None,
        "required": judged.required if judged else None,
        "comparator": cell.comparator if cell else None,
        "bucket": cell.status_bucket if cell else None,
        "reached": None if part is None else round(float(part), 6),
        "flags": cell.flags if cell else [],
    }
