"""How many rows per second one worker projects, with all measures of the five plans.

A worker that catches up from the log: pages of JSON through `LaneConsumer` into the projection,
decoded, counted and stored; without HTTP and broker. The reference is the same rows, decoded, as
distinct persons by `insert ... on conflict do nothing`, in an interpreter as it is. With two
workers: two processes with half of the lanes each, both over the same database.

    python -m bench projection --rows 1000000
"""

import asyncio
import gc
import json
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import asyncpg
import msgspec
import yaml

from bench.report import Row
from deploy.local.stack import LocalStack
from services.metrics.projecting.projection import MetricsProjection
from services.metrics.tables.refresh import Refresher
from shared.clock import ShiftedClock
from shared.contracts.definitions import Catalogue
from shared.contracts.record import FACT_LANES, LANES, Through, record_decoder
from shared.db import connect_pool, migrate
from shared.garbage import calm_collector
from shared.lane_consumer import LOG_PAGE, LaneConsumer, LogReader
from shared.lanes import Lane
from tests.conftest import new_database
from tests.metrics.conftest import EMPTY, MIGRATIONS
from tests.metrics.memory_log import MemoryLog

PLANS = Path(__file__).parents[1] / "plans"
BATCH = 5_000
ROWS = 200_000
MIX = (
    ("citizen.certified", 40),
    ("training.attended", 25),
    ("course.completed", 10),
    ("skill.confirmed", 5),
    ("signature.registered", 5),
    ("outreach.delivered", 5),
    ("post.published", 4),
    ("guidance_session.held", 3),
    ("class.held", 3),
)


