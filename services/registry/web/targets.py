"""The targets of a commune's staff, over the plans that apply to it: what is lacking, what changed."""

import asyncio
from dataclasses import dataclass
from typing import Any

from services.registry.plans.territory import area_of
from services.registry.state import Moved, State, watermark
from services.registry.tables.build import Question, build
from services.registry.web.frame import commune_of, plans_of
from services.registry.web.lack import Lack, lacks
from shared.auth import Principal
from shared.domain.plan_history import PlanVersion
from shared.domain.units import Unit
from shared.problems import Problem

PATIENCE_S, LOOK_S = 3.0, 0.1


@dataclass(frozen=True)
class Target:
    """One target of a unit in a plan."""

    plan: PlanVersion
    unit: Unit
    lack: Lack


def plans_for(state: State, principal: Principal, unit: Unit) -> list[PlanVersion]:
    """The running plans that apply to a unit of the reader."""
    return [p for p in plans_of(state, principal) if unit.unit_id in area_of(state, p)]


def objectives_of(state: State, principal: Principal) -> list[dict[str, Any]]:
    """The objectives that the reader's commune has."""
    unit = commune_of(state, principal)
    if unit is None:
        return []
    return [
        objective
        for plan in plans_for(state, principal, unit)
        for objective in state.plan(plan.plan).for_unit(unit.unit_id)["objectives"]
    ]


async def targets(
    state: State, principal: Principal, unit: Unit, forms: frozenset[str]
) -> list[Target]:
    """Every counted target of a unit, worst first; `forms`: event types the reader may enter."""
    found = []
    for plan in plans_for(state, principal, unit):
        found += [Target(plan, unit, one) for one in await _lacks(state, plan, unit, forms)]
    return found


async def _lacks(state: State, plan: PlanVersion, unit: Unit, forms: frozenset[str]) -> list[Lack]:
    table = await build(state, Question(plan.plan, unit.unit_id, unit.level))
    row = next((r for r in table.rows if r.unit_id == unit.unit_id), table.whole)
    objectives = state.plan(plan.plan).for_unit(unit.unit_id)["objectives"]
    return lacks(objectives, row.cells if row else {}, unit.level, forms)


async def changed(
    state: State, principal: Principal, unit: Unit, type: str, position: int
) -> list[Target]:
    """The targets of a commune that count events of `type`, once the cells know the log up to
    `position`; empty where they do not within a moment."""
    commune = unit
    if unit.level == "hamlet":
        above = state.tree.ancestors(unit.unit_id)
        commune = next((u for u in above if u.level == "commune"), unit)
    for _ in range(int(PATIENCE_S / LOOK_S)):
        known = await watermark(state.pool)
        if known and known[0] >= position:
            break
        await asyncio.sleep(LOOK_S)
    else:
        return []
    try:
        found = await targets(await state.joined(), principal, commune, frozenset({type}))
    except (Moved, Problem):
        return []
    return [one for one in found if one.lack.form == type]
