"""`/xapi/statements` and `/xapi/about`, as the clients of learning record stores use them."""

import hashlib
import json
from collections.abc import Callable, Coroutine
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.activities.ingest import batches
from services.activities.ingest.problems import MAX_BATCH_EVENTS
from services.activities.ingest.routes import RawRoute
from services.activities.keys.model import Key
from services.activities.xapi import document, formats, reading, store
from services.activities.xapi.call import (
    NEWEST,
    VERSION_HEADER,
    VERSIONS,
    Call,
    authenticated,
    read_call,
)
from services.activities.xapi.formatting import formatted
from services.activities.xapi.people import HOME
from services.activities.xapi.problems import bad_parameter
from services.activities.xapi.statements import Statements
from shared import telemetry
from shared.problems import Problem, problem_response

CONSISTENT = "X-Experience-API-Consistent-Through"
Json = dict[str, Any]


class XapiRoute(RawRoute):
    """Every answer, also a refusal, says the version; a refused key is asked for as LRS do."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        endpoint = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                response = await endpoint(request)
            except Problem as problem:
                response = _refusal(problem)
            response.headers[VERSION_HEADER] = NEWEST
            return response

        return handle


def _refusal(problem: Problem) -> Response:
    response = problem_response(problem)
    if problem.status == 401:
        response.headers["WWW-Authenticate"] = 'Basic realm="hocvuso"'
    return response


router = APIRouter(route_class=XapiRoute, tags=["xapi"])


@router.get("/xapi/about", responses=document.ABOUT)
async def about(request: Request) -> Response:
    """The versions of xAPI that are spoken here. Needs no key and no version."""
    for name in request.query_params:
        raise bad_parameter(name[:32], "is no parameter of this resource.")
    return _json({"version": list(VERSIONS), "extensions": {f"{HOME}/mapping": "/xapi/mapping"}})


@router.post("/xapi/statements", openapi_extra=document.POST, responses=document.POSTED)
async def post_statements(request: Request) -> Response:
    """Post one statement or a list of up to 1,000: all of them are kept, or none.

    The answer lists the ids in the order of the request, also of what was kept before. With
    `?method=` it is the alternate request syntax of part 3, section 1.3.
    """
    return await _answer(request)


@router.put(
    "/xapi/statements", status_code=204, openapi_extra=document.PUT, responses=document.PUTTED
)
async def put_statement(request: Request) -> Response:
    """Put one statement under its id."""
    return await _answer(request)


@router.get("/xapi/statements", openapi_extra=document.GET, responses=document.GOT)
async def get_statements(request: Request) -> Response:
    """One statement by its id, or those that fit a query; the partner's own only, agents masked."""
    return await _answer(request)


@router.head("/xapi/statements", openapi_extra=document.GET, include_in_schema=False)
async def head_statements(request: Request) -> Response:
    """What GET would answer, without its body."""
    return await _answer(request)


async def _answer(request: Request) -> Response:
    statements: Statements = request.app.state.xapi
    method = request.method
    try:
        call = await read_call(request)
        method = call.method
        key = await authenticated(request, call.headers)
        handler = {"POST": _post, "PUT": _put}.get(method, _get)
        response = await handler(statements, call, key)
    except Problem as problem:
        response = _refusal(problem)
    # Part 3, section 2.1.3: on all responses of this resource, refusals too.
    async with statements.pool.acquire() as connection:
        lag = await store.lag_s(connection)
    through = statements.clock.now() - timedelta(seconds=lag)
    response.headers[CONSISTENT] = formats.written(through)
    if method == "HEAD":
        response.body = b""
        if request.method == "POST":  # asked for by ?method=HEAD: no length but the true one
            response.headers["Content-Length"] = "0"
    return response


