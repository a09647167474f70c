"""What was submitted against today's figures, cell by cell, with reasons; and the office's template."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from services.registry.access import CurrentPrincipal, Writing
from services.registry.documents.address import address_of
from services.registry.documents.compare_routes import comparison
from services.registry.documents.docx_template import FIELDS, LARGEST, NEEDED, too_large
from services.registry.documents.template_routes import ROLES, body_of, take
from services.registry.documents.templates_store import template_of
from services.registry.plans.routes import plan_json
from services.registry.state import Registry, State
from services.registry.web import upload as forms
from services.registry.web.language import N_
from services.registry.web.render import JoinedPageRoute, show
from services.registry.web.report_writing import Who, place_of, to_choose, who_of
from shared.auth import Principal
from shared.auth.scopes import WRITE
from shared.bodies import declared_size
from shared.domain.plan_history import PlanVersion
from shared.problems import Problem

router = APIRouter(prefix="/plans/{plan}", route_class=JoinedPageRoute, include_in_schema=False)

HOW = {
    "happened": N_("diễn ra thêm"),
    "ended": N_("hết hiệu lực"),
    "passed": N_("quá thời hạn"),
    "recorded": N_("ghi nhận muộn"),
    "corrected": N_("đính chính"),
    "revoked": N_("hủy bỏ"),
}
"""How a single event changed a number."""


@router.get("/documents/{obligation}/{period}/comparison")
async def comparison_page(
    state: Registry,
    principal: CurrentPrincipal,
    plan: str,
    obligation: str,
    period: str,
    unit: Who = "",
    organisation: Who = "",
) -> Response:
    """Every cell that is another one now."""
    try:
        address = await address_of(
            state, principal, plan, obligation, period, unit or None, organisation or None
        )
    except Problem as problem:
        return await to_choose(state, plan, obligation, period, problem)
    found = await comparison(state, address, None)
    names = {
        o["id"]: o.get("short_vi") or o["text_vi"] for o in address.plan.document["objectives"]
    }
    return show(
        state,
        "report_compare.html",
        plan=plan_json(state, address.plan),
        period=address.period,
        body=address.body,
        found=found,
        names=names,
        here=place_of(address),
        who=who_of(address),
        HOW=HOW,
    )


@router.get("/template")
async def template_page(
    state: Registry,
    principal: CurrentPrincipal,
    plan: str,
    unit: Who = "",
    organisation: Who = "",
    done: Annotated[str, Query(max_length=1)] = "",
) -> HTMLResponse:
    """The template in which a body's reports are written, and a form to set another one."""
    found = state.plan(plan)
    return await _template(state, principal, found, unit, organisation, done=bool(done))


@router.post("/template")
async def set_template_page(
    request: Request,
    state: Registry,
    caller: Writing,
    plan: str,
    unit: Who = "",
    organisation: Who = "",
) -> Response:
    """Look at the template and use it; what is wrong with it is said beside its field."""
    found = state.plan(plan)
    body = body_of(caller.principal, state, found, unit or None, organisation or None)
    try:
        if (declared := declared_size(request)) > LARGEST + forms.ROOM:
            raise too_large(declared)
        form = await forms.read_upload(request, LARGEST)
        name = forms.text(form, "name") or "mau-bao-cao.docx"
        await take(state, caller, plan, body, forms.file(form, "file"), name[:200])
    except Problem as problem:
        if problem.status in (401, 404):
            raise
        return await _template(state, caller.principal, found, unit, organisation, problem)
    who = {"unit": unit} if unit else {"organisation": organisation} if organisation else {}
    return RedirectResponse(f"/plans/{plan}/template?{urlencode(who | {'done': '1'})}", 303)


async def _template(
    state: State,
    principal: Principal,
    plan: PlanVersion,
    unit: str,
    organisation: str,
    problem: Problem | None = None,
    *,
    done: bool = False,
) -> HTMLResponse:
    body = body_of(principal, state, plan, unit or None, organisation or None)
    known: dict[str, Any] = {o["id"]: o["name_vi"] for o in plan.document["organisations"]}
    there = state.tree.unit(body)
    may = principal.has(WRITE) and bool(principal.is_administrator or principal.roles & ROLES)
    return show(
        state,
        "report_template.html",
        200 if problem is None else problem.status,
        plan=plan_json(state, plan),
        name=known.get(body) or (there.name(state.clock.today()) if there else body),
        own=await template_of(state, plan.plan, body),
        who=urlencode({"organisation" if organisation else "unit": body}),
        may_write=may,
        scanner=bool(state.settings.report_scanner),
        problem=problem,
        done=done,
        FIELDS=FIELDS,
        NEEDED=NEEDED,
    )
