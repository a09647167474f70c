"""`GET /v1/nation`: every commune of the country, line by line, however long the table is."""

import csv
import io
from collections.abc import AsyncGenerator, Iterator
from datetime import date
from typing import Annotated

import asyncpg
from fastapi import APIRouter, Query
from fastapi.responses import Response, StreamingResponse

from services.registry.access import CurrentPrincipal
from services.registry.plans.territory import covered_by
from services.registry.reach import bound_to
from services.registry.state import Registry, State
from services.registry.tables.export import SANDBOX, safe
from shared.problems import Problem
from shared.streaming import begun

router = APIRouter(prefix="/v1/nation", tags=["tables"])

LEVELS = ("province", "commune")
COLUMNS = (
    "province", "unit_id", "name_vi", "plan", "objective", "value", "denominator", "target",
    "target_unit", "met", "status", "basis", "flags", "comparator", "required", "last_day",
    "bucket_start", "bucket_end", "status_bucket_start", "status_bucket_end", "status_bucket_value",
)  # fmt: skip
PREFETCH = 1_000

# Ordered as the index is: rows come as they are read, nothing is sorted in memory.
_CELLS = """
SELECT unit_id, plan, objective, value, denominator, target::float8 AS target, target_unit, met,
       status, basis, array_to_string(flags, ' ') AS flags, comparator, required, last_day,
       bucket->>'start' AS bucket_start, bucket->>'end' AS bucket_end,
       status_bucket->>'start' AS status_bucket_start, status_bucket->>'end' AS status_bucket_end,
       status_bucket->>'value' AS status_bucket_value
FROM indicators.cells ORDER BY plan, unit_id, objective
"""


@router.get("", response_class=Response)
async def stream_nation(
    state: Registry,
    principal: CurrentPrincipal,
    level: Annotated[str, Query(description=", ".join(LEVELS))] = "commune",
    format: Annotated[str, Query(description="csv")] = "csv",
) -> Response:
    """The current cells of all units of a level in the whole country as CSV, one line per unit,
    plan and objective; a unit that no plan covers has one line without a plan. A key that is bound
    to a unit gets this unit and those below it."""
    if format != "csv":
        raise Problem(
            "format-unknown",
            "The nation's table comes as CSV only.",
            pointer="/format",
            hint="Formats: csv.",
        )
    if level not in LEVELS:
        raise Problem(
            "level-unknown",
            "There is no such level here.",
            pointer="/level",
            hint=f"Levels: {', '.join(LEVELS)}.",
        )
    today = state.clock.today()
    name = f"nation_{level}_{today.isoformat()}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-cache"}
    if state.settings.sandbox:
        headers["X-Hocvuso-Sandbox"] = "true"
    lines = await begun(_lines(state, level, today, bound_to(principal)))
    return StreamingResponse(lines, headers=headers, media_type="text/csv; charset=utf-8")


async def _lines(
    state: State, level: str, on: date, bound: str | None = None
) -> AsyncGenerator[bytes]:
    """`bound`: only units within this one."""
    seen: set[str] = set()
    async with (
        state.pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        position, definitions = await connection.fetchrow(
            "SELECT position, definitions FROM indicators.watermark"
        ) or (0, 0)
        await state.follower.reach(definitions)
        state = await state.joined(limit=position)
        names = {
            unit.unit_id: (_province(state, unit.unit_id), unit.name(on))
            for unit in state.tree.units()
            if unit.level == level
            and unit.exists(on)
            and (bound is None or unit.unit_id in covered_by(state, bound))
        }
        about = [["# as_of", on.isoformat()], ["# position", str(position or 0)]]
        if state.settings.sandbox:
            about.insert(0, ["# sandbox", SANDBOX])
        if state.pending:
            about.append(["# definitions_pending", "true"])
        if bound is not None:
            about.append(["# limited_to", bound])
        yield "\N{ZERO WIDTH NO-BREAK SPACE}".encode() + _csv([*about, list(COLUMNS)])
        cursor = connection.cursor(_CELLS, prefetch=PREFETCH)
        batch: list[asyncpg.Record] = []
        async for row in cursor:
            if row["unit_id"] in names:
                batch.append(row)
                seen.add(row["unit_id"])
            if len(batch) >= PREFETCH:
                yield _csv(_cells(batch, names))
                batch = []
        yield _csv(_cells(batch, names))
    rest = [[*_about(unit_id, names)] for unit_id in sorted(names.keys() - seen)]
    yield _csv([[*row, *[""] * (len(COLUMNS) - len(row))] for row in rest])


def _province(state: State, unit_id: str) -> str:
    above = [u.unit_id for u in state.tree.ancestors(unit_id) if u.level == "province"]
    return above[0] if above else unit_id


Names = dict[str, tuple[str, str]]


def _about(unit_id: str, names: Names) -> list[str]:
    province, name = names[unit_id]
    return [province, unit_id, safe(name)]


def _cells(rows: list[asyncpg.Record], names: Names) -> Iterator[list[str]]:
    for row in rows:
        values = [row[column] for column in COLUMNS[3:]]
        yield [*_about(row["unit_id"], names), *("" if v is None else str(v) for v in values)]


def _csv(rows: Iterator[list[str]] | list[list[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()
