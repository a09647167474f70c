"""Pages of what people ask for: calendar, cold spots, one number's story."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from services.registry.access import CurrentPrincipal, see_events
from services.registry.plans.routes import objective_json, objective_states, plan_json
from services.registry.plans.territory import in_plan
from services.registry.progress import why
from services.registry.progress.cold_spots import cold_spots, decided_in
from services.registry.reach import authorize_unit
from services.registry.reports.model import account_json, entry_json
from services.registry.reports.routes import accounts
from services.registry.reports.whose import debtor_for, limited
from services.registry.state import Registry, State
from services.registry.tables.build import Question, build
from services.registry.web import words
from services.registry.web.chart import chart
from services.registry.web.render import Day, JoinedPageRoute, day_of, show
from shared.contracts.live import of_process
from shared.problems import Problem

router = APIRouter(prefix="/plans/{plan}", route_class=JoinedPageRoute, include_in_schema=False)

UnitCode = Annotated[str, Query(max_length=80)]


def _common(state: State, plan: str) -> dict[str, Any]:
    found = state.plan(plan)
    return {
        "plan": plan_json(state, found),
        "organisations": {o["id"]: o["name_vi"] for o in found.document["organisations"]},
    }


def _names(state: State, unit_ids: set[str], on: date) -> dict[str, str]:
    """What units are called on a day."""
    units = filter(None, map(state.tree.unit, unit_ids))
    return {unit.unit_id: unit.name(on) for unit in units}


@router.get("/calendar")
async def calendar_page(
    state: Registry, principal: CurrentPrincipal, plan: str, unit: UnitCode = ""
) -> HTMLResponse:
    """Who owes which report until when, and who has handed it in."""
    found, today = state.plan(plan), state.clock.today()
    debtor = debtor_for(principal, state, found, unit or None, None, today)
    owed = []
    for account in await accounts(state, found, today):
        account = limited(principal, state, found, account)
        shown = account_json(account, today)
        if debtor is not None:
            own = [
                (filled, one)
                for filled in account.periods
                for one in filled.entries
                if one.debtor.id == debtor
            ]
            if not account.owed_by(debtor):
                continue
            rows = {f.period.id: entry_json(one, f.period) for f, one in own}
            shown["periods"] = [
                p | {"own": rows[p["period"]]} for p in shown["periods"] if p["period"] in rows
            ]
        owed.append(shown)
    owed.sort(key=lambda o: (o["next_last_day"] or date.max, o["id"]))
    about = state.tree.unit(debtor) if debtor else None
    return show(
        state,
        "calendar.html",
        obligations=owed,
        unit=about,
        unit_name=about.name(today) if about else "",
        REPORT=words.REPORT,
        **_common(state, plan),
    )


@router.get("/cold-spots")
async def cold_spots_page(
    state: Registry, principal: CurrentPrincipal, plan: str, as_of: Day = ""
) -> HTMLResponse:
    """Where forces are needed, why, and what was decided last week."""
    found = state.plan(plan)
    day = day_of(as_of, "as_of")
    unit = authorize_unit(principal, state, found, None, day or state.clock.today())
    table = await build(state, Question(plan, unit, as_of=day))
    spots = await cold_spots(state, found, table, None, None, 5)
    decided = await decided_in(state, found, table.as_of)
    return show(
        state,
        "cold_spots.html",
        table=table,
        spots=[s for s in spots if s.top],
        unsaid=[s for s in spots if s.unknown and not s.top],
        reviews=[f for f in decided if f.type == "review.held"],
        dispatched=[f for f in decided if f.type == "force.dispatched"],
        names=_names(
            state,
            {f.unit_id for f in decided}.union(*(f.data.get("cold_spots", []) for f in decided)),
            table.as_of,
        ),
        REASON=words.REASON,
        **_common(state, plan),
    )


@router.get("/units/{code}/objectives/{objective}")
async def story_page(
    state: Registry,
    principal: CurrentPrincipal,
    plan: str,
    code: str,
    objective: str,
    cursor: Annotated[str | None, Query(max_length=400)] = None,
) -> HTMLResponse:
    """One number: how it grew, and the events that prove it."""
    found, today = state.plan(plan), state.clock.today()
    why.check_objectives(state, plan, [objective])
    unit = in_plan(state, found, code, today)
    authorize_unit(principal, state, found, unit.unit_id, today)
    own = [*found.for_unit(unit.unit_id)["objectives"], *found.document["objectives"]]
    wanted = next(o for o in own if o["id"] == objective)
    table = await build(state, Question(plan, unit.unit_id, unit.level))
    row = next((r for r in table.rows if r.unit_id == unit.unit_id), table.whole)
    cell = row.cells.get(objective) if row else None
    troubles: list[Problem] = []
    points: list[tuple[date, int | None]] = []
    proofs: dict[str, Any] | None = None
    try:
        told = await why.series(state, plan, unit.unit_id, [objective], None, None, "week", None)
        for point in told["points"]:
            value = next((c["value"] for c in point["cells"] if c["unit_id"] == unit.unit_id), None)
            points.append((date.fromisoformat(point["as_of"]), value))
    except Problem as problem:
        troubles.append(problem)
    try:
        see_events(principal, state, unit.unit_id)
        proofs = await why.evidence(
            state, plan, objective, unit.unit_id, None, None, "value", cursor, 50
        )
    except Problem as problem:
        troubles.append(problem)
    titles = {name: kind.title_vi for name, kind in of_process().items()}
    return show(
        state,
        "story.html",
        table=table,
        unit=unit,
        name=unit.name(today),
        objective=objective_json(wanted, await objective_states(state, plan)),
        cell=cell,
        need=cell.required if cell else None,
        chart=chart(points, cell.required if cell else None),
        points=points,
        proofs=proofs,
        names=_names(state, {e["unit_id"] for e in (proofs or {}).get("events", [])}, today),
        troubles=troubles,
        titles=titles,
        **_common(state, plan),
    )
