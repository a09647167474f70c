"""Tables of any day over a long log: the province's, through registry and metrics, nothing cached.

The log of `growth` (2,000 facts a day, half of the persons seen before) goes through both projections
as workers do it; then random days are asked for, as known on random later days.

    python -m bench table --rows 10000000
"""

import asyncio
import contextlib
import random
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import asyncpg
import httpx
import msgspec
import psutil

from bench.growth import CHUNK, PER_DAY, _post, _Rows
from bench.projection import define, lay, project
from bench.report import Row
from deploy.local.stack import LocalStack
from services.metrics.projecting import spans
from services.metrics.tables.refresh import Refresher
from services.registry.definitions import DefinitionProjection
from services.registry.journal.projection import FactProjection
from shared import progress
from shared.clock import VIETNAM, FixedClock
from shared.contracts.definitions import Catalogue
from shared.contracts.record import DEFINITION_LANE, LANES, LogRecord, record_decoder
from shared.db import connect_pool, migrate
from shared.lanes import Lane
from tests.conftest import new_database
from tests.metrics.memory_log import EPOCH, MemoryLog

ROWS = 100_000
QUESTIONS = 150
USERS = 3
CURRENT = 400
FIRST = date(2026, 1, 1)
TABLE = "/v1/plans/dak-lak-2026/table"
REGISTRY = Path(__file__).parents[1] / "services" / "registry" / "migrations"


@dataclass(frozen=True)
class Filled:
    """A database with `rows` facts counted; `day`: the day after the last of them."""

    url: str
    day: date
    rows: int
    end: int


async def measure(stack: LocalStack, rows: int = ROWS) -> list[Row]:
    """Fill, then ask."""
    return await ask(await fill(stack, rows))


# -- filling -------------------------------------------------------------------------------------


