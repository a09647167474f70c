"""One period of an obligation as a page: who has handed in what, and a form to hand in."""

from datetime import date
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import ValidationError

from services.registry.access import CurrentPrincipal, Writing
from services.registry.documents.authors import gatherers
from services.registry.documents.pdf import converter
from services.registry.plans.routes import plan_json
from services.registry.reach import can_read_plan
from services.registry.reports.answering import REPORTS
from services.registry.reports.model import NewReport, entry_json, period_json
from services.registry.reports.routes import accounts, check_period
from services.registry.reports.whose import limited
from services.registry.reports.write_routes import hand_in
from services.registry.state import Registry, State
from services.registry.web import words
from services.registry.web.render import PageRoute, needs_person, show
from shared.auth import Principal
from shared.bodies import read_form
from shared.domain.plan_history import PlanVersion
from shared.problems import Problem
from shared.refused_parameters import words as wrong_words

router = APIRouter(
    prefix="/plans/{plan}/reports/{obligation}/{period}",
    route_class=PageRoute,
    include_in_schema=False,
)

FIELDS = ("unit", "organisation", "number", "document_date", "file_name", "file_sha256")
Form = dict[str, str]


@router.get("")
async def period_page(
    state: Registry,
    principal: CurrentPrincipal,
    plan: str,
    obligation: str,
    period: str,
    unit: Annotated[str, Query(max_length=80)] = "",
) -> HTMLResponse:
    """Everybody's state for one period."""
    return await _page(state, principal, plan, obligation, period, {"unit": unit})


@router.post("")
async def hand_in_page(
    request: Request, state: Registry, caller: Writing, plan: str, obligation: str, period: str
) -> Response:
    """Record what was typed, as `PUT /v1/plans/{plan}/reports/{obligation}/{period}` does."""
    typed = {k: v[0].strip() for k, v in (await read_form(request)).items()}
    given: dict[str, Any] = {name: typed[name] for name in FIELDS if typed.get(name)}
    try:
        if typed.get("submitted_on"):
            day = date.fromisoformat(typed["submitted_on"])
            given["submitted_at"] = f"{day.isoformat()}T00:00:00+07:00"
        report = NewReport.model_validate(given)
        await hand_in(state, plan, obligation, period, report, caller, dry_run=False)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][-1])
        wrong = Problem("invalid-parameter", f"{name}: {wrong_words(first)[0]}", pointer=f"/{name}")
        return await _page(state, caller.principal, plan, obligation, period, typed, wrong)
    except ValueError:
        wrong = Problem("invalid-parameter", "submitted_on is not a day.", pointer="/submitted_on")
        return await _page(state, caller.principal, plan, obligation, period, typed, wrong)
    except Problem as problem:
        if needs_person(problem) or problem.status == 404:
            raise
        return await _page(state, caller.principal, plan, obligation, period, typed, problem)
    back = "/".join(quote(part) for part in (plan, "reports", obligation, period))
    who = f"?unit={quote(given['unit'])}" if "unit" in given else ""
    return RedirectResponse(f"/plans/{back}{who}", 303)


async def _page(
    state: State,
    principal: Principal,
    plan: str,
    obligation: str,
    period: str,
    typed: Form,
    problem: Problem | None = None,
) -> HTMLResponse:
    found, today = state.plan(plan), state.clock.today()
    owed = await check_period(state, found, obligation, period)
    (account,) = await accounts(state, found, today, None, obligation)
    account = limited(principal, state, found, account)
    filled = next((f for f in account.periods if f.period.id == period), None)
    return show(
        state,
        "report.html",
        200 if problem is None else problem.status,
        plan=plan_json(state, found),
        organisations={o["id"]: o["name_vi"] for o in found.document["organisations"]},
        obligation=owed,
        period=period_json(filled, today) if filled else {"period": period, "last_day": None},
        entries=[entry_json(e, filled.period) for e in filled.entries] if filled else [],
        takes_reports=owed["event"] in REPORTS,
        drafts=f"/v1/plans/{quote(plan)}/documents/{quote(obligation)}/{quote(period)}?",
        pdf=converter() is not None,
        gatherers=_gatherers(principal, state, found, owed),
        typed=typed,
        problem=problem,
        REPORT=words.REPORT,
    )


def _gatherers(
    principal: Principal, state: State, plan: PlanVersion, owed: dict[str, Any]
) -> list[dict[str, Any]]:
    """Who makes one report of all, for readers of the whole plan."""
    if not can_read_plan(principal, state, plan):
        return []
    named = {o["id"]: o for o in plan.document["organisations"]}
    return [named[name] for name in gatherers(owed, named)]
