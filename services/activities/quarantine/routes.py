"""`/v1/quarantine`: what was refused, to be seen, mended, replayed or dismissed by its partner."""

import asyncio
from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request

from services.activities.ingest.answers import Result
from services.activities.ingest.masks import masked, shown
from services.activities.ingest.problems import MAX_EVENT_BYTES
from services.activities.keys.model import REPLAY, Key
from services.activities.keys.routes import Authenticated, bearer
from services.activities.log.model import Status
from services.activities.naming import partner_warnings, source_warnings
from services.activities.quarantine import store
from services.activities.quarantine.replay import Replayer
from services.activities.quarantine.shapes import (
    Listed,
    Page,
    Reason,
    Replayed,
    ReplayedPage,
    Selection,
    Shown,
)
from services.activities.quarantine.store import Filter, Refused
from shared import telemetry
from shared.bodies import read_body
from shared.contracts.topics import EVENT_TYPE_PREFIX
from shared.days import DateTime
from shared.in_clear import refuse_in_clear
from shared.problems import Problem
from shared.strict_json import read

router = APIRouter(prefix="/v1/quarantine", tags=["quarantine"], dependencies=[Depends(bearer)])
NEWEST = 2**62
AT_ONCE = 50
Text = Annotated[str, Query(max_length=512)]


def _replayer(request: Request) -> Replayer:
    state = request.app.state
    return Replayer(state.pool, state.door, state.clock)


def _listed(request: Request, refused: Refused) -> dict[str, Any]:
    context = telemetry.span_context(refused.traceparent) if refused.traceparent else None
    return {
        **vars(refused),
        "forgotten_on": (
            refused.last_seen + timedelta(days=request.app.state.quarantine_days)
        ).date(),
        "trace_id": format(context.trace_id, "032x") if context else None,
    }


async def _own(request: Request, number: int, key: Key) -> Refused:
    """The row, if the key may see it: to others it does not exist."""
    refused = await store.one(request.app.state.pool, number) if number < NEWEST else None
    if refused is None or not (key.is_administrator or refused.partner == key.name):
        raise Problem(
            "quarantine-unknown",
            "None of your refused events has this number.",
            status=404,
            hint="GET /v1/quarantine lists them; what is too old is deleted.",
        )
    return refused


def _filter(key: Key, partner: str | None = None, **wanted: Any) -> Filter:
    return Filter(partner if key.is_administrator else key.name, **wanted)


@router.get("")
async def list_refused(
    request: Request,
    key: Authenticated,
    source: Text | None = None,
    id: Text | None = None,
    code: Text | None = None,
    type: Text | None = None,
    partner: Annotated[str | None, Query(description="administrators only")] = None,
    since: Annotated[DateTime | None, Query(description="last refused at or after")] = None,
    state: Literal["open", "resolved", "dismissed", "all"] = "open",
    cursor: Annotated[int, Query(ge=0, le=NEWEST)] = NEWEST,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Page:
    """Refused events, newest first: your own, or everybody's for an administrator.

    An event is `resolved` once the log has taken one with its source and id in.
    """
    wanted = _filter(
        key, partner, source=source, id=id, code=code, type=type, since=since,
        state=None if state == "all" else state,
    )  # fmt: skip
    rows = await store.page(request.app.state.pool, wanted, cursor, limit)
    return Page(
        items=[Listed.model_validate(_listed(request, row)) for row in rows],
        next=rows[-1].number if len(rows) == limit else None,
        warnings=[] if rows or cursor < NEWEST else await _warnings(request, wanted),
    )


async def _warnings(request: Request, wanted: Filter) -> list[str]:
    """Why a filter may have found nothing: it names what nobody knows."""
    pool, catalogue = request.app.state.pool, request.app.state.catalogue
    found = await partner_warnings(pool, wanted.partner)
    found += await source_warnings(pool, wanted.source, wanted.partner)
    if wanted.type is not None and wanted.type.removeprefix(EVENT_TYPE_PREFIX) not in catalogue:
        found.append("There is no such event type; GET /v1/types lists them.")
    if wanted.code is not None and not await store.has_code(pool, wanted.code):
        found.append("Nothing was ever refused with this code; see docs/errors.md for all codes.")
    return found


@router.get("/{number}")
async def read_refused(request: Request, number: int, key: Authenticated) -> Shown:
    """One refused event with its original, masked."""
    refused = await _own(request, number, key)
    return Shown.model_validate(
        {
            **_listed(request, refused),
            "event": shown(refused.event),
            "masked": [
                {"pointer": pointer, "replay": "kept" if kept else "needed"}
                for pointer, kept in masked(refused.event)
            ],
        }
    )


_CHANGES = {
    "requestBody": {
        "required": False,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {"changes": {"type": "object"}},
                    "additionalProperties": False,
                },
                "example": {"changes": {"subject": "24133"}},
            }
        },
    }
}


