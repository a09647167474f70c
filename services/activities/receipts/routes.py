"""Reading the log: replay for services, receipts for partners."""

from typing import Annotated

import asyncpg
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from services.activities.keys.model import READ_LOG
from services.activities.keys.routes import Authenticated, authenticated
from services.activities.log.replay import replay, rows_of
from services.activities.receipts import receipts, recent
from services.activities.receipts.receipts import limit_receipts
from shared.contracts.record import LANES
from shared.json_types import Whole

router = APIRouter()

Position = Annotated[Whole, Field(ge=0, lt=2**63)]


@router.get("/v1/log", tags=["log"], response_class=Response)
async def read_log(
    request: Request,
    after: Annotated[int, Query(ge=0, description="rows after this position")] = 0,
    lane: Annotated[
        list[Annotated[int, Query(ge=0, lt=LANES)]] | None, Query(description="lanes; default all")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=20_000)] = 5_000,
    types: Annotated[
        list[Annotated[str, Query(max_length=100)]] | None,
        Query(alias="type", description="short event types; default all", max_length=200),
    ] = None,
) -> Response:
    """Rows of the log as NDJSON, closed by one completeness marker.

    With `type` (may be repeated), first rows of other types are left out; rows that revise an event
    always come. Such a page may be empty before the log's end: go on while `through` grows.

    The marker's `through` is the position up to which the rows named are all there are in those
    lanes, `last` each lane's last position up to it. Rows hold pseudonyms: the key needs the scope
    `log:read`, which no partner gets.
    """
    key = await authenticated(request)
    key.require(READ_LOG)
    pool: asyncpg.Pool = request.app.state.pool
    body = await replay(pool, after, sorted(set(lane or range(LANES))), limit, types)
    return Response(body, media_type="application/x-ndjson")


class RowsOf(BaseModel):
    """Which rows of the log to read."""

    model_config = ConfigDict(extra="forbid")

    positions: Annotated[list[Position], Field(max_length=1_000)]
    through: Position = Field(description="of their events, rows up to this position")


@router.post("/v1/log/rows", tags=["log"], response_class=Response)
async def read_rows(request: Request, asked: RowsOf, key: Authenticated) -> Response:
    """The rows at some positions and all rows of their events (scope `log:read`), as NDJSON.

    So the whole present truth of a page of events is read at once, wherever its rows lie.
    """
    key.require(READ_LOG)
    body = await rows_of(request.app.state.pool, asked.positions, asked.through)
    return Response(body, media_type="application/x-ndjson")


@router.get("/v1/events/recent", tags=["events"])
async def read_recent(
    request: Request,
    key: Authenticated,
    source: Annotated[str, Query(min_length=1, max_length=2048)],
    id: Annotated[str | None, Query(max_length=512, description="only this event")] = None,
    limit: Annotated[int, Query(ge=1, le=recent.MOST)] = 20,
) -> recent.RecentEvents:
    """The events that the key's partner posted last under a source, newest first.

    Never those of anybody else, whatever the key may do besides. What each says now, after
    corrections, tells its receipt.
    """
    return await recent.recent_events(request.app.state.pool, key.name, source, id, limit)


@router.get("/v1/events", tags=["events"])
async def read_receipt(
    request: Request,
    source: Annotated[str, Query(min_length=1, max_length=2048)],
    id: Annotated[str, Query(min_length=1, max_length=512)],
) -> receipts.Receipt | receipts.RefusedReceipt:
    """The receipt of one event: accepted, published, counted, visible; with times and trace id.

    It says for which objectives the event was accepted into counting, or why it was not. An event
    that was refused has a receipt too, with the reason. A partner sees its own events only, and not
    whether other events of the same person count already; it may ask 600 times a minute. Services
    that read the log (registry, which shows its staff their units' receipts) see all that is in it.
    """
    key = await authenticated(request)
    state = request.app.state
    partner = None if key.is_administrator else key.name
    if READ_LOG not in key.scopes and partner is not None:
        limit_receipts(state.receipt_limit, partner)
    reads_all = None if READ_LOG in key.scopes else partner
    found = await receipts.receipt(state.pool, source, id, reads_all)
    if found is None:
        return await receipts.refused_receipt(state.pool, source, id, partner)
    return await receipts.explained(found, state.explanations, whole=reads_all is None)
