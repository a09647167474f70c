"""What lead bodies state about their tasks, and what supervisors send back."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from services.registry.access import Writing
from services.registry.plans.territory import in_plan
from services.registry.state import Registry, State
from services.registry.tasks.fold import TaskStanding
from services.registry.tasks.ledger import task_ledger
from services.registry.tasks.model import NewReturn, NewStatement
from services.registry.tasks.routes import not_lead, task_of
from services.registry.tasks.standing import BodyStanding
from services.registry.tasks.statements import PROGRESSED, RETURNED
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
    if statement.after is not None and newest != statement.after:
        raise Problem(
            "statement-changed",
            "Somebody has stated something on this task since it was read.",
            status=409,
            pointer="/after",
            hint="Read the task again; send `after` with the position of its newest statement.",
            extra={"newest": newest},
        )
    said = statement.model_dump(mode="json", exclude_none=True)
    data = {name: said[name] for name in said if name not in ("unit", "after", "source")}
    data |= {"plan": plan, "task": task}
    if occurrence is not None:
        data["occurrence"] = occurrence
    return await write_today(
        state, caller, PROGRESSED, subject, data, statement.source, dry_run=dry_run
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
    if not _newest(one.standings[body], occurrence):
        raise Problem(
            "statement-missing",
            "This body has stated nothing on the task that could be sent back.",
            pointer="/task",
            hint="GET the task: `statements` lists what was stated.",
        )
    data = {"plan": plan, "task": task, "reason": remark.reason}
    if remark.organisation is not None:
        data["organisation"] = remark.organisation
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
    if unit is not None:
        body = in_plan(state, plan, unit, state.clock.today()).unit_id
        subject = body
    else:
        body, subject = str(organisation), plan.document["unit"]
    if body not in task.standings:
        raise not_lead(task)
    return body, subject


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


def _newest(stands: BodyStanding, occurrence: str | None) -> int:
    """The position of the newest statement on an occurrence; 0 where there is none."""
    for one in stands.occurrences:
        if occurrence in (None, one.occurrence.id) and one.statement is not None:
            return one.statement.position
    return 0
