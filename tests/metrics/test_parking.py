"""A row that cannot be counted: its subject waits, the others go on, nothing is lost silently."""

import asyncpg
import pytest

from services.metrics.counting.contribute import Contributor
from services.metrics.projecting import parking
from services.metrics.projecting.apply import BatchCounter
from shared.contracts.definitions import Catalogue
from tests.metrics.histories import MEASURES
from tests.metrics.memory_log import MemoryLog
from tests.metrics.parking import adults, certify, follow
from tests.metrics.worlds import know_measures


async def test_a_subject_waits_with_all_that_follows(
    pool: asyncpg.Pool, catalogue: Catalogue
) -> None:
    await know_measures(pool)
    log = MemoryLog(catalogue)
    certify(log, "good")
    bad = certify(log, "bad", to="no day")
    await follow(pool, catalogue, log)
    later = certify(log, "bad")
    certify(log, "better")
    await follow(pool, catalogue, log)
    assert await adults(pool) == 2
    rows = await pool.fetch("SELECT position, problem FROM parked ORDER BY position")
    assert [row["position"] for row in rows] == [bad, later]
    assert "ValueError" in rows[0]["problem"]
    assert (3, "A@2025") in {tuple(r) for r in await pool.fetch("SELECT * FROM dirty")}
    counter = BatchCounter(Contributor(MEASURES, catalogue))
    subject = (log.rows[bad - 1].lane, log.rows[bad - 1].key)
    assert "ValueError" in (await parking.retry(pool, counter, subject) or "")
    assert await parking.dismiss(pool, bad, "the poster sent nonsense")
    assert await parking.retry(pool, counter, subject) is None
    assert await adults(pool) == 3
    assert await pool.fetchval("SELECT count(*) FROM parked") == 0
    certify(log, "bad")
    await follow(pool, catalogue, log)
    assert await adults(pool) == 3


async def test_when_parking_becomes_the_rule_the_worker_stops(
    pool: asyncpg.Pool, catalogue: Catalogue
) -> None:
    await know_measures(pool)
    log = MemoryLog(catalogue)
    for number in range(6):
        certify(log, str(number), to="no day")
    with pytest.raises(parking.TooManyParked):
        await follow(pool, catalogue, log, park_limit=5)
    assert await pool.fetchval("SELECT count(*) FROM parked") == 0
    assert await pool.fetchval("SELECT max(last) FROM progress") == 0
