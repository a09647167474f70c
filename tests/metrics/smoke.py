"""The smallest province with a plan."""

from datetime import date
from pathlib import Path

import yaml

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
