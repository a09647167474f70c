"""`GET /v1/evidence`, `GET /v1/series`, `GET /v1/differences`: what stands behind a number."""

from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from services.metrics.access import CurrentPrincipal, authorize_unit
from services.metrics.explaining.difference_answers import Difference
from services.metrics.explaining.differences import MOST as MOST_EFFECTS
from services.metrics.explaining.differences import Differences
from services.metrics.explaining.evidence import MOST as MOST_PROOFS
from services.metrics.explaining.evidence import EvidencePages, Page
from services.metrics.explaining.series import Series, SeriesMaker
from services.metrics.tables.cells_routes import LEVELS
from shared.days import FullDate
from shared.lane_consumer import LogReader
from shared.openapi_types import answers
from shared.problems import Problem

router = APIRouter(tags=["why"])

_encode = msgspec.json.Encoder().encode
LevelName = Annotated[str | None, Query(pattern=LEVELS)]
MOST_POSITION = 2**62
PartName = Annotated[str, Query(description="value, denominator, or the id of a count beside")]


@router.get("/v1/evidence", responses=answers(Page))
async def evidence(
    request: Request,
    principal: CurrentPrincipal,
    plan: str,
    objective: str,
    unit: str | None = None,
    as_of: FullDate | None = None,
    known_at: FullDate | None = None,
    tree: str = "as_of",
    part: PartName = "value",
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=MOST_PROOFS)] = 100,
) -> Response:
    """The events that a cell counts, by position; never for whom.

    `{"plan", "plan_version", "objective", "part", "unit_id", "as_of", "known_at", "tree",
    "position", "figure": "n|total|units", "counted", "cell": {...}, "events": [{"position", "said_at",
    "source", "id", "type", "unit_id", "occurred", "since", "until", "recorded", "weight", "in_unit"}],
    "next": cursor|null}`. The weights of all pages add up to `counted`, the cell's value. In a share
    of units (`figure` units) the first event of each unit that has reached its threshold stands for
    it, with weight 1; `in_unit` is what each event is of its unit's own count. `said_at` is there
    when a correction says what counts.
    """
    unit = await authorize_unit(request, principal, unit, events=True)
    pages = EvidencePages(request.app.state.moments, lambda: _reader(request))
    answer = await pages.ask(
        plan=plan,
        objective=objective,
        unit=unit,
        as_of=as_of,
        known_at=known_at,
        tree=tree,
        part=part,
        cursor=cursor,
        limit=limit,
    )
    return _json(answer)


@router.get("/v1/series", responses=answers(Series))
async def series(
    request: Request,
    principal: CurrentPrincipal,
    plan: str,
    unit: str | None = None,
    objective: Annotated[list[str] | None, Query()] = None,
    level: LevelName = None,
    start: Annotated[FullDate | None, Query(alias="from")] = None,
    end: Annotated[FullDate | None, Query(alias="to")] = None,
    every: Literal["day", "week", "month"] = "week",
    known_at: FullDate | None = None,
    tree: str = "as_of",
) -> Response:
    """Cells at the end of every day, week or month: of a unit and, with `level`, those below it.

    `{"plan", "plan_version", "unit_id", "level", "objectives": [id], "start", "end", "every",
    "known_at", "position", "not_in_operation", "points": [{"as_of", "cells": [{...}]}]}`. The last
    point is that of `to` itself (default: today); `from` defaults to the plan's first day;
    `objective` may be repeated, default all.
    """
    unit = await authorize_unit(request, principal, unit)
    answer = await SeriesMaker(request.app.state.moments).ask(
        plan=plan,
        unit=unit,
        objectives=objective or [],
        level=level,
        start=start,
        end=end,
        every=every,
        known_at=known_at,
        tree=tree,
    )
    return _json(answer)


@router.get("/v1/differences", responses=answers(Difference))
async def differences(
    request: Request,
    principal: CurrentPrincipal,
    plan: str,
    objective: str,
    unit: str | None = None,
    from_as_of: FullDate | None = None,
    from_known_at: FullDate | None = None,
    to_as_of: FullDate | None = None,
    to_known_at: FullDate | None = None,
    from_position: Annotated[int | None, Query(ge=0, le=MOST_POSITION)] = None,
    to_position: Annotated[int | None, Query(ge=0, le=MOST_POSITION)] = None,
    tree: str = "as_of",
    part: PartName = "value",
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=MOST_EFFECTS)] = 100,
) -> Response:
    """Why a cell is another one at (to_as_of, to_known_at) than at (from_as_of, from_known_at).

    `{"plan", "objective", "part", "figure", "unit_id", "position", "before": {"as_of", "known_at",
    "position", "tree", "not_in_operation", "count", "cell"}, "after": {...}, "change", "by_definitions",
    "by_events", "unexplained", "definitions": [{"what", "before", "after", "effect"}],
    "definition_events": [{"position", "type", "source", "id", "unit_id", "recorded", "valid"}],
    "events": [{"position", "origin", "how", "effect", "source", "id", "type", "about", "unit_id",
    "occurred", "recorded"}], "total_events", "next"}`.

    `change` = `by_definitions` + `by_events` (the sum of `effect` over all pages) + `unexplained`,
    which is 0 unless evidence is missing. `how`: happened, ended, passed (the days went on);
    recorded, corrected, revoked (it became known). A day left out means today, or all known now.

    `from_position`, `to_position` instead of the known_at: as known after that row of the log (0:
    before the first), exactly, also within a day; what happened within one day is then told step by
    step. Problems: position-not-counted, position-too-early, differences-mixed.
    """
    for name, position, day in (
        ("from_position", from_position, from_known_at),
        ("to_position", to_position, to_known_at),
    ):
        if position is not None and day is not None:
            raise Problem(
                "differences-mixed",
                "What was known is given twice, by day and by position.",
                hint="Give known_at or position.",
                pointer=f"/{name}",
            )
    unit = await authorize_unit(request, principal, unit, events=True)
    answer = await Differences(request.app.state.moments, lambda: _reader(request)).ask(
        plan=plan,
        objective=objective,
        unit=unit,
        before=(from_as_of, from_known_at if from_position is None else from_position),
        after=(to_as_of, to_known_at if to_position is None else to_position),
        tree=tree,
        part=part,
        cursor=cursor,
        limit=limit,
    )
    return _json(answer)


def _reader(request: Request) -> LogReader:
    reader: LogReader = request.app.state.reader
    return reader


def _json(value: Any) -> Response:
    return Response(_encode(value), media_type="application/json")
