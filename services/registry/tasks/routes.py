"""`/v1/plans/{plan}/tasks`: who leads what, until when, what is done and what is lacking."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import Response

from services.registry.access import CurrentPrincipal
from services.registry.answers import Cursor, IfNoneMatch, Limit, json_answer, page
from services.registry.parameters import KnownAt, On
from services.registry.plans.territory import body_in, registered
from services.registry.reach import authorize_unit, can_read, can_read_plan, see_plan
from services.registry.sheets import sheet_answer
from services.registry.state import JoinedRoute, Registry, State, not_future
from services.registry.tasks.export import sheet
from services.registry.tasks.fold import TaskStanding
from services.registry.tasks.ledger import Ledger, task_ledger
from services.registry.tasks.model import (
    body_json,
    statement_json,
    task_json,
)
from services.registry.tasks.standing import STATES, BodyStanding, state_of_all
from shared.auth import Principal
from shared.domain.plan_history import PlanVersion
from shared.problems import Problem

router = APIRouter(prefix="/v1/plans/{plan}/tasks", tags=["tasks"], route_class=JoinedRoute)

Who = Annotated[str | None, Query(max_length=80, description="code or code@era: what it leads")]
Lead = Annotated[str | None, Query(max_length=100, description="id: leads it")]
FORMATS = ("json", "csv", "xlsx")


def visible(
    principal: Principal, state: State, plan: PlanVersion, found: TaskStanding
) -> dict[str, BodyStanding]:
    """The lead bodies of a task that a reader sees: all, or those units that are their own."""
    if can_read_plan(principal, state, plan):
        return dict(found.standings)
    own = registered(state, plan)
    return {
        name: stands
        for name, stands in found.standings.items()
        if (unit := found.bodies[name].unit_id or own.get(name)) is not None
        and can_read(principal, state, unit)
    }


@router.get("", response_class=Response)
async def list_tasks(
    state: Registry,
    principal: CurrentPrincipal,
    plan: str,
    on: On = None,
    known_at: KnownAt = None,
    organisation: Annotated[str | None, Query(description="id: has any part in it")] = None,
    lead: Lead = None,
    unit: Who = None,
    wanted: Annotated[str | None, Query(alias="state", description=", ".join(STATES))] = None,
    late: Annotated[bool | None, Query(description="past its last day and not done")] = None,
    format: Annotated[str, Query(description=", ".join(FORMATS))] = "json",
    cursor: Cursor = None,
    limit: Limit = 500,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """The plan's tasks and duties: what closes each, and how many of its lead bodies have done it.
    With `unit` or `lead` the state is that body's own. CSV and XLSX have a line per body."""
    _known(format, FORMATS, "format")
    _known(wanted, STATES, "state")
    found = state.plan(plan, on)
    see_plan(principal, state, found)
    names = organisations_of(found, organisation=organisation, lead=lead)
    today = state.clock.today()
    for name, day in (("on", on), ("known_at", known_at)):
        not_future(day, name, today)
    wanted_unit = authorize_unit(principal, state, found, unit, on or today)
    own = None if wanted_unit is None else body_in(state, found, wanted_unit, on or today)
    ledger = await task_ledger(state, found, on, known_at)
    rows = []
    for number, task in enumerate(ledger.tasks):
        bodies = visible(principal, state, found, task)
        if own is not None or lead is not None:
            bodies = {n: b for n, b in bodies.items() if n in (own, lead)}
        if (own is not None or lead is not None) and not bodies:
            continue
        if organisation is not None and organisation not in _parts(task.task):
            continue
        if not bodies and not can_read_plan(principal, state, found):
            continue
        stands = state_of_all([b.state for b in bodies.values()])
        if wanted in (None, stands) and late in (None, stands == "overdue"):
            rows.append((number, task, bodies, stands))
    if format != "json":
        listed = [(task, bodies) for _, task, bodies, _ in rows]
        made = sheet(ledger, listed, names, sandbox=state.settings.sandbox)
        return sheet_answer(made, format, f"{plan}-tasks")
    shown, following = page(rows, lambda row: [row[0]], cursor, limit)
    tally = dict.fromkeys(STATES, 0)
    for *_, stands in rows:
        tally[stands] += 1
    return json_answer(
        {
            "plan": plan,
            "version": found.version,
            "on": ledger.on,
            "known_at": known_at,
            "position": ledger.position,
            "total": len(rows),
            "states": tally,
            "late": tally["overdue"],
            "budget_million_vnd": sum(t.task.get("budget_million_vnd") or 0 for _, t, _, _ in rows),
            "next": following,
            "organisations": names,
            "tasks": [task_json(task, bodies) for _, task, bodies, _ in shown],
        },
        if_none_match,
    )


