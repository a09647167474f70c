"""Units as pages: search, one unit with its history and what lies below it."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from services.registry.access import CurrentPrincipal
from services.registry.plans.routes import plan_json
from services.registry.plans.territory import area_of
from services.registry.state import Registry, State
from services.registry.units.routes import find_units, show_children, show_history
from services.registry.web.render import Day, PageRoute, day_of, show
from services.registry.web.unit_changes import may_change
from shared.contracts.live import of_process
from shared.domain.units import Unit

router = APIRouter(prefix="/units", route_class=PageRoute, include_in_schema=False)

SHOWN = 100
Done = Annotated[int, Query(ge=0, description="changes that were just written")]
ENUMS = of_process().words.enums
WORDS = {
    "KIND": ENUMS["unit_kind"],
    "ORGANISATION": ENUMS["organisation_kind"],
    "ATTRIBUTE": ENUMS["unit_attribute"],
    "PART": ENUMS["succession_part"],
}


@router.get("")
async def units_page(
    state: Registry,
    principal: CurrentPrincipal,
    q: Annotated[str, Query(max_length=100)] = "",
    attribute: Annotated[str, Query(max_length=40)] = "",
    former: bool = False,
    cursor: Annotated[str, Query(max_length=400)] = "",
) -> HTMLResponse:
    """Search by name or code; without a question the provinces, and the unit of who asks."""
    q = q.strip()
    found = await find_units(
        state, q or None, None if q or attribute else "province", None, attribute or None, None,
        None, former, cursor or None, SHOWN,
    )  # fmt: skip
    return show(
        state,
        "units.html",
        found=found,
        q=q,
        attribute=attribute,
        former=former,
        may_change=may_change(principal),
        own=_short(state, principal.subtree),
        **WORDS,
    )


def _short(state: State, unit_id: str | None) -> dict[str, Any] | None:
    unit = state.tree.unit(unit_id) if unit_id else None
    if unit is None:
        return None
    return {"unit_id": unit.unit_id, "name_vi": unit.name(state.clock.today()), "level": unit.level}


@router.get("/{code}")
async def unit_page(
    state: Registry, principal: CurrentPrincipal, code: str, on: Day = "", done: Done = 0
) -> HTMLResponse:
    """One unit: names, kind, attributes, what it came from and became, what lies below it."""
    today = state.clock.today()
    day = day_of(on, "on") or today
    unit = state.unit(code, day)
    history = (await show_history(state, principal, unit.unit_id))["units"][0]
    others = [u for u in state.tree.with_code(unit.code) if u.unit_id != unit.unit_id]
    seen = day if unit.exists(day) or unit.valid_to is None else None
    children = (await show_children(state, unit.unit_id, seen, None, 5000))["units"] if seen else []
    return show(
        state,
        "unit_about.html",
        unit=unit,
        name=unit.name(day),
        day=day,
        history=history,
        others=[(u.unit_id, u.name(u.valid_from)) for u in others],
        ancestors=[(u.unit_id, u.name(day)) for u in reversed(state.tree.ancestors(unit.unit_id))],
        children=children,
        attributes={n: unit.has(n, day) for n in sorted(unit.attributes)},
        populations=state.definitions.populations(unit.unit_id),
        plans=_plans_of(state, unit),
        may_change=may_change(principal) and unit.exists(state.clock.today()),
        done=done,
        **WORDS,
    )


def _plans_of(state: State, unit: Unit) -> list[dict[str, Any]]:
    """The plans that apply to the unit, whatever their time."""
    found = state.definitions.newest_versions()
    return [plan_json(state, plan) for plan in found if unit.unit_id in area_of(state, plan)]
