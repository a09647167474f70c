"""What routes that write one event of today share."""

from datetime import datetime, time
from typing import Any

from fastapi.responses import Response

from services.registry.access import Writer
from services.registry.answers import json_answer
from services.registry.plans.territory import covered_by, unit_today
from services.registry.posting import content_id, event, post
from services.registry.state import State
from shared.clock import VIETNAM
from shared.domain.plan_history import PlanVersion
from shared.problems import Problem


async def write_today(
    state: State,
    caller: Writer,
    type: str,
    subject: str,
    data: dict[str, Any],
    source: str | None,
    *,
    dry_run: bool,
    id: str | None = None,
) -> Response:
    """Post one event of today under the caller's own key; what activities refuses is raised as the
    problem it was. Without an `id` the same content again on one day is a duplicate."""
    at = datetime.combine(state.clock.today(), time(), VIETNAM).isoformat()
    id = id or content_id(type, subject, at[:10], data=data)
    made = event(type, caller.source(source), id, subject, at, data)
    answer = await post(state.activities, caller.authorization, [made], dry_run=dry_run)
    return json_answer({"dry_run": dry_run, "event": made, "result": answer["results"][0]})


def check_supervisor(state: State, plan: PlanVersion, caller: Writer, pointer: str) -> None:
    """Refuse whoever does not answer for a whole plan."""
    bound = caller.principal.subtree
    answers = {plan.document["unit"], unit_today(state, plan)}
    if bound is not None and not answers & covered_by(state, bound):
        raise Problem(
            "not-supervisor",
            "Only whoever answers for the whole plan asks for reports and sends things back.",
            status=403,
            pointer=pointer,
            hint=f"The plan's unit is {plan.document['unit']}.",
        )
