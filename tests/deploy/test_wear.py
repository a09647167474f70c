"""What wears the log's database unseen is said by the doctor and measured for the alerts."""

import asyncpg
import pytest

from deploy.doctor import wear
from deploy.doctor.model import Grade
from deploy.local.stack import LocalStack
from services.activities.watch import Watch
from shared import instruments
from shared.db import connect_pool
from shared.measuring import Gauge
from tests.conftest import migrated_database

pytestmark = pytest.mark.stack


async def test_a_clock_that_ran_ahead_an_old_transaction_and_dead_rows(
    infrastructure: LocalStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = await migrated_database(infrastructure, "activities")
    pool = await connect_pool(url, "activities")
    superuser = infrastructure.superuser_url.rsplit("/", 1)[0] + "/" + url.rsplit("/", 1)[1]
    holder = await asyncpg.connect(superuser, server_settings={"application_name": "forgotten"})

    async def look() -> list[wear.Finding]:
        async with pool.acquire() as connection:
            return await wear.check_wear(connection)

    def measured(gauge: Gauge) -> float:
        return float(gauge.cells[()][0])

    try:
        await Watch(pool, 1000).look()
        assert [f.grade for f in await look()] == [Grade.OK] * 3, await look()
        monkeypatch.setattr(wear, "OLD_TRANSACTION_SECONDS", 0)
        monkeypatch.setattr(wear, "DEAD_ROWS_LIMIT", 5)
        await pool.execute(
            "UPDATE counter SET recorded = (now() AT TIME ZONE 'Asia/Ho_Chi_Minh')::date + 2"
        )
        await holder.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        await holder.fetchval("SELECT count(*) FROM activities.counter")
        for _ in range(200):
            await pool.execute("UPDATE counter SET units_position = units_position WHERE one")
        async with pool.acquire() as connection:
            await connection.execute("SELECT pg_stat_force_next_flush()")
            await connection.execute("SELECT 1")
        recorded, transaction, dead = await look()
        assert recorded.grade is Grade.WARN and "2 days ahead" in recorded.detail
        assert transaction.grade is Grade.WARN and "forgotten, pid" in transaction.detail
        assert dead.grade is Grade.WARN and "activities.counter" in dead.detail
        await Watch(pool, 1000).look()
        assert measured(instruments.RECORDED_AHEAD) == 2
        assert measured(instruments.OLDEST_TRANSACTION) > 0
        assert measured(instruments.DEAD_ROWS) > 5
    finally:
        await holder.close()
        await pool.close()
