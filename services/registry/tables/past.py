"""Cells of other days than now: asked of metrics, whose one evaluator also fills the views."""

from datetime import date
from typing import Any

import httpx
import msgspec

from services.registry.tables.model import Cell, Cells, Counted
from shared.problems import Problem


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
    params = {name: value for name, value in asked.items() if value is not None}
    try:
        answer = await metrics.get("/v1/cells", params=params)
    except httpx.HTTPError as error:
        raise _no_answer(type(error).__name__) from error
    if answer.status_code >= 500:
        raise _no_answer(f"HTTP {answer.status_code}")
    body: dict[str, Any] = msgspec.json.decode(answer.content)
    if answer.status_code != 200:
        raise Problem(
            body.get("code", "metrics-refused"),
            body.get("detail", "metrics refused the question."),
            status=answer.status_code,
            hint=body.get("hint"),
            pointer=body.get("pointer"),
            retryable=bool(body.get("retryable")),
        )
    cells: Cells = {}
    for found in body["cells"]:
        cell = msgspec.convert(found, Cell, strict=False)
        cells.setdefault(found["unit_id"], {})[found["objective"]] = cell
    return Counted(cells, body["position"], as_of)


def _no_answer(reason: str) -> Problem:
    return Problem(
        "metrics-not-available",
        f"Tables of other days come from metrics, which did not answer ({reason}).",
        status=503,
        hint="Send the same request again in a moment; the current table (without as_of and"
        " known_at) does not need it.",
        retryable=True,
        retry_after=2,
    )