async def fill(stack: LocalStack, rows: int) -> Filled:
    """Both projections of the same log, sums of past days, and the current tables."""
    catalogue = Catalogue.load()
    log = MemoryLog(catalogue)
    laid = await lay(await new_database(stack, "metrics"), 0, log)
    both = stack.superuser_url.rpartition("/")[0] + "/" + laid.url.rpartition("/")[2]
    migrate(both, "registry", REGISTRY)
    pool = await connect_pool(both, "registry", statement_timeout_s=0)
    first = MemoryLog(catalogue)
    communes = define(first)
    await keep(pool, first.rows)
    kept = log.rows = _Rows()
    kept.forgotten = laid.defined
    dice = random.Random(1)
    for start in range(0, rows, CHUNK):
        for index in range(start, min(start + CHUNK, rows)):
            _post(log, dice, index, communes)
        lines = kept.take()
        log._events.clear()
        await project(laid.projection, lines)
        await keep(pool, [record_decoder.decode(line) for line in lines])
        if (start // CHUNK + 1) % 100 == 0:
            print(f"{start + CHUNK:,} rows", file=sys.stderr)
    await pool.close()
    filled = Filled(both, FIRST + timedelta(days=rows // PER_DAY + 1), rows, laid.defined + rows)
    await finish(laid.pool, filled)
    await laid.pool.close()
    return filled


async def keep(pool: asyncpg.Pool, records: list[LogRecord]) -> None:
    """What registry keeps of the rows."""
    held = await progress.claim(pool, "bench", frozenset(range(LANES)))
    facts = FactProjection(pool, held)
    definitions = DefinitionProjection(pool, held, asyncio.Event())
    await facts.bind(EPOCH)
    for projection in (facts, definitions):
        mine = [r for r in records if (r.lane == DEFINITION_LANE) is (projection is definitions)]
        if mine:
            await projection.apply(mine, {r.lane: Lane(r.position, r.position) for r in mine})
    await progress.release(pool, "bench")


async def finish(pool: asyncpg.Pool, filled: Filled) -> None:
    """What the workers do beside counting: complete markers, sums of past days, the tables of now."""
    clock = FixedClock(datetime.combine(filled.day, datetime.min.time(), VIETNAM))
    async with pool.acquire() as connection:
        await connection.execute("UPDATE progress SET through = $1", filled.end)
        started = time.perf_counter()
        while await spans.sum_up(connection):
            pass
        print(f"sums of past days: {time.perf_counter() - started:.1f} s", file=sys.stderr)
        await connection.execute("ANALYZE")
    started = time.perf_counter()
    await Refresher(pool, Catalogue.load(), clock).refresh()
    print(f"refresh of everything: {time.perf_counter() - started:.1f} s", file=sys.stderr)


# -- asking --------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def serving(
    name: str, filled: Filled, metrics: str = ""
) -> AsyncIterator[tuple[str, psutil.Process]]:
    """A service in a process of its own, ready; its address."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.volume_servers", name, filled.url, filled.day.isoformat()),
        *(str(filled.end), metrics),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    address = f"http://127.0.0.1:{int(await process.stdout.readline())}"
    try:
        async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=10) as client:
            for _ in range(600):
                with contextlib.suppress(httpx.HTTPError):
                    if (await client.get("/health/ready")).status_code == 200:
                        break
                await asyncio.sleep(0.1)
            else:
                raise RuntimeError(f"{name} does not become ready")
        yield address, psutil.Process(process.pid)
    finally:
        process.terminate()
        await process.wait()


def days(filled: Filled, dice: random.Random) -> dict[str, str]:
    """A random day, as known then or later; no two questions are alike but by accident."""
    as_of = FIRST + timedelta(days=dice.randrange(1, (filled.day - FIRST).days))
    later = (filled.day - as_of).days
    known = as_of + timedelta(days=dice.choice((0, dice.randrange(later), dice.randrange(later))))
    return {"as_of": as_of.isoformat(), "known_at": known.isoformat()}


async def ask(filled: Filled) -> list[Row]:
    """The first table after a start; random ones, one after the other and by several users; one
    right after a definition has come; and the current one."""
    dice = random.Random(7)
    async with (
        serving("metrics", filled) as (metrics, counter),
        serving("registry", filled, metrics) as (registry, shower),
        httpx.AsyncClient(base_url=registry, trust_env=False, timeout=60) as client,
    ):

        async def one(given: dict[str, str]) -> float:
            started = time.perf_counter()
            answer = await client.get(TABLE, params=given)
            taken = time.perf_counter() - started
            answer.raise_for_status()
            return taken

        async def user(number: int) -> list[float]:
            mine = random.Random(100 + number)
            return [await one(days(filled, mine)) for _ in range(QUESTIONS // USERS)]

        first = await one(days(filled, dice))
        before = [_cpu(process) for process in (counter, shower)]
        alone = [await one(days(filled, dice)) for _ in range(QUESTIONS)]
        cpu = [
            1e3 * (_cpu(process) - then) / QUESTIONS
            for process, then in zip((counter, shower), before, strict=True)
        ]
        print(f"processor per table: metrics {cpu[0]:.0f} ms, registry {cpu[1]:.0f} ms"
              f"; memory: {', '.join(_memory(p) for p in (counter, shower))}", file=sys.stderr)  # fmt: skip
        together = [t for mine in await asyncio.gather(*map(user, range(USERS))) for t in mine]
        defined = []
        for number in range(10):
            await _declare(filled, number)
            defined.append(await one({"as_of": days(filled, dice)["as_of"]}))
        current = await one({})
        now = [await one({}) for _ in range(CURRENT)]
        refreshed = []
        for _ in range(30):
            await _touch(filled)
            refreshed.append(await one({}))
    name = f"{filled.rows:,} events"
    return [
        _row(f"table of any day, {name}, p99", alone, 300),
        _row(f"the same, {USERS} users at once, p99", together, 300),
        _row("the same, first after a start", [first], 300),
        _row("the same, right after a definition, slowest of 10", defined, 300),
        _row(f"current table, {name}, first", [current], 300),
        _row(f"current table, {name}, p99", now, 10),
        _row("the same, first after a refresh, p99 of 30", refreshed, 50),
    ]


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _memory(process: psutil.Process) -> str:
    return f"{process.memory_info().rss / 2**20:.0f} MB"


def _row(path: str, seconds: list[float], goal: float) -> Row:
    ordered = sorted(seconds)
    median = f"median {1e3 * ordered[len(ordered) // 2]:.0f} ms, {len(ordered)} questions"
    worst = ordered[min(int(0.99 * len(ordered)), len(ordered) - 1)]
    return Row(path, 1e3 * worst, "ms", median, None, goal, at_most=True)


async def _declare(filled: Filled, number: int) -> None:
    """Another population, as the projection of metrics stores it."""
    connection = await asyncpg.connect(filled.url)
    log = MemoryLog(Catalogue.load())
    data = {"population": "adults", "number": 1_000 + number, "authority": "bench",
            "as_of": FIRST.isoformat()}  # fmt: skip
    log.post("population.declared", "24000@2025", filled.day, filled.day, data)
    row = log.rows[0]
    row.position = row.origin = 10**12 + await connection.fetchval(
        "SELECT count(*) FROM metrics.definition"
    )
    await connection.execute(
        "INSERT INTO metrics.definition VALUES ($1, $2, 'population.declared', $3)",
        row.position, filled.day, msgspec.json.encode(row),
    )  # fmt: skip
    await connection.close()


async def _touch(filled: Filled) -> None:
    """As if a refresh had come: the stamp moves, so nobody may use what is kept."""
    connection = await asyncpg.connect(filled.url)
    await connection.execute("UPDATE metrics.shown SET refreshed_at = now()")
    await connection.close()
