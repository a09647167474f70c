"""`POST /v1/events`: one event or a batch, structured or binary; answered after the commit."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from services.activities.ingest import answers, batches, openapi
from services.activities.ingest.binary import to_structured
from services.activities.ingest.door import Door, Path
from services.activities.ingest.envelope import is_json
from services.activities.ingest.problems import (
    MAX_BATCH_BYTES,
    MAX_BATCH_EVENTS,
    MAX_EVENT_BYTES,
)
from services.activities.keys.model import WRITE, Key
from services.activities.log.model import Status
from shared import telemetry
from shared.bodies import read_body
from shared.problems import Problem

SINGLE = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"


class RawRoute(APIRoute):
    """A documented route whose handler gets the bare request: no model, no dependency solving."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        return self.endpoint


router = APIRouter(route_class=RawRoute, tags=["events"])


@router.post("/v1/events", openapi_extra=openapi.POST_EVENTS, responses=openapi.EVENT_RESPONSES)
async def post_events(request: Request) -> Response:
    """Post one event (`application/cloudevents+json`, or binary mode with `ce-` headers) or a batch
    of up to 1,000 (`application/cloudevents-batch+json`).

    Every answer means: committed. Sending the same again is safe: same source, id and content is a
    duplicate and answers the first position; other content under the same source and id is a
    conflict. A batch answers one result per index in input order; one bad event never harms its
    neighbours, unless `atomic=true`. `dry_run=true` judges everything and writes nothing.
    """
    state = request.app.state
    headers = request.headers
    key: Key = await state.keys.authenticate(headers.get("authorization"), request.scope)
    key.require(WRITE)
    atomic, dry_run = _flag(request, "atomic"), _flag(request, "dry_run")
    content_type = headers.get("content-type", "")
    kind, _, parameters = content_type.partition(";")
    kind = kind.strip().lower()
    if parameters and "charset" in parameters.lower() and "utf-8" not in parameters.lower():
        raise _content_type()
    if kind == BATCH:
        return await _batch(request, key, atomic, dry_run)
    if kind == SINGLE:
        raw = await read_body(request, MAX_EVENT_BYTES, "An event")
    elif "ce-specversion" in headers and (is_json(content_type) or not kind):
        raw = to_structured(headers, await read_body(request, MAX_EVENT_BYTES, "An event"))
    else:
        raise _content_type()
    return await _single(state.door, raw, key, dry_run)


async def _single(door: Door, raw: bytes, key: Key, dry_run: bool) -> Response:
    result = await door.one(
        raw, key, Path.REST, traceparent=telemetry.traceparent(), dry_run=dry_run
    )
    if result.problem is not None:
        if result.position is not None:
            result.problem.extra["position"] = result.position
        raise result.problem
    new = result.status is Status.ACCEPTED and not dry_run
    return Response(
        answers.encode(result.body()), 201 if new else 200, media_type="application/json"
    )


async def _batch(request: Request, key: Key, atomic: bool, dry_run: bool) -> Response:
    raw = await read_body(request, MAX_BATCH_BYTES, "A batch")
    elements = await batches.split_aside(raw, MAX_BATCH_EVENTS)
    door: Door = request.app.state.door
    results = await door.take(
        elements,
        key,
        Path.REST,
        traceparent=telemetry.traceparent(),
        atomic=atomic,
        dry_run=dry_run,
    )
    return Response(answers.batch_body(results), media_type="application/json")


def _flag(request: Request, name: str) -> bool:
    text = request.query_params.get(name) if request.scope["query_string"] else None
    if text is None or text.lower() in ("false", "0"):
        return False
    if text.lower() in ("true", "1"):
        return True
    raise Problem(
        "invalid-parameter",
        f"{name} is true or false.",
        pointer=f"/{name}",
        hint=f"Write ?{name}=true or leave it out.",
    )


def _content_type() -> Problem:
    return Problem(
        "content-type-unsupported",
        "The Content-Type is not one that is taken here.",
        status=415,
        hint=f"Send one event as {SINGLE}, up to {MAX_BATCH_EVENTS} as {BATCH}, or binary mode:"
        " Content-Type application/json with ce-specversion and the other ce- headers; UTF-8.",
    )
