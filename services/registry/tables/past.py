"""Cells of other days than now: asked of metrics, whose one evaluator also fills the views."""

from datetime import date

import httpx
import msgspec

from services.registry.metrics import ask_metrics
from services.registry.tables.model import Cell, Cells, Counted


async def past(
    metrics: httpx.AsyncClient,
    *,
    plan: str,
    unit: str,
    level: str,
    as_of: date,
    known_at: date | None,
    tree: str,
) -> Counted:
    """The cells of `unit` and of the units of `level` below it."""
    asked = {
        "plan": plan,
        "unit": unit,
        "level": level,
        "as_of": as_of.isoformat(),
        "known_at": known_at.isoformat() if known_at else None,
        "tree": tree,
    }
    body = await ask_metrics(metrics, "/v1/cells", asked)
    cells: Cells = {}
    for found in body["cells"]:
        cell = msgspec.convert(found, Cell, strict=False)
        cells.setdefault(found["unit_id"], {})[found["objective"]] = cell
    return Counted(cells, body["position"], as_of)
