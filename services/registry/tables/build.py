"""From a question to a table: checks it, gathers definitions and cells, puts them together."""

import asyncio
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.registry.plans.routes import objective_states
from services.registry.plans.territory import area_of
from services.registry.progress.reasons import types_of
from services.registry.state import TRIES, Moved, State, moving, not_future
from services.registry.tables import scope
from services.registry.tables.current import current
from services.registry.tables.model import Cell, Counted, Header, Row, Table
from services.registry.tables.past import past
from services.registry.tables.silence import Silence, silence, stamp
from shared.domain.deadlines import deadline_day
from shared.domain.plan_history import PlanVersion
from shared.domain.units import Unit
from shared.problems import Problem

CACHE_SIZE = 256
TABLES_KEPT = 32
"""About half a megabyte each."""


@dataclass(frozen=True)
class Question:
    """What was asked for, as it came."""

    plan: str
    unit: str | None = None
    level: str | None = None
    as_of: date | None = None
    known_at: date | None = None
    tree: str = "as_of"


@dataclass(frozen=True)
class Place:
    """The units to show; made once per state of the definitions."""

    plan: PlanVersion
    top: Unit
    level: str
    on: date
    name: str
    units: list[tuple[str, str, str]]


async def build(state: State, asked: Question) -> Table:
    """The table; raises a Problem that says what is wrong with the question."""
    if state.view is not None:
        return await _build(state, asked)
    limit = None
    for _ in range(TRIES):
        try:
            return await _build(await state.joined(asked.known_at, asked.plan, limit), asked)
        except Moved as moved:
            limit = moved.position
    raise moving()


async def _build(state: State, asked: Question) -> Table:
    today = state.clock.today()
    as_of = _check_days(state.plan(asked.plan), asked, today)
    plan = state.plan(asked.plan, as_of)
    on = _tree_day(asked.tree, as_of, today)
    place = _place(state, plan, asked.unit, asked.level, on, as_of)
    if asked.known_at is None and as_of == today and on == today:
        return await _current(state, place, today)
    reported = await stamp(state.pool)
    counted, states, quiet = await asyncio.gather(
        past(
            state.metrics,
            plan=plan.plan,
            unit=_asked_of_metrics(state, place),
            level=place.level,
            as_of=as_of,
            known_at=asked.known_at,
            tree=on.isoformat(),
        ),
        objective_states(state, plan.plan),
        _silence(state, plan, as_of, asked.known_at),
    )
    await state.agree(counted.position, counted.definitions)
    return assemble(state, place, counted, states, asked.known_at, reported, quiet)


async def _silence(
    state: State, plan: PlanVersion, until: date | None, known_at: date | None
) -> Silence:
    objectives = plan.document["objectives"]
    area = area_of(state, plan)
    return await silence(state.pool, state.tree, area, objectives, until=until, known_at=known_at)


def _asked_of_metrics(state: State, place: Place) -> str:
    """Metrics knows the plan's own unit and what lies below it; a unit above shows just these."""
    own = state.tree.unit(place.plan.document["unit"])
    if own is not None and scope.LEVELS.index(place.top.level) <= scope.LEVELS.index(own.level):
        return own.unit_id
    return place.top.unit_id


async def _current(state: State, place: Place, today: date) -> Table:
    """Today's table; the same object as before while no refresh has come in between."""
    key = (place.plan.plan, place.top.unit_id, place.level)
    reported = await stamp(state.pool)
    about = (state.definitions.position, state.pending, today, reported)
    seen_now = (state.counted, *about)
    known: tuple[Any, Table] | None = state.tables.get(key)
    if known is not None and known[0] == seen_now:
        return known[1]
    ids = [unit_id for _, unit_id, _ in place.units]
    counted, states, quiet = await asyncio.gather(
        current(state.pool, place.plan.plan, [*ids, place.top.unit_id], today),
        objective_states(state, place.plan.plan),
        _silence(state, place.plan, None, None),
    )
    await state.agree(counted.position, counted.definitions)
    table = assemble(state, place, counted, states, None, reported, quiet)
    seen = (counted.position, counted.as_of, counted.refreshed_at, counted.epoch)
    if len(state.tables) >= TABLES_KEPT:
        state.tables.clear()
    state.tables[key] = ((seen, *about), table)
    return table


