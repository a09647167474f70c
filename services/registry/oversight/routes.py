"""`.../inspections` and `.../feedback`: what was found and said, and whether it was followed up."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response

from services.registry.access import CurrentPrincipal
from services.registry.answers import json_answer, page
from services.registry.asking import AskedEvents, AskedPage
from services.registry.journal.store import Fact, standing
from services.registry.oversight.feedback import STATES as FEEDBACK_STATES
from services.registry.oversight.feedback import feedback_json
from services.registry.oversight.inspections import STATES as INSPECTION_STATES
from services.registry.oversight.inspections import inspections
from services.registry.plans.territory import answering_area, covered_by, in_plan
from services.registry.reach import authorize_unit, can_read, see_plan
from services.registry.state import Registry, State, not_future
from shared.auth import Principal
from shared.domain.plan_history import PlanVersion
from shared.problems import Problem

router = APIRouter(prefix="/v1/plans/{plan}", tags=["oversight"])


@router.get("/inspections", response_class=Response)
async def list_inspections(
    state: Registry,
    principal: CurrentPrincipal,
    plan: str,
    asked: Annotated[AskedEvents, Depends()],
    paged: Annotated[AskedPage, Depends()],
    wanted: Annotated[
        str | None, Query(alias="state", description=", ".join(INSPECTION_STATES))
    ] = None,
) -> Response:
    """Inspections and supervision in the plan's units since its first day, newest first, each with
    its re-checks: what was found, what has to be remedied until when, and whether it was."""
    _among(wanted, INSPECTION_STATES)
    found, day, facts = await _facts(state, principal, plan, "inspection.held", asked)
    rows = [one for one in inspections(facts, day) if wanted in (None, one.state)]
    shown, following = page(rows, lambda r: [-r.fact.position], paged.cursor, paged.limit)
    return json_answer(
        _about(found, day, asked.known_at, len(rows), following)
        | {"inspections": [one.json() for one in shown]},
        paged.if_none_match,
    )


@router.get("/feedback", response_class=Response)
async def list_feedback(
    state: Registry,
    principal: CurrentPrincipal,
    plan: str,
    asked: Annotated[AskedEvents, Depends()],
    paged: Annotated[AskedPage, Depends()],
    wanted: Annotated[
        str | None, Query(alias="state", description=", ".join(FEEDBACK_STATES))
    ] = None,
) -> Response:
    """What residents said in the plan's units since its first day, newest first, and what became
    of it."""
    _among(wanted, FEEDBACK_STATES)
    found, day, facts = await _facts(state, principal, plan, "feedback.received", asked)
    rows = [(f, one) for f in facts if wanted in (None, (one := feedback_json(f, day))["state"])]
    shown, following = page(rows, lambda r: [-r[0].position], paged.cursor, paged.limit)
    return json_answer(
        _about(found, day, asked.known_at, len(rows), following)
        | {"feedback": [one for _, one in shown]},
        paged.if_none_match,
    )


async def _facts(
    state: State,
    principal: Principal,
    plan: str,
    type: str,
    asked: AskedEvents,
) -> tuple[PlanVersion, date, list[Fact]]:
    found, today = state.plan(plan), state.clock.today()
    for name, wanted_day in (("on", asked.on), ("known_at", asked.known_at)):
        not_future(wanted_day, name, today)
    day = asked.on or today
    see_plan(principal, state, found)
    wanted = authorize_unit(principal, state, found, asked.unit, day)
    units = sorted(answering_area(state, found))
    if wanted is not None:
        top = in_plan(state, found, wanted, day).unit_id
        units = [name for name in units if name in covered_by(state, top)]
    units = [name for name in units if can_read(principal, state, name)]
    since = date.fromisoformat(found.document["period"]["start"])
    facts = await standing(
        state.pool, [type], units, known_at=asked.known_at, since=since, until=day
    )
    return found, day, facts


def _about(
    plan: PlanVersion, on: date, known_at: date | None, total: int, following: str | None
) -> dict[str, Any]:
    return {"plan": plan.plan, "on": on, "known_at": known_at, "total": total, "next": following}


def _among(wanted: str | None, states: tuple[str, ...]) -> None:
    if wanted is not None and wanted not in states:
        raise Problem(
            "state-unknown",
            "There is no such state of it.",
            pointer="/state",
            hint=f"States: {', '.join(states)}.",
        )
