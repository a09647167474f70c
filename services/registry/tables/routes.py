"""`GET /v1/plans/{plan}/table`: the address that everything else leads to."""

import asyncio
import hashlib
from datetime import date
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query
from fastapi.responses import Response

from services.registry.access import CurrentPrincipal
from services.registry.answers import Cursor, IfNoneMatch, page
from services.registry.disclosure import is_public
from services.registry.parameters import AsOf, KnownAt
from services.registry.reach import authorize_unit, can_read
from services.registry.state import JoinedRoute, Registry, State
from services.registry.tables.build import Question, build
from services.registry.tables.current import Watermark
from services.registry.tables.export import to_csv, to_xlsx
from services.registry.tables.model import Table
from services.registry.tables.public import public_table
from shared.auth import Principal
from shared.openapi_types import answers
from shared.problems import Problem

router = APIRouter(tags=["tables"], route_class=JoinedRoute)

FORMATS = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

ENCODED_KEPT = 32

_encode = msgspec.json.Encoder().encode


@router.get(
    "/v1/plans/{plan}/table",
    response_class=Response,
    responses=answers(Table, files=[kind for name, kind in FORMATS.items() if name != "json"]),
)
async def show_table(
    state: Registry,
    principal: CurrentPrincipal,
    plan: str,
    unit: Annotated[str | None, Query(description="code or code@era; default the plan's")] = None,
    level: Annotated[str | None, Query(description="level of the rows")] = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    tree: Annotated[str, Query(description="as_of, today or a day")] = "as_of",
    format: Annotated[str, Query(description=", ".join(FORMATS))] = "json",
    after_position: Annotated[int | None, Query(ge=0, description="wait for it")] = None,
    wait: Annotated[float, Query(ge=0, description="seconds, at most 30")] = 5,
    cursor: Cursor = None,
    limit: Annotated[int | None, Query(ge=1, le=5000, description="rows of a page; all")] = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Units x objectives of a plan, current or as of any day; JSON, CSV or XLSX.

    Without a key, where the province has opened the plan: complete weeks only, counts of people
    rounded down to 5.
    """
    if format not in FORMATS:
        raise Problem(
            "format-unknown",
            "Tables do not come in this format.",
            pointer="/format",
            hint=f"Formats: {', '.join(FORMATS)}.",
        )
    if gets_public(principal, state, plan, unit):
        _check_public(unit, known_at, tree, after_position, state, plan)
        table = await public_table(state, state.plan(plan), level, as_of)
        table = page_of(table, cursor, limit)
        return await _render_open(table, format, if_none_match)
    if after_position is not None:
        longest = state.settings.longest_wait_seconds
        await Watermark(state.pool).reach(after_position, min(wait, longest))
        state = await state.joined(known_at, plan)
    unit = authorize_unit(principal, state, state.plan(plan), unit, as_of or state.clock.today())
    table = await build(state, Question(plan, unit, level, as_of, known_at, tree))
    table = page_of(table, cursor, limit)
    etag = tag(state, table, format)
    headers = {"ETag": etag, "Cache-Control": "no-cache", "X-Position": str(table.position)}
    if table.sandbox:
        headers["X-Hocvuso-Sandbox"] = "true"
    if said_before(etag, if_none_match):
        return Response(status_code=304, headers=headers)
    return await render(state, table, format, headers)


def page_of(table: Table, cursor: str | None, limit: int | None) -> Table:
    """A page of the rows, in their order; the whole table where none was asked for."""
    if cursor is None and limit is None:
        return table
    rows, following = page(table.rows, lambda row: [row.unit_id], cursor, limit or len(table.rows))
    return msgspec.structs.replace(table, rows=rows, next=following)


def gets_public(principal: Principal, state: State, plan: str, unit: str | None) -> bool:
    """Whether the open table is the one to show: to whoever has no key, and of units beyond their
    own also to those who have one."""
    if principal.kind == "anonymous":
        return True
    own = state.plan(plan).document["unit"]
    named = unit in (own, own.partition("@")[0])
    return named and not can_read(principal, state, own) and is_public(state, plan)


def _check_public(
    unit: str | None, known_at: date | None, tree: str, after: int | None, state: State, plan: str
) -> None:
    own = state.plan(plan).document["unit"]
    asked = {
        "unit": unit not in (None, own, own.partition("@")[0]),
        "known_at": known_at is not None,
        "tree": tree != "as_of",
        "after_position": after is not None,
    }
    for name, given in asked.items():
        if given:
            raise Problem(
                "parameter-not-public",
                f"`{name}` needs a key.",
                status=401,
                pointer=f"/{name}",
                hint="Without a key: level, as_of (a Sunday) and format.",
            )


def tag(state: State, table: Table, format: str) -> str:
    """Equal exactly when the answer is: same question, watermark, day and definitions."""
    about: list[Any] = [
        table.plan, table.plan_version, table.unit_id, table.level, table.as_of, table.known_at,
        table.tree, table.position, table.reported, table.refreshed_at, state.definitions.position,
        table.definitions_pending, format, table.next, len(table.rows), table.rows[0].unit_id if table.rows else None,
    ]  # fmt: skip
    return f'W/"{hashlib.sha256(_encode(about)).hexdigest()[:20]}"'


async def render(state: State, table: Table, format: str, headers: dict[str, str]) -> Response:
    """The answer in one of FORMATS; JSON is encoded once for each state of a table."""
    if format == "json":
        body = state.encoded.get(headers["ETag"])
        if body is None:
            if len(state.encoded) >= ENCODED_KEPT:
                state.encoded.clear()
            body = state.encoded[headers["ETag"]] = to_json(table)
        return Response(body, headers=headers, media_type=FORMATS["json"])
    headers = headers | {"Content-Disposition": _attachment(table, format)}
    make = to_csv if format == "csv" else to_xlsx
    content = await asyncio.to_thread(make, table)
    return Response(content, headers=headers, media_type=FORMATS[format])


async def _render_open(table: Table, format: str, if_none_match: str | None) -> Response:
    """The table for everybody. Its ETag is of what it says alone: one that moved with the log, or
    with definitions, would tell when events come in."""
    content = to_json(table) if format == "json" else to_csv(table)
    etag = f'W/"{format}-{hashlib.sha256(content).hexdigest()[:20]}"'
    headers = {"ETag": etag, "Cache-Control": "no-cache"}
    if table.sandbox:
        headers["X-Hocvuso-Sandbox"] = "true"
    if said_before(etag, if_none_match):
        return Response(status_code=304, headers=headers)
    if format == "xlsx":
        content = await asyncio.to_thread(to_xlsx, table)
    if format != "json":
        headers["Content-Disposition"] = _attachment(table, format)
    return Response(content, headers=headers, media_type=FORMATS[format])


def said_before(etag: str, if_none_match: str | None) -> bool:
    """Whether the reader has it already."""
    return etag in (part.strip() for part in (if_none_match or "").split(","))


def _attachment(table: Table, format: str) -> str:
    name = f"{table.plan}_{table.unit}_{table.level}_{table.as_of.isoformat()}.{format}"
    return f'attachment; filename="{name}"'


def to_json(table: Table) -> bytes:
    """The published shape (design, section 6)."""
    return _encode(table)
