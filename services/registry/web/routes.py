"""Pages: the list of plans, a unit's card, an objective. Rendered here, no script."""

import asyncio
from datetime import date
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from services.registry.access import CurrentPrincipal
from services.registry.disclosure import is_public
from services.registry.plans.routes import (
    objective_json,
    objective_states,
    plan_json,
)
from services.registry.plans.territory import covered_by, in_plan
from services.registry.reach import authorize_unit, has_part
from services.registry.review.week import weekly_values
from services.registry.state import Registry, State
from services.registry.tables.build import Question, build
from services.registry.web import cell_words
from services.registry.web.entry import kinds_for
from services.registry.web.frame import BODY_COOKIE, first_page
from services.registry.web.lack import Lack, lacks, summed
from services.registry.web.render import Day, JoinedPageRoute, day_of, show
from services.registry.web.spark import HEIGHT, WIDTH, spark
from shared.contracts.live import of_process
from shared.domain.units import Unit
from shared.problems import Problem

router = APIRouter(route_class=JoinedPageRoute, include_in_schema=False)


@router.get("/")
async def home(request: Request, state: Registry, principal: CurrentPrincipal) -> Response:
    """Where the reader's day begins; the plans for whoever has no week and no tasks."""
    address = first_page(state, principal, request.cookies.get(BODY_COOKIE, ""))
    return await plans(state, principal) if address is None else RedirectResponse(address, 303)


@router.get("/plans")
async def plans(state: Registry, principal: CurrentPrincipal) -> HTMLResponse:
    """The plans whose tables the reader may open: those of the key's unit, and public ones."""
    found = [
        plan_json(state, plan)
        for plan in state.definitions.newest_versions()
        if is_public(state, plan.plan)
        or (principal.kind != "anonymous" and has_part(principal, state, plan))
    ]
    return show(state, "plans.html", plans=found)


@router.get("/plans/{plan}/units/{code}")
async def unit_card(
    state: Registry,
    principal: CurrentPrincipal,
    plan: str,
    code: str,
    as_of: Day = "",
    known_at: Day = "",
) -> HTMLResponse:
    """All objectives of one unit, with texts, targets, deadlines and pace."""
    day = day_of(as_of, "as_of") or state.clock.today()
    found = state.plan(plan, day)
    unit = in_plan(state, found, code, day)
    authorize_unit(principal, state, found, unit.unit_id, day)
    asked = Question(
        plan, unit.unit_id, unit.level, day_of(as_of, "as_of"), day_of(known_at, "known_at")
    )
    shown = await build(state, asked)
    states = await objective_states(state, plan)
    document = found.for_unit(unit.unit_id)
    row = next((r for r in shown.rows if r.unit_id == unit.unit_id), shown.whole)
    names = {o["id"]: o["name_vi"] for o in document["organisations"]}
    forms = frozenset(kind.type for kind in kinds_for(principal)) if principal.is_signed_in else ()
    cells = row.cells if row else {}
    ranked = lacks(document["objectives"], cells, unit.level, frozenset(forms))
    try:
        points = await weekly_values(state, found, unit.unit_id, shown, shown.as_of)
    except Problem:
        points = {}
    return show(
        state,
        "unit.html",
        points=points,
        spark=spark,
        spark_size=(WIDTH, HEIGHT),
        table=shown,
        plan=plan_json(state, found),
        unit=unit,
        name=unit.name(day),
        ancestors=_between(state, unit, document["unit"], day),
        objectives=_worst_first(
            [objective_json(o, states) for o in document["objectives"]], ranked
        ),
        lacks={one.id: one for one in ranked},
        sums=summed(ranked),
        cells=cells,
        organisations=names,
        populations=state.definitions.populations(unit.unit_id),
        as_of=as_of,
        known_at=known_at,
    )


def _worst_first(objectives: list[dict[str, Any]], ranked: list[Lack]) -> list[dict[str, Any]]:
    """Objectives in the order of what is lacking; what is not counted comes last."""
    order = {one.id: place for place, one in enumerate(ranked)}
    return sorted(objectives, key=lambda o: order.get(o["id"], len(order)))


def _between(state: State, unit: Unit, top: str, day: date) -> list[tuple[str, str]]:
    """The units above `unit` that lie below the plan's own, from the top."""
    above = state.tree.ancestors(unit.unit_id)
    inside = [u for u in above if u.unit_id != top and u.unit_id in covered_by(state, top)]
    return [(u.unit_id, u.name(day)) for u in reversed(inside)]


@router.get("/plans/{plan}/objectives/{objective}")
async def objective_page(
    state: Registry, principal: CurrentPrincipal, plan: str, objective: str
) -> HTMLResponse:
    """What the plan says, how it is read, and the numbers of every unit."""
    found = state.plan(plan)
    states = await objective_states(state, plan)
    wanted = next((o for o in found.document["objectives"] if o["id"] == objective), None)
    if wanted is None:
        raise Problem(
            "objective-unknown",
            f"The plan {plan} has no such objective.",
            status=404,
            hint=f"GET /v1/plans/{plan}/objectives lists them.",
        )
    own = authorize_unit(principal, state, found, None, state.clock.today())
    shown = await build(state, Question(plan, own))
    return await asyncio.to_thread(
        show,
        state,
        "objective.html",
        table=shown,
        plan=plan_json(state, found),
        objective=objective_json(wanted, states),
        rhythm=cell_words.rhythm_note(wanted.get("recurrence"), wanted.get("period")),
        official=(wanted.get("measured_by") or {}).get("official_method_vi"),
        events=(wanted.get("measured_by") or {}).get("events") or [],
        titles={name: kind.title_vi for name, kind in of_process().items()},
        organisations={o["id"]: o["name_vi"] for o in found.document["organisations"]},
    )
