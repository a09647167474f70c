"""`/v1/parked`: what waits because it cannot be counted; for administrators only.

References and records are never shown.
"""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from services.metrics.access import administrator
from services.metrics.projecting import parking
from shared.in_clear import refuse_in_clear
from shared.openapi_types import answers
from shared.problems import Problem

router = APIRouter(tags=["parked"], dependencies=[Depends(administrator)])

Position = Annotated[int, Path(ge=1, lt=2**63)]


class Reason(BaseModel):
    """Why a row is given up for good; kept with it. Name no person in it."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(min_length=3, max_length=500)]


class ParkedSubject(msgspec.Struct, kw_only=True):
    """A subject that waits. `position`: of the first of its `rows`; `since`: with the zone."""

    position: int
    rows: int
    since: str
    type: str
    unit_id: str
    problem: str


class ParkedSubjects(msgspec.Struct, kw_only=True):
    """Subjects that wait, oldest first, and how many there are."""

    subjects: list[ParkedSubject]
    total: int


class Retried(msgspec.Struct, kw_only=True):
    """What became of a subject that was counted again; `problem`: why it still waits."""

    position: int
    counted: bool
    problem: str | None


class Dismissed(msgspec.Struct, kw_only=True):
    """A row that was given up for good."""

    position: int
    dismissed: bool = True


@router.get("/v1/parked", responses=answers(ParkedSubjects))
async def parked(request: Request) -> Response:
    """Subjects that wait, oldest first: `{"subjects": [{"position", "rows", "since", "type",
    "unit_id", "problem"}], "total"}`; `position` is that of the first row that waits."""
    subjects, total = await parking.waiting(request.app.state.pool)
    found = [msgspec.convert(one, ParkedSubject) for one in subjects]
    return _json(ParkedSubjects(subjects=found, total=total))


@router.post("/v1/parked/{position}/retry", responses=answers(Retried))
async def retry(request: Request, position: Position) -> Response:
    """Count the subject of a waiting row again, with all its rows or none: `{"position",
    "counted", "problem"}`."""
    done = await parking.retry_waiting(
        request.app.state.pool, request.app.state.catalogue, position
    )
    if not done:
        raise _nothing_waits()
    return _json(Retried(**done[0]))


@router.post("/v1/parked/{position}/dismiss", responses=answers(Dismissed))
async def dismiss(request: Request, position: Position, said: Reason) -> Response:
    """Give one waiting row up for good. The rows that follow it wait: retry them afterwards."""
    refuse_in_clear(said.reason, "/reason")
    if not await parking.dismiss(request.app.state.pool, position, said.reason):
        raise _nothing_waits()
    return _json(Dismissed(position=position))


def _nothing_waits() -> Problem:
    return Problem(
        "not-parked",
        "No row waits at this position.",
        status=404,
        hint="GET /v1/parked lists what waits.",
        pointer="/position",
    )


def _json(value: Any) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")
