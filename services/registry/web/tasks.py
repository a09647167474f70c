"""Tasks as pages: what is late and what is lacking, and a form in which a lead body says how far it
has come."""

import re
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import ValidationError

from services.registry.access import CurrentPrincipal, Writing
from services.registry.plans.routes import plan_json
from services.registry.plans.territory import body_in
from services.registry.reach import authorize_unit, see_plan
from services.registry.state import Registry, State
from services.registry.tasks.ledger import task_ledger
from services.registry.tasks.model import NewStatement
from services.registry.tasks.routes import not_lead, task_of, visible
from services.registry.tasks.standing import state_of_all
from services.registry.tasks.words import LENGTH, STATUS, TASK, condition_vi
from services.registry.tasks.write_routes import state_progress
from services.registry.web.render import JoinedPageRoute, needs_person, show
from shared.auth import Principal
from shared.bodies import read_form
from shared.domain.plan_history import PlanVersion
from shared.problems import Problem
from shared.refused_parameters import words as wrong_words

router = APIRouter(
    prefix="/plans/{plan}/tasks", route_class=JoinedPageRoute, include_in_schema=False
)

UnitCode = Annotated[str, Query(max_length=100)]
Form = dict[str, str]
LARGEST = 64 * 1024
FIELDS = (
    "occurrence", "status", "percent", "done", "product", "document_ref", "document_date",
    "difficulties", "after",
)  # fmt: skip
_URGENCY = ("overdue", "blocked", "in_progress", "not_started", "done_late", "done")


def _common(state: State, plan: PlanVersion) -> dict[str, Any]:
    return {
        "plan": plan_json(state, plan),
        "organisations": {o["id"]: o["name_vi"] for o in plan.document["organisations"]},
        "objectives": {o["id"]: o["text_vi"] for o in plan.document["objectives"]},
        "LENGTH": LENGTH,
        "condition_vi": condition_vi,
    }


@router.get("")
async def tasks_page(
    state: Registry,
    principal: CurrentPrincipal,
    plan: str,
    lead: UnitCode = "",
    unit: UnitCode = "",
    late: Annotated[str, Query()] = "",
) -> HTMLResponse:
    """Who leads what, what is late and what is lacking; whoever has a unit sees their own first."""
    found, today = state.plan(plan), state.clock.today()
    see_plan(principal, state, found)
    wanted = authorize_unit(principal, state, found, unit or None, today)
    own = body_in(state, found, wanted, today) if wanted is not None else lead or None
    rows = []
    for task in (await task_ledger(state, found)).tasks:
        bodies = visible(principal, state, found, task)
        if own is not None:
            bodies = {name: stands for name, stands in bodies.items() if name == own}
        stands = state_of_all([b.state for b in bodies.values()])
        if bodies and (not late or stands == "overdue"):
            rows.append((task, bodies, stands))
    rows.sort(key=lambda row: _URGENCY.index(row[2]))
    about = state.tree.unit(own) if own is not None else None
    return show(
        state,
        "tasks.html",
        tasks=rows,
        lead=own if own is not None and about is None else lead,
        late=late,
        own=own,
        unit_name=about.name(today) if about is not None else "",
        TASK=TASK,
        **_common(state, found),
    )


@router.get("/{task}")
async def task_page(
    state: Registry, principal: CurrentPrincipal, plan: str, task: str, body: UnitCode = ""
) -> HTMLResponse:
    """One task: every lead body, or one of them with its history and the form to say more."""
    return await _page(state, principal, plan, task, body, {})


@router.post("/{task}")
async def state_progress_page(
    request: Request, state: Registry, caller: Writing, plan: str, task: str, body: UnitCode = ""
) -> Response:
    """Record what was typed, as `POST /v1/plans/{plan}/tasks/{task}/statements` does. What was
    typed stays in the form when it is refused."""
    typed = {k: v[0].strip() for k, v in (await read_form(request, LARGEST)).items()}
    given: dict[str, Any] = {name: typed[name] for name in FIELDS if typed.get(name)}
    for name in ("percent", "after"):
        if re.fullmatch(r"-?[0-9]{1,18}", given.get(name, "")):
            given[name] = int(given[name])
    given["unit" if "@" in body else "organisation"] = body
    principal = caller.principal
    try:
        statement = NewStatement.model_validate(given)
        await state_progress(state, plan, task, statement, caller, dry_run=False)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][-1])
        wrong = Problem("invalid-parameter", f"{name}: {wrong_words(first)[0]}", pointer=f"/{name}")
        return await _page(state, principal, plan, task, body, typed, wrong)
    except Problem as problem:
        if needs_person(problem) or problem.status == 404:
            raise
        return await _page(state, principal, plan, task, body, typed, problem)
    here = f"/plans/{quote(plan)}/tasks/{quote(task)}?body={quote(body)}"
    return RedirectResponse(here, 303)


async def _page(
    state: State,
    principal: Principal,
    plan: str,
    task: str,
    body: str,
    typed: Form,
    problem: Problem | None = None,
) -> HTMLResponse:
    found = state.plan(plan)
    see_plan(principal, state, found)
    one = task_of(await task_ledger(state, found), task)
    bodies = visible(principal, state, found, one)
    own = body or (next(iter(bodies)) if len(bodies) == 1 else "")
    if own and own not in bodies:
        raise not_lead(one)
    return show(
        state,
        "task.html",
        200 if problem is None else problem.status,
        found=one,
        bodies=bodies,
        own=own,
        state=state_of_all([b.state for b in bodies.values()]),
        typed=typed,
        problem=problem,
        TASK=TASK,
        STATUS=STATUS,
        **_common(state, found),
    )