async def _post(statements: Statements, call: Call, key: Key) -> Response:
    _only(call, ())
    raw = await _content(call)
    array = raw.lstrip()[:1] == b"["
    raws = await batches.split_aside(raw, MAX_BATCH_EVENTS, "statements") if array else [raw]
    return _json(await statements.take(raws, key, telemetry.traceparent()))


async def _put(statements: Statements, call: Call, key: Key) -> Response:
    _only(call, ("statementId",))
    id = reading.statement_id(call.params, "statementId")
    raw = await _content(call)
    await statements.take([raw], key, telemetry.traceparent(), id)
    return Response(status_code=204)


async def _get(statements: Statements, call: Call, key: Key) -> Response:
    params = call.params
    singles = [name for name in reading.SINGLE if name in params]
    if "more" in params:
        _only(call, ("more",))
        return await _many(statements, call, key, reading.from_token(params["more"]))
    if not singles:
        _only(call, reading.FILTERS)
        query = reading.read_query(params, statements.masks, key.name)
        _no_attachments(params)
        return await _many(statements, call, key, query)
    _only(call, (singles[0], *reading.BESIDE_SINGLE))
    _no_attachments(params)
    style = params.get("format", "exact")
    if style not in reading.FORMATS:
        raise bad_parameter("format", f"is one of: {', '.join(reading.FORMATS)}.")
    id = reading.statement_id(params, singles[0])
    voided = singles[0] == "voidedStatementId"
    async with statements.pool.acquire() as connection:
        found = await store.one(connection, key.name, id, voided=voided)
    if found is None:
        raise Problem(
            "statement-unknown",
            "This partner has no such statement; a voided one is had by voidedStatementId only.",
            status=404,
            hint="Compare the id with what POST answered.",
        )
    statement, stored = found
    response = _json(formatted(statement, style, call.headers.get("accept-language", "")))
    response.headers["Last-Modified"] = format_datetime(stored, usegmt=True)
    return response


async def _many(statements: Statements, call: Call, key: Key, query: reading.Query) -> Response:
    async with statements.pool.acquire() as connection:
        found, more = await reading.find(connection, key.name, query)
    languages = call.headers.get("accept-language", "")
    return _json(
        {
            "statements": [formatted(s, query.format, languages) for s in found],
            "more": f"/xapi/statements?more={more}" if more else "",
        }
    )


def _only(call: Call, allowed: tuple[str, ...]) -> None:
    """Part 3, section 3.2: a parameter that is not known is refused."""
    for name in call.params:
        if name not in allowed:
            raise Problem(
                "xapi-parameter",
                "There is a parameter that this request does not take.",
                status=400,
                hint=f"It takes: {', '.join(allowed) or 'none'}. Names are case sensitive.",
            )


def _no_attachments(params: dict[str, str]) -> None:
    if reading.flag(params, "attachments"):
        raise Problem(
            "attachments-not-kept",
            "Data of attachments is not kept, so there is none to answer.",
            status=400,
            hint="Leave attachments out or say attachments=false.",
        )


async def _content(call: Call) -> bytes:
    kind, _, parameters = call.headers.get("content-type", "").partition(";")
    kind = kind.strip().lower()
    if kind == "multipart/mixed":
        raise Problem(
            "attachments-not-taken",
            "Data of attachments is not taken: certificates and answers of learners hold personal"
            " data that is not needed for counting.",
            status=400,
            hint="Send application/json; attachments may be named with a fileUrl.",
        )
    if kind != "application/json" or (
        "charset" in parameters.lower() and "utf-8" not in parameters.lower()
    ):
        raise Problem(
            "xapi-content-type",
            "Statements are application/json in UTF-8.",
            status=400,
            hint="Set Content-Type: application/json.",
        )
    return await call.body()


def _json(value: Any) -> Response:
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    # Part 3, section 3.1: the ETag of an answer is the SHA-1 of its content.
    tag = hashlib.sha1(body, usedforsecurity=False).hexdigest()
    return Response(body, headers={"ETag": f'"{tag}"'}, media_type="application/json")
