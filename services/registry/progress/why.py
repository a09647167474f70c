"""`.../series`, `.../evidence`, `.../changes`: how a number grew, what proves it, why it changed.

Metrics computes them; registry resolves the plan, the unit and the days, and adds the way from an
event to its receipt and its trace.
"""

from datetime import date
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

import httpx
import msgspec
from fastapi import APIRouter, Query
from fastapi.responses import Response

from services.registry.access import CurrentPrincipal, see_events
from services.registry.answers import IfNoneMatch, json_answer
from services.registry.metrics import ask_metrics
from services.registry.parameters import AsOf, KnownAt
from services.registry.plans.territory import in_plan
from services.registry.reach import authorize_unit
from services.registry.state import JoinedRoute, Registry, State, not_future
from shared import answers
from shared.contracts.record import record_decoder
from shared.days import FullDate
from shared.peers import READ
from shared.problems import Problem
from shared.telemetry import span_context

router = APIRouter(prefix="/v1/plans/{plan}", tags=["progress"], route_class=JoinedRoute)

Unit = Annotated[str | None, Query(max_length=80, description="code or code@era; the plan's")]

Position = Annotated[
    int | None, Query(ge=0, le=2**53, description="known up to this row, instead of known_at")
]


def check_objectives(state: State, plan: str, names: list[str]) -> None:
    """Refuse objectives that the plan does not have."""
    known = [o["id"] for o in state.plan(plan).document["objectives"]]
    if any(name not in known for name in names):
        raise Problem(
            "objective-unknown",
            "The plan has no such objective.",
            status=404,
            pointer="/objective",
            hint=f"Objectives: {', '.join(known)}.",
        )


def unit_id_of(state: State, plan: str, unit: str | None, on: date) -> str:
    """The unit asked for, by default the plan's own."""
    found = state.plan(plan)
    own: str = found.document["unit"]
    return own if unit is None else in_plan(state, found, unit, on).unit_id


async def series(
    state: State,
    plan: str,
    unit: str | None,
    objectives: list[str],
    start: date | None,
    end: date | None,
    every: str,
    known_at: date | None,
) -> dict[str, Any]:
    """The cells of one unit at the end of each day, week or month."""
    today = state.clock.today()
    for name, day in (("from", start), ("to", end), ("known_at", known_at)):
        not_future(day, name, today)
    check_objectives(state, plan, objectives)
    asked = {
        "plan": plan,
        "unit": unit_id_of(state, plan, unit, end or today),
        "objective": objectives or None,
        "from": start and start.isoformat(),
        "to": end and end.isoformat(),
        "every": every,
        "known_at": known_at and known_at.isoformat(),
    }
    found: dict[str, Any] = await ask_metrics(state.metrics, "/v1/series", asked)
    return found


