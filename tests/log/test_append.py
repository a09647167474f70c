"""The promises of the append, over a real PostgreSQL."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest

from services.activities.log.log import Log
from services.activities.log.model import Status
from shared.contracts.definitions import Catalogue
from tests.log.conftest import NOON, Bench, amended, attended, candidate


async def test_positions_are_gapless_and_lanes_are_chains_under_concurrent_writers(
    bench: Bench,
) -> None:
    other = Log(bench.pool, Catalogue.load(), bench.clock)
    await other.start()
    # Every event is posted twice, through both writers, in overlapping batches.
    batches = [
        [attended(f"e{n}", f"cccd:p{n % 37}") for n in range(k, k + 20)] for k in range(0, 300, 10)
    ]
    answers = await asyncio.gather(
        *(log.submit(batch) for batch in batches for log in (bench.log, other))
    )
    await other.stop()
    assert all(o.status in (Status.ACCEPTED, Status.DUPLICATE) for a in answers for o in a)
    accepted = [o.position for a in answers for o in a if o.status is Status.ACCEPTED]
    assert len(accepted) == len(set(accepted)) == 310
    rows, marker = await bench.read()
    assert [r.position for r in rows] == list(range(1, len(rows) + 1))
    last = dict.fromkeys(range(65), 0)
    for row in rows:
        assert row.prev == last[row.lane]
        last[row.lane] = row.position
    assert marker.through == len(rows)
    assert marker.last == last


@pytest.mark.security("V2.3.4")
async def test_same_key_same_content_is_a_duplicate_other_content_a_conflict(bench: Bench) -> None:
    first, again, other = await bench.post(
        attended("a", "cccd:1"), attended("a", "cccd:1"), attended("a", "cccd:2")
    )
    assert first.status is Status.ACCEPTED
    assert (again.status, again.position) == (Status.DUPLICATE, first.position)
    assert other.problem is not None
    assert (other.problem.status, other.problem.code) == (409, "event-conflict")
    (later,) = await bench.post(attended("a", "cccd:1"))
    assert (later.status, later.position) == (Status.DUPLICATE, first.position)


async def test_a_refused_event_never_harms_its_neighbours(bench: Bench) -> None:
    good, bad, good2 = await bench.post(
        attended("a", "cccd:1"), attended("b", "cccd:2", subject="99999"), attended("c", "cccd:3")
    )
    assert good.status is good2.status is Status.ACCEPTED
    assert bad.problem is not None
    assert bad.problem.code == "unit-unknown"
    assert good2.position == (good.position or 0) + 1
    (mended,) = await bench.post(attended("b", "cccd:2"))
    assert mended.status is Status.ACCEPTED


@pytest.mark.security("V2.3.3")
async def test_atomic_writes_all_or_nothing_and_dry_run_nothing(bench: Bench) -> None:
    before, _ = await bench.read()
    refused = await bench.post(
        attended("a", "cccd:1"), attended("b", "cccd:2", subject="99999"), atomic=True
    )
    assert [o.problem.code for o in refused if o.problem] == [
        "atomic-batch-refused",
        "unit-unknown",
    ]
    tried = await bench.post(attended("a", "cccd:1"), attended("a", "cccd:1"), dry_run=True)
    assert [o.status for o in tried] == [Status.ACCEPTED, Status.DUPLICATE]
    assert tried[0].position is None
    after, _ = await bench.read()
    assert after == before
    done = await bench.post(attended("a", "cccd:1"), attended("b", "cccd:2"), atomic=True)
    assert [o.position for o in done] == [len(before) + 1, len(before) + 2]


async def test_recorded_days_never_go_back(bench: Bench) -> None:
    await bench.post(attended("a", "cccd:1"))
    bench.clock.at = NOON - timedelta(days=3)
    await bench.post(attended("b", "cccd:1"))
    bench.clock.at = NOON + timedelta(days=1)
    await bench.post(attended("c", "cccd:1"))
    rows, _ = await bench.read()
    assert [str(r.recorded) for r in rows[-3:]] == ["2026-06-30", "2026-06-30", "2026-07-01"]


async def test_the_log_cannot_be_changed(bench: Bench) -> None:
    for statement in ("UPDATE log SET void = true", "DELETE FROM log", "TRUNCATE log"):
        with pytest.raises(asyncpg.RaiseError, match="append-only"):
            await bench.pool.execute(statement)


async def test_a_code_of_two_eras_is_refused_for_old_days_unless_the_era_is_said(
    bench: Bench,
) -> None:
    old = {"time": "2025-05-01T08:00:00+07:00"}
    bare, said, declared, today = await bench.post(
        attended("a", "cccd:1", subject="15", **old),
        attended("b", "cccd:2", subject="15@2004", **old),
        attended("c", "cccd:3", subject="15", era="2004", **old),
        attended("d", "cccd:4", subject="15"),
    )
    assert bare.problem is not None
    assert bare.problem.code == "unit-ambiguous"
    assert bare.problem.extra == {"candidates": ["15@2004", "15@2025"]}
    rows, _ = await bench.read()
    units = {r.id: r.unitid for r in rows}
    assert (units["b"], units["c"], units["d"]) == ("15@2004", "15@2004", "15@2025")
    assert said.position
    assert declared.position
    assert today.position
    (gone,) = await bench.post(attended("e", "cccd:5", subject="15@2004"))
    assert gone.problem is not None
    assert (gone.problem.code, gone.problem.extra["candidates"]) == ("unit-not-valid", ["15@2025"])


async def test_a_key_bound_to_a_subtree_posts_only_there(bench: Bench) -> None:
    inside, outside = await bench.post(
        attended("a", "cccd:1", subtree="66@2025"),
        attended("b", "cccd:1", subtree="66@2025", subject="15"),
    )
    assert inside.status is Status.ACCEPTED
    assert outside.problem is not None
    assert (outside.problem.status, outside.problem.code) == (403, "unit-outside-key")


async def test_an_event_with_two_count_keys_is_two_rows_of_one_event(bench: Bench) -> None:
    topics = {"kind": "digital_literacy_week", "topics": ["online_payment"]}
    done, plain = await bench.post(
        candidate("guidance_session.held", "two", topics),
        candidate("guidance_session.held", "one", {"kind": "digital_literacy_week"}),
    )
    rows, _ = await bench.read()
    two = [r for r in rows if r.id == "two"]
    assert [(r.keyindex, r.keykind) for r in two] == [(0, "event"), (1, "unit")]
    assert [r.position for r in two] == [done.position, (done.position or 0) + 1]
    assert {r.origin for r in two} == {done.position}
    assert [(r.position, r.keyindex) for r in rows if r.id == "one"] == [(plain.position, 0)]
    await bench.post(amended("event.revoked", "r", "two"))
    rows, _ = await bench.read()
    void = [(r.keyindex, r.keykind, r.void) for r in rows if r.id == "r"]
    assert sorted(void) == [(0, "event", True), (1, "unit", True)]


async def test_a_failed_group_is_written_one_by_one(bench: Bench) -> None:
    # A zero byte cannot be stored in PostgreSQL; the front door refuses it, the log must survive it.
    poison = replace(attended("bad", "cccd:1"), time="2026-06-01T08:00:00+07:00\0")
    answers = await asyncio.gather(
        bench.post(attended("a", "cccd:1")),
        bench.post(poison),
        bench.post(attended("c", "cccd:1")),
        return_exceptions=True,
    )
    assert answers[0][0].status is Status.ACCEPTED  # type: ignore[index]
    assert isinstance(answers[1], Exception)
    assert answers[2][0].status is Status.ACCEPTED  # type: ignore[index]
    (known,) = await bench.post(amended("event.revoked", "r", "a"))
    assert known.status is Status.ACCEPTED
