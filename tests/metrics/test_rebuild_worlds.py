"""Rebuilds in a moving world: live counting goes on at every step, workers are at different rows,
rows are parked, tables are damaged, the rebuild dies. The tables end as the naive oracle says."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from services.metrics import rebuild
from services.metrics.projecting import generations, parking
from services.metrics.projecting.projection import MetricsProjection
from services.metrics.rebuild import compare, merge, shadow
from shared.contracts.definitions import Catalogue
from shared.contracts.record import LANES
from shared.lane_consumer import LaneConsumer
from shared.progress import LanesLost
from tests.metrics.histories import MEASURES, Op, last_days, play
from tests.metrics.memory_log import MemoryLog
from tests.metrics.naive import Told, values
from tests.metrics.shadows import Pages, shadows, state
from tests.metrics.worlds import history, know_measures, tallied

ALL = frozenset(range(LANES))
EVEN = frozenset(range(0, LANES, 2))
STEPS: list[tuple[Any, str]] = [
    (shadow, "copy_said"),
    (shadow, "mark_hard"),
    (shadow, "plain_rows"),
    (shadow, "add_sums"),
    (compare, "tallies"),
    (compare, "evidence"),
    (merge, "add_tallies"),
    (merge.EvidenceDifferences, "write"),
    (generations, "lock_lanes"),
    (compare, "touched_evidence"),
    (generations, "next_generation"),
]
"""Functions of a rebuild, in the order in which they are called first."""


class World:
    """A log of which live counting knows more and more."""

    def __init__(self, pool: asyncpg.Pool, catalogue: Catalogue, seed: int, length: int) -> None:
        self.pool, self.catalogue = pool, catalogue
        self.ops: list[Op] = history(random.Random(seed), length)
        self.whole, told = play(self.ops, catalogue)
        self.told: list[Told] = told
        self.log = MemoryLog(catalogue)
        self.calls = 0

    async def count(self, upto: int, lanes: frozenset[int] = ALL) -> None:
        """Live counting of some lanes up to a row; the others stay where they are."""
        self.log.rows = self.whole.rows[: max(upto, len(self.log.rows))]
        shown = MemoryLog(self.catalogue)
        shown.rows = self.whole.rows[:upto]
        for _ in range(3):
            await self.pool.execute("TRUNCATE worker")
            self.calls += 1
            projection = MetricsProjection(self.pool, f"w{self.calls}", self.catalogue)
            await projection.begin(lanes)
            consumer = LaneConsumer(projection, shown, "unused:1", "w")  # type: ignore[arg-type]
            try:
                await consumer.catch_up(sorted(lanes))
            except LanesLost:
                continue
            return

    def reader(self) -> Any:
        """The log that rebuilds read, in small pages."""
        return Pages(self.log)

    async def building(self, numbers: set[int]) -> None:
        await self.pool.execute(
            "UPDATE measure SET state = 'building' WHERE id = ANY($1::smallint[])", sorted(numbers)
        )

    async def check(self) -> None:
        """Tables as the oracle says at every (as_of, known_at), and as a rebuild finds them."""
        for known_at in last_days(self.ops)[1]:
            for as_of in last_days(self.ops)[0][::3]:
                found = await tallied(self.pool, as_of, known_at)
                for number, measure in MEASURES.items():
                    expected = values(measure, self.told, as_of, known_at)
                    assert found.get(number, {}) == expected, (number, measure, as_of, known_at)
        await self.same()

    async def same(self, numbers: set[int] | None = None) -> None:
        report = await rebuild.rebuild(
            self.pool, self.reader(), self.catalogue, numbers, compare_only=True
        )
        assert (report.differences, report.evidence_differences) == ([], 0)
        assert not report.swapped and await shadows(self.pool) == []


def before_each(
    monkeypatch: pytest.MonkeyPatch, what: Callable[[str], Awaitable[None]]
) -> list[str]:
    """Do something before the functions of a rebuild; the list says which were called."""
    called: list[str] = []

    def wrap(place: Any, name: str) -> None:
        honest = getattr(place, name)

        async def first(*args: Any, **more: Any) -> Any:
            called.append(name)
            await what(name)
            return await honest(*args, **more)

        monkeypatch.setattr(place, name, first)

    for place, name in STEPS:
        wrap(place, name)
    return called


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["all", "some", "new", "new and all"])
async def test_live_counting_goes_on_at_every_step(
    pool: asyncpg.Pool,
    catalogue: Catalogue,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
    kind: str,
) -> None:
    dice = random.Random(f"{seed}{kind}")
    world = World(pool, catalogue, seed, 130)
    await know_measures(pool)
    new = set(dice.sample(sorted(MEASURES), 8)) if "new" in kind else set()
    await world.building(new)
    numbers = {"some": set(dice.sample(sorted(MEASURES), 4)), "new": new}.get(kind)
    await world.count(50)
    upto, locked = 50, False

    async def live(name: str) -> None:
        nonlocal upto, locked
        locked = locked or name == "lock_lanes"
        # From the lock on live counting has to wait; new measures are written under a lane's lock.
        if not locked and name != "write" and dice.random() < 0.6:
            upto += dice.randrange(1, 12)
            await world.count(upto, dice.choice([ALL, EVEN, ALL - EVEN]))

    called = before_each(monkeypatch, live)
    monkeypatch.setattr("services.metrics.rebuild.course.NEARLY", 3)
    report = await rebuild.rebuild(pool, world.reader(), catalogue, numbers)
    assert report.swapped and (report.differences, report.evidence_differences) == ([], 0)
    # Where nothing differs, no tallies are added.
    assert set(called) >= {name for _, name in STEPS} - {"add_tallies"} and upto > 50
    monkeypatch.undo()
    assert not await rebuild.wanted(pool)  # type: ignore[arg-type]
    await world.count(len(world.whole.rows))
    await world.check()


@pytest.mark.parametrize("new", [False, True])
@pytest.mark.parametrize("dies", ["raises", "killed"])
async def test_whatever_step_it_dies_in_nothing_is_left_that_matters(
    pool: asyncpg.Pool,
    catalogue: Catalogue,
    monkeypatch: pytest.MonkeyPatch,
    new: bool,
    dies: str,
) -> None:
    world = World(pool, catalogue, 5, 110)
    await know_measures(pool)
    numbers = {3, 4, 8, 11, 14} if new else None
    await world.building(numbers or set())
    await world.count(60)
    wrong = await pool.fetchval("SELECT min(measure) FROM tally")
    if not new:
        await pool.execute("UPDATE tally SET n = n + 1 WHERE measure = $1", wrong)
    upto = 60
    for _, step in STEPS:
        before = await state(pool)

        async def die(name: str, step: str = step) -> None:
            if name != step:
                return
            if dies == "raises":
                raise ConnectionError("here it ends")
            async with pool.acquire() as connection:
                await connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
                    " AND objid = (hashtext('hocvuso-metrics-rebuild')::bigint & 4294967295)"
                )
            await asyncio.sleep(0.05)

        called = before_each(monkeypatch, die)
        died = False
        try:
            await rebuild.rebuild(pool, world.reader(), catalogue, numbers)
        except (ConnectionError, asyncpg.PostgresError, asyncpg.InterfaceError):
            died = True
        assert died, (step, called)
        monkeypatch.undo()
        assert called[-1] == step or dies == "killed", step
        after = await state(pool)
        if not new:
            names = ("tally", "evidence", "evidence_past", "measure", "generation")
            assert {n: after[n] for n in names} == {n: before[n] for n in names}
        assert after["measure"] == before["measure"]
        # Live counting does not mind what is left.
        upto += 4
        await world.count(upto)
    report = await rebuild.rebuild(pool, world.reader(), catalogue, numbers)
    assert report.swapped and {one[0] for one in report.differences} == (set() if new else {wrong})
    assert await shadows(pool) == []
    await world.count(len(world.whole.rows))
    await world.check()


DAMAGES = {
    "a tally that is too high": "UPDATE tally SET n = n + 2 WHERE ctid = (SELECT min(ctid) FROM tally WHERE measure = 3)",
    "a tally that is not there": "DELETE FROM tally WHERE ctid = (SELECT min(ctid) FROM tally WHERE measure = 3)",
    "a tally that should not be there": "INSERT INTO tally SELECT 3, 'C@2025', '2020-02-02', '2026-02-02', 1, 0",
    "a total": "UPDATE tally SET total = total + 5 WHERE ctid = (SELECT min(ctid) FROM tally WHERE measure = 14)",
    "evidence that is not there": "DELETE FROM evidence WHERE origin = (SELECT max(origin) FROM evidence)",
    "evidence of another unit": "UPDATE evidence SET unit_id = 'C@2025' WHERE unit_id = 'A@2025'",
    "evidence of another day": "UPDATE evidence SET since = since - 1, until = until + 1",
    "evidence of another subject": "UPDATE evidence SET subject = 'wrong' WHERE origin = (SELECT min(origin) FROM evidence)",
    "evidence of another event": "UPDATE evidence SET origin = origin + 5000, position = position + 5000 WHERE origin = (SELECT max(origin) FROM evidence)",
    "evidence for other measures": "UPDATE evidence SET combination = (SELECT min(combination) FROM evidence)",
    "details": "UPDATE evidence SET detail = '{\"$figure\": 99}' WHERE detail IS NOT NULL",
    "a former state that is not there": "DELETE FROM evidence_past WHERE origin = (SELECT min(origin) FROM evidence_past)",
    "a former state too many": "INSERT INTO evidence_past SELECT origin, position, recorded, since, until, combination, revision + 90, lane, subject, unit_id, detail, replaced, replaced_by FROM evidence_past",
    "when a former state ended": "UPDATE evidence_past SET replaced = replaced + 1, replaced_by = replaced_by + 1",
}


# In the worlds 7, 8 and 10 the right subject has a row more while the rebuild looks.
@pytest.mark.parametrize(
    ("damage", "seed"),
    [(damage, 11) for damage in DAMAGES]
    + [("evidence of another subject", seed) for seed in (7, 8, 10)],
)
async def test_damage_is_found_and_repaired(
    pool: asyncpg.Pool,
    catalogue: Catalogue,
    monkeypatch: pytest.MonkeyPatch,
    damage: str,
    seed: int,
) -> None:
    world = World(pool, catalogue, seed, 120)
    await know_measures(pool)
    await world.count(80)
    right = await state(pool)
    changed = await pool.execute(DAMAGES[damage])
    assert int(changed.rsplit(" ", 1)[1]) > 0
    damaged = await state(pool)
    looked = await rebuild.rebuild(pool, world.reader(), catalogue, compare_only=True)
    assert bool(looked.differences) == ("tall" in damage or "total" in damage)
    assert bool(looked.evidence_differences) == ("tall" not in damage and "total" not in damage)
    assert await state(pool) == damaged, "comparing changes nothing"

    async def live(name: str) -> None:
        if name == "add_tallies":  # not yet locked out
            return
        if name == "evidence":  # compared in a snapshot: these are counted on damaged evidence
            await world.count(100)

    before_each(monkeypatch, live)
    report = await rebuild.rebuild(pool, world.reader(), catalogue)
    monkeypatch.undo()
    assert report.swapped
    await world.same()
    if "tall" in damage:
        assert {one[0] for one in report.differences} == {3}
    assert await pool.fetchval("SELECT generation FROM projection") == right["generation"] + 1
    await world.count(len(world.whole.rows))
    await world.check()


async def test_one_measure_is_repaired_and_the_others_are_left_alone(
    pool: asyncpg.Pool, catalogue: Catalogue
) -> None:
    world = World(pool, catalogue, 8, 120)
    await know_measures(pool)
    await world.count(len(world.whole.rows))
    await pool.execute("UPDATE tally SET n = n + 2 WHERE measure IN (3, 8)")
    others = "SELECT * FROM tally WHERE measure <> 3 ORDER BY 1, 2, 3, 4, 5, 6"
    before = await pool.fetch(others)
    read: list[list[str]] = []

    class Asked(Pages):
        def pages(self, after: int, lanes: list[int], page: int = 20, types: Any = None) -> Any:
            read.append(types)
            return super().pages(after, lanes, page, types)

    report = await rebuild.rebuild(pool, Asked(world.log), catalogue, {3})  # type: ignore[arg-type]
    assert {one[0] for one in report.differences} == {3}
    assert await pool.fetch(others) == before
    types = MEASURES[3].types()
    assert read == [sorted(types)], "only its types are read, once"
    rows = [r for r in world.log.rows if r.short_type in types or r.revision]
    assert report.rows == len(rows) < len(world.log.rows)
    await world.same({3})
    report = await rebuild.rebuild(pool, world.reader(), catalogue, {8, 11})
    assert {one[0] for one in report.differences} == {8}
    await world.check()


@pytest.mark.parametrize("seed", [7, 9, 11, 12, 21])
async def test_parked_and_dismissed_rows_stay_out(
    pool: asyncpg.Pool, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    world = World(pool, catalogue, seed, 100)
    await know_measures(pool)
    rows = world.whole.rows
    first = rows[20]
    other = next(r for r in rows[45:] if (r.lane, r.key) != (first.lane, first.key))
    bad = [first, other]
    waiting = []
    for row in bad:
        row.data = {**row.data, "to": "no day", "target_groups": 7, "topics": 7}
        # Live counting parks a subject when it gets to its first bad row, never before: what was
        # recorded of the subject until then is counted.
        await world.count(row.position - 1)
        of_subject = [
            (r, "test")
            for r in rows
            if (r.lane, r.key) == (row.lane, row.key) and r.position >= row.position
        ]
        async with pool.acquire() as connection:
            await parking.park(connection, of_subject)
        waiting += of_subject
    assert await parking.dismiss(pool, bad[0].position, "a test")
    await world.count(70)
    report = await rebuild.rebuild(pool, world.reader(), catalogue)
    assert (report.differences, report.evidence_differences, report.swapped) == ([], 0, True)
    out = {row.position for row, _ in waiting}
    assert report.rows == sum(row.position not in out for row in world.log.rows)

    async def retried(name: str) -> None:
        if name == "tallies":  # after what was read: those rows are missing in it
            await pool.execute("DELETE FROM parked WHERE position = $1", bad[1].position)

    before = await state(pool)
    before_each(monkeypatch, retried)
    with pytest.raises(rebuild.RebuildRefused, match="Parked rows were counted meanwhile"):
        await rebuild.rebuild(pool, world.reader(), catalogue)
    assert await state(pool) == before and await shadows(pool) == []


async def test_what_cannot_be_exact_is_refused(pool: asyncpg.Pool, catalogue: Catalogue) -> None:
    world = World(pool, catalogue, 10, 60)
    await know_measures(pool)
    await world.count(50)
    before = await state(pool)

    async def refused(log: Any, numbers: set[int] | None = None) -> str:
        with pytest.raises(rebuild.RebuildRefused) as caught:
            await rebuild.rebuild(pool, log, catalogue, numbers)
        assert await state(pool) == before and await shadows(pool) == []
        return str(caught.value)

    assert "no measure 998, 999" in await refused(world.reader(), {3, 998, 999})
    short = MemoryLog(catalogue)
    short.rows = world.whole.rows[:30]
    assert "ended before position 50" in await refused(Pages(short))
    await pool.execute("UPDATE projection SET log_epoch = 'another'")
    assert "epoch" in await refused(world.reader())
    await pool.execute("UPDATE projection SET log_epoch = 'epoch-1'")
    bad = next(row for row in world.log.rows if row.short_type == "citizen.certified")
    bad.data = {**bad.data, "to": "no day"}
    assert f"Row {bad.position} cannot be counted" in await refused(world.reader())
    async with pool.acquire() as connection:
        await connection.execute("SELECT pg_advisory_lock(hashtext('hocvuso-metrics-rebuild'))")
        assert "Another rebuild is running" in await refused(world.reader())
        await connection.execute("SELECT pg_advisory_unlock_all()")
