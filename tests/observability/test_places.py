"""Spans say where the database and the broker are, and nothing of who logs in there."""

import asyncpg
import pytest

from deploy.local.stack import LocalStack
from shared.broker import Broker
from shared.db import connect_pool, place
from tests.conftest import new_database

Said = dict[str, str | int]


async def test_a_pool_knows_its_database(infrastructure: LocalStack) -> None:
    url = await new_database(infrastructure, "activities")
    pool = await connect_pool(url, "activities", low=0, high=1)
    said = place(pool)
    name = await pool.fetchval("SELECT current_database()")
    await pool.close()
    assert said["db.namespace"] == f"{name}|activities"
    assert {"server.address", "server.port"} <= said.keys()
    assert "@" not in "".join(map(str, said.values()))


async def test_of_a_pool_made_elsewhere_nothing_is_said(infrastructure: LocalStack) -> None:
    async with asyncpg.create_pool(
        await new_database(infrastructure, "activities"), min_size=0
    ) as pool:
        assert place(pool) == {}


@pytest.mark.parametrize(
    ("servers", "said"),
    [
        ("kafka.example:9093", {"server.address": "kafka.example", "server.port": 9093}),
        ("[::1]:9092", {"server.address": "::1", "server.port": 9092}),
        ("a.example:9092,b.example:9092", {}),
        ("nonsense", {}),
    ],
)
def test_a_broker_is_named_where_it_is_one(servers: str, said: Said) -> None:
    assert Broker(servers).place() == said
