"""`/v1/reconciliations`: what came from a source on a day, and what became of all of it."""

from collections.abc import AsyncIterator
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response, StreamingResponse

from services.activities.ingest.answers import encode
from services.activities.keys.model import Key
from services.activities.keys.routes import Authenticated, bearer
from services.activities.naming import partner_warnings, source_warnings
from services.activities.quarantine import store as quarantine
from services.activities.reconciliation import counted, manifest, tables
from services.activities.reconciliation import day as days
from services.activities.reconciliation.day import Day, Scope
from shared.days import FullDate

router = APIRouter(
    prefix="/v1/reconciliations", tags=["reconciliations"], dependencies=[Depends(bearer)]
)

AT_ONCE = 2
"""So many at a time read the log and sort, lest they take every connection of the pool."""

Source = Annotated[str, Query(min_length=1, max_length=512, description="exactly as posted")]
DayOf = Annotated[FullDate, Query(description="day of recording, in Vietnam")]
Partner = Annotated[str | None, Query(description="administrators only; default everybody")]


class Reconciliation(BaseModel):
    """One day of one source. `received` = accepted + duplicate + rejected; of the accepted:
    counted + counted_by_another_event + definition + pending + parked + dismissed + all of
    not_counted = explained, which is `accepted` unless `partial`."""

    source: str
    day: date
    partner: str | None = Field(description="whose events; null: everybody's")
    final: bool = Field(description="the day is over: nothing more is recorded on it")
    position: int = Field(description="the log's position of this answer")
    received: int
    accepted: int = Field(description="events that the log recorded on the day")
    duplicate: int
    rejected: int
    paths: dict[str, dict[str, int]] = Field(description="the same by way in")
    books_agree: bool = Field(description="the log holds exactly what the books say; always true")
    refused: dict[str, int] = Field(
        description="distinct contents refused that day: open, resolved since, dismissed; and"
        " how many refusals were not kept (the quarantine was full) or have expired"
    )
    refused_codes: dict[str, int] = Field(description="the open ones by reason")
    digest: str = Field(description="LC_ALL=C sort -u ids | sha256sum, over the accepted ids")
    counted: int
    counted_by_another_event: int = Field(
        description="the same person or thing counts already, by another event"
    )
    definition: int
    pending: int = Field(description="accepted, not yet counted")
    parked: int
    dismissed: int = Field(description="parked, and dismissed by an operator")
    not_counted: dict[str, int] = Field(description="by reason")
    explained: int
    partial: bool
    why_partial: str | None
    watermark: int | None = Field(description="the position up to which metrics has counted")
    warnings: list[str] = Field(description="that nothing ever came from this source, say")


def scope_of(key: Key, source: str, day: date, partner: str | None) -> Scope:
    """A partner's own events only; for an administrator anybody's."""
    return Scope(source, day, partner if key.is_administrator else key.name)


@router.get("", response_model=Reconciliation)
async def reconcile(
    request: Request,
    key: Authenticated,
    source: Source,
    day: DayOf,
    partner: Partner = None,
    seconds: Annotated[
        float, Query(ge=0, le=60, description="how long metrics may be asked; 0: not at all")
    ] = 20,
    format: Literal["json", "csv"] = "json",
) -> Any:
    """What was received from a source on a day, what was accepted, and what of that counts.

    A partner is told of its own events only. `digest` can be computed from a list of ids with two
    commands of any shell. CSV has the columns section, name, value.
    """
    scope, state = scope_of(key, source, day, partner), request.app.state
    async with state.reconciling:
        async with days.snapshot(state.pool) as connection:
            found = await days.read_day(connection, scope, state.clock.today())
            await days.count_accepted(connection, scope, found)
        refused = await days.refused(state.pool, scope)
        if seconds:
            told = await counted.count(
                state.pool, state.explanations, scope, found, seconds, whole=key.is_administrator
            )
        else:
            told = counted.Counted(why_partial="It was not asked for." if found.accepted else None)
    body = _body(scope, found, refused, told, await _warnings(request, scope))
    if format == "csv":
        return Response(tables.summary(body.model_dump(mode="json")), media_type=tables.CSV)
    return body


