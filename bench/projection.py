"""How many rows per second one worker projects, with all measures of the five plans.

    python -m bench.projection POSTGRES_URL [ROWS]

Decode, contribute, fold, PostgreSQL: the whole path of a batch, without the broker. The reference
is the same rows, decoded, as distinct persons by `insert ... on conflict do nothing`.
"""

import asyncio
import gc
import random
import sys
import time
from datetime import date, timedelta
from pathlib import Path

import msgspec
import yaml

from bench.report import Row
from deploy.local.stack import LocalStack
from services.metrics.projection import MetricsProjection
from services.metrics.refresh import Refresher
from shared.clock import ShiftedClock
from shared.contracts.definitions import Catalogue
from shared.contracts.record import LANES, record_decoder
from shared.db import connect_pool, migrate
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


async def measure(stack: LocalStack) -> list[Row]:
    """The projection's row of the design, section 8: one worker, all measures of the five plans."""
    figure, reference = await run(await new_database(stack, "metrics"), ROWS)
    text = "decode + insert of distinct persons"
    return [Row("projection, one worker", figure, "rows/s", text, reference, 0.5)]


async def run(url: str, rows: int) -> tuple[float, float]:
    """Rows per second of the projection and of the reference."""
    catalogue = Catalogue.load()
    migrate(url, "metrics", MIGRATIONS)
    pool = await connect_pool(url, "metrics")
    async with pool.acquire() as connection:
        await connection.execute(EMPTY)
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS bench_reference (key bytea PRIMARY KEY)"
        )
        await connection.execute("TRUNCATE bench_reference")
    log = MemoryLog(catalogue)
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
    projection = MetricsProjection(pool, "bench", catalogue)
    await projection.begin(frozenset(range(LANES)))
    definitions = list(log.rows)
    await projection.apply(definitions, {64: Lane(len(definitions), len(definitions))})
    refresher = Refresher(pool, catalogue, ShiftedClock())
    await refresher.refresh()
    fill(log, rows, communes, rows // 2)
    lines = [msgspec.json.encode(row) for row in log.rows[len(definitions) :]]
    log.rows.clear()
    gc.collect()
    gc.freeze()  # the input is not part of what is measured
    refreshes = []

    async def refresh_sometimes() -> None:
        while True:
            started = time.perf_counter()
            await refresher.refresh()
            refreshes.append(time.perf_counter() - started)
            await asyncio.sleep(0.2)

    with_refresh = "--refresh" in sys.argv
    task = asyncio.create_task(refresh_sometimes()) if with_refresh else None
    started = time.perf_counter()
    cpu = time.process_time()
    for at in range(0, len(lines), BATCH):
        records = [record_decoder.decode(line) for line in lines[at : at + BATCH]]
        lanes = {n: Lane(lane.last, lane.through) for n, lane in projection.lanes.items()}
        before = {n: Lane(lane.last, lane.through) for n, lane in lanes.items()}
        for record in records:
            lanes[record.lane].offer(record)
        await projection.apply(records, {n: x for n, x in lanes.items() if x != before[n]})
    seconds = time.perf_counter() - started
    cpu = time.process_time() - cpu
    if task:
        task.cancel()
        if refreshes:
            refreshes.sort()
            print(
                f"refreshes: {len(refreshes)}, median {refreshes[len(refreshes) // 2]:.3f} s, max {refreshes[-1]:.3f} s"
            )
    began = time.perf_counter()
    async with pool.acquire() as connection:
        for at in range(0, len(lines), BATCH):
            records = [record_decoder.decode(line) for line in lines[at : at + BATCH]]
            await connection.execute(
                "INSERT INTO bench_reference SELECT * FROM unnest($1::bytea[]) ON CONFLICT DO NOTHING",
                sorted({record.key for record in records}),
            )
        measures = await connection.fetchval("SELECT count(*) FROM measure")
        tallies = await connection.fetchval("SELECT count(*) FROM tally")
        await connection.execute("DROP TABLE bench_reference")
    reference = time.perf_counter() - began
    again = time.perf_counter()
    await refresher.refresh()
    print(
        f"{rows} rows, {measures} measures, {tallies} tallies: {rows / seconds:,.0f} rows/s"
        f" ({cpu / seconds:.0%} of a core in Python); reference {rows / reference:,.0f} rows/s;"
        f" ratio {reference / seconds:.2f}; refresh after all {time.perf_counter() - again:.3f} s",
        file=sys.stderr,
    )
    await pool.close()
    return rows / seconds, rows / reference


if __name__ == "__main__":
    plain = [a for a in sys.argv[1:] if not a.startswith("--")]
    asyncio.run(run(plain[0], int(plain[1]) if len(plain) > 1 else ROWS))
