"""Two workers count while rebuilds, of all and of one measure, run at the same time: tasks of one
event loop over one database, interleaved as the database lets them. Ends as the naive oracle says."""

import asyncio
import random

import asyncpg
import pytest

from services.metrics import rebuild
from services.metrics.projecting.projection import MetricsProjection
from shared.contracts.definitions import Catalogue
from shared.contracts.record import LANES
from shared.lane_consumer import LaneConsumer
from shared.progress import LanesLost
from tests.metrics.histories import MEASURES, last_days, play
from tests.metrics.memory_log import MemoryLog
from tests.metrics.naive import values
from tests.metrics.shadows import Pages, shadows
from tests.metrics.worlds import history, know_measures, tallied

LENGTH = 400
EACH = 60
"""New rows while a rebuild runs."""
SHARES = (frozenset(range(0, LANES, 2)), frozenset(range(1, LANES, 2)))


class Growing:
    """A log of which two workers see more and more, while others rebuild from what is there."""

    def __init__(self, pool: asyncpg.Pool, catalogue: Catalogue, whole: MemoryLog) -> None:
        self.pool, self.catalogue, self.whole = pool, catalogue, whole
        self.log = MemoryLog(catalogue)
        self.lost = 0
        self.allowed = 0

    async def work(self, name: str, lanes: frozenset[int], dice: random.Random) -> None:
        """A worker that begins anew whenever a rebuild took its lanes' generation from it."""
        while True:
            projection = MetricsProjection(self.pool, name, self.catalogue)
            await projection.begin(lanes)
            consumer = LaneConsumer(projection, self.log, "unused:1", name)  # type: ignore[arg-type]
            try:
                while True:
                    done = len(self.log.rows) == len(self.whole.rows)
                    await consumer.catch_up(sorted(lanes))
                    if done:
                        return
                    upto = min(len(self.log.rows) + dice.randrange(1, 9), self.allowed)
                    self.log.rows = self.whole.rows[: max(upto, len(self.log.rows))]
                    await asyncio.sleep(0)
            except LanesLost:
                self.lost += 1

    async def through(self) -> int:
        """How many rows lanes are through, all lanes together."""
        found: int = await self.pool.fetchval("SELECT sum(through)::bigint FROM progress")
        return found

    async def rebuild(self, numbers: set[int] | None, **how: bool) -> tuple[rebuild.Report, int]:
        """The report, and by how many rows live counting went on meanwhile."""
        before = await self.through()
        self.allowed += EACH
        pages = Pages(self.log)
        report = await rebuild.rebuild(self.pool, pages, self.catalogue, numbers, **how)  # type: ignore[arg-type]
        return report, await self.through() - before


@pytest.mark.parametrize("seed", range(2))
async def test_rebuilds_while_two_workers_count(
    pool: asyncpg.Pool, catalogue: Catalogue, seed: int
) -> None:
    dice = random.Random(seed)
    ops = history(dice, LENGTH)
    whole, told = play(ops, catalogue)
    await know_measures(pool)
    world = Growing(pool, catalogue, whole)
    workers = asyncio.gather(
        *(world.work(f"w{at}", lanes, random.Random(at)) for at, lanes in enumerate(SHARES))
    )
    went_on: dict[bool, list[int]] = {True: [], False: []}
    while not workers.done():
        for numbers in (None, {dice.choice(sorted(MEASURES))}):
            report, rows = await world.rebuild(numbers)
            assert report.swapped and (report.differences, report.evidence_differences) == ([], 0)
            went_on[numbers is None].append(rows)
    await workers
    # Rows were counted during rebuilds of both kinds, and a swap took lanes from workers.
    assert max(went_on[True]) > 0 and max(went_on[False]) > 0, went_on
    assert world.lost > 0
    assert await pool.fetchval("SELECT min(through) FROM progress") == len(whole.rows)
    for known_at in last_days(ops)[1][::2]:
        for as_of in last_days(ops)[0][::3]:
            found = await tallied(pool, as_of, known_at)
            for number, measure in MEASURES.items():
                expected = values(measure, told, as_of, known_at)
                assert found.get(number, {}) == expected, (number, measure, as_of, known_at)
    report, _ = await world.rebuild(None, compare_only=True)
    assert (report.differences, report.evidence_differences) == ([], 0)
    assert await shadows(pool) == []
