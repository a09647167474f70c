"""`GET /v1/plans/{plan}/cold-spots`: who is furthest below pace, why, and what was decided."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import Response

from services.registry.access import CurrentPrincipal
from services.registry.answers import IfNoneMatch, json_answer, page
from services.registry.journal.store import Fact, standing
from services.registry.parameters import AsOf
from services.registry.plans.territory import area_of, covered_by
from services.registry.progress import reasons
from services.registry.progress.pace import shortfall
from services.registry.progress.share import verdict
from services.registry.reach import authorize_unit
from services.registry.state import JoinedRoute, Registry, State
from services.registry.tables.build import Question, build
from services.registry.tables.model import Row, Table
from shared.domain.plan_history import PlanVersion
from shared.problems import Problem

router = APIRouter(prefix="/v1/plans/{plan}", tags=["progress"], route_class=JoinedRoute)

DECIDED_SINCE = timedelta(days=7)


@dataclass(frozen=True)
class Spot:
    """One unit below pace in one objective."""

    row: Row
    gap: Fraction
    reason: str
    facts: dict[str, Any]


@router.get("/cold-spots", response_class=Response)
async def show_cold_spots(
    state: Registry,
    principal: CurrentPrincipal,
    plan: str,
    unit: Annotated[str | None, Query(description="code or code@era; default the plan's")] = None,
    level: Annotated[str | None, Query(description="level of the units compared")] = None,
    objective: Annotated[str | None, Query(description="only this one")] = None,
    attribute: Annotated[
        str | None, Query(description="only units that have it: remote ...")
    ] = None,
    as_of: AsOf = None,
    cursor: Annotated[
        str | None, Query(max_length=400, description="`next` of this very objective")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=500, description="units per objective")] = 5,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Per objective the units furthest below the required pace, each with the reason (no events,
    nil report, late data, parked events, slow) and with what was decided in the week before."""
    found = state.plan(plan)
    if objective is not None and objective not in {o["id"] for o in found.document["objectives"]}:
        raise Problem(
            "objective-unknown",
            "The plan has no such objective.",
            status=404,
            pointer="/objective",
            hint=f"GET /v1/plans/{plan}/objectives lists them.",
        )
    if cursor is not None and objective is None:
        raise Problem(
            "cursor-malformed",
            "Cold spots are paged within one objective.",
            pointer="/cursor",
            hint="Name the objective whose `next` it is.",
        )
    unit = authorize_unit(principal, state, found, unit, as_of or state.clock.today())
    table = await build(state, Question(plan, unit, level, as_of))
    decided = await decided_in(state, found, table.as_of)
    spots = await cold_spots(state, found, table, objective, attribute, limit, cursor)
    listed = [
        {
            "objective": one.objective["id"],
            "text_vi": one.objective["text_vi"],
            "below_pace": one.below,
            "compared": one.compared,
            "not_comparable": one.unknown,
            "next": one.next,
            "units": [
                _spot_json(state, spot, one.objective["id"], table.as_of, decided)
                for spot in one.top
            ],
        }
        for one in spots
    ]
    return json_answer(
        {
            "plan": plan,
            "unit_id": table.unit_id,
            "level": table.level,
            "as_of": table.as_of,
            "position": table.position,
            "definitions_pending": table.definitions_pending,
            "decided_since": table.as_of - DECIDED_SINCE,
            "reviews": [_review_json(f) for f in decided if f.type == "review.held"],
            "objectives": listed,
        },
        if_none_match,
    )


@dataclass(frozen=True)
class Found:
    """The cold spots of one objective: `below` of `compared` units are below pace, `top` are the
    coldest of a page; `unknown` cannot be compared."""

    objective: dict[str, Any]
    below: int
    compared: int
    unknown: list[dict[str, Any]]
    top: list[Spot]
    next: str | None