@router.get("/series", response_class=Response)
async def show_series(
    state: Registry,
    principal: CurrentPrincipal,
    plan: str,
    unit: Unit = None,
    objective: Annotated[list[str] | None, Query(description="may be repeated; all")] = None,
    start: Annotated[
        FullDate | None, Query(alias="from", description="the plan's first day")
    ] = None,
    end: Annotated[FullDate | None, Query(alias="to", description="today")] = None,
    every: Literal["day", "week", "month"] = "week",
    known_at: KnownAt = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """One unit's cells at the end of every day, week or month."""
    unit = authorize_unit(principal, state, state.plan(plan), unit, end or state.clock.today())
    found = await series(state, plan, unit, objective or [], start, end, every, known_at)
    return json_answer(found, if_none_match)


async def evidence(
    state: State,
    plan: str,
    objective: str,
    unit: str | None,
    as_of: date | None,
    known_at: date | None,
    part: str,
    cursor: str | None,
    limit: int,
) -> dict[str, Any]:
    """The events behind a cell, with where their receipts are and the traces that brought them."""
    today = state.clock.today()
    not_future(as_of, "as_of", today)
    not_future(known_at, "known_at", today)
    check_objectives(state, plan, [objective])
    asked = {
        "plan": plan,
        "objective": objective,
        "unit": unit_id_of(state, plan, unit, as_of or today),
        "as_of": as_of and as_of.isoformat(),
        "known_at": known_at and known_at.isoformat(),
        "part": part,
        "cursor": cursor,
        "limit": limit,
    }
    found: dict[str, Any] = await ask_metrics(state.metrics, "/v1/evidence", asked)
    traces = await _traces(state, [event["position"] for event in found["events"]])
    for event in found["events"]:
        named = event.get("source") is not None
        about = urlencode({"source": event["source"], "id": event["id"]}) if named else ""
        event["receipt"] = f"/v1/receipts?{about}" if named else None
        event["trace_id"] = traces.get(event["position"])
    return found


async def _traces(state: State, positions: list[int]) -> dict[int, str]:
    """Trace ids of rows of the log; none when activities does not answer: they are an extra."""
    if not positions:
        return {}
    try:
        answer = await state.activities.post(
            "/v1/log/rows",
            json={"positions": positions, "through": max(positions)},
            extensions=READ,
        )
        answer.raise_for_status()
        rows = [
            record_decoder.decode(line) for line in answers.content(answer).splitlines() if line
        ]
    except (httpx.HTTPError, msgspec.DecodeError):
        return {}
    found = {}
    for row in rows:
        context = span_context(row.traceparent) if row.traceparent else None
        if context is not None:
            found[row.position] = f"{context.trace_id:032x}"
    return found


@router.get("/evidence", response_class=Response)
async def show_evidence(
    state: Registry,
    principal: CurrentPrincipal,
    plan: str,
    objective: str,
    unit: Unit = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    part: Annotated[str, Query(description="value, denominator, or a count beside")] = "value",
    cursor: Annotated[str | None, Query(description="`next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> Response:
    """The events that a cell counts, never for whom: source, id, day, weight, where each one's
    receipt is (an address of registry) and the trace that brought it."""
    unit = authorize_unit(principal, state, state.plan(plan), unit, as_of or state.clock.today())
    see_events(principal, state, unit_id_of(state, plan, unit, as_of or state.clock.today()))
    found = await evidence(state, plan, objective, unit, as_of, known_at, part, cursor, limit)
    return json_answer(found)


async def differences(
    state: State,
    plan: str,
    objective: str,
    place: str,
    days: dict[str, date | None],
    *,
    positions: tuple[int | None, int | None] = (None, None),
    part: str = "value",
    cursor: str | None = None,
    limit: int = 100,
) -> dict[str, Any]:
    """What changed a unit's number between two days (`from_as_of`, `from_known_at`, `to_as_of`,
    `to_known_at`) or two positions."""
    today = state.clock.today()
    for name, day in days.items():
        not_future(day, name, today)
    check_objectives(state, plan, [objective])
    asked = {
        "plan": plan,
        "objective": objective,
        "unit": place,
        **{name: day and day.isoformat() for name, day in days.items()},
        "from_position": positions[0],
        "to_position": positions[1],
        "part": part,
        "cursor": cursor,
        "limit": limit,
    }
    found: dict[str, Any] = await ask_metrics(state.metrics, "/v1/differences", asked)
    return found


@router.get("/changes", response_class=Response)
async def show_changes(
    state: Registry,
    principal: CurrentPrincipal,
    plan: str,
    objective: str,
    unit: Unit = None,
    from_as_of: AsOf = None,
    from_known_at: KnownAt = None,
    to_as_of: AsOf = None,
    to_known_at: KnownAt = None,
    from_position: Position = None,
    to_position: Position = None,
    part: Annotated[str, Query(description="value, denominator, or a count beside")] = "value",
    cursor: Annotated[str | None, Query(description="`next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Response:
    """Why a number is another one than before: every event and definition that changed it between
    two days, whether it happened in between or only became known; or between two positions of the
    log, exact within a day."""
    unit = authorize_unit(principal, state, state.plan(plan), unit, to_as_of or state.clock.today())
    place = unit_id_of(state, plan, unit, to_as_of or state.clock.today())
    see_events(principal, state, place)
    days = {
        "from_as_of": from_as_of, "from_known_at": from_known_at, "to_as_of": to_as_of,
        "to_known_at": to_known_at,
    }  # fmt: skip
    found = await differences(
        state, plan, objective, place, days, positions=(from_position, to_position), part=part,
        cursor=cursor, limit=limit,
    )  # fmt: skip
    return json_answer(found)
