"""Definitions at any state of knowledge equal those folded anew, in whatever order they are asked."""

import random
from datetime import date, timedelta

import asyncpg
import msgspec

from services.metrics.definition_rows import StoredRows
from shared.contracts.definitions import Catalogue
from shared.contracts.record import LogRecord
from shared.domain.definitions import Definitions
from shared.domain.history import KEPT, MOST_STAGES, DefinitionHistory
from shared.domain.knowledge import Until, told
from tests.metrics.memory_log import MemoryLog

START = date(2026, 1, 1)
UNITS = [f"{24000 + n}@2025" for n in range(12)]


def history(log: MemoryLog, dice: random.Random, rows: int) -> None:
    """Units that come, change and go, numbers of people, and definitions taken back."""
    day = START
    established: list[str] = []
    origins: list[int] = []
    while len(log.rows) < rows:
        day += timedelta(days=dice.choice((0, 0, 0, 1, 5)))
        unit = dice.choice(UNITS)
        what = dice.randrange(10)
        if unit not in established:
            data = {"unit_id": unit, "code": unit[:5], "era": "2025", "name_vi": unit,
                    "kind": "commune", "parent": "66@2025", "from": "2025-07-01"}  # fmt: skip
            established.append(unit)
            origins.append(log.post("unit.established", unit, day, day, data))
        elif what < 5:
            data = {"population": dice.choice(("adults", "households")), "as_of": str(day),
                    "number": dice.randrange(1, 9_999), "authority": "CA"}  # fmt: skip
            origins.append(log.post("population.declared", unit, day, day, data))
        elif what == 5:
            data = {"unit_id": unit, "from": str(day), "name_vi": f"new {day}"}
            origins.append(log.post("unit.renamed", unit, day, day, data))
        elif what == 6:
            data = {"unit_id": unit, "attribute": "remote", "value": True, "from": str(day)}
            origins.append(log.post("unit.attributed", unit, day, day, data))
        elif what == 7:
            other = dice.choice(established)
            data = {"unit_id": unit, "dissolved_on": str(day),
                    "successors": [{"unit_id": other, "part": "whole"}]}  # fmt: skip
            origins.append(log.post("unit.dissolved", unit, day, day, data))
        elif origins:
            log.revise_definition(origins.pop(dice.randrange(len(origins))), day)


async def store_rows(pool: asyncpg.Pool, rows: list[LogRecord]) -> None:
    async with pool.acquire() as connection:
        await connection.copy_records_to_table(
            "definition",
            records=[(r.position, r.recorded, r.short_type, msgspec.json.encode(r)) for r in rows],
            columns=["position", "recorded", "type", "record"],
        )


def said(definitions: Definitions) -> object:
    """Everything that can be asked."""
    tree = definitions.tree
    days = [START + timedelta(days=90 * n) for n in range(5)]
    return (
        sorted(repr(unit) for unit in tree.units()),
        [[unit.unit_id for unit in tree.children("66@2025", day)] for day in days],
        [sorted(tree.predecessors(unit)) for unit in UNITS],
        [definitions.population(u, p, d) for u in UNITS for p in ("adults", "households") for d in days],
    )  # fmt: skip


async def test_any_state_of_knowledge_in_any_order(
    pool: asyncpg.Pool, catalogue: Catalogue
) -> None:
    for seed in range(6):
        dice = random.Random(seed)
        async with pool.acquire() as connection:
            await connection.execute("TRUNCATE definition")
        log = MemoryLog(catalogue)
        history(log, dice, 150)
        store = DefinitionHistory(catalogue, every=dice.choice((1, 4, 30)))
        kept: list[tuple[Definitions, object]] = []
        stored = 0
        for _ in range(60):
            more = dice.choice((0, 0, 1, 7, 30))
            await store_rows(pool, log.rows[stored : stored + more])
            stored = min(stored + more, len(log.rows))
            some_day = START + timedelta(days=dice.randrange(-2, 250))
            until: Until = dice.choice((None, some_day, some_day, dice.randrange(stored + 2)))
            naive = Definitions(catalogue)
            for row in log.rows[:stored]:
                if told(row.recorded, row.position, until):
                    naive.apply(row)
            async with pool.acquire() as connection:
                found = await store.get(StoredRows(connection), until)
            assert said(found) == said(naive), (seed, stored, until)
            kept.append((found, said(found)))
            assert store.states <= MOST_STAGES + KEPT + 1
        for found, before in kept:
            assert said(found) == before, "an answer that was given has changed"


async def test_days_between_which_nothing_was_defined_are_one_state(
    pool: asyncpg.Pool, catalogue: Catalogue
) -> None:
    log = MemoryLog(catalogue)
    for n in range(40):
        day = START + timedelta(days=n)
        data = {"population": "adults", "as_of": str(day), "number": n, "authority": "CA"}
        log.post("population.declared", UNITS[0], day, day, data)
    await store_rows(pool, log.rows)
    store = DefinitionHistory(catalogue)
    async with pool.acquire() as connection:
        today = await store.get(StoredRows(connection))
        assert await store.get(StoredRows(connection), START + timedelta(days=39)) is today
        assert await store.get(StoredRows(connection), START + timedelta(days=500)) is today
        before = await store.get(StoredRows(connection), START + timedelta(days=38))
        assert before is not today
        assert await store.get(StoredRows(connection), START + timedelta(days=38)) is before


async def test_another_log_is_folded_anew(pool: asyncpg.Pool, catalogue: Catalogue) -> None:
    log = MemoryLog(catalogue)
    history(log, random.Random(1), 40)
    await store_rows(pool, log.rows)
    store = DefinitionHistory(catalogue)
    async with pool.acquire() as connection:
        await connection.execute("UPDATE projection SET log_epoch = 'first'")
        await store.get(StoredRows(connection))
        await connection.execute("TRUNCATE definition")
        await connection.execute("UPDATE projection SET log_epoch = 'second'")
        assert not list((await store.get(StoredRows(connection))).tree.units())