def fill(log: MemoryLog, rows: int, communes: list[str], people: int, seed: int = 1) -> None:
    """Facts of a realistic mix: mostly persons, some seen before, a year of days."""
    dice = random.Random(seed)
    names = [name for name, _ in MIX]
    weights = [weight for _, weight in MIX]
    start = date(2026, 1, 1)
    for index in range(rows):
        name = dice.choices(names, weights)[0]
        day = start + timedelta(days=index * 300 // rows)
        occurred = day - timedelta(days=dice.choice((0, 0, 0, 1, 3)))
        person = f"cccd:{dice.randrange(people):032X}"
        groups = dice.choice((["adult"], ["adult", "worker"], ["civil_servant"], ["pupil"]))
        data: dict[str, object] = {"target_groups": groups}
        if name == "post.published":
            data = {"kind": "news", "channel": "portal", "url": f"https://a.example/{index}"}
        elif name == "guidance_session.held":
            data = {"kind": "community_session", "topics": ["vneid"], "participants": 12}
        elif name == "class.held":
            data["participants"] = 30
        else:
            data["person_ref"] = person
        if name == "skill.confirmed":
            data["topic"] = "admin_procedure_platforms"
        elif name == "outreach.delivered":
            data["topic"] = "digital_signature"
        elif name == "signature.registered":
            data["channel"] = "vneid"
        log.post(name, dice.choice(communes), occurred, day, data)


@dataclass
class Laid:
    """A database with units and plans, nothing counted yet, and the facts to count, as JSON."""

    url: str
    pool: asyncpg.Pool
    projection: MetricsProjection
    refresher: Refresher
    lines: list[bytes]
    defined: int


async def lay(url: str, rows: int, log: MemoryLog | None = None) -> Laid:
    """Tables, a province of 102 communes, the five plans, and the facts."""
    catalogue = Catalogue.load()
    migrate(url, "metrics", MIGRATIONS)
    pool = await connect_pool(url, "metrics", statement_timeout_s=0)
    async with pool.acquire() as connection:
        await connection.execute(EMPTY)
    log = log or MemoryLog(catalogue)
    communes = define(log)
    projection = MetricsProjection(pool, "bench", catalogue)
    await projection.begin(frozenset(range(LANES)))
    definitions = list(log.rows)
    await projection.apply(definitions, {64: Lane(len(definitions), len(definitions))})
    refresher = Refresher(pool, catalogue, ShiftedClock())
    await refresher.refresh()
    fill(log, rows, communes, max(rows // 2, 1))
    lines = [msgspec.json.encode(row) for row in log.rows[len(definitions) :]]
    log.rows.clear()
    gc.collect()
    gc.freeze()  # the input is not part of what is measured
    return Laid(url, pool, projection, refresher, lines, len(definitions))


def define(log: MemoryLog) -> list[str]:
    """Units and plans; the communes."""
    first = date(2026, 1, 1)
    communes = [f"{24000 + n}@2025" for n in range(102)]
    log.post(
        "unit.established",
        "66@2025",
        first,
        first,
        {"unit_id": "66@2025", "code": "66", "era": "2025", "name_vi": "Đắk Lắk", "kind": "province",
         "from": "2025-07-01"},
    )  # fmt: skip
    for name in communes:
        log.post(
            "unit.established",
            name,
            first,
            first,
            {"unit_id": name, "code": name[:5], "era": "2025", "name_vi": name, "kind": "commune",
             "parent": "66@2025",
             "from": "2025-07-01"},
        )  # fmt: skip
    for path in sorted(PLANS.glob("*.yaml")):
        document = yaml.safe_load(path.read_text())
        log.post(
            "plan.published",
            "66@2025",
            first,
            first,
            {"plan": document["id"], "version": document["version"], "document": document},
        )
    return communes


class Pages(LogReader):
    """A log in memory: pages of JSON, each closed by a marker for the lanes of one worker."""

    def __init__(self, lines: list[bytes], lanes: Mapping[int, Lane]) -> None:
        last = {number: lane.last for number, lane in lanes.items()}
        self._pages: list[tuple[bytes, Through]] = []
        for at in range(0, len(lines), LOG_PAGE):
            page = lines[at : at + LOG_PAGE]
            for line in page:
                record = record_decoder.decode(line)
                last[record.lane] = record.position
            marker = Through(epoch="epoch-1", through=max(last.values()), last=dict(last))
            self._pages.append((b"\n".join(page), marker))

    async def pages(self, *_: object, **__: object) -> AsyncIterator[tuple[bytes, Through]]:
        """As shared.lane_consumer.LogReader, whatever is asked for."""
        for page in self._pages:
            yield page


async def project(projection: MetricsProjection, lines: list[bytes]) -> float:
    """Count the rows as a worker does that reads the log; the seconds it took."""
    reader = Pages(lines, projection.lanes)
    consumer = LaneConsumer(projection, reader, "unused:1", "bench")
    before = gc.get_threshold()
    calm_collector()
    try:
        started = time.perf_counter()
        await consumer.catch_up(list(projection.lanes))
        seconds = time.perf_counter() - started
    finally:
        gc.set_threshold(*before)
    if consumer.rows_from_log != len(lines):
        raise RuntimeError(f"{consumer.rows_from_log} of {len(lines)} rows were counted")
    return seconds


async def reference(pool: asyncpg.Pool, lines: list[bytes]) -> float:
    """Decode the rows and keep distinct persons; the seconds it took."""
    async with pool.acquire() as connection:
        await connection.execute(
            "DROP TABLE IF EXISTS bench_reference;"
            " CREATE TABLE bench_reference (key bytea PRIMARY KEY)"
        )
        started = time.perf_counter()
        for at in range(0, len(lines), BATCH):
            records = [record_decoder.decode(line) for line in lines[at : at + BATCH]]
            await connection.execute(
                "INSERT INTO bench_reference SELECT * FROM unnest($1::bytea[])"
                " ON CONFLICT DO NOTHING",
                sorted({record.key for record in records}),
            )
        return time.perf_counter() - started


async def two_workers(laid: Laid) -> float:
    """Count the rows in two processes with half of the lanes each; the seconds it took."""
    await laid.projection.begin(frozenset(range(FACT_LANES, LANES)))
    with tempfile.TemporaryDirectory(prefix="hocvuso-bench-") as folder:
        halves: list[list[bytes]] = [[], []]
        for line in laid.lines:
            halves[record_decoder.decode(line).lane % 2].append(line)
        workers = []
        for half, lines in enumerate(halves):
            path = Path(folder) / f"{half}.ndjson"
            path.write_bytes(b"\n".join(lines))
            worker = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "bench.projection", laid.url, str(path), str(half)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )
            workers.append(worker)
        for worker in workers:
            assert worker.stdout is not None
            await worker.stdout.readline()  # it has its rows and lanes
        answers = await asyncio.gather(*(worker.communicate(b"go\n") for worker in workers))
    times = [json.loads(out) for out, _ in answers]
    return float(max(end for _, end in times) - min(start for start, _ in times))


async def _half(url: str, path: str, half: int) -> None:
    """One of two workers: waits for a line on stdin, counts, prints when it began and ended."""
    pool = await connect_pool(url, "metrics", statement_timeout_s=0)
    projection = MetricsProjection(pool, f"bench-{half}", Catalogue.load())
    await projection.begin(frozenset(range(half, FACT_LANES, 2)))
    lines = Path(path).read_bytes().split(b"\n")
    gc.freeze()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    started = time.time()
    await project(projection, lines)
    print(json.dumps([started, time.time()]))
    await pool.close()


async def measure(stack: LocalStack, rows: int = ROWS) -> list[Row]:
    """The projection's rows of the design, section 8: all measures of the five plans, with one
    worker and with two."""
    found = []
    for name, goal in (("one worker", 0.5), ("two workers", 0.75)):
        laid = await lay(await new_database(stack, "metrics"), rows)
        alone = goal == 0.5
        seconds = await (project(laid.projection, laid.lines) if alone else two_workers(laid))
        counted = await laid.pool.fetchval("SELECT count(*) FROM evidence")
        tallies = await laid.pool.fetchval("SELECT count(*) FROM tally")
        beside = await reference(laid.pool, laid.lines)
        await laid.pool.close()
        print(f"{rows} rows: {counted} of evidence, {tallies} tallies", file=sys.stderr)
        text = "decode + insert of distinct persons"
        found.append(
            Row(f"projection, {name}", rows / seconds, "rows/s", text, rows / beside, goal)
        )
    return found


if __name__ == "__main__":
    asyncio.run(_half(sys.argv[1], sys.argv[2], int(sys.argv[3])))
