"""`GET /v1/plans/{plan}/table`: the address that everything else leads to."""

import asyncio
import hashlib
from datetime import date
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Header, Query
from fastapi.responses import Response

from services.registry.access import Visiting
from services.registry.state import Registry, State
from services.registry.tables.build import Question, build
from services.registry.tables.current import Watermark
from services.registry.tables.export import to_csv, to_xlsx
from services.registry.tables.model import Table
from services.registry.tables.public import public_table
from shared.problems import Problem

router = APIRouter(tags=["tables"])

FORMATS = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

ENCODED_KEPT = 32

_encode = msgspec.json.Encoder().encode


@router.get("/v1/plans/{plan}/table", response_class=Response)
async def show_table(
    state: Registry,
    visitor: Visiting,
    plan: str,
    unit: Annotated[str | None, Query(description="code or code@era; default the plan's")] = None,
    level: Annotated[str | None, Query(description="level of the rows")] = None,
    as_of: Annotated[date | None, Query(description="what had happened by the end of")] = None,
    known_at: Annotated[date | None, Query(description="what was recorded by the end of")] = None,
    tree: Annotated[str, Query(description="as_of, today or a day")] = "as_of",
    format: Annotated[str, Query(description=", ".join(FORMATS))] = "json",
    after_position: Annotated[int | None, Query(ge=0, description="wait for it")] = None,
    wait: Annotated[float, Query(ge=0, description="seconds, at most 30")] = 5,
    if_none_match: Annotated[str | None, Header()] = None,
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
    if visitor.anonymous:
        _check_public(unit, known_at, tree, after_position, state, plan)
        table = await public_table(state, state.plan(plan), level, as_of)
        return await render(state, table, format, {"ETag": tag(state, table, format)})
    if after_position is not None:
        longest = state.settings.longest_wait_seconds
        await Watermark(state.pool).reach(after_position, min(wait, longest))
    table = await build(state, Question(plan, unit, level, as_of, known_at, tree))
    etag = tag(state, table, format)
    headers = {"ETag": etag, "Cache-Control": "no-cache", "X-Position": str(table.position)}
    if table.sandbox:
        headers["X-Hocvuso-Sandbox"] = "true"
    if if_none_match is not None and etag in (part.strip() for part in if_none_match.split(",")):
        return Response(status_code=304, headers=headers)
    return await render(state, table, format, headers)


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
        format,
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
    name = f"{table.plan}_{table.unit}_{table.level}_{table.as_of.isoformat()}.{format}"
    headers = headers | {"Content-Disposition": f'attachment; filename="{name}"'}
    make = to_csv if format == "csv" else to_xlsx
    content = await asyncio.to_thread(make, table)
    return Response(content, headers=headers, media_type=FORMATS[format])


def to_json(table: Table) -> bytes:
    """The published shape (design, section 6)."""
    return _encode(table)
