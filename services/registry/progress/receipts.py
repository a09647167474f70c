"""`GET /v1/receipts`: the way of one event, for staff of the unit that it is of.

Activities gives partners the receipts of what they sent. Staff look at events that others sent for
their units: registry asks with its own key, and shows what the reader may see.
"""

from typing import Annotated, Any

import httpx
from fastapi import APIRouter, Query
from fastapi.responses import Response

from services.registry.access import CurrentPrincipal, see_events
from services.registry.answers import json_answer
from services.registry.state import Registry, State
from shared.auth import Principal
from shared.problems import Problem

router = APIRouter(prefix="/v1/receipts", tags=["progress"])

Source = Annotated[str, Query(min_length=1, max_length=2048, description="the event's source")]
Id = Annotated[str, Query(min_length=1, max_length=512, description="the event's id")]


async def receipt(state: State, principal: Principal, source: str, id: str) -> dict[str, Any]:
    """A receipt as activities gives it; 404 when the log has no such event."""
    try:
        answer = await state.activities.get("/v1/events", params={"source": source, "id": id})
    except httpx.HTTPError as error:
        raise _away(type(error).__name__) from error
    # What activities takes for no source or id at all (400, 422) names no event either.
    if answer.status_code in (400, 404, 422):
        raise Problem(
            "event-unknown",
            "The log has no event with this source and id.",
            status=404,
            pointer="/id",
            hint="Take both from `evidence`. What was refused: GET /v1/events of activities.",
        )
    if answer.status_code != 200:
        raise _away(f"HTTP {answer.status_code}")
    found: dict[str, Any] = answer.json()
    see_events(principal, state, found["unit_id"])
    return found


@router.get("", response_class=Response)
async def show_receipt(
    state: Registry, principal: CurrentPrincipal, source: Source, id: Id
) -> Response:
    """When an event was accepted, published, counted and visible, what it counts for or why not,
    and the trace that brought it (`hocvuso trace SOURCE ID` on the server)."""
    return json_answer(await receipt(state, principal, source, id))


def _away(reason: str) -> Problem:
    return Problem(
        "activities-not-available",
        f"activities, which keeps the log, did not answer ({reason}).",
        status=503,
        hint="Send the same request again in a moment.",
        retryable=True,
        retry_after=2,
    )