@router.post("/{number}/replay", openapi_extra=_CHANGES)
async def replay_one(
    request: Request,
    number: int,
    key: Authenticated,
    dry_run: Annotated[bool, Query(description="judge it, write nothing")] = False,
) -> Replayed:
    """Hand one refused event in again (scope `quarantine:replay`).

    `changes` is a JSON merge patch (RFC 7396) over the event as posted. What is masked keeps its
    pseudonym where `masked` says `kept`, and must be given where it says `needed`. Answers like
    `POST /v1/events`: refused again is an error with the reason.
    """
    key.require(REPLAY)
    refused = await _own(request, number, key)
    changes = await _read_changes(request)
    result = await _replayer(request).replay(
        refused, changes, key, telemetry.traceparent(), dry_run=dry_run
    )
    if result.problem is not None:
        result.problem.extra["number"] = number
        if result.position is not None:
            result.problem.extra["position"] = result.position
        raise result.problem
    return _replayed(number, result)


async def _read_changes(request: Request) -> dict[str, Any] | None:
    raw = await read_body(request, MAX_EVENT_BYTES, "A patch")
    if not raw.strip():
        return None
    body, _, _ = read(raw)
    if not isinstance(body, dict) or body.keys() - {"changes"}:
        raise _malformed()
    changes = body.get("changes")
    if changes is not None and not isinstance(changes, dict):
        raise _malformed()
    return changes or None


def _malformed() -> Problem:
    return Problem(
        "changes-malformed",
        "The body is not an object whose one member, changes, is an object.",
        pointer="/changes",
        hint='Write {"changes": {"subject": "24133"}}, or no body to replay it as it is.',
    )


@router.post("/replay")
async def replay_many(
    request: Request,
    selection: Selection,
    key: Authenticated,
    dry_run: Annotated[bool, Query(description="judge them, write nothing")] = False,
) -> ReplayedPage:
    """Hand in again all open events that a filter finds (scope `quarantine:replay`): as they are
    (after a unit was added, say, all with `{"code": "unit-unknown"}`), or each with the same
    `changes`, which may not name the id."""
    key.require(REPLAY)
    changes = selection.changes or None
    if changes is not None and {"id", "source"} & changes.keys():
        name = "id" if "id" in changes else "source"
        raise Problem(
            "changes-malformed",
            f"Changes for many events cannot name {name}: it says which event each of them is.",
            pointer=f"/changes/{name}",
            hint="Fix these one by one: POST /v1/quarantine/NUMBER/replay.",
        )
    choice = selection.model_dump(exclude={"cursor", "limit", "changes"})
    wanted = _filter(key, **choice, state="open")
    if not (selection.source or selection.code or selection.type or selection.since):
        raise Problem(
            "invalid-parameter",
            "The filter names nothing.",
            pointer="/code",
            hint="Name at least one of source, code, type, since.",
        )
    pool = request.app.state.pool
    rows = await store.page(pool, wanted, selection.cursor or NEWEST, selection.limit)
    replayer, traceparent = _replayer(request), telemetry.traceparent()

    async def one(refused: Refused) -> Replayed:
        try:
            result = await replayer.replay(refused, changes, key, traceparent, dry_run=dry_run)
        except Problem as problem:
            if problem.retryable:
                raise
            result = Result(refused.source, refused.id, Status.REJECTED, None, problem)
        return _replayed(refused.number, result)

    results: list[Replayed] = []
    # Oldest first, since later ones may build on earlier ones.
    rows_in_order = rows[::-1]
    for first in range(0, len(rows), AT_ONCE):
        results += await asyncio.gather(*map(one, rows_in_order[first : first + AT_ONCE]))
    told = [r.status for r in results]
    return ReplayedPage(
        accepted=told.count("accepted"),
        duplicates=told.count("duplicate"),
        rejected=told.count("rejected"),
        results=results,
        next=rows[-1].number if len(rows) == selection.limit else None,
        warnings=[] if rows or selection.cursor else await _warnings(request, wanted),
    )


def _replayed(number: int, result: Result) -> Replayed:
    problem = result.problem.body() if result.problem is not None else None
    return Replayed.model_validate({"number": number, "problem": problem} | result.body())


@router.post("/{number}/dismiss", status_code=204)
async def dismiss(request: Request, number: int, body: Reason, key: Authenticated) -> None:
    """Close a refused event for good, with the reason (scope `quarantine:replay`)."""
    key.require(REPLAY)
    refuse_in_clear(body.reason, "/reason")
    refused = await _own(request, number, key)
    await _replayer(request).dismiss(refused, body.reason, key)