@router.get("/{task}", response_class=Response)
async def show_task(
    state: Registry,
    principal: CurrentPrincipal,
    plan: str,
    task: str,
    on: On = None,
    known_at: KnownAt = None,
    unit: Who = None,
    organisation: Lead = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """One task with every lead body: its current occurrence, what holds and what is lacking. With
    `unit` or `organisation` that body alone, with every occurrence so far and all it has stated."""
    found = state.plan(plan, on)
    see_plan(principal, state, found)
    organisations_of(found, organisation=organisation)
    today = state.clock.today()
    for name, day in (("on", on), ("known_at", known_at)):
        not_future(day, name, today)
    ledger = await task_ledger(state, found, on, known_at)
    one = task_of(ledger, task)
    bodies = visible(principal, state, found, one)
    own = organisation
    wanted_unit = authorize_unit(principal, state, found, unit, on or today)
    if wanted_unit is not None:
        own = body_in(state, found, wanted_unit, on or today)
    if own is not None:
        if own not in one.standings and (unit or organisation) is not None:
            raise not_lead(one)
        bodies = {name: stands for name, stands in bodies.items() if name == own}
    said = [s for name in bodies for s in one.said.get(name, ())]
    said.sort(key=lambda s: (s.on, s.position))
    answer = task_json(one, bodies) | {
        "plan": plan,
        "on": ledger.on,
        "known_at": known_at,
        "position": ledger.position,
        "standings": [
            body_json(one.bodies[name], stands, whole=own is not None)
            for name, stands in bodies.items()
        ],
        "statements": [statement_json(s) for s in said],
    }
    if can_read_plan(principal, state, found):
        answer["statements_not_by_a_lead"] = [statement_json(s) for s in one.ignored]
    return json_answer(answer, if_none_match)


def not_lead(task: TaskStanding) -> Problem:
    names = [b.name_vi for b in task.bodies.values()]
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return Problem(
        "not-lead",
        "This body does not lead the task.",
        pointer="/unit",
        hint=f"It is led by: {'; '.join(names[:5])}{more}.",
    )


def task_of(ledger: Ledger, task: str) -> TaskStanding:
    """One task of a plan; 404 with where to find their names."""
    for found in ledger.tasks:
        if found.task["id"] == task:
            return found
    raise Problem(
        "task-unknown",
        "The plan has no such task.",
        status=404,
        pointer="/task",
        hint=f"GET /v1/plans/{ledger.plan.plan}/tasks lists them.",
    )


def organisations_of(plan: PlanVersion, **asked: str | None) -> dict[str, str]:
    """The plan's organisations by id; 404 for one that somebody asks for and the plan lacks."""
    names = {o["id"]: o["name_vi"] for o in plan.document["organisations"]}
    for name, value in asked.items():
        if value is not None and value not in names:
            raise Problem(
                "organisation-unknown",
                "The plan names no such organisation.",
                status=404,
                pointer=f"/{name}",
                hint=f"GET /v1/plans/{plan.plan} lists `organisations`.",
            )
    return names


def _known(value: str | None, among: tuple[str, ...], name: str) -> None:
    if value is not None and value not in among:
        raise Problem(
            f"{name}-unknown",
            f"There is no such {name} of a list of tasks.",
            pointer=f"/{name}",
            hint=f"There are: {', '.join(among)}.",
        )


def _parts(task: dict[str, Any]) -> list[str]:
    return [
        name
        for role in ("lead", "coordinate", "direct", "implement")
        for name in task.get(role) or []
    ]
