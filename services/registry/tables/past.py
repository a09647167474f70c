"""Cells of other days than now: asked of metrics, whose one evaluator also fills the views."""

import time
from datetime import date

import httpx
import msgspec
from opentelemetry import trace

from services.registry.metrics import ask_metrics_raw
from services.registry.tables.model import Cell, Cells, Counted
from shared.instruments import QUERY_DURATION


class _Found(Cell, gc=False):
    """A cell that says where it belongs."""

    unit_id: str = ""
    objective: str = ""


class _Answer(msgspec.Struct, gc=False):
    """What is needed of the answer of `GET /v1/cells`."""

    position: int
    cells: list[_Found]
    definitions: int = 0


_decode = msgspec.json.Decoder(_Answer, strict=False).decode


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
    started = time.perf_counter()
    body = _decode(await ask_metrics_raw(metrics, "/v1/cells", asked))
    span = trace.get_current_span().get_span_context()
    QUERY_DURATION.record(time.perf_counter() - started, "past", span=span)
    cells: Cells = {}
    for found in body.cells:
        cells.setdefault(found.unit_id, {})[found.objective] = Cell(
            found.value, found.denominator, found.ratio, found.met, found.met_on_time,
            found.status, found.basis, found.required_per_week, found.flags, found.target,
            found.target_unit, found.not_attributable, found.beside, found.comparator,
            found.required, found.last_day, found.bucket, found.status_bucket, found.deadlines,
        )  # fmt: skip
    return Counted(cells, body.position, as_of, definitions=body.definitions)