async def cold_spots(
    state: State,
    plan: PlanVersion,
    table: Table,
    objective: str | None,
    attribute: str | None,
    limit: int,
    cursor: str | None = None,
) -> list[Found]:
    """Per objective: itself, how many units are below pace, of how many compared, those that cannot
    be compared with the reason, and the coldest. Units without a target of their own are left out:
    there is nothing to be behind of."""
    as_of = table.as_of
    rows = [r for r in table.rows if attribute is None or _has(state, r.unit_id, attribute, as_of)]
    counted = {header.id for header in table.objectives if header.state != "not_counted"}
    found: list[Found] = []
    for wanted in plan.document["objectives"]:
        if wanted["id"] not in counted or objective not in (None, wanted["id"]):
            continue
        gaps, unknown, compared = [], [], 0
        for row in rows:
            cell = row.cells.get(wanted["id"])
            if verdict(cell) == "not_applicable":
                continue
            gap = None if cell is None else shortfall(cell, wanted, as_of)
            if gap is None:
                unknown.append({"unit_id": row.unit_id, "flags": cell.flags if cell else []})
                continue
            compared += 1
            if gap > 0:
                gaps.append((gap, row))
        shown, following = page(gaps, lambda pair: _place_of(*pair), cursor, limit)
        top = [Spot(row, gap, "", {}) for gap, row in shown]
        if gaps or unknown:
            found.append(Found(wanted, len(gaps), compared, unknown, top, following))
    return await _explained(state, plan, found, as_of)


def _place_of(gap: Fraction, row: Row) -> list[Any]:
    """Where a unit stands in the list of an objective: the coldest first."""
    return [-float(gap), row.unit_id]


async def _explained(
    state: State, plan: PlanVersion, found: list[Found], as_of: date
) -> list[Found]:
    places = {
        spot.row.unit_id: [
            spot.row.unit_id,
            *(u.unit_id for u in state.tree.descendants(spot.row.unit_id)),
        ]
        for one in found
        for spot in one.top
    }
    types = sorted({name for one in found for name in reasons.types_of(one.objective)})
    start = date.fromisoformat(plan.document["period"]["start"])
    known = await reasons.known(state.pool, places, types, start, as_of)

    def told(spot: Spot, objective: dict[str, Any]) -> Spot:
        flags = spot.row.cells[objective["id"]].flags
        about = reasons.types_of(objective)
        return Spot(spot.row, spot.gap, *known.reason(spot.row.unit_id, about, flags, as_of))

    return [replace(one, top=[told(spot, one.objective) for spot in one.top]) for one in found]


def _has(state: State, unit_id: str, attribute: str, on: date) -> bool:
    unit = state.tree.unit(unit_id)
    return bool(unit and unit.has(attribute, on))


async def decided_in(state: State, plan: PlanVersion, as_of: date) -> list[Fact]:
    """Reviews and dispatches of the seven days up to a day, in the plan's units."""
    area = sorted(area_of(state, plan))
    types = ["review.held", "force.dispatched"]
    return await standing(state.pool, types, area, since=as_of - DECIDED_SINCE, until=as_of)


def _spot_json(
    state: State, spot: Spot, objective: str, as_of: date, decided: list[Fact]
) -> dict[str, Any]:
    cell = spot.row.cells[objective]
    judged = cell.judged() or cell
    unit = state.tree.unit(spot.row.unit_id)
    place = spot.row.unit_id
    return {
        "unit": spot.row.unit,
        "unit_id": place,
        "name_vi": spot.row.name_vi,
        "attributes": [n for n in sorted(unit.attributes) if unit.has(n, as_of)] if unit else [],
        "value": judged.value,
        "required": judged.required,
        "comparator": cell.comparator,
        "denominator": judged.denominator,
        "bucket": cell.status_bucket,
        "status": cell.status,
        "required_per_week": cell.required_per_week,
        "below_pace_percent": round(float(spot.gap) * 100, 1),
        "reason": spot.reason,
        "facts": spot.facts,
        "reviewed": [_review_json(f) for f in decided if place in f.data.get("cold_spots", [])],
        "dispatched": [
            {
                "day": f.occurred,
                **{name: f.data.get(name) for name in ("from", "to", "team", "members", "reason")},
                "review_ref": f.data.get("review_ref"),
            }
            for f in decided
            if f.type == "force.dispatched" and f.unit_id in covered_by(state, place)
        ],
    }


def _review_json(fact: Fact) -> dict[str, Any]:
    return {
        "day": fact.occurred,
        "unit_id": fact.unit_id,
        "kind": fact.data["kind"],
        "data_as_of": fact.data.get("data_as_of"),
        "cold_spots": fact.data.get("cold_spots", []),
        "decisions": fact.data.get("decisions"),
        "source": fact.source,
        "id": fact.id,
    }
