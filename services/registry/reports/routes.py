"""`.../calendar` and `.../reports`: what is due, what was handed in, and what it adds up to."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import Response

from services.registry.access import CurrentPrincipal
from services.registry.agenda.routes import agenda, calendar_file, check_format
from services.registry.answers import Cursor, IfNoneMatch, Limit, json_answer, page
from services.registry.journal.store import complete_to, standing
from services.registry.parameters import KnownAt, On
from services.registry.plans.territory import answering_area
from services.registry.reports.consolidation import consolidated
from services.registry.reports.export import sheet
from services.registry.reports.ledger import (
    REQUESTED,
    STATES,
    Account,
    Entry,
    ledger,
    requests_of,
)
from services.registry.reports.model import (
    account_json,
    entry_json,
    period_json,
    report_json,
)
from services.registry.reports.periods import PERIODIC, Period, periods
from services.registry.reports.whose import debtor_for, debtor_of, limited
from services.registry.sheets import sheet_answer
from services.registry.state import Registry, State, not_future
from shared.domain.plan_history import PlanVersion, own_documents
from shared.problems import Problem

router = APIRouter(prefix="/v1/plans/{plan}", tags=["reports"])

Who = Annotated[str | None, Query(max_length=80, description="code or code@era: what it owes")]
Organisation = Annotated[str | None, Query(description="id of one of the plan's organisations")]


FORMATS = ("json", "csv", "xlsx")


async def accounts(
    state: State,
    plan: PlanVersion,
    on: date,
    known_at: date | None = None,
    only: str | None = None,
) -> list[Account]:
    """The ledger of a plan."""
    not_future(known_at, "known_at", state.clock.today())
    area = answering_area(state, plan)
    return await ledger(state.pool, state.tree, plan, area, on, known_at, only)


async def _asked(
    state: State, plan: str, on: date | None, known_at: date | None
) -> tuple[State, PlanVersion, date]:
    """The plan as it stands on a day, and as it was known; and that day."""
    not_future(known_at, "known_at", state.clock.today())
    state = await state.as_known(known_at, plan)
    day = on or state.clock.today()
    return state, state.plan(plan, day), day


@router.get("/calendar", response_class=Response)
async def show_calendar(
    state: Registry,
    principal: CurrentPrincipal,
    plan: str,
    on: On = None,
    unit: Who = None,
    organisation: Organisation = None,
    recipient: Annotated[
        str | None, Query(max_length=100, description="id: only what goes to it")
    ] = None,
    known_at: KnownAt = None,
    format: Annotated[str, Query(description="json, ics")] = "json",
    if_none_match: IfNoneMatch = None,
) -> Response:
    """The reporting obligations with every period's due day and how many have reported; with
    `unit` or `organisation` only what that body owes, with its own state. Also as iCalendar."""
    check_format(format)
    state, found, day = await _asked(state, plan, on, known_at)
    debtor = debtor_for(principal, state, found, unit, organisation, day)
    listed = [
        limited(principal, state, found, account)
        for account in await accounts(state, found, day, known_at)
    ]
    if debtor is not None:
        listed = [a for a in listed if a.owed_by(debtor)]
    if recipient is not None:
        debtor_of(state, found, None, recipient, day)
        listed = [a for a in listed if recipient in (a.obligation.get("to") or ())]
    if format == "ics":
        entries = await agenda(state, principal, found, day, known_at, debtor, listed)
        if recipient is not None:
            entries = [e for e in entries if e.kind in ("duty", "review")]
        title = found.document["title_vi"]
        return calendar_file(state, title, plan, entries, if_none_match)
    obligations = [account_json(account, day) for account in listed]
    if debtor is not None:
        for shown, account in zip(obligations, listed, strict=True):
            shown["periods"] = [
                period_json(f, day) | {"own": entry_json(e, f.period)}
                for f in account.periods
                for e in f.entries
                if e.debtor.id == debtor
            ]
    obligations.sort(key=lambda o: (o["next_last_day"] or date.max, o["id"]))
    return json_answer(
        {
            "plan": plan,
            "version": found.version,
            "on": day,
            "known_at": known_at,
            "position": await complete_to(state.pool),
            "obligations": obligations,
        },
        if_none_match,
    )


@router.get("/reports", response_class=Response)
async def list_reports(
    state: Registry,
    principal: CurrentPrincipal,
    plan: str,
    on: On = None,
    obligation: Annotated[str | None, Query(description="only this one")] = None,
    unit: Who = None,
    organisation: Organisation = None,
    wanted: Annotated[str | None, Query(alias="state", description=", ".join(STATES))] = None,
    known_at: KnownAt = None,
    format: Annotated[str, Query(description="json, csv, xlsx")] = "json",
    cursor: Cursor = None,
    limit: Limit = 200,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Who owes what, one row per obligation, period and debtor, from the oldest due day on. CSV and
    XLSX are whole."""
    if format not in FORMATS:
        raise Problem(
            "format-unknown",
            "The reports do not come in this format.",
            pointer="/format",
            hint=f"Formats: {', '.join(FORMATS)}.",
        )
    if wanted is not None and wanted not in STATES:
        raise Problem(
            "state-unknown",
            "There is no such state of a report.",
            pointer="/state",
            hint=f"States: {', '.join(STATES)}.",
        )
    state, found, day = await _asked(state, plan, on, known_at)
    if obligation is not None:
        obligation_of(found, obligation)
    debtor = debtor_for(principal, state, found, unit, organisation, day)
    rows = [
        (account.obligation, filled.period, entry)
        for account in await accounts(state, found, day, known_at, obligation)
        for filled in account.periods
        for entry in filled.entries
        if wanted in (None, entry.state) and debtor in (None, entry.debtor.id)
    ]
    if format != "json":
        rows.sort(key=_order)
        made = sheet(found, rows, day, known_at, sandbox=state.settings.sandbox)
        return sheet_answer(made, format, f"{plan}-reports")
    shown, following = page(rows, _order, cursor, limit)
    listed = [
        {"obligation": o["id"], "period": p.id, "last_day": p.last_day, **entry_json(e, p)}
        for o, p, e in shown
    ]
    answer = {"plan": plan, "on": day, "total": len(rows), "next": following, "reports": listed}
    return json_answer(answer, if_none_match)


