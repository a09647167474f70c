"""What one body of a plan has to do: its tasks and its duties, late ones first."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from services.registry.access import CurrentPrincipal
from services.registry.plans.routes import plan_json
from services.registry.reach import see_plan
from services.registry.reports.ledger import Account
from services.registry.reports.routes import accounts
from services.registry.reports.whose import limited
from services.registry.state import Registry
from services.registry.tasks.ledger import task_ledger
from services.registry.tasks.routes import visible
from services.registry.tasks.words import TASK, condition_vi
from services.registry.web import words
from services.registry.web.frame import BODY_COOKIE
from services.registry.web.render import JoinedPageRoute, show
from shared.problems import Problem

router = APIRouter(
    prefix="/plans/{plan}/work", route_class=JoinedPageRoute, include_in_schema=False
)

_URGENCY = ("overdue", "blocked", "in_progress", "not_started", "done_late", "done")
_OWED = ("returned", "missing", "due", "not_received", "open", "unknown")
"""States of a duty that still asks for something, the most urgent first."""
Tasks = list[dict[str, Any]]


@router.get("")
async def work_page(
    request: Request,
    state: Registry,
    principal: CurrentPrincipal,
    plan: str,
    body: Annotated[str, Query(max_length=100)] = "",
) -> HTMLResponse:
    """The bodies of the plan with how much is late at each; with `body` what is its own."""
    found, today = state.plan(plan), state.clock.today()
    see_plan(principal, state, found)
    tasks: dict[str, Tasks] = {}
    names: dict[str, str] = {}
    for task in (await task_ledger(state, found)).tasks:
        for name, stands in visible(principal, state, found, task).items():
            if task.bodies[name].unit_id is not None and name != body:
                continue  # communes have a page of their own
            names[name] = task.bodies[name].name_vi
            tasks.setdefault(name, []).append({"task": task.task, "stands": stands})
    duties: dict[str, Tasks] = {}
    for account in await accounts(state, found, today):
        for debtor, label, duty in _duties(limited(principal, state, found, account), today):
            if debtor == body or "@" not in debtor:
                names[debtor] = label
                duties.setdefault(debtor, []).append(duty)
    if body and body not in names:
        raise Problem(
            "organisation-unknown", "The plan gives this body nothing to do.", status=404,
            pointer="/body", hint="Choose one of the bodies of the page.",
        )  # fmt: skip
    own = sorted(tasks.get(body, ()), key=lambda one: (
        _URGENCY.index(one["stands"].state), one["stands"].current.occurrence.last_day or date.max,
    ))  # fmt: skip
    owed = sorted(
        duties.get(body, ()), key=lambda d: (_OWED.index(d["state"]), d["last_day"] or date.max)
    )
    return show(
        state,
        "work.html",
        plan=plan_json(state, found),
        body=body,
        name=names.get(body, ""),
        bodies=_bodies(names, tasks, duties),
        tasks=own,
        duties=owed,
        late=sum(one["stands"].state == "overdue" for one in own),
        late_duties=sum(d["state"] in ("missing", "returned") for d in owed),
        columns={o["id"]: o.get("short_vi") or o["text_vi"] for o in found.document["objectives"]},
        objectives={o["id"]: o["text_vi"] for o in found.document["objectives"]},
        may_choose=principal.is_signed_in
        and body in {o["id"] for o in found.document["organisations"]},
        chosen=request.cookies.get(BODY_COOKIE) == f"{plan}/{body}",
        condition_vi=condition_vi,
        STATE=TASK,
        REPORT=words.REPORT,
    )


def _duties(account: Account, today: date) -> list[tuple[str, str, dict[str, Any]]]:
    """(id of who owes it, its name, the duty) of every period that has begun and is not met."""
    found = []
    for filled in account.periods:
        if filled.period.start > today:
            continue
        for entry in filled.entries:
            if entry.state in _OWED:
                duty = {
                    "obligation": account.obligation, "period": filled.period.id,
                    "last_day": filled.period.last_day, "state": entry.state,
                    "remark": entry.returned.data["remark"] if entry.returned else "",
                }  # fmt: skip
                found.append((entry.debtor.id, entry.debtor.name_vi, duty))
    return found


def _bodies(
    names: dict[str, str], tasks: dict[str, Tasks], duties: dict[str, Tasks]
) -> list[dict[str, Any]]:
    """Every body with what is late, the most late first."""
    listed = [
        {
            "id": id,
            "name": name,
            "tasks": len(tasks.get(id, ())),
            "late": sum(one["stands"].state == "overdue" for one in tasks.get(id, ())),
            "duties": sum(d["state"] in ("missing", "returned") for d in duties.get(id, ())),
        }
        for id, name in names.items()
    ]
    return sorted(listed, key=lambda b: (-int(b["late"]) - int(b["duties"]), str(b["name"])))
