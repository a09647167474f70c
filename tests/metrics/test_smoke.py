"""The shortest way through: definitions and facts in, cells out."""

from datetime import date, datetime

import asyncpg

from services.metrics.projecting.projection import MetricsProjection
from services.metrics.tables.refresh import Refresher
from shared.clock import VIETNAM, FixedClock
from shared.contracts.definitions import Catalogue
from shared.contracts.record import LANES
from shared.lane_consumer import LaneConsumer
from tests.metrics.memory_log import MemoryLog
from tests.metrics.smoke import DAY, a_province


async def test_records_become_cells(pool: asyncpg.Pool, catalogue: Catalogue) -> None:
    log = MemoryLog(catalogue)
    a_province(log)
    for index, unit in enumerate(["24133@2025", "24133@2025", "24121@2025", "24133@2025"]):
        person = {"person_ref": f"cccd:{index % 3}", "target_groups": ["adult"]}
        log.post("citizen.certified", unit, DAY, DAY, person)
    log.post("festival.held", "24121@2025", date(2026, 10, 6), DAY, {})
    projection = MetricsProjection(pool, "w", catalogue)
    await projection.begin(frozenset(range(LANES)))
    consumer = LaneConsumer(projection, log, "unused:1", "test")  # type: ignore[arg-type]
    await consumer.catch_up(list(range(LANES)))
    clock = FixedClock(datetime(2026, 10, 7, 9, tzinfo=VIETNAM))
    done = await Refresher(pool, catalogue, clock).refresh()
    assert done is not None
    assert done.watermark == len(log.rows)
    rows = await pool.fetch("SELECT * FROM indicators.cells")
    cells = {(r["objective"], r["unit_id"]): r for r in rows}
    assert len(cells) == 25 * 3
    own = cells["adults-certified-vneid", "24133@2025"]
    assert (own["value"], own["denominator"], own["met"]) == (2, 4, False)
    assert own["status"] == "behind"
    province = cells["adults-certified-vneid", "66@2025"]
    assert (province["value"], province["denominator"]) == (3, None)
    assert province["flags"] == ["denominator_partial", "missing:adults"]
    festival = cells["communes-hold-festival", "66@2025"]
    assert (festival["value"], festival["denominator"], festival["met"]) == (1, 2, False)
    assert cells["communes-hold-festival", "24121@2025"]["met"] is True
