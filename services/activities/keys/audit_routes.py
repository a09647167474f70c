"""`/v1/audit`: who did what to keys, quotas and the quarantine; what keys were used for."""

from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from services.activities.keys import audit
from services.activities.keys.routes import Administrator, bearer
from services.activities.keys.store import KeyStore
from shared.clock import Clock
from shared.days import DateTime

router = APIRouter(prefix="/v1/audit", tags=["keys"], dependencies=[Depends(bearer)])

From = Annotated[DateTime | None, Query(description="from this instant on")]
Until = Annotated[DateTime | None, Query(description="before this instant")]


class Act(BaseModel):
    """One act. `about`: the prefix, partner or number that it happened to."""

    number: int
    at: datetime
    action: str = Field(description="thing and participle: key.created, quarantine.replayed")
    by_prefix: str
    by_name: str
    about: str | None
    detail: dict[str, Any]
    trace_id: str | None


class Acts(BaseModel):
    """A page of acts, newest first. `next`: ask again with `before=next`; null: no more."""

    acts: list[Act]
    next: int | None


class Use(BaseModel):
    """What a key was used for within one hour.

    `path`: rest, stream, kafka, xapi or replay for events, a route for other requests, the missing
    scope for denied ones. `outcome` of events: accepted, duplicate, rejected, denied, over_quota.
    """

    hour: datetime
    path: str
    outcome: str
    times: int


class RefusedUse(BaseModel):
    """Requests of a network within one hour that no key let in; `prefix` of a key that had ended."""

    hour: datetime
    network: str
    code: str
    prefix: str | None
    times: int


@router.get("")
async def read_audit(
    request: Request,
    _: Administrator,
    action: Annotated[
        str | None, Query(description="like key.rotated, or key for all of them")
    ] = None,
    by: Annotated[str | None, Query(description="prefix or name of the key that acted")] = None,
    about: Annotated[str | None, Query(description="prefix, partner or number acted upon")] = None,
    since: From = None,
    until: Until = None,
    before: Annotated[int | None, Query(ge=1, description="numbers below this one")] = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
) -> Acts:
    """Acts of administration, newest first (administrator)."""
    rows = await audit.acts(
        request.app.state.pool, before=before, limit=limit + 1, action=action, by=by, about=about,
        since=since, until=until,
    )  # fmt: skip
    found = [Act.model_validate(row) for row in rows[:limit]]
    return Acts(acts=found, next=found[-1].number if len(rows) > limit else None)


@router.get("/uses/{prefix}")
async def read_uses(
    request: Request, prefix: str, _: Administrator, since: From = None, until: Until = None
) -> list[Use]:
    """What a key was used for, by hour, newest first; the last 24 hours unless told otherwise
    (administrator). Kafka intakes have `kafka-PARTNER`."""
    await _write(request)
    rows = await audit.uses(request.app.state.pool, prefix, *_span(request, since, until))
    return [Use.model_validate(row) for row in rows]


@router.get("/refused")
async def read_refused(
    request: Request,
    _: Administrator,
    since: From = None,
    until: Until = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1_000,
) -> list[RefusedUse]:
    """Requests that no key let in, by hour and network, never by whole address (administrator)."""
    await _write(request)
    rows = await audit.refused(request.app.state.pool, *_span(request, since, until), limit)
    return [RefusedUse.model_validate(row) for row in rows]


async def _write(request: Request) -> None:
    """What this process knows is told too; what others know follows within seconds."""
    keys: KeyStore = request.app.state.keys
    await keys.rights.write(request.app.state.pool)


def _span(
    request: Request, since: datetime | None, until: datetime | None
) -> tuple[datetime, datetime]:
    clock: Clock = request.app.state.clock
    end = until or clock.now() + timedelta(seconds=1)
    return since or end - timedelta(days=1), end