async def _warnings(request: Request, scope: Scope) -> list[str]:
    """What the request names and nobody knows: zeros would look like an answer."""
    pool = request.app.state.pool
    of_partner = await partner_warnings(pool, scope.partner)
    return of_partner or await source_warnings(pool, scope.source, scope.partner)


def _body(
    scope: Scope,
    day: Day,
    refused: dict[tuple[str, str], int],
    told: counted.Counted,
    warnings: list[str],
) -> Reconciliation:
    def total(state: str) -> int:
        return sum(n for (_, found), n in refused.items() if found == state)

    states = told.states
    return Reconciliation(
        source=scope.source,
        day=scope.day,
        partner=scope.partner,
        final=day.final,
        position=day.position,
        received=day.received,
        accepted=day.accepted,
        duplicate=day.booked["duplicate"],
        rejected=day.booked["rejected"],
        paths=day.paths,
        books_agree=day.booked["accepted"] == day.accepted,
        refused={
            **{state: total(state) for state in ("open", "resolved", "dismissed")},
            "not_kept": day.booked["not_kept"],
            "expired": day.booked["expired"],
        },
        refused_codes={code: n for (code, state), n in sorted(refused.items()) if state == "open"},
        digest=day.digest,
        counted=states["counted"],
        counted_by_another_event=states["counted_by_another_event"],
        definition=states["definition"],
        pending=states["not_yet"],
        parked=states["parked"],
        dismissed=states["dismissed"],
        not_counted=dict(sorted(told.codes.items())),
        explained=told.explained,
        partial=told.explained < day.accepted,
        why_partial=told.why_partial if told.explained < day.accepted else None,
        watermark=told.watermark,
        warnings=warnings,
    )


@router.get("/events", response_class=Response)
async def list_events(
    request: Request,
    key: Authenticated,
    source: Source,
    day: DayOf,
    partner: Partner = None,
    format: Literal["ndjson", "csv"] = "ndjson",
) -> Response:
    """Every event of a source and a day with what became of it, one a line, however many.

    Accepted ones in the order of the log (`state` as metrics tells it, `unknown` while it does not
    answer), then what was refused that day (`state` `rejected`, with its quarantine number).
    """
    scope, state = scope_of(key, source, day, partner), request.app.state
    async with state.pool.acquire() as connection:
        found = await days.read_day(connection, scope, state.clock.today())

    async def rows() -> AsyncIterator[tables.Row]:
        each = counted.each(
            state.pool, state.explanations, scope, found, whole=key.is_administrator
        )
        async for row, told in each:
            yield tables.accepted_row(row, told)
        before = 2**62
        wanted = quarantine.Filter(scope.partner, source=source, day=day)
        while page := await quarantine.page(state.pool, wanted, before, 500):
            for refused in page:
                if refused.state != "resolved":
                    yield tables.refused_row(refused)
            before = page[-1].number

    if format == "csv":
        return StreamingResponse(tables.csv_lines(rows()), media_type=tables.CSV)

    async def lines() -> AsyncIterator[bytes]:
        async for row in rows():
            yield encode(row) + b"\n"

    return StreamingResponse(lines(), media_type="application/x-ndjson")


@router.post("/manifest", openapi_extra=manifest.OPENAPI, response_model=manifest.Comparison)
async def compare(
    request: Request,
    key: Authenticated,
    source: Source,
    day: DayOf,
    partner: Partner = None,
    limit: Annotated[int, Query(ge=0, le=10_000, description="ids listed of each kind")] = 1_000,
    format: Literal["json", "csv"] = "json",
) -> Any:
    """Compare a list of the ids that you sent with what the log recorded on the day.

    The list is `text/plain` (an id a line), NDJSON (`id` of every object) or CSV (column `id`), up
    to 5 million ids and 1 GiB, gzip or not. JSON lists the first `limit` ids of every kind; CSV all.
    """
    scope, state = scope_of(key, source, day, partner), request.app.state
    with await manifest.receive(request) as listed:
        async with state.reconciling, days.snapshot(state.pool) as connection:
            found = await days.read_day(connection, scope, state.clock.today())
            warnings = await _warnings(request, scope)
            return await manifest.answer(
                connection, scope, found, listed, limit, warnings, as_csv=format == "csv"
            )
