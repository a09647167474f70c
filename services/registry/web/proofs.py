"""Pages behind a number: why it changed, and the way of one event."""

import shlex
from datetime import date, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from services.registry.access import CurrentPrincipal, see_events
from services.registry.plans.routes import plan_json
from services.registry.plans.territory import in_plan
from services.registry.progress import ranking, why
from services.registry.progress.receipts import Id, Source, receipt
from services.registry.reach import authorize_unit, can_read, see_plan
from services.registry.state import Registry
from services.registry.tables.build import Question, build
from services.registry.web import language, words
from services.registry.web.render import Day, JoinedPageRoute, day_of, show
from shared.contracts.live import of_process
from shared.problems import Problem

router = APIRouter(route_class=JoinedPageRoute, include_in_schema=False)

WEEK = timedelta(days=7)


def _titles() -> dict[str, str]:
    return {name: language.title(kind) for name, kind in of_process().items()}


@router.get("/plans/{plan}/units/{code}/objectives/{objective}/changes")
async def changes_page(
    state: Registry,
    principal: CurrentPrincipal,
    plan: str,
    code: str,
    objective: str,
    before: Day = "",
    after: Day = "",
    seen: Annotated[str, Query(max_length=3)] = "yes",
    cursor: Annotated[str | None, Query(max_length=400)] = None,
) -> HTMLResponse:
    """Why a number is another one than it was. `seen`: as it stood on these days; otherwise by the
    days on which things happened, as far as is known today."""
    found, today = state.plan(plan), state.clock.today()
    why.check_objectives(state, plan, [objective])
    unit = in_plan(state, found, code, today)
    authorize_unit(principal, state, found, unit.unit_id, today)
    see_events(principal, state, unit.unit_id)
    last = day_of(after, "to_as_of") or today
    first = day_of(before, "from_as_of") or last - WEEK
    known = seen == "yes"
    days: dict[str, date | None] = {
        "from_as_of": first,
        "from_known_at": first if known else None,
        "to_as_of": last,
        "to_known_at": last if known and last < today else None,
    }
    told, trouble = None, None
    try:
        told = await why.differences(
            state, plan, objective, unit.unit_id, days, cursor=cursor, limit=50
        )
    except Problem as problem:
        trouble = problem
    units = {e["unit_id"] for e in (told or {}).get("events", [])}
    return show(
        state,
        "changes.html",
        200 if trouble is None else trouble.status,
        plan=plan_json(state, found),
        unit=unit,
        name=unit.name(today),
        objective=next(o for o in found.document["objectives"] if o["id"] == objective),
        before=first,
        after=last,
        seen=seen,
        told=told,
        trouble=trouble,
        titles=_titles(),
        names={u.unit_id: u.name(today) for u in filter(None, map(state.tree.unit, units))},
        HOW=words.HOW,
        WHAT=words.WHAT,
    )


@router.get("/receipts")
async def receipt_page(
    state: Registry, principal: CurrentPrincipal, source: Source, id: Id
) -> HTMLResponse:
    """The way of one event, with times."""
    found = await receipt(state, principal, source, id)
    steps: list[tuple[str, datetime | None]] = [
        (text, datetime.fromisoformat(found[name]["at"]) if found[name]["reached"] else None)
        for name, text in words.STAGE.items()
    ]
    unit = state.tree.unit(found["unit_id"])
    plans = {p.plan: p.document for p in state.definitions.newest_versions()}
    return show(
        state,
        "receipt.html",
        receipt=found,
        steps=steps,
        unit_name=unit.name(state.clock.today()) if unit else found["unit_id"],
        title=_titles().get(found["type"], found["type"]),
        effects=[_effect(effect, plans) for effect in found["objectives"]],
        why_not=words.NOT_COUNTED.get(found["reason"] or "", words.NOT_COUNTED_ELSE),
        command=shlex.join(["hocvuso", "trace", source, id]),
    )


def _effect(effect: dict[str, Any], plans: dict[str, Any]) -> dict[str, Any]:
    document = plans.get(effect["plan"], {"objectives": [], "title_vi": effect["plan"]})
    texts = {o["id"]: o["text_vi"] for o in document["objectives"]}
    return effect | {
        "title_vi": document["title_vi"],
        "text_vi": texts.get(effect["objective"], effect["objective"]),
    }


@router.get("/plans/{plan}/ranking")
async def ranking_page(
    state: Registry, principal: CurrentPrincipal, plan: str, as_of: Day = ""
) -> HTMLResponse:
    """Units by the formula that the province has published, with every input; none without it."""
    found = state.plan(plan)
    see_plan(principal, state, found)
    day = day_of(as_of, "as_of")
    formula = ranking.formula_of(state, plan, day or state.clock.today())
    table = await build(state, Question(plan, None, None, day))
    ranked = ranking.ranked(table, formula.data["terms"])
    texts = {o["id"]: o["text_vi"] for o in found.document["objectives"]}
    return show(
        state,
        "ranking.html",
        plan=plan_json(state, found),
        table=table,
        formula=formula.data,
        texts=texts,
        rows=[one for one in ranked if can_read(principal, state, one["unit_id"])],
        total=len(ranked),
    )
