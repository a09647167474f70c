"""The shortest way through: definitions and facts in, cells out."""

from datetime import date, datetime
from pathlib import Path

import asyncpg
import yaml

from services.metrics.projecting.projection import MetricsProjection
from services.metrics.tables.refresh import Refresher
from shared.clock import VIETNAM, FixedClock
from shared.contracts.definitions import Catalogue
from shared.contracts.record import LANES
from shared.lane_consumer import LaneConsumer
from tests.metrics.memory_log import MemoryLog

PLANS = Path(__file__).parents[2] / "plans"
DAY = date(2026, 6, 30)


def a_province(log: MemoryLog) -> None:
    """Đắk Lắk with two communes, its plan, and how many adults one of them has."""
    for unit, level, parent in (
        ("66@2025", "province", None),
        ("24133@2025", "commune", "66@2025"),
        ("24121@2025", "commune", "66@2025"),
    ):
        data = {
            "unit_id": unit,
            "code": unit.partition("@")[0],
            "era": "2025",
            "name_vi": unit,
            "kind": "province" if level == "province" else "ward",
            "from": "2025-07-01",
        }
        log.post("unit.established", unit, DAY, DAY, data | ({"parent": parent} if parent else {}))
    document = yaml.safe_load((PLANS / "dak-lak-2026.yaml").read_text())
    log.post(
        "plan.published",
        "66@2025",
        DAY,
        DAY,
        {"plan": document["id"], "version": document["version"], "document": document},
    )
    declared = {"population": "adults", "number": 4, "as_of": "2026-01-01", "authority": "CA"}
    log.post("population.declared", "24133@2025", DAY, DAY, declared)


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
