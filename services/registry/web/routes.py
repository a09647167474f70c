"""Pages: the list of plans, a plan's table, a unit's card, an objective. Rendered here, no script."""

import asyncio
from dataclasses import replace
from datetime import date
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from services.registry.access import CurrentPrincipal
from services.registry.disclosure import is_public
from services.registry.plans.routes import (
    objective_json,
    objective_states,
    plan_json,
)
from services.registry.plans.territory import covered_by, in_plan
from services.registry.progress import ranking
from services.registry.reach import authorize_unit, has_part
from services.registry.state import Registry, State
from services.registry.tables.build import Question, build
from services.registry.tables.public import LEVELS as PUBLIC_LEVELS
from services.registry.tables.public import public_table
from services.registry.tables.routes import gets_public
from services.registry.tables.scope import LEVELS
from services.registry.web import cell_words
from services.registry.web.render import Day, JoinedPageRoute, day_of, show
from shared.contracts.definitions import Catalogue
from shared.domain.units import Unit
from shared.problems import Problem

router = APIRouter(route_class=JoinedPageRoute, include_in_schema=False)


@router.get("/")
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


@router.get("/plans/{plan}")
async def table(
    state: Registry,
    principal: CurrentPrincipal,
    plan: str,
    unit: Annotated[str, Query(max_length=80)] = "",
    level: str = "",
    as_of: Day = "",
    known_at: Day = "",
) -> HTMLResponse:
    """Units x objectives."""
    asked = Question(
        plan, unit or None, level or None, day_of(as_of, "as_of"), day_of(known_at, "known_at")
    )
    anonymous = gets_public(principal, state, plan, unit or None)
    if anonymous:
        shown = await public_table(state, state.plan(plan), asked.level, asked.as_of)
        unit = known_at = ""
    else:
        day = asked.as_of or state.clock.today()
        own = authorize_unit(principal, state, state.plan(plan), asked.unit, day)
        shown = await build(state, replace(asked, unit=own))
    keep = {"unit": unit, "level": shown.level, "as_of": as_of, "known_at": known_at}
    keep = {name: value for name, value in keep.items() if value}
    top = state.tree.unit(shown.unit_id)
    levels = _levels_below(state, shown.unit_id, shown.tree, top.level if top else "province")
    if anonymous:
        levels = [level for level in levels if level in PUBLIC_LEVELS]
    return await asyncio.to_thread(
        show,
        state,
        "table.html",
        table=shown,
        plan=plan_json(state, state.plan(plan)),
        columns=[o for o in shown.objectives if o.state != "not_counted"],
        uncounted=[o for o in shown.objectives if o.state == "not_counted"],
        numbers={o.id: i for i, o in enumerate(shown.objectives, 1)},
        levels=levels,
        keep=keep,
        query=lambda **more: urlencode(keep | more),
        anonymous=anonymous,
        ranked=ranking.published(state, plan, state.clock.today()) is not None,
    )


def _levels_below(state: State, unit_id: str, on: date, level: str) -> list[str]:
    """The levels that a table of this unit can show on that day."""
    present = {u.level for u in state.tree.descendants(unit_id, on)} | {level}
    if level == "province":
        # Metrics counts hamlets for commune plans only; an ended province is shown by communes.
        present = (present | {"commune"}) - {"hamlet"}
    return [name for name in LEVELS if name in present]


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
    return show(
        state,
        "unit.html",
        table=shown,
        plan=plan_json(state, found),
        unit=unit,
        name=unit.name(day),
        ancestors=_between(state, unit, document["unit"], day),
        objectives=[objective_json(o, states) for o in document["objectives"]],
        cells=row.cells if row else {},
        organisations=names,
        populations=state.definitions.populations(unit.unit_id),
        as_of=as_of,
        known_at=known_at,
    )


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
        titles={name: kind.title_vi for name, kind in Catalogue.load().items()},
        organisations={o["id"]: o["name_vi"] for o in found.document["organisations"]},
    )
