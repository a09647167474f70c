"""The real projection over PostgreSQL in a hostile world: a bus that loses, doubles and reorders,
workers that crash before and after commits and take lanes from each other, a rebuild in between.
At the end the tables equal the naive oracle, and a rebuild finds nothing to change."""

import asyncio
import random

import asyncpg
import pytest

from services.metrics import rebuild
from services.metrics.projecting import generations, store
from services.metrics.projecting.compacting import compact
from services.metrics.projecting.projection import MetricsProjection
from shared.contracts.definitions import Catalogue
from shared.contracts.record import LogRecord
from shared.lane_consumer import LaneConsumer
from shared.progress import LanesLost
from tests.metrics.histories import MEASURES, last_days, play
from tests.metrics.memory_log import MemoryLog, copy_of
from tests.metrics.naive import values
from tests.metrics.worlds import ALL, history, know_measures, tallied


class Crash(Exception):
    """The worker dies here."""


class World:
    """Workers, a bus and the dice that decide their fate."""

    def __init__(
        self, pool: asyncpg.Pool, log: MemoryLog, catalogue: Catalogue, dice: random.Random
    ) -> None:
        self.pool, self.log, self.catalogue, self.dice = pool, log, catalogue, dice
        self.sent = 0
        self.workers = [self.start("one"), self.start("two")]

    def start(self, name: str) -> LaneConsumer:
        def maybe_die(*_: object) -> None:
            if self.dice.random() < 0.05:
                raise Crash("after the commit")

        projection = MetricsProjection(self.pool, name, self.catalogue, on_applied=maybe_die)
        return LaneConsumer(projection, self.log, "unused:1", name)  # type: ignore[arg-type]

    async def share(self, split: int) -> None:
        """Give lanes below `split` to the first worker, the others to the second."""
        async with self.pool.acquire() as connection:
            await connection.execute("TRUNCATE worker")  # both count as dead: lanes can be taken
        first = frozenset(lane for lane in ALL if lane % 7 < split)
        for worker, lanes in zip(self.workers, (first, ALL - first), strict=True):
            await worker._projection.begin(lanes)  # type: ignore[attr-defined]

    def deliver(self) -> list[LogRecord]:
        """What the bus brings: some of what was sent, some of it twice, in some order."""
        more = self.dice.randrange(1, 5)
        fresh = self.log.rows[self.sent : self.sent + more]
        self.sent += more
        lost = self.dice.choice([0.0, 0.0, 0.2])
        rows = [copy_of(row) for row in fresh if self.dice.random() >= lost]
        old = self.log.rows[: self.sent]
        rows += [copy_of(self.dice.choice(old)) for _ in range(self.dice.randrange(3)) if old]
        if self.dice.random() < 0.3:
            self.dice.shuffle(rows)
        return rows

    async def step(self) -> None:
        rows = self.deliver()
        markers = [self.log.marker(min(self.sent, len(self.log.rows)))]
        if self.dice.random() < 0.5:
            markers = []
        for at, worker in enumerate(self.workers):
            held = worker._projection.lanes
            mine = [row for row in rows if row.lane in held]
            try:
                await worker._take(mine, markers, from_log=False)
            except LanesLost:
                await worker._projection.begin(frozenset(held))  # type: ignore[attr-defined]
            except Crash:
                name = ("one", "two")[at]
                self.workers[at] = self.start(name)
                await self.workers[at]._projection.begin(frozenset(held))  # type: ignore[attr-defined]

    async def finish(self) -> None:
        last = MetricsProjection(self.pool, "last", self.catalogue)
        async with self.pool.acquire() as connection:
            await connection.execute("TRUNCATE worker")
        await last.begin(ALL)
        consumer = LaneConsumer(last, self.log, "unused:1", "last")  # type: ignore[arg-type]
        await consumer.catch_up(list(ALL))


