"""Rows are locked in one order, what PostgreSQL asks to repeat is repeated, one row is read by key."""

import asyncio
import re
from pathlib import Path

import asyncpg
import pytest

from deploy.local.stack import LocalStack
from shared import progress
from shared.db import REPEATS, connect_pool, repeated
from tests.conftest import migrated_database

ROOT = Path(__file__).parents[2]
ROUNDS = 40


@pytest.fixture
async def url(infrastructure: LocalStack) -> str:
    made = await migrated_database(infrastructure, "activities")
    connection = await asyncpg.connect(made, server_settings={"search_path": "activities"})
    await connection.execute(progress.PROGRESS_DDL)
    await connection.close()
    return made


async def test_whoever_takes_several_lanes_never_waits_in_a_circle(url: str) -> None:
    """A worker's steps, a new generation, a release and a claim, all at once, without any repeat."""
    pool = await connect_pool(url, "activities", low=4, high=8)
    lanes = frozenset(range(65))
    steps_back = sorted(lanes, key=lambda n: (n * 37) % 65)

    async def steps(name: str) -> None:
        for _ in range(ROUNDS):
            held = await progress._claim(pool, name, lanes)
            numbers = [n for n in steps_back if n in held.lanes]
            moves = [
                progress.Advance(
                    n, held.lanes[n].last, held.lanes[n].last + 1, held.lanes[n].last + 1
                )
                for n in numbers
            ]
            try:
                async with pool.acquire() as connection, connection.transaction():
                    await progress.advance(connection, held, moves)
            except progress.LanesLost:
                pass
            await progress._release(pool, name)

    async def generations() -> None:
        for _ in range(ROUNDS):
            async with pool.acquire() as connection, connection.transaction():
                await connection.execute("SELECT 1 FROM progress ORDER BY lane FOR UPDATE")
                await connection.execute("UPDATE progress SET fence = fence + 1")
                await connection.execute("UPDATE projection SET generation = generation + 1")

    async def beats(name: str) -> None:
        for _ in range(ROUNDS):
            async with pool.acquire() as connection, connection.transaction():
                await connection.execute("UPDATE worker SET heartbeat = now() - interval '1 hour'"
                                         " WHERE name = $1", name)  # fmt: skip
            async with pool.acquire() as connection, connection.transaction():
                await progress.heartbeat(connection, name, lanes)

    try:
        async with asyncio.TaskGroup() as group:
            for name in ("a", "b"):
                group.create_task(steps(name))
                group.create_task(beats(f"beat-{name}"))
            group.create_task(generations())
    finally:
        await pool.close()


async def test_what_postgresql_asks_to_repeat_is_repeated(url: str) -> None:
    pool = await connect_pool(url, "activities", low=2, high=4)
    first_have, done = asyncio.Barrier(2), []

    async def crossing(mine: int, other: int) -> None:
        tries = 0

        async def transaction() -> None:
            nonlocal tries
            tries += 1
            async with pool.acquire() as connection, connection.transaction():
                lock = "UPDATE progress SET through = through + 1 WHERE lane = $1"
                await connection.execute(lock, mine)
                if tries == 1:
                    await first_have.wait()
                await connection.execute(lock, other)

        await repeated(transaction)
        done.append(tries)

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(crossing(1, 2))
            group.create_task(crossing(2, 1))
        assert sorted(done) == [1, 2]
        rows = await pool.fetch("SELECT through FROM progress WHERE lane IN (1, 2)")
        assert [row["through"] for row in rows] == [2, 2]
    finally:
        await pool.close()


async def test_it_is_not_repeated_for_ever_and_nothing_else_is() -> None:
    tried = 0

    async def fails(error: Exception) -> None:
        nonlocal tried
        tried += 1
        raise error

    with pytest.raises(asyncpg.SerializationError):
        await repeated(lambda: fails(asyncpg.SerializationError()))
    assert tried == REPEATS
    with pytest.raises(asyncpg.UniqueViolationError):
        await repeated(lambda: fails(asyncpg.UniqueViolationError()))
    assert tried == REPEATS + 1


async def test_the_counter_is_read_by_key_however_long_a_snapshot_was_held(url: str) -> None:
    """A snapshot that stays open keeps every version of the row; read by key, that passes."""
    holder = await asyncpg.connect(url, server_settings={"search_path": "activities"})
    writer = await asyncpg.connect(url, server_settings={"search_path": "activities"})
    explain = "EXPLAIN (ANALYZE, BUFFERS, FORMAT TEXT) SELECT position FROM counter WHERE one"
    try:
        async with holder.transaction(isolation="repeatable_read"):
            await holder.fetchval("SELECT position FROM counter WHERE one")
            for _ in range(60):
                # A transaction each, as appends are: versions of one transaction would be its own.
                for _ in range(100):
                    await writer.execute("UPDATE counter SET units_position = units_position + 1"
                                         " WHERE one")  # fmt: skip
        await writer.execute("VACUUM (TRUNCATE false) counter")
        pages = await writer.fetchval("SELECT pg_relation_size('counter') / 8192")
        plan = "\n".join(row[0] for row in await writer.fetch(explain))
        plan = "\n".join(row[0] for row in await writer.fetch(explain))
        read = sum(map(int, re.findall(r"(?:hit|read)=(\d+)", plan.split("Planning")[0])))
        assert pages > 50 and "Index" in plan and read < 10, (pages, plan)
    finally:
        await holder.close()
        await writer.close()


def test_tables_of_one_row_are_read_and_written_by_key() -> None:
    """Without the key PostgreSQL reads all pages of the table: as many as a snapshot left behind."""
    names = "counter|relay|shown|projection|privacy"
    statement = re.compile(rf"(?:FROM|UPDATE) (?:activities\.|metrics\.)?(?:{names})\b(?!_)")
    found = []
    for folder in ("services", "shared", "deploy"):
        for path in (*(ROOT / folder).rglob("*.py"), *(ROOT / folder).rglob("*.sh")):
            if "migrations" in path.parts:
                continue
            text = path.read_text()
            for match in statement.finditer(text):
                after = re.split(
                    r'"""|\n\s*\)|,\n\s*[a-z_]+[,.(]', text[match.start() :], maxsplit=1
                )[0]
                if not re.search(r"\b(?:\w\.)?one\b", after):
                    found.append(f"{path.relative_to(ROOT)}: {text[match.start() :][:70]!r}")
    assert found == []
