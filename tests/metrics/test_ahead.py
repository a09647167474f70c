"""A batch that is counted while the one before is being stored: whatever happens to that one."""

import asyncio
import random
from collections.abc import Callable
from datetime import date

import asyncpg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.metrics import rebuild
from services.metrics.counting.contribute import Contributor
from services.metrics.counting.fold import Deltas
from services.metrics.projecting import generations, store
from services.metrics.projecting.ahead import Known, Work
from services.metrics.projecting.apply import BatchCounter
from services.metrics.projecting.projection import MetricsProjection
from services.metrics.projecting.store import Subject
from shared import progress
from shared.contracts.definitions import Catalogue
from shared.contracts.record import LANES
from shared.domain.measures import Measure, Part
from shared.lane_consumer import LaneConsumer
from shared.lanes import Lane
from tests.metrics.exact import CATALOGUE, batches, summed
from tests.metrics.histories import MEASURES, OPS, Op, last_days, play
from tests.metrics.memory_log import MemoryLog
from tests.metrics.naive import values
from tests.metrics.parking import adults, certify
from tests.metrics.worlds import history, know_measures

DAY = date(2026, 6, 30)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(OPS, max_size=40),
    st.lists(st.integers(0, 200), max_size=12),
    st.randoms(use_true_random=False),
)
def test_what_is_stored_and_what_is_about_to_be_give_the_oracles_tables(
    ops: list[Op], cuts: list[int], dice: random.Random
) -> None:
    """Each batch is counted before or after the one before is there to be read, as it comes."""
    log, told = play(ops, CATALOGUE)
    counter = BatchCounter(Contributor(MEASURES, CATALOGUE))
    tallies: Deltas = {}
    stored: Known = {}
    before: Work | None = None

    def keep(work: Work) -> None:
        for row in work.counted.replaced:
            del stored[row.lane, row.subject][row.origin]
        for record, evidence in work.counted.written:
            stored.setdefault((record.lane, record.key), {})[record.origin] = evidence

    for rows in batches(log.rows, cuts):
        work = Work(rows, {})
        work.batch = counter.prepare(work.sort(set()))
        seen_early = dice.random() < 0.5
        if before is not None and not seen_early:
            keep(before)
        old = {s: dict(stored[s]) for s in work.batch.lookups if stored.get(s)}
        if before is not None:
            before.overlay(old, work.batch.lookups)
            if seen_early:
                keep(before)
        work.counted = counter.count(work.batch, old)
        for at, (n, total) in work.counted.deltas.items():
            sums = tallies.setdefault(at, [0, 0])
            sums[0] += n
            sums[1] += total
        before = work
    as_of_days, known_days = last_days(ops)
    for known_at in known_days:
        for as_of in as_of_days:
            for number, measure in MEASURES.items():
                expected = values(measure, told, as_of, known_at)
                assert summed(tallies, number, as_of, known_at) == expected


def test_evidence_that_the_batch_before_did_not_look_up_is_not_forgotten() -> None:
    """Events are counted without a look at older ones; a revision after them needs all of them."""
    measure = Measure(kind="events", parts=(Part(("citizen.certified",)),), keys=("person",))
    counter = BatchCounter(Contributor({1: measure}, CATALOGUE))
    log = MemoryLog(CATALOGUE)
    first = certify(log, "same")
    certify(log, "same")
    certify(log, "same")
    log.revise(first, DAY, None)
    oldest = counter.count(counter.prepare(log.rows[:1]), {})
    before = Work(log.rows[1:3], {})
    before.batch = counter.prepare(before.sort(set()))
    assert before.batch.lookups == [], "events need no older ones"
    before.counted = counter.count(before.batch, {})
    after = counter.prepare(log.rows[3:])
    [(record, evidence)] = oldest.written
    old: Known = {(record.lane, record.key): {record.origin: evidence}}
    before.overlay(old, after.lookups)
    assert len(old[record.lane, record.key]) == 3
    assert [sums[0] for sums in counter.count(after, old).deltas.values()] == [-1]


