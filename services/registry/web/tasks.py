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
from services.registry.web import language
from services.registry.web.language import N_, gettext
from services.registry.web.problem_words import explain
from services.registry.web.render import JoinedPageRoute, needs_person, show
from shared.auth import Principal
from shared.bodies import read_form
from shared.domain.plan_history import PlanVersion
from shared.problems import Problem

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
LABELS = {
    "occurrence": N_("Kỳ"), "status": N_("Tình trạng"), "percent": N_("Tỷ lệ hoàn thành (%)"),
    "done": N_("Đã làm được"), "product": N_("Sản phẩm"), "document_ref": N_("Số văn bản"),
    "document_date": N_("Ngày văn bản"), "difficulties": N_("Khó khăn, vướng mắc"),
}  # fmt: skip
"""Fields of the form and what it calls them."""
_URGENCY = ("overdue", "blocked", "in_progress", "not_started", "done_late", "done")


def _common(state: State, plan: PlanVersion) -> dict[str, Any]:
    return {
        "plan": plan_json(state, plan),
        "organisations": {o["id"]: o["name_vi"] for o in plan.document["organisations"]},
        "objectives": {o["id"]: o["text_vi"] for o in plan.document["objectives"]},
        "LENGTH": LENGTH,
        "condition_vi": condition_vi,
    }


def fault(error: Any) -> str:
    """What is wrong with a field of the form, in the words of its reader."""
    if str(error["loc"][0]) == "percent":
        return gettext("Ghi một số nguyên từ 0 đến 100.")
    if error["type"] == "string_too_long":
        most = error["ctx"]["max_length"]
        told = gettext("Dài %(length)s ký tự, tối đa %(most)s; hãy rút ngắn.")
        return told % {"length": len(error["input"]), "most": most}
    if str(error["loc"][0]) == "document_date":
        return gettext("Ghi ngày, tháng, năm.")
    return gettext("Ô này chưa đúng dạng; xem lại nội dung đã ghi.")


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
        faults = {str(one["loc"][0]): fault(one) for one in error.errors()}
        return await _page(state, principal, plan, task, body, typed, faults=faults)
    except Problem as problem:
        if needs_person(problem) or problem.status == 404:
            raise
        place = (problem.pointer or "").rpartition("/")[2]
        faults = {}
        if place in LABELS:
            faults[place] = explain(problem.code, gettext("Xem lại ô này."))
        return await _page(state, principal, plan, task, body, typed, problem, faults)
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
    faults: dict[str, str] | None = None,
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
        problem.status if problem is not None else 422 if faults else 200,
        found=one,
        bodies=bodies,
        own=own,
        state=state_of_all([b.state for b in bodies.values()]),
        typed=typed,
        problem=problem,
        faults=faults or {},
        labels={name: gettext(label) for name, label in LABELS.items()},
        statuses=[(name, gettext(said)) for name, said in STATUS.items()],
        periods=[
            (o.occurrence.id, language.period(o.occurrence.id)) for o in bodies[own].occurrences
        ]
        if own
        else [],
        TASK=TASK,
        STATUS=STATUS,
        **_common(state, found),
    )
