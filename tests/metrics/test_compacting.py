"""Rows of tallies that have the same key are joined: fewer rows, the same sums, whatever else runs."""

import asyncio
import random
from datetime import UTC, date, datetime, timedelta

import asyncpg

from services.metrics import rebuild
from services.metrics.counting.fold import Deltas
from services.metrics.counting.groups import Groups
from services.metrics.projecting import store
from services.metrics.projecting.compacting import Compactor, compact
from services.metrics.projecting.counted import Counted
from services.metrics.projecting.packing import Packing
from services.metrics.projecting.projection import MetricsProjection
from shared.clock import FixedClock
from shared.contracts.definitions import Catalogue
from shared.lane_consumer import LaneConsumer
from tests.metrics.histories import play
from tests.metrics.worlds import ALL, history, know_measures

DAY = date(2026, 6, 1)
Sums = dict[tuple[object, ...], tuple[int, int]]


async def sums(pool: asyncpg.Pool) -> Sums:
    rows = await pool.fetch(
        "SELECT measure, unit_id, occurred, recorded, sum(n)::bigint, sum(total)::bigint"
        " FROM tally GROUP BY 1, 2, 3, 4"
    )
    return {tuple(row[:4]): (row[4], row[5]) for row in rows if row[4] or row[5]}


async def one_row_at_a_time(pool: asyncpg.Pool, catalogue: Catalogue) -> object:
    """Count a history in the smallest batches there are."""
    log, _ = play(history(random.Random(3), 80), catalogue)
    await know_measures(pool)
    projection = MetricsProjection(pool, "w", catalogue)
    await projection.begin(ALL)
    consumer = LaneConsumer(projection, log, "unused:1", "w")  # type: ignore[arg-type]
    for row in list(log.rows):
        await consumer._take([row], [], from_log=False)
    await consumer.catch_up(list(ALL))
    return log


async def test_fewer_rows_and_the_same_sums(pool: asyncpg.Pool, catalogue: Catalogue) -> None:
    log = await one_row_at_a_time(pool, catalogue)
    before, rows = await sums(pool), await pool.fetchval("SELECT count(*) FROM tally")
    fewer = await compact(pool, least=2)
    assert fewer > 0
    assert await pool.fetchval("SELECT count(*) FROM tally") == rows - fewer
    assert await sums(pool) == before
    assert await pool.fetchval("SELECT count(*) FROM tally") == len(before)
    assert await compact(pool, least=2) == 0
    report = await rebuild.rebuild(pool, log, catalogue)  # type: ignore[arg-type]
    assert (report.differences, report.evidence_differences) == ([], 0)
    assert await sums(pool) == before


def packed(deltas: Deltas) -> bytes:
    return Packing({}).tallies(Counted(Groups({}), single=deltas))


async def append(pool: asyncpg.Pool, dice: random.Random) -> tuple[str, int]:
    """A batch's deltas, as a worker writes them; which unit got how much."""
    unit, n = f"unit-{dice.randrange(2)}", dice.randrange(-2, 4)
    async with pool.acquire() as connection, connection.transaction():
        rows = packed({(1, unit, DAY, DAY): [n, 2 * n]})
        await store.add_tallies(connection, store.LIVE, rows)
        await asyncio.sleep(dice.random() / 200)
    return unit, n


async def test_passes_beside_each_other_and_beside_counting_keep_every_sum(
    pool: asyncpg.Pool,
) -> None:
    await pool.execute(
        "INSERT INTO measure (id, fingerprint, definition, state)"
        " OVERRIDING SYSTEM VALUE VALUES (1, 'a', '{}', 'live')"
    )
    dice = random.Random(1)
    done = asyncio.Event()

    async def passes() -> int:
        fewer = 0
        while not done.is_set():
            fewer += await compact(pool, least=2)
        return fewer

    joining = [asyncio.create_task(passes()) for _ in range(2)]
    expected: dict[str, int] = {}
    for _ in range(60):
        for unit, n in await asyncio.gather(*(append(pool, dice) for _ in range(3))):
            expected[unit] = expected.get(unit, 0) + n
    done.set()
    assert sum(await asyncio.gather(*joining)) > 0
    found = {key[1]: value for key, value in (await sums(pool)).items()}
    assert found == {unit: (n, 2 * n) for unit, n in expected.items() if n}


async def test_a_pass_under_way_does_not_undo_a_rebuild(
    pool: asyncpg.Pool, catalogue: Catalogue
) -> None:
    """A pass whose statement began before a rebuild's swap: the rebuild only appends differences,
    so neither waits for the other and both stay right."""
    log = await one_row_at_a_time(pool, catalogue)
    right = await sums(pool)
    await pool.execute("UPDATE tally SET n = n + 1 WHERE measure = 3")
    async with pool.acquire() as connection:
        swap = connection.transaction()
        await swap.start()
        await connection.execute("SELECT 1 FROM tally WHERE measure = 3 FOR UPDATE")
        joining = asyncio.create_task(compact(pool, least=1))
        await asyncio.sleep(0.3)  # the pass has its snapshot and waits for the rows of measure 3
        assert (await rebuild.rebuild(pool, log, catalogue)).swapped  # type: ignore[arg-type]
        assert not joining.done()
        await swap.rollback()
    await joining
    assert await sums(pool) == right


async def test_old_days_are_looked_at_once_a_day(pool: asyncpg.Pool) -> None:
    old = date(2026, 1, 1)
    await pool.execute(
        "INSERT INTO measure (id, fingerprint, definition, state)"
        " OVERRIDING SYSTEM VALUE VALUES (1, 'a', '{}', 'live')"
    )
    clock = FixedClock(datetime(2026, 6, 2, 3, tzinfo=UTC))
    compactor = Compactor(pool, clock)

    async def rows_after_a_pass(recorded: date) -> int:
        await pool.execute("TRUNCATE tally")
        for _ in range(10):
            async with pool.acquire() as connection:
                rows = packed({(1, "u", old, recorded): [1, 0]})
                await store.add_tallies(connection, store.LIVE, rows)
        await compactor.run()
        return int(await pool.fetchval("SELECT count(*) FROM tally"))

    assert compactor.due()
    assert await rows_after_a_pass(old) == 1
    assert not compactor.due()
    assert await rows_after_a_pass(old) == 10
    assert await rows_after_a_pass(clock.today()) == 1
    clock.at += timedelta(days=1)
    assert await rows_after_a_pass(old) == 1
