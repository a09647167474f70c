"""What lead bodies state about their tasks, and what supervisors send back."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import Response

from services.registry.access import Writing
from services.registry.answers import json_answer
from services.registry.plans.territory import body_in, posted_for
from services.registry.state import Registry, State
from services.registry.tasks.fold import TaskStanding
from services.registry.tasks.ledger import task_ledger
from services.registry.tasks.model import NewReturn, NewStatement
from services.registry.tasks.occurrences import ONCE
from services.registry.tasks.routes import not_lead, task_of
from services.registry.tasks.standing import BodyStanding
from services.registry.tasks.statements import PROGRESSED, RETURNED, Statement
from services.registry.writing import check_supervisor, write_today
from shared.domain.plan_history import PlanVersion
from shared.problems import Problem

router = APIRouter(prefix="/v1/plans/{plan}/tasks", tags=["tasks"])


@router.post("/{task}/statements", response_class=Response)
async def state_progress(
    state: Registry,
    plan: str,
    task: str,
    statement: NewStatement,
    caller: Writing,
    dry_run: Annotated[bool, Query(description="judge only, write nothing")] = False,
) -> Response:
    """A lead body states how far its task has come, as an event under the caller's own key. It
    closes only what no event can prove (`closed_by`)."""
    found = state.plan(plan)
    one = task_of(await task_ledger(state, found), task)
    body, subject = _lead_body(state, found, one, statement.unit, statement.organisation)
    stands = one.standings[body]
    occurrence = _occurrence(stands, statement.occurrence)
    newest = _newest(stands, occurrence)
    said = statement.model_dump(mode="json", exclude_none=True)
    data = {name: said[name] for name in said if name not in ("unit", "after", "source")}
    data |= {"plan": plan, "task": task}
    if one.bodies[body].unit_id is None:
        data["organisation"] = body
    if occurrence is not None:
        data["occurrence"] = occurrence
    if statement.after is None and newest is not None and _again(newest, data, state):
        return json_answer({"dry_run": dry_run, "event": None, "result": _known(newest)})
    seen = newest.position if newest is not None else 0
    if (statement.after or 0) != seen:
        raise _changed(seen)
    # Of two that replace the same statement at once, the log takes the first: their ids are one.
    voided = await state.pool.fetchval(_VOIDED, PROGRESSED)
    id = "-".join([PROGRESSED, plan, task, body, occurrence or ONCE, str(seen), str(voided)])
    try:
        return await write_today(
            state, caller, PROGRESSED, subject, data, statement.source, dry_run=dry_run, id=id
        )
    except Problem as problem:
        if problem.code != "event-conflict":
            raise
        raise _changed(seen) from None


_VOIDED = "SELECT coalesce(max(position), 0) FROM journal WHERE type = $1 AND content IS NULL"


def _again(newest: Statement, data: dict[str, Any], state: State) -> bool:
    """Whether the newest statement is the same of the same day: it was sent again."""
    said = {name: value for name, value in newest.data.items() if name in data}
    return said == data and newest.on == state.clock.today() and newest.returned is None


def _known(newest: Statement) -> dict[str, Any]:
    fact = newest.fact
    about = {"index": 0, "source": fact.source, "id": fact.id}
    return about | {"status": "duplicate", "position": newest.position}


def _changed(seen: int) -> Problem:
    return Problem(
        "statement-changed",
        "Somebody has stated something on this task that this statement does not name.",
        status=409,
        pointer="/after",
        hint="Read the task again; send `after` with the position of its newest statement.",
        extra={"newest": seen},
    )


@router.post("/{task}/returns", response_class=Response)
async def send_back(
    state: Registry,
    plan: str,
    task: str,
    remark: NewReturn,
    caller: Writing,
    dry_run: Annotated[bool, Query(description="judge only, write nothing")] = False,
) -> Response:
    """A supervisor of the plan sends the newest statement of a lead body back, with the reason."""
    found = state.plan(plan)
    check_supervisor(state, found, caller, "/task")
    one = task_of(await task_ledger(state, found), task)
    body, subject = _lead_body(state, found, one, remark.unit, remark.organisation)
    occurrence = _occurrence(one.standings[body], remark.occurrence)
    if _newest(one.standings[body], occurrence) is None:
        raise Problem(
            "statement-missing",
            "This body has stated nothing on the task that could be sent back.",
            pointer="/task",
            hint="GET the task: `statements` lists what was stated.",
        )
    data = {"plan": plan, "task": task, "reason": remark.reason}
    if one.bodies[body].unit_id is None:
        data["organisation"] = body
    if occurrence is not None:
        data["occurrence"] = occurrence
    return await write_today(state, caller, RETURNED, subject, data, remark.source, dry_run=dry_run)


def _lead_body(
    state: State,
    plan: PlanVersion,
    task: TaskStanding,
    unit: str | None,
    organisation: str | None,
) -> tuple[str, str]:
    """The lead body somebody speaks for, and the unit its event is posted for."""
    if (unit is None) == (organisation is None):
        raise Problem(
            "lead-missing",
            "Say who leads the task: either `unit` or `organisation`.",
            pointer="/unit",
            hint="A commune is a unit; a department of the plan is an organisation.",
        )
    body = organisation or body_in(state, plan, str(unit), state.clock.today())
    if body not in task.standings:
        raise not_lead(task)
    return body, posted_for(state, plan, body)


def _occurrence(stands: BodyStanding, wanted: str | None) -> str | None:
    """The occurrence that is meant: the one named, else the current one of a task that recurs."""
    known = [o.occurrence.id for o in stands.occurrences]
    if len(known) == 1 and wanted is None:
        return None
    if wanted is None:
        return stands.current.occurrence.id
    if wanted not in known:
        raise Problem(
            "occurrence-unknown",
            "The task has no such occurrence, or it has not begun.",
            pointer="/occurrence",
            hint=f"Those that have begun: {', '.join(known[-12:])}.",
        )
    return wanted


def _newest(stands: BodyStanding, occurrence: str | None) -> Statement | None:
    """The newest statement on an occurrence."""
    for one in stands.occurrences:
        if occurrence in (None, one.occurrence.id) and one.statement is not None:
            return one.statement
    return None