class Gate:
    """Lets the first batch wait at the end of its transaction, until it is let go or fails."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reached, self.open = asyncio.Event(), asyncio.Event()
        self.error: Exception | None = None
        self._honest = store.mark_dirty
        monkeypatch.setattr(store, "mark_dirty", self._mark_dirty)

    async def _mark_dirty(self, *args: object) -> None:
        await self._honest(*args)  # type: ignore[arg-type]
        if not self.reached.is_set():
            self.reached.set()
            await self.open.wait()
            if self.error is not None:
                raise self.error


class Pair:
    """A worker, a log in two batches; the first is being stored, the second is counted."""

    def __init__(self, pool: asyncpg.Pool, log: MemoryLog, catalogue: Catalogue) -> None:
        self.pool, self.log, self.catalogue = pool, log, catalogue
        self.projection = MetricsProjection(pool, "w", catalogue)
        self.consumer = LaneConsumer(self.projection, log, "unused:1", "w")  # type: ignore[arg-type]

    async def start(self, gate: Gate, half: int) -> "asyncio.Task[None]":
        await self.projection.begin(frozenset(range(LANES)))
        first, second = self.log.rows[:half], self.log.rows[half:]
        await self.consumer._take(first, [], from_log=False)
        await gate.reached.wait()
        following = asyncio.create_task(self.consumer._take(second, [], from_log=False))
        await asyncio.sleep(0.3)
        assert not following.done()
        return following

    async def last(self) -> int:
        found: int = await self.pool.fetchval("SELECT max(last) FROM progress")
        return found

    async def must_be_exact(self, name: str = "w") -> None:
        """After the rest was read from the log."""
        projection = MetricsProjection(self.pool, name, self.catalogue)
        await self.pool.execute("TRUNCATE worker")
        await projection.begin(frozenset(range(LANES)))
        await LaneConsumer(projection, self.log, "unused:1", name).catch_up(  # type: ignore[arg-type]
            list(range(LANES))
        )
        report = await rebuild.rebuild(self.pool, self.log, self.catalogue)  # type: ignore[arg-type]
        assert (report.differences, report.evidence_differences) == ([], 0)


@pytest.fixture
async def pair(pool: asyncpg.Pool, catalogue: Catalogue) -> Pair:
    log, _ = play(history(random.Random(7), 60), catalogue)
    await know_measures(pool)
    return Pair(pool, log, catalogue)


async def test_the_second_is_stored_after_the_first(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch)
    half = len(pair.log.rows) // 2
    following = await pair.start(gate, half)
    assert await pair.last() == 0
    assert pair.projection.stored[0] == Lane()
    gate.open.set()
    await following
    await pair.projection.settle()
    assert await pair.last() == len(pair.log.rows)
    assert pair.projection.lanes == pair.projection.stored
    await pair.must_be_exact()


async def test_when_the_first_fails_nothing_of_the_second_is_stored(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch)
    gate.error = OSError("the connection is gone")
    following = await pair.start(gate, len(pair.log.rows) // 2)
    gate.open.set()
    with pytest.raises(OSError, match="gone"):
        await following
    await pair.projection.settle()
    assert await pair.last() == 0
    assert await pair.pool.fetchval("SELECT count(*) FROM evidence") == 0
    assert pair.projection.lanes[0] == Lane()
    # The same worker goes on from what is stored.
    await pair.consumer.catch_up(list(range(LANES)))
    assert await pair.last() == len(pair.log.rows)
    await pair.must_be_exact()


async def lanes_to_another(pair: Pair) -> None:
    await pair.pool.execute("TRUNCATE worker")
    await progress.claim(pair.pool, "other", frozenset(range(LANES)))


async def new_generation(pair: Pair) -> None:
    async with pair.pool.acquire() as connection, connection.transaction():
        await generations.lock_lanes(connection)
        await generations.next_generation(connection)


@pytest.mark.parametrize("what", [lanes_to_another, new_generation])
async def test_what_comes_between_the_two_stops_the_second(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, what: Callable[[Pair], "asyncio.Future[None]"]
) -> None:
    gate = Gate(monkeypatch)
    half = len(pair.log.rows) // 2
    following = await pair.start(gate, half)
    between = asyncio.ensure_future(what(pair))
    await asyncio.sleep(0.3)  # it waits for the lanes that the first batch has locked
    assert not between.done()
    gate.open.set()
    with pytest.raises(progress.LanesLost):
        await following
        await pair.projection.settle()
    await between
    assert await pair.last() == half
    await pair.must_be_exact("other")


async def test_begin_waits_for_the_batch_under_way_and_keeps_its_failure(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch)
    gate.error = OSError("the connection is gone")
    await pair.projection.begin(frozenset(range(LANES)))
    await pair.consumer._take(pair.log.rows, [], from_log=False)
    await gate.reached.wait()
    again = asyncio.create_task(pair.projection.begin(frozenset(range(LANES))))
    await asyncio.sleep(0.2)
    assert not again.done()
    gate.open.set()
    await again
    assert pair.projection.lanes[0] == Lane()
    with pytest.raises(OSError, match="gone"):
        await pair.projection.settle()
    await pair.must_be_exact()


async def test_rows_judged_by_lanes_that_were_set_back_are_refused(pair: Pair) -> None:
    await pair.projection.begin(frozenset(range(LANES)))
    row = next(row for row in pair.log.rows if row.prev > 0)
    with pytest.raises(progress.LanesLost, match="set back"):
        await pair.projection.apply([row], {row.lane: Lane(row.position, row.position)})
    with pytest.raises(progress.LanesLost, match="set back"):
        await pair.projection.apply([], {row.lane: Lane(row.prev, row.prev)})
    assert await pair.last() == 0


async def test_a_subject_that_the_first_parks_waits_in_the_second(
    pool: asyncpg.Pool, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    await know_measures(pool)
    log = MemoryLog(catalogue)
    certify(log, "good")
    bad = certify(log, "bad", to="no day")
    later = certify(log, "bad")
    certify(log, "better")
    gate = Gate(monkeypatch)
    pair = Pair(pool, log, catalogue)
    following = await pair.start(gate, bad)
    gate.open.set()
    await following
    await pair.projection.settle()
    rows = await pool.fetch("SELECT position FROM parked ORDER BY position")
    assert [row["position"] for row in rows] == [bad, later]
    assert await adults(pool) == 2


async def test_a_batch_that_is_refused_leaves_the_one_before_alone(
    pool: asyncpg.Pool, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too many parked rows in the second: the first is stored all the same."""
    await know_measures(pool)
    log = MemoryLog(catalogue)
    good = certify(log, "good")
    for number in range(60):
        certify(log, str(number), to="no day")
    gate = Gate(monkeypatch)
    pair = Pair(pool, log, catalogue)
    await pair.projection.begin(frozenset(range(LANES)))
    await pair.consumer._take(log.rows[:good], [], from_log=False)
    await gate.reached.wait()
    with pytest.raises(RuntimeError, match="cannot be counted"):
        await pair.consumer._take(log.rows[good:], [], from_log=False)
    assert await pair.last() == 0
    gate.open.set()
    await pair.projection.settle()
    assert await pair.last() == good
    subject: Subject = (log.rows[0].lane, log.rows[0].key)
    assert pair.projection.lanes[subject[0]].last == good
