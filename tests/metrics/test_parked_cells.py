"""What is parked is said in the cells that people read, until somebody has dealt with it."""

import asyncpg

from services.metrics.projecting import parking
from services.metrics.tables.refresh import Refresher
from shared.contracts.definitions import Catalogue
from tests.metrics.histories import BASE
from tests.metrics.memory_log import MemoryLog
from tests.metrics.province import ROOT, A, B, define, document, follow, moments, objective, of

PLAN = document(
    [objective("certified", {"count": "distinct_persons", "of": [of("citizen.certified")]})]
)


async def test_a_parked_event_flags_its_unit_and_those_above(
    pool: asyncpg.Pool, catalogue: Catalogue
) -> None:
    """registry's cold spots give `parked` as the reason wherever this flag stands."""
    log = MemoryLog(catalogue)
    define(log, PLAN)
    good = {"person_ref": "cccd:1", "target_groups": ["adult"]}
    log.post("citizen.certified", A, BASE, BASE, good)
    bad = log.post(
        "citizen.certified", A, BASE, BASE, good | {"person_ref": "cccd:2", "to": "no day"}
    )
    refresher = Refresher(pool, catalogue, moments(pool, catalogue, BASE)._clock)

    async def flagged() -> set[str]:
        await refresher.refresh()
        rows = await pool.fetch("SELECT unit_id FROM indicators.cells WHERE 'parked' = ANY(flags)")
        return {row["unit_id"] for row in rows}

    await follow(pool, catalogue, log)
    assert await pool.fetchval("SELECT count(*) FROM parked") == 1
    assert await flagged() == {A, ROOT} and B not in await flagged()
    assert await parking.dismiss(pool, bad, "the sender mended it")
    assert await flagged() == set()
