"""How quickly measures are counted again from the log, beside one SQL statement and live counting.

The log's rows come from memory, as JSON: what activities and HTTP take is left out, on both sides.

    python -m bench rebuild --rows 1000000
"""

import gc
import sys
import time
from collections.abc import AsyncIterator

import asyncpg

from bench.projection import BATCH, lay, project
from bench.report import Row
from deploy.local.stack import LocalStack
from services.metrics import rebuild
from services.metrics.projecting import store
from shared.contracts.definitions import Catalogue
from shared.contracts.record import FACT_LANES, Through, record_decoder
from shared.garbage import calm_collector
from tests.conftest import new_database

ROWS = 100_000


class Lines:
    """A log of rows in memory; serves pages like `GET /v1/log`, with its filter by type. What the
    filter takes is left out, like everything else that activities does: rows are sorted before."""

    def __init__(self, lines: list[bytes], first: int) -> None:
        self._lines, self._first = lines, first
        self._by_type: dict[str, list[int]] = {}
        for at, line in enumerate(lines):
            name = line.partition(b'"type":"vn.hocvuso.')[2].partition(b'"')[0].decode()
            self._by_type.setdefault(name, []).append(at)

    def of(self, types: list[str]) -> list[int]:
        """Where the rows of these types are."""
        return sorted(at for name in types for at in self._by_type.get(name, []))

    async def pages(
        self, after: int, lanes: list[int], page: int = BATCH, types: list[str] | None = None
    ) -> AsyncIterator[tuple[bytes, Through]]:
        """As shared.lane_consumer.LogReader, of all lanes and from the beginning."""
        assert after < self._first and len(lanes) == FACT_LANES
        places = self.of(types) if types is not None else range(len(self._lines))
        for at in range(0, max(len(places), 1), page):
            part = places[at : at + page]
            end = len(self._lines) - 1 if at + page >= len(places) else part[-1]
            marker = Through(epoch="epoch-1", through=self._first + end, last={})
            yield b"\n".join([self._lines[place] for place in part]), marker


async def measure(stack: LocalStack, rows: int = ROWS) -> list[Row]:
    """One measure beside GROUP BY with count(DISTINCT), all measures beside the live rate.

    The statement is run before and after the rebuilds, on a machine that others use as well; the
    mean counts. A row says what decoding the rows to objects takes alone: no rebuild reads the log
    without it, and the statement has its rows in columns already.
    """
    laid = await lay(await new_database(stack, "metrics"), rows)
    live = await project(laid.projection, laid.lines)
    await laid.pool.execute("UPDATE progress SET through = $1", laid.defined + len(laid.lines))
    reader = Lines(laid.lines, laid.defined + 1)
    number, types = await _greatest(laid.pool)
    catalogue = Catalogue.load()
    await _fill(laid.pool, laid.lines)
    reports = []
    for chosen in ({number}, None):
        statement = [await _group_by(laid.pool, types)]
        before = gc.get_threshold()
        calm_collector()  # as in the processes that rebuild
        report = await rebuild.rebuild(laid.pool, reader, catalogue, chosen)  # type: ignore[arg-type]
        gc.set_threshold(*before)
        statement.append(await _group_by(laid.pool, types))
        if report.differences or report.evidence_differences or not report.swapped:
            raise RuntimeError("what was rebuilt is not what was counted live")
        steps = ", ".join(f"{name} {seconds:.2f}" for name, seconds in report.steps.items())
        print(f"rebuild {chosen or 'all'}: {report.rows} rows, {steps}", file=sys.stderr)
        reports.append((report, statement))
    one, statement = reports[0]
    decode = _decode([laid.lines[place] for place in reader.of(types)])
    await laid.pool.close()
    beside = sum(statement) / len(statement)
    return [
        Row(
            f"rebuild of one measure, {rows:,} rows",
            one.seconds,
            "s",
            "one GROUP BY with count(DISTINCT)",
            beside,
            2,
            at_most=True,
        ),
        Row(
            "of it, decoding its rows alone",
            decode,
            "s",
            "the same GROUP BY",
            beside,
            2,
            at_most=True,
        ),
        Row(
            "rebuild of all measures",
            len(laid.lines) / reports[1][0].seconds,
            "rows/s",
            "live, one worker",
            len(laid.lines) / live,
            2,
        ),
    ]


def _decode(lines: list[bytes]) -> float:
    """The seconds to make objects of rows and drop them."""
    started = time.perf_counter()
    for line in lines:
        record_decoder.decode(line)
    return time.perf_counter() - started


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


async def _fill(pool: asyncpg.Pool, lines: list[bytes]) -> None:
    """The same rows in a table, for the statement."""
    async with pool.acquire() as connection:
        await connection.execute(
            "CREATE TABLE bench_rows (type text, unit_id text, key bytea, occurred date)"
        )
        for at in range(0, len(lines), BATCH):
            page = [record_decoder.decode(line) for line in lines[at : at + BATCH]]
            await connection.copy_records_to_table(
                "bench_rows", records=[(r.short_type, r.unitid, r.key, r.occurred) for r in page]
            )
        await connection.execute("VACUUM ANALYZE bench_rows")


async def _group_by(pool: asyncpg.Pool, types: list[str]) -> float:
    """The seconds of one statement over the rows of these types."""
    async with pool.acquire() as connection:
        started = time.perf_counter()
        await connection.fetch(
            "SELECT unit_id, occurred, count(DISTINCT key) FROM bench_rows"
            " WHERE type = ANY($1::text[]) GROUP BY unit_id, occurred",
            types,
        )
        return time.perf_counter() - started
