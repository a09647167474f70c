"""`GET /v1/events/{position}` and `POST /v1/explanations`: one event, or a page of them."""

from datetime import date
from typing import Any

import msgspec
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from services.metrics.access import CurrentPrincipal, authorize_unit, service
from services.metrics.explaining.explain import MOST, Explainer
from services.metrics.explaining.judging import Explanation, Served
from services.metrics.explaining.reasons import REASONS
from shared.bodies import SMALL, read_json
from shared.openapi_types import answers
from shared.problems import Problem

router = APIRouter(tags=["events"])


class Question(msgspec.Struct, forbid_unknown_fields=True):
    """The body of `POST /v1/explanations`."""

    positions: list[int]


class ServedObjective(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One objective that an event serves. `counts` False: `decided_by` these positions instead."""

    counts: bool
    plan: str
    objective: str
    plan_unit: str
    unit_id: str
    since: date
    until: date | None = None
    reason: str | None = None
    decided_by: list[int] = []


class ExplainedEvent(msgspec.Struct, kw_only=True):
    """What became of the event at a position. `origin`, `type`, `unit_id` are missing where its
    row is; `code` and `reason` where it is counted."""

    position: int
    watermark: int
    origin: int | msgspec.UnsetType = msgspec.UNSET
    type: str | msgspec.UnsetType = msgspec.UNSET
    unit_id: str | msgspec.UnsetType = msgspec.UNSET
    state: str
    objectives: list[ServedObjective]
    code: str | msgspec.UnsetType = msgspec.UNSET
    reason: str | msgspec.UnsetType | None = msgspec.UNSET


class BriefObjective(msgspec.Struct, kw_only=True):
    """An objective that an event serves, and whether it counts there."""

    plan: str
    objective: str
    unit_id: str
    counts: bool


class BriefExplanation(msgspec.Struct, kw_only=True):
    """What became of one event, without what it says."""

    position: int
    state: str
    code: str | None
    reason: str | None
    objectives: list[BriefObjective]


class Explanations(msgspec.Struct, kw_only=True):
    """One result for each position, in the order asked; complete up to `watermark`."""

    watermark: int
    results: list[BriefExplanation]


@router.get("/v1/events/{position}", responses=answers(ExplainedEvent))
async def explain_event(request: Request, principal: CurrentPrincipal, position: int) -> Response:
    """Which objectives the event at a position counts for, or why it does not count."""
    explainer: Explainer = request.app.state.explainer
    watermark, (found,) = await explainer.explain([position], records=True)
    if found.state == "not_yet" and found.code == "not_yet":
        raise Problem(
            "not-counted-yet",
            f"Position {position} is not counted yet; the watermark is {watermark}.",
            status=404,
            hint="Ask again in a moment.",
            retryable=True,
        )
    record = found.record
    about = None if record is None else record.unitid
    await authorize_unit(request, principal, about, events=True)
    answer = ExplainedEvent(
        position=position, watermark=watermark, state=found.state, objectives=[]
    )
    if record is not None:
        answer.origin, answer.type, answer.unit_id = (
            record.origin,
            record.short_type,
            record.unitid,
        )
    elif found.code == "position_unknown":
        raise Problem("position-unknown", f"The log has no position {position}.", status=404)
    # `counts` is always said: a reader that finds it missing would have to guess.
    answer.objectives = [
        ServedObjective(**{name: getattr(entry, name) for name in Served.__struct_fields__})
        for entry in found.objectives
    ]
    if found.code is not None:
        answer.code, answer.reason = found.code, found.reason
    return _json(answer)


@router.post("/v1/explanations", dependencies=[Depends(service)], responses=answers(Explanations))
async def explain_events(request: Request) -> Response:
    """The same, in brief, for up to 1,000 positions; `results` in the order of `positions`
    (services and administrators).

    Body: `{"positions": [1, 2, 3]}`. The answer never shows what an event says, whom it names or
    what a technical problem's message was.
    """
    explainer: Explainer = request.app.state.explainer
    positions = _positions(await read_json(request, SMALL))
    watermark, found = await explainer.explain(positions)
    return _json(Explanations(watermark=watermark, results=[_brief(one) for one in found]))


def _positions(question: Any) -> list[int]:
    try:
        positions = msgspec.convert(question, Question).positions
    except msgspec.ValidationError as error:
        raise Problem(
            "positions-malformed",
            'The body is not of the form {"positions": [1, 2, 3]}.',
            pointer="/positions",
            hint="Positions are whole numbers from receipts.",
        ) from error
    if len(positions) > MOST or any(not 0 < p < 2**63 for p in positions):
        raise Problem(
            "positions-malformed",
            f"Positions are at most {MOST:,} whole numbers from 1 on.",
            pointer="/positions",
            hint="Ask in several pages.",
        )
    return positions


def _brief(found: Explanation) -> BriefExplanation:
    # The reason that an operator's table keeps may quote a row; here the code's own text stands.
    reason = REASONS[found.code] if found.state in ("parked", "dismissed") and found.code else None
    return BriefExplanation(
        position=found.position,
        state=found.state,
        code=found.code,
        reason=reason or found.reason,
        objectives=[
            BriefObjective(
                plan=entry.plan,
                objective=entry.objective,
                unit_id=entry.unit_id,
                counts=entry.counts,
            )
            for entry in found.objectives
        ],
    )


def _json(value: Any) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")