def _check_days(plan: PlanVersion, asked: Question, today: date) -> date:
    not_future(asked.as_of, "as_of", today)
    not_future(asked.known_at, "known_at", today)
    as_of = asked.as_of or today
    start = date.fromisoformat(plan.document["period"]["start"])
    if as_of < start and asked.as_of is not None:
        raise Problem(
            "as-of-before-plan",
            f"The plan {plan.plan} begins on {start.isoformat()}; there is nothing to show for"
            f" {as_of.isoformat()}.",
            pointer="/as_of",
            hint=f"Ask for {start.isoformat()} or a later day.",
        )
    return as_of


def _tree_day(tree: str, as_of: date, today: date) -> date:
    if tree == "as_of":
        return as_of
    if tree == "today":
        return today
    try:
        return date.fromisoformat(tree)
    except ValueError:
        raise Problem(
            "tree-unknown",
            "`tree` says in which tree of units to show the numbers.",
            pointer="/tree",
            hint="as_of (the tree of that day), today, or a day (YYYY-MM-DD).",
        ) from None


def place_of(state: State, asked: Question, on: date) -> Place:
    """The units that a question means, in the tree of a day."""
    return _place(state, state.plan(asked.plan), asked.unit, asked.level, on, on)


def _place(
    state: State, plan: PlanVersion, unit: str | None, level: str | None, on: date, as_of: date
) -> Place:
    key = (state.definitions.position, plan.plan, unit, level, on, as_of)
    known: Place | None = state.places.get(key)
    if known is not None:
        return known
    own = plan.document["unit"]
    # In Yên Bái's plan, 15 is Yên Bái.
    top = state.unit(own if unit in (None, own.partition("@")[0]) else unit, on)
    wanted = level or scope.default_level(state.tree, top, on)
    if wanted not in scope.LEVELS:
        raise Problem(
            "level-unknown",
            "There is no such level of units in tables.",
            pointer="/level",
            hint=f"Levels: {', '.join(scope.LEVELS)}.",
        )
    units = scope.units_of(state.tree, plan, top, wanted, on)
    rows = [(u.code, u.unit_id, u.name(on)) for u in units]
    place = Place(plan, top, wanted, on, top.name(on), rows)
    if len(state.places) >= CACHE_SIZE:
        state.places.clear()
    state.places[key] = place
    return place


def assemble(
    state: State,
    place: Place,
    counted: Counted,
    states: dict[str, tuple[str, str | None]],
    known_at: date | None,
    reported: int,
    quiet: Silence,
) -> Table:
    """Put together what was gathered; cells that count 0 get the flags of silence."""
    document, cells = place.plan.document, counted.cells
    types = {o["id"]: types_of(o) for o in document["objectives"]}
    for unit_id, found in cells.items():
        for objective, cell in found.items():
            flag = quiet.flag(unit_id, types.get(objective, [])) if cell.value == 0 else None
            if flag is not None:
                cell.flags = [*cell.flags, flag]
    empty: dict[str, Cell] = {}
    own = cells.get(place.top.unit_id)
    whole = Row(place.top.code, place.top.unit_id, place.name, own) if own else None
    return Table(
        plan=place.plan.plan,
        plan_version=place.plan.version,
        plan_title_vi=document["title_vi"],
        unit=place.top.code,
        unit_id=place.top.unit_id,
        unit_name_vi=place.name,
        level=place.level,
        as_of=counted.as_of,
        known_at=known_at,
        tree=place.on,
        position=counted.position,
        reported=reported,
        refreshed_at=counted.refreshed_at,
        sandbox=state.settings.sandbox,
        objectives=[_header(o, states) for o in document["objectives"]],
        whole=whole,
        rows=[Row(code, id, name, cells.get(id, empty)) for code, id, name in place.units],
        total=len(place.units),
        definitions_pending=state.pending,
    )


def _header(objective: dict[str, Any], states: dict[str, tuple[str, str | None]]) -> Header:
    state, reason = states.get(objective["id"], ("building", None))
    if objective["id"] not in states and objective.get("not_counted"):
        state, reason = "not_counted", objective["not_counted"]
    return Header(
        objective["id"],
        objective["text_vi"],
        objective["target"],
        deadline_day(objective),
        state,
        reason,
        objective.get("recurrence"),
        objective.get("short_vi"),
    )
