"""How quickly measures are counted again from the log, beside one SQL statement and live counting.

The log's rows come from memory, as JSON: what activities and HTTP take is left out, on both sides.

    python -m bench rebuild --rows 1000000
"""

import time
from collections.abc import AsyncIterator

import asyncpg

from bench.projection import BATCH, lay, project
from bench.report import Row
from deploy.local.stack import LocalStack
from services.metrics import rebuild, store
from shared.contracts.definitions import Catalogue
from shared.contracts.record import LogRecord, Through, record_decoder
from tests.conftest import new_database

ROWS = 100_000


class Lines:
    """A log of rows in memory; serves pages like `GET /v1/log`, with its filter by type."""

    def __init__(self, lines: list[bytes], first: int) -> None:
        self._lines, self._first = lines, first
        self._last = first + len(lines) - 1

    async def read(
        self, after: int, lanes: list[int], page: int = BATCH, types: list[str] | None = None
    ) -> AsyncIterator[tuple[list[LogRecord], Through]]:
        """As shared.lane_consumer.LogReader."""
        wanted = [f'"type":"vn.hocvuso.{name}"'.encode() for name in types or []]
        at = max(after + 1 - self._first, 0)
        while at < len(self._lines):
            rows: list[bytes] = []
            while at < len(self._lines) and len(rows) < page:
                line = self._lines[at]
                at += 1
                if types is None or any(name in line for name in wanted):
                    rows.append(line)
            marker = Through(epoch="epoch-1", through=self._first + at - 1, last={})
            yield [record_decoder.decode(line) for line in rows], marker


async def measure(stack: LocalStack, rows: int = ROWS) -> list[Row]:
    """One measure beside GROUP BY with count(DISTINCT), all measures beside the live rate."""
    laid = await lay(await new_database(stack, "metrics"), rows)
    live = await project(laid.projection, laid.lines)
    await laid.pool.execute("UPDATE progress SET through = $1", laid.defined + len(laid.lines))
    reader = Lines(laid.lines, laid.defined + 1)
    number, types = await _greatest(laid.pool)
    catalogue = Catalogue.load()
    reports = [
        await rebuild.rebuild(laid.pool, reader, catalogue, chosen)  # type: ignore[arg-type]
        for chosen in ({number}, None)
    ]
    if any(report.differences or not report.swapped for report in reports):
        raise RuntimeError("what was rebuilt is not what was counted live")
    statement = await _group_by(laid.pool, laid.lines, types)
    await laid.pool.close()
    return [
        Row(
            f"rebuild of one measure, {rows:,} rows",
            reports[0].seconds,
            "s",
            "one GROUP BY with count(DISTINCT)",
            statement,
            2,
            at_most=True,
        ),
        Row(
            "rebuild of all measures",
            len(laid.lines) / reports[1].seconds,
            "rows/s",
            "live, one worker",
            len(laid.lines) / live,
            2,
        ),
    ]


async def _greatest(pool: asyncpg.Pool) -> tuple[int, list[str]]:
    """The measure of distinct persons that counts most, and its types."""
    async with pool.acquire() as connection:
        measures, _ = await store.load_measures(connection)
        rows = await connection.fetch(
            "SELECT measure FROM tally GROUP BY measure ORDER BY sum(n) DESC"
        )
    for row in rows:
        found = measures[row["measure"]]
        if found.kind == "distinct" and not found.grouped:
            return row["measure"], sorted(found.types())
    raise RuntimeError("no measure of distinct persons has counted anything")


async def _group_by(pool: asyncpg.Pool, lines: list[bytes], types: list[str]) -> float:
    """The same rows in a table, and the seconds of one statement over them."""
    async with pool.acquire() as connection:
        await connection.execute(
            "CREATE TABLE bench_rows (type text, unit_id text, key bytea, occurred date)"
        )
        for at in range(0, len(lines), BATCH):
            page = [record_decoder.decode(line) for line in lines[at : at + BATCH]]
            await connection.copy_records_to_table(
                "bench_rows", records=[(r.short_type, r.unitid, r.key, r.occurred) for r in page]
            )
        await connection.execute("ANALYZE bench_rows")
        started = time.perf_counter()
        await connection.fetch(
            "SELECT unit_id, occurred, count(DISTINCT key) FROM bench_rows"
            " WHERE type = ANY($1::text[]) GROUP BY unit_id, occurred",
            types,
        )
        return time.perf_counter() - started
