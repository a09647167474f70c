"""A rebuild shows how far it is; a crash in its middle leaves nothing that matters; a new plan
rebuilds just what is new."""

import asyncpg
import pytest

from services.metrics import rebuild
from shared.contracts.definitions import Catalogue
from tests.metrics.memory_log import MemoryLog
from tests.metrics.province import OBJECTIVES, document, follow, publish, random_history
from tests.metrics.shadows import TABLES, Pages, shadows, state


async def test_it_says_how_far_it_is(pool: asyncpg.Pool, catalogue: Catalogue) -> None:
    log, _ = random_history(catalogue, 2, 120)
    await follow(pool, catalogue, log)
    said: list[rebuild.Progress] = []
    await rebuild.rebuild(
        pool,
        Pages(log),  # type: ignore[arg-type]
        catalogue,
        on_progress=said.append,
    )
    shares = [one.share for one in said]
    assert shares == sorted(shares) and shares[-1] == 1 and max(shares[:-1]) < 1
    steps = ["reading the log", "counting", "comparing", "putting in place"]
    assert list(dict.fromkeys(one.step for one in said)) == steps
    reading = {one.share for one in said if one.step == steps[0]}
    assert len(reading) > 3, "each page is told"
    assert all(one.left is not None for one in said if one.share > 0) and said[-1].left == 0


async def test_a_crash_in_the_middle_leaves_nothing_that_matters(
    pool: asyncpg.Pool, catalogue: Catalogue
) -> None:
    log, _ = random_history(catalogue, 3, 120)
    await follow(pool, catalogue, log)
    before = await state(pool)
    with pytest.raises(ConnectionError):
        await rebuild.rebuild(pool, Pages(log, 2), catalogue)  # type: ignore[arg-type]
    assert await state(pool) == before and await shadows(pool) == []
    # As a killed process leaves it: shadow tables half full.
    await pool.execute("CREATE TABLE evidence_next (LIKE evidence INCLUDING ALL)")
    await pool.execute("INSERT INTO evidence_next SELECT * FROM evidence LIMIT 5")
    await pool.execute("CREATE TABLE tally_next (LIKE tally INCLUDING ALL)")
    report = await rebuild.rebuild(pool, Pages(log), catalogue)  # type: ignore[arg-type]
    assert (report.differences, report.evidence_differences, report.swapped) == ([], 0, True)
    assert await shadows(pool) == []
    after = await state(pool)
    assert {t: after[t] for t in TABLES} == {t: before[t] for t in TABLES}


async def test_a_new_plan_rebuilds_just_what_is_new(
    pool: asyncpg.Pool, catalogue: Catalogue
) -> None:
    log, _ = random_history(catalogue, 4, 120, document(OBJECTIVES[:4]))
    await follow(pool, catalogue, log)
    old = {row["id"] for row in await pool.fetch("SELECT id FROM measure")}
    publish(log, document(OBJECTIVES, version=2), log.rows[-1].recorded)
    await follow(pool, catalogue, log)
    rows = await pool.fetch("SELECT id FROM measure WHERE state = 'building'")
    fresh = {row["id"] for row in rows}
    assert fresh and not fresh & old
    # What is live already is left alone, even where it is wrong.
    await pool.execute("UPDATE tally SET n = n + 7 WHERE measure = ANY($1::smallint[])", list(old))
    ask = "SELECT * FROM tally WHERE measure = ANY($1::smallint[]) ORDER BY 1, 2, 3, 4"
    before = await pool.fetch(ask, sorted(old))
    await rebuild.build_new_measures(pool, Pages(log), catalogue)  # type: ignore[arg-type]
    assert await pool.fetch(ask, sorted(old)) == before
    assert await pool.fetch(ask, sorted(fresh)) != []
    assert not await pool.fetchval("SELECT count(*) FROM measure WHERE state = 'building'")
    whole = await rebuild.rebuild(
        pool,
        Pages(log),  # type: ignore[arg-type]
        catalogue,
        fresh,
        compare_only=True,
    )
    assert whole.differences == []


async def test_without_any_measure_there_is_nothing_to_rebuild(
    pool: asyncpg.Pool, catalogue: Catalogue
) -> None:
    log = MemoryLog(catalogue)
    for numbers in (None, set[int]()):
        report = await rebuild.rebuild(
            pool,
            Pages(log),  # type: ignore[arg-type]
            catalogue,
            numbers,
        )
        assert (report.measures, report.rows) == (0, 0)
    assert await shadows(pool) == []