def _order(row: tuple[dict[str, Any], Period, Entry]) -> list[str]:
    obligation, period, entry = row
    return [str(period.last_day or period.end), obligation["id"], period.id, entry.debtor.id]


def obligation_of(plan: PlanVersion, obligation: str) -> dict[str, Any]:
    """One of the plan's obligations; 404 with those there are."""
    for found in plan.document["reporting"]:
        if found["id"] == obligation:
            return dict(found)
    raise Problem(
        "obligation-unknown",
        "The plan has no such reporting obligation.",
        status=404,
        pointer="/obligation",
        hint=f"Obligations: {', '.join(o['id'] for o in plan.document['reporting'])}.",
    )


@router.get("/reports/{obligation}/{period}", response_class=Response)
async def show_report(
    state: Registry,
    principal: CurrentPrincipal,
    plan: str,
    obligation: str,
    period: str,
    on: On = None,
    known_at: KnownAt = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """One period of an obligation: everybody's state, figures, numbers, dates and file hashes."""
    state, found, day = await _asked(state, plan, on, known_at)
    await check_period(state, found, obligation, period)
    (account,) = await accounts(state, found, day, known_at, obligation)
    account = limited(principal, state, found, account)
    filled = next((f for f in account.periods if f.period.id == period), None)
    answer: dict[str, Any] = {"plan": plan, "obligation": obligation, "on": day}
    if filled is not None:
        answer |= period_json(filled, day)
        answer["entries"] = [entry_json(entry, filled.period) for entry in filled.entries]
        answer["others"] = [report_json(fact) for fact in filled.others]
    else:
        named = [f for f in account.unassigned if f.data.get("period") == period]
        answer |= {"period": period, "last_day": None, "entries": []}
        answer["others"] = [report_json(fact) for fact in named]
    return json_answer(answer, if_none_match)


@router.get("/reports/{obligation}/{period}/consolidated", response_class=Response)
async def consolidate(
    state: Registry,
    principal: CurrentPrincipal,
    plan: str,
    obligation: str,
    period: str,
    on: On = None,
    known_at: KnownAt = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """What a superior makes of one period: who is in, late or missing, the sums of the figures that
    were reported, with how many reports each rests on, and every difficulty with who has it."""
    state, found, day = await _asked(state, plan, on, known_at)
    not_future(on, "on", state.clock.today())
    await check_period(state, found, obligation, period)
    (account,) = await accounts(state, found, day, known_at, obligation)
    account = limited(principal, state, found, account)
    filled = next((f for f in account.periods if f.period.id == period), None)
    if filled is None:
        raise Problem(
            "period-unknown",
            "The obligation has no such period.",
            status=404,
            pointer="/period",
            hint="GET .../calendar lists the periods of every obligation.",
        )
    about = {"plan": plan, "obligation": obligation, "on": day, "known_at": known_at}
    return json_answer(about | period_json(filled, day) | consolidated(filled), if_none_match)


async def check_period(
    state: State, plan: PlanVersion, obligation: str, period: str
) -> dict[str, Any]:
    """The obligation; a problem when it has periods and this is none of them, nor one that somebody
    has asked for."""
    found = obligation_of(plan, obligation)
    spans = [p.id for p in periods(found, plan.document)]
    for document in own_documents(plan).values():
        theirs = [o for o in document["reporting"] if o["id"] == obligation]
        spans += [p.id for o in theirs for p in periods(o, document) if p.id not in spans]
    if period not in spans and (spans or found["cadence"] in PERIODIC):
        facts = await standing(state.pool, [REQUESTED], sorted(answering_area(state, plan)))
        if period in {one.id for one in requests_of(facts, obligation, plan.plan)}:
            return found
        raise Problem(
            "period-unknown",
            "The obligation has no such period.",
            status=404,
            pointer="/period",
            hint=f"Periods: {', '.join(spans[:60])}.",
        )
    return found
