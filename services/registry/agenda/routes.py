"""`/v1/calendar`: what one reader, or one unit, has to do in all plans; and the calendar of a plan."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import Response

from services.registry.access import CurrentPrincipal
from services.registry.agenda.entries import Asked, Entry, entries
from services.registry.agenda.ical import MEDIA_TYPE, stamped, tag, undated
from services.registry.answers import Cursor, IfNoneMatch, Limit, json_answer, page
from services.registry.parameters import KnownAt, On
from services.registry.plans.territory import answering_area, area_of, body_in
from services.registry.reach import authorize_unit, bound_to, can_read, has_part, outside
from services.registry.reports.ledger import Account, ledger
from services.registry.reports.whose import limited
from services.registry.state import Registry, State, not_future
from services.registry.tasks.ledger import issued_by, task_ledger
from shared.auth import Principal
from shared.domain.plan_history import PlanVersion
from shared.problems import Problem

router = APIRouter(tags=["reports"])

FORMATS = ("json", "ics")
OWN_VI = "Việc của tôi – Bình dân học vụ số"


async def agenda(
    state: State,
    principal: Principal,
    plan: PlanVersion,
    on: date,
    known_at: date | None,
    body: str | None,
    accounts: list[Account] | None = None,
) -> list[Entry]:
    """The entries of a plan, of one body where one is named. `accounts`: what is owed, if known."""
    if accounts is None:
        found = await ledger(
            state.pool, state.tree, plan, answering_area(state, plan), on, known_at
        )
        accounts = [limited(principal, state, plan, account) for account in found]
    units = [u for name in sorted(area_of(state, plan)) if (u := state.tree.unit(name))]
    states = None
    today = state.clock.today()
    if body is not None and on <= today:
        tasks = await task_ledger(state, plan, on, known_at)
        states = {
            (task.task["id"], stands.occurrence.id): stands.state
            for task in tasks.tasks
            if body in task.standings
            for stands in task.standings[body].occurrences
            if stands.occurrence.start <= on
        }
    asked = Asked(
        plan,
        on,
        state.definitions.revisions(plan.plan, on),
        [unit for unit in units if unit.exists(on)],
        issued_by(state, plan, on, known_at),
        body,
        states,
    )
    return entries(asked, accounts)


def calendar_file(
    state: State, title_vi: str, name: str, found: list[Entry], if_none_match: str | None
) -> Response:
    """Entries as a file; 304 where the reader has it already."""
    body = undated(title_vi, found, sandbox=state.settings.sandbox)
    headers = {
        "Content-Disposition": f'attachment; filename="{name}.ics"',
        "ETag": tag(body),
        "Cache-Control": "no-cache",
    }
    if if_none_match and headers["ETag"] in (p.strip() for p in if_none_match.split(",")):
        return Response(status_code=304, headers=headers)
    return Response(stamped(body, state.clock.now()), headers=headers, media_type=MEDIA_TYPE)


@router.get("/v1/calendar", response_class=Response)
async def show_own_calendar(
    state: Registry,
    principal: CurrentPrincipal,
    unit: Annotated[
        str | None, Query(max_length=80, description="code or code@era; default the key's own")
    ] = None,
    on: On = None,
    known_at: KnownAt = None,
    format: Annotated[str, Query(description=", ".join(FORMATS))] = "json",
    cursor: Cursor = None,
    limit: Limit = 500,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """What a unit has to do in every plan that applies to it: duties, tasks, campaigns, weekly
    reviews and the national day, by day. Without `unit` the reader's own, of all plans. Also as
    iCalendar."""
    check_format(format)
    not_future(known_at, "known_at", state.clock.today())
    state = await state.as_known(known_at)
    day = on or state.clock.today()
    wanted = unit or bound_to(principal)
    found: dict[str, Entry] = {}
    if wanted is not None:
        top = state.unit(wanted, day).unit_id
        if not can_read(principal, state, top):
            raise outside(str(bound_to(principal)))
        wanted = top
    for name in state.definitions.plan_ids():
        plan = state.plan(name, day)
        if not has_part(principal, state, plan):
            continue
        if wanted is not None and wanted not in {*area_of(state, plan)}:
            continue
        body = None
        if wanted is not None and wanted != plan.document["unit"]:
            asked = authorize_unit(principal, state, plan, wanted, day)
            body = body_in(state, plan, str(asked), day)
        found |= {one.uid: one for one in await agenda(state, principal, plan, day, known_at, body)}
    listed = list(found.values())
    if format == "ics":
        return calendar_file(state, OWN_VI, "binh-dan-hoc-vu-so", listed, if_none_match)
    shown, following = page(listed, lambda e: [str(e.last or date.max), e.uid], cursor, limit)
    return json_answer(
        {
            "unit_id": wanted,
            "on": day,
            "known_at": known_at,
            "total": len(listed),
            "next": following,
            "entries": [entry_json(one) for one in shown],
        },
        if_none_match,
    )


def entry_json(one: Entry) -> dict[str, Any]:
    """An entry as shown."""
    return {
        "uid": one.uid,
        "plan": one.plan,
        "kind": one.kind,
        "item": one.item or None,
        "period": one.period or None,
        "first": one.first,
        "last": one.last,
        "title_vi": one.title_vi,
        "details_vi": one.details_vi,
        "state": one.state,
        "cancelled": one.cancelled,
    }


def check_format(format: str) -> None:
    """Refuse formats that calendars do not come in."""
    if format not in FORMATS:
        raise Problem(
            "format-unknown",
            "The calendar does not come in this format.",
            pointer="/format",
            hint=f"Formats: {', '.join(FORMATS)}.",
        )
