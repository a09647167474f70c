"""`/week`: what a commune's staff does this week, the most urgent first."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from services.registry.access import SignedIn, Writer, Writing
from services.registry.completeness.routes import (
    Nothing,
    confirm_nothing,
    counted_types,
    reported,
)
from services.registry.reports.answering import REPORTS
from services.registry.reports.ledger import Entry
from services.registry.reports.periods import Period
from services.registry.reports.routes import accounts
from services.registry.reports.whose import limited
from services.registry.state import Registry, State
from services.registry.tasks.ledger import task_ledger
from services.registry.tasks.routes import visible
from services.registry.tasks.standing import CLOSED, BodyStanding
from services.registry.tasks.words import TASK
from services.registry.web import lack, words
from services.registry.web.entry import kinds_for, owner
from services.registry.web.frame import commune_of
from services.registry.web.own_events import about_events, own_events
from services.registry.web.render import JoinedPageRoute, show, with_queue
from services.registry.web.targets import plans_for, targets
from shared.auth import Principal
from shared.auth.scopes import WRITE
from shared.bodies import read_form
from shared.contracts.live import of_process
from shared.domain.plan_history import PlanVersion
from shared.domain.units import Unit
from shared.problems import Problem

router = APIRouter(prefix="/week", route_class=JoinedPageRoute, include_in_schema=False)

SOON = timedelta(days=21)
SHOWN = 5
URGENT = ("overdue", "blocked", "in_progress", "not_started")
OWED = ("missing", "returned", "not_received", "due", "open")


@dataclass(frozen=True)
class Owed:
    """A report of the unit that is still to be submitted, or a duty to be done."""

    plan: str
    obligation: dict[str, Any]
    period: Period
    entry: Entry
    days_left: int | None


@dataclass(frozen=True)
class Duty:
    """A task of the unit that is not done."""

    plan: str
    task: dict[str, Any]
    stands: BodyStanding
    days_left: int | None


@router.get("")
async def week_page(
    state: Registry, caller: SignedIn, done: Annotated[str, Query(max_length=10)] = ""
) -> Response:
    """The week of the reader's commune; whoever has none is led to the plans."""
    unit = commune_of(state, caller.principal)
    if unit is None:
        return RedirectResponse("/plans", 303)
    return await _page(state, caller, unit, done=done)


@router.post("/nil")
async def confirm_page(request: Request, state: Registry, caller: Writing) -> Response:
    """Confirm that nothing of the ticked kinds happened this week, or in the week before."""
    unit = commune_of(state, caller.principal)
    if unit is None:
        return RedirectResponse("/plans", 303)
    form = await read_form(request)
    today = state.clock.today()
    ticked = False
    for name, (first, last) in _weeks(today).items():
        types = [t for t in form.get(name, []) if t in of_process()]
        for plan in plans_for(state, caller.principal, unit):
            wanted = [t for t in types if t in counted_types(plan)]
            types = [t for t in types if t not in wanted]
            if wanted:
                ticked = True
                nothing = Nothing.model_validate(
                    {"unit": unit.unit_id, "types": wanted, "from": first, "to": last}
                )
                await confirm_nothing(state, plan.plan, nothing, caller)
    if not ticked:
        return await _page(state, caller, unit, unticked=True)
    return RedirectResponse("/week?done=nil", 303)


def _weeks(today: date) -> dict[str, tuple[date, date]]:
    """This week until today and the week before, Monday to Sunday."""
    monday = today - timedelta(days=today.weekday())
    return {
        "now": (monday, today),
        "before": (monday - timedelta(days=7), monday - timedelta(days=1)),
    }


async def _page(
    state: State, caller: Writer, unit: Unit, *, done: str = "", unticked: bool = False
) -> HTMLResponse:
    principal, today = caller.principal, state.clock.today()
    kinds = {kind.type: kind for kind in kinds_for(principal)} if principal.has(WRITE) else {}
    found = await targets(state, principal, unit, frozenset(kinds))
    plans = plans_for(state, principal, unit)
    owed: list[Owed] = []
    duties: list[Duty] = []
    for plan in plans:
        owed += await _owed(state, principal, plan, unit, today)
        duties += await _duties(state, principal, plan, unit, today)
    owed.sort(key=lambda o: (o.days_left is None, o.days_left or 0))
    duties.sort(key=lambda d: (URGENT.index(d.stands.state), d.days_left is None, d.days_left or 0))
    troubles: list[Problem] = []
    events: list[Any] = []
    if principal.has(WRITE):
        try:
            events = await own_events(state, caller, SHOWN)
        except Problem as problem:
            troubles.append(problem)
    page = show(
        state,
        "week.html",
        422 if unticked else 200,
        offline=owner(principal),
        unit=unit,
        name=unit.name(today),
        plans=plans,
        sums=lack.summed([one.lack for one in found]),
        targets=[one for one in found if one.lack.status != "met" and one.lack.missing],
        owed=owed,
        duties=duties,
        silent=await _silent(state, plans, unit, today, list(kinds)),
        weeks=_weeks(today),
        shown=SHOWN,
        done=done,
        unticked=unticked,
        events=events,
        troubles=troubles,
        may_write=bool(kinds),
        may_enter=frozenset(kinds),
        REPORTS=REPORTS,
        REPORT=words.REPORT,
        TASK=TASK,
        **about_events(state, events),
    )
    return with_queue(page)


async def _owed(
    state: State, principal: Principal, plan: PlanVersion, unit: Unit, today: date
) -> list[Owed]:
    """What the unit has to submit soon, or should have."""
    found = []
    for account in await accounts(state, plan, today):
        for filled in limited(principal, state, plan, account).periods:
            period = filled.period
            due = period.last_day
            if period.start > today or (due is not None and due > today + SOON):
                continue
            for entry in filled.entries:
                if entry.debtor.id == unit.unit_id and entry.state in OWED:
                    left = None if due is None else (due - today).days
                    found.append(Owed(plan.plan, account.obligation, period, entry, left))
    return found


async def _duties(
    state: State, principal: Principal, plan: PlanVersion, unit: Unit, today: date
) -> list[Duty]:
    """The tasks that the unit leads and has not done."""
    found = []
    for task in (await task_ledger(state, plan)).tasks:
        stands = visible(principal, state, plan, task).get(unit.unit_id)
        if stands is None or stands.state in CLOSED or task.task["kind"] != "task":
            continue
        due = stands.current.occurrence.last_day
        left = None if due is None else (due - today).days
        found.append(Duty(plan.plan, task.task, stands, left))
    return found


async def _silent(
    state: State, plans: list[PlanVersion], unit: Unit, today: date, kinds: list[str]
) -> dict[str, list[str]]:
    """Of this week and the one before: the kinds of activity that the plans count, that the reader
    may enter, and of which nothing was sent and nothing confirmed."""
    found = {}
    below = {
        unit.unit_id: [unit.unit_id, *(d.unit_id for d in state.tree.descendants(unit.unit_id))]
    }
    types = sorted({t for plan in plans for t in counted_types(plan) if t in kinds})
    for name, (first, last) in _weeks(today).items():
        come, nil = await reported(state, below, types, first, last)
        heard = {type for _, type in come} | {type for _, type in nil}
        found[name] = [type for type in types if type not in heard]
    return found