@pytest.mark.parametrize("seed", range(12))
async def test_hostile_worlds_end_in_the_oracles_tables(
    pool: asyncpg.Pool, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    dice = random.Random(seed)
    ops = history(dice, 60)
    log, told = play(ops, catalogue)
    await know_measures(pool)
    honest = store.add_tallies

    async def dies_sometimes(*args: object) -> None:
        await honest(*args)  # type: ignore[arg-type]
        if dice.random() < 0.05:
            raise Crash("before the commit")

    monkeypatch.setattr(store, "add_tallies", dies_sometimes)
    world = World(pool, log, catalogue, dice)
    await world.share(4)
    while world.sent < len(log.rows):
        await world.step()
        if dice.random() < 0.1:
            await world.share(dice.randrange(8))
        if dice.random() < 0.1:
            await compact(pool, least=2)
        if dice.random() < 0.05:
            monkeypatch.setattr(store, "add_tallies", honest)
            numbers = None if dice.random() < 0.5 else set(dice.sample(sorted(MEASURES), 4))
            report = await rebuild.rebuild(pool, log, catalogue, numbers)  # type: ignore[arg-type]
            assert (report.differences, report.evidence_differences) == ([], 0)
            monkeypatch.setattr(store, "add_tallies", dies_sometimes)
    monkeypatch.setattr(store, "add_tallies", honest)
    await world.finish()
    known_days = last_days(ops)[1]
    for known_at in known_days:
        for as_of in last_days(ops)[0]:
            found = await tallied(pool, as_of, known_at)
            for number, measure in MEASURES.items():
                expected = values(measure, told, as_of, known_at)
                assert found.get(number, {}) == expected, (measure, as_of, known_at)
    report = await rebuild.rebuild(pool, log, catalogue, compare_only=True)  # type: ignore[arg-type]
    assert (report.differences, report.evidence_differences) == ([], 0)
    assert await pool.fetchval("SELECT min(through) FROM progress") == len(log.rows)


async def counted(pool: asyncpg.Pool, catalogue: Catalogue, seed: int = 1) -> MemoryLog:
    """A database that has counted a history."""
    log, _ = play(history(random.Random(seed), 80), catalogue)
    await know_measures(pool)
    projection = MetricsProjection(pool, "w", catalogue)
    await projection.begin(ALL)
    await LaneConsumer(projection, log, "unused:1", "w").catch_up(list(ALL))  # type: ignore[arg-type]
    return log


@pytest.mark.parametrize("numbers", [None, {3}])
async def test_a_rebuild_finds_and_repairs_what_is_wrong(
    pool: asyncpg.Pool, catalogue: Catalogue, numbers: set[int] | None
) -> None:
    log = await counted(pool, catalogue)
    await pool.execute("UPDATE tally SET n = n + 1 WHERE measure = 3")
    await pool.execute(
        "DELETE FROM evidence WHERE origin IN (SELECT origin FROM evidence e JOIN combination c"
        " ON c.id = e.combination WHERE c.marks[1] = 3 LIMIT 3)"
    )
    report = await rebuild.rebuild(pool, log, catalogue, numbers)  # type: ignore[arg-type]
    assert report.swapped
    assert {difference[0] for difference in report.differences} == {3}
    again = await rebuild.rebuild(pool, log, catalogue, {3}, compare_only=True)  # type: ignore[arg-type]
    assert again.differences == []
    if numbers is None:
        whole = await rebuild.rebuild(pool, log, catalogue, compare_only=True)  # type: ignore[arg-type]
        assert (whole.differences, whole.evidence_differences) == ([], 0)


async def test_evidence_that_should_not_be_there_goes(
    pool: asyncpg.Pool, catalogue: Catalogue
) -> None:
    log = await counted(pool, catalogue)
    await pool.execute(
        "INSERT INTO evidence SELECT origin + 100000, position, recorded, since, until, combination,"
        " revision, lane, subject, unit_id, detail FROM evidence LIMIT 5"
    )
    report = await rebuild.rebuild(pool, log, catalogue)  # type: ignore[arg-type]
    assert report.evidence_differences == 5
    whole = await rebuild.rebuild(pool, log, catalogue, compare_only=True)  # type: ignore[arg-type]
    assert (whole.differences, whole.evidence_differences) == ([], 0)


async def test_a_batch_under_way_cannot_commit_into_a_new_generation(
    pool: asyncpg.Pool, catalogue: Catalogue
) -> None:
    log, _ = play(history(random.Random(2), 20), catalogue)
    await know_measures(pool)
    projection = MetricsProjection(pool, "w", catalogue)
    await projection.begin(ALL)
    consumer = LaneConsumer(projection, log, "unused:1", "w")  # type: ignore[arg-type]
    async with pool.acquire() as connection, connection.transaction():
        await generations.lock_lanes(connection)
        await generations.next_generation(connection)
        late = asyncio.create_task(consumer.catch_up(list(ALL)))
        await asyncio.sleep(0.5)
        assert not late.done()
    with pytest.raises(LanesLost):
        await late
    assert await pool.fetchval("SELECT count(*) FROM tally") == 0
