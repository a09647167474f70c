"""The current cells: one statement on the views that metrics publishes."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from datetime import date

import asyncpg
import msgspec
from opentelemetry import trace
from opentelemetry.trace import SpanKind

from services.registry.tables.model import Bucket, Cell, Cells, Counted
from shared import telemetry
from shared.db import place
from shared.instruments import QUERY_DURATION
from shared.problems import Problem

# One statement sees one snapshot: cells and watermark belong together. The outer join keeps the
# watermark when there is no cell yet. One record per unit with arrays instead of one per cell: 2,550
# cells come in 5.5 ms instead of 7.2, and become objects in 1 ms instead of 3.
COLUMNS = {
    "value": "value",
    "denominator": "denominator",
    "ratio": "ratio",
    "met": "met",
    "met_on_time": "met_on_time",
    "status": "status",
    "basis": "basis",
    "required_per_week": "required_per_week::bigint",
    "flags": "array_to_string(flags, ' ')",
    "target": "target::float8",
    "target_unit": "target_unit",
    "not_attributable": "not_attributable",
    "beside": "beside",
    "comparator": "comparator",
    "required": "required",
    "last_day": "last_day",
    "bucket": "bucket",
    "status_bucket": "status_bucket",
    "deadlines": "deadlines",
}
"""What is read of a cell, in the order of `Cell`."""
CELLS_SQL = f"""
SELECT w.position, w.as_of, w.refreshed_at, w.log_epoch, w.definitions, w.traced, c.*
FROM indicators.watermark w
LEFT JOIN (
  SELECT unit_id, array_agg(objective), {", ".join(f"array_agg({c})" for c in COLUMNS.values())}
  FROM indicators.cells
  WHERE plan = $1 AND unit_id = ANY($2::text[])
  GROUP BY unit_id
) c ON true
"""
POLL_SECONDS = 0.05
tracer = trace.get_tracer("hocvuso.registry", schema_url=telemetry.SCHEMA_URL)


async def current(pool: asyncpg.Pool, plan: str, unit_ids: list[str], today: date) -> Counted:
    """The cells of `unit_ids` as of now; empty before the first refresh."""
    began, started = time.time_ns(), time.perf_counter()
    records = await pool.fetch(CELLS_SQL, plan, unit_ids)
    span = trace.get_current_span().get_span_context()
    QUERY_DURATION.record(time.perf_counter() - started, "current", span=span)
    if records:
        _first_shown.tell(records[0]["traced"] or (), began, place(pool))
    cells: Cells = {}
    for record in records:
        _, _, _, _, _, _, unit_id, names, *values = tuple(record)
        if unit_id is not None:
            columns = dict(zip(COLUMNS, values, strict=True))
            columns["flags"] = [text.split() if text else [] for text in columns["flags"]]
            columns["beside"] = [counts or [] for counts in columns["beside"]]
            for name in ("bucket", "status_bucket"):
                columns[name] = [
                    found and msgspec.convert(found, Bucket) for found in columns[name]
                ]
            made = map(Cell, *columns.values())
            cells[unit_id] = dict(zip(names, made, strict=True))
    if not records:
        return Counted(cells, 0, today)
    position, as_of, refreshed_at, epoch, definitions = tuple(records[0])[:5]
    return Counted(cells, position, as_of or today, refreshed_at, epoch, definitions)


class FirstShown:
    """Leaves a span, linked to the refresh, for the first query of this process that shows one."""

    def __init__(self) -> None:
        self._told: frozenset[str] = frozenset()

    def tell(
        self, traced: Sequence[str], began: int, where: Mapping[str, str | int] | None = None
    ) -> None:
        """Tell of refreshes not told of before. `traced`: their traceparents; `began`: ns;
        `where`: the database (shared/db.py place)."""
        links = telemetry.links(header for header in traced if header not in self._told)
        self._told = frozenset(traced)
        if not links:
            return
        within = trace.get_current_span().is_recording()
        tracer.start_span(
            "SELECT indicators.cells",
            None if within else telemetry.root_context(),
            kind=SpanKind.CLIENT,
            start_time=began,
            links=links,
            attributes={
                "db.system.name": "postgresql",
                "db.operation.name": "SELECT",
                "db.collection.name": "indicators.cells",
                **(where or {}),
            },
        ).end()


_first_shown = FirstShown()


class Watermark:
    """The position up to which the current tables are complete."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def read(self) -> int:
        """Now."""
        return int(await self._pool.fetchval("SELECT position FROM indicators.watermark") or 0)

    async def reach(self, position: int, seconds: float) -> None:
        """Return once the tables show `position`; a retryable problem when they do not in time."""
        until = time.monotonic() + seconds
        while (now := await self.read()) < position:
            left = until - time.monotonic()
            if left <= 0:
                raise Problem(
                    "not-yet-counted",
                    f"The tables are complete up to position {now}, not yet {position}.",
                    status=503,
                    pointer="/after_position",
                    hint="Ask again in a moment, or with a longer ?wait= (at most 30 seconds). A"
                    " position beyond the end of the log is never reached: see the receipt.",
                    retryable=True,
                    retry_after=1,
                    extra={"position": now},
                )
            await asyncio.sleep(min(POLL_SECONDS, left))
