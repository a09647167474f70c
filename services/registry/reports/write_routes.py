"""Handing reports in, asking for them, and sending them back."""

from datetime import datetime, time
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import Response

from services.registry.access import Writing
from services.registry.answers import json_answer
from services.registry.plans.territory import in_plan, posted_for, unit_today
from services.registry.posting import content_id, event, post
from services.registry.reports.answering import REPORTS, RETURNED
from services.registry.reports.ledger import REQUESTED
from services.registry.reports.model import NewReport, NewRequest, ReturnedReport
from services.registry.reports.routes import accounts, check_period, obligation_of
from services.registry.reports.whose import debtor_of
from services.registry.state import Registry
from services.registry.writing import check_supervisor, write_today
from shared.clock import VIETNAM, vietnam_day
from shared.domain.plan_history import PlanVersion
from shared.problems import Problem

router = APIRouter(prefix="/v1/plans/{plan}", tags=["reports"])


@router.put("/reports/{obligation}/{period}", response_class=Response)
async def hand_in(
    state: Registry,
    plan: str,
    obligation: str,
    period: str,
    report: NewReport,
    caller: Writing,
    dry_run: Annotated[bool, Query(description="judge only, write nothing")] = False,
) -> Response:
    """Record a report that was handed in, as an event under the caller's own key. The same report
    again changes nothing; another one for the same period is kept beside the first."""
    found = state.plan(plan)
    owed = await check_period(state, found, obligation, period)
    if owed["event"] not in REPORTS:
        raise _proven_by_events(owed)
    _one_debtor(report.unit, report.organisation)
    # Without a time it is today's: sent again on the same day, the same report is a duplicate.
    today = datetime.combine(state.clock.today(), time(), VIETNAM)
    at = report.submitted_at or today
    who = str(debtor_of(state, found, report.unit, report.organisation, vietnam_day(at)))
    subject = posted_for(state, found, who)
    data = _data(report, plan, obligation, period, at.isoformat())
    if state.tree.unit(who) is None:
        data |= {"from_unit": who, "reporter": who}
    id = content_id("report", plan, obligation, period, who, data=data)
    made = event(owed["event"], caller.source(report.source), id, subject, at.isoformat(), data)
    answer = await post(state.activities, caller.authorization, [made], dry_run=dry_run)
    return json_answer({"dry_run": dry_run, "event": made, "result": answer["results"][0]})


def _data(
    report: NewReport, plan: str, obligation: str, period: str, submitted_at: str
) -> dict[str, Any]:
    said = report.model_dump(mode="json", exclude_none=True)
    data = {name: said[name] for name in said if name not in _NOT_DATA}
    if report.number is not None:
        data["document_ref"] = report.number
    if report.opening:
        data["opening"] = True
    about = {"plan": plan, "obligation": obligation, "period": period}
    return data | about | {"submitted_at": submitted_at}


_NOT_DATA = frozenset({"unit", "organisation", "number", "submitted_at", "opening", "source"})


@router.post("/reports/{obligation}/requests", response_class=Response)
async def ask_for_report(
    state: Registry,
    plan: str,
    obligation: str,
    request: NewRequest,
    caller: Writing,
    dry_run: Annotated[bool, Query(description="judge only, write nothing")] = False,
) -> Response:
    """Ask for a report outside the usual rhythm: opens one period of the obligation, named by the
    request, with its own last day. Asked again under the same name, what was asked last holds."""
    found = state.plan(plan)
    owed = obligation_of(found, obligation)
    check_supervisor(state, found, caller, "/obligation")
    if owed["event"] not in REPORTS:
        raise _proven_by_events(owed)
    if request.last_day < state.clock.today():
        raise Problem(
            "last-day-past",
            "The last day of a request lies in the past.",
            pointer="/last_day",
            hint="Give those who are asked at least the rest of today.",
        )
    names = {o["id"] for o in found.document["organisations"]}
    for index, who in enumerate(request.who or ()):
        if who not in names:
            in_plan(state, found, who, state.clock.today())
            continue
        if who not in owed["who"] and not _member(found, owed, who):
            raise Problem(
                "not-owing",
                "This organisation does not owe the report.",
                pointer=f"/who/{index}",
                hint=f"It is owed by: {', '.join(owed['who'])}.",
            )
    data = request.model_dump(mode="json", exclude_none=True, exclude={"source"})
    data |= {"plan": plan, "obligation": obligation}
    subject = unit_today(state, found)
    return await write_today(
        state, caller, REQUESTED, subject, data, request.source, dry_run=dry_run
    )


@router.post("/reports/{obligation}/{period}/returns", response_class=Response)
async def send_back(
    state: Registry,
    plan: str,
    obligation: str,
    period: str,
    remark: ReturnedReport,
    caller: Writing,
    dry_run: Annotated[bool, Query(description="judge only, write nothing")] = False,
) -> Response:
    """Send what a body handed in for a period back, with a remark: it counts as not handed in until
    something newer comes."""
    found = state.plan(plan)
    owed = await check_period(state, found, obligation, period)
    check_supervisor(state, found, caller, "/obligation")
    if owed["event"] not in REPORTS:
        raise _proven_by_events(owed)
    _one_debtor(remark.unit, remark.organisation)
    today = state.clock.today()
    who = str(debtor_of(state, found, remark.unit, remark.organisation, today))
    (account,) = await accounts(state, found, today, None, obligation)
    entries = [e for f in account.periods if f.period.id == period for e in f.entries]
    entry = next((e for e in entries if e.debtor.id == who), None)
    if entry is None or entry.first is None:
        raise Problem(
            "report-missing",
            "This body has handed in nothing for the period that could be sent back.",
            pointer="/unit",
            hint="GET the period: `entries` lists what was handed in.",
        )
    data = {"plan": plan, "obligation": obligation, "period": period, "remark": remark.remark}
    if state.tree.unit(who) is None:
        data["organisation"] = who
    subject = posted_for(state, found, who)
    return await write_today(state, caller, RETURNED, subject, data, remark.source, dry_run=dry_run)


def _member(plan: PlanVersion, owed: dict[str, Any], who: str) -> bool:
    """Whether an organisation belongs to a group that owes the report."""
    named = {o["id"]: o for o in plan.document["organisations"]}
    return any(who in (named[name].get("members") or ()) for name in owed["who"])


def _proven_by_events(owed: dict[str, Any]) -> Problem:
    return Problem(
        "proven-by-events",
        f"This obligation is not met by a report: its proof is the event {owed['event']}.",
        pointer="/obligation",
        hint=f"Post {owed['event']} to activities.",
    )


def _one_debtor(unit: str | None, organisation: str | None) -> None:
    if (unit is None) == (organisation is None):
        raise Problem(
            "debtor-missing",
            "Say who reports: either `unit` or `organisation`.",
            pointer="/unit",
            hint="A commune is a unit; a department of the plan is an organisation.",
        )
