"""Reconciliations as tables: summary lines, and one line an event. Pure."""

import csv
import io
from collections.abc import AsyncIterator, Iterable
from typing import Any

import asyncpg

from services.activities.quarantine.store import Refused
from services.activities.reconciliation.explain import Explanation

CSV = "text/csv; charset=utf-8"
COLUMNS = (
    "id", "type", "unit_id", "occurred", "position", "state", "code", "reason", "objectives",
    "number",
)  # fmt: skip
Row = dict[str, Any]


def line(values: Iterable[Any]) -> str:
    """One line of CSV (RFC 4180); a text that a spreadsheet would run is marked as text."""
    out = io.StringIO()
    csv.writer(out).writerow([_harmless(value) for value in values])
    return out.getvalue()


def _harmless(value: Any) -> Any:
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@"):
        return "'" + value
    return value


def summary(body: dict[str, Any]) -> bytes:
    """A reconciliation as section, name, value: tables within it become sections."""
    lines = [line(("section", "name", "value"))]
    for name, value in body.items():
        for section, inner, item in _flat(name, value):
            lines.append(line((section, inner, _word(item))))
    return "".join(lines).encode()


def _flat(name: str, value: Any) -> Iterable[tuple[str, str, Any]]:
    if isinstance(value, list):
        yield from ((name, str(number), item) for number, item in enumerate(value, 1))
        return
    if not isinstance(value, dict):
        yield "", name, value
        return
    for inner, item in value.items():
        if isinstance(item, dict):
            yield from ((f"{name}.{inner}", deep, found) for deep, found in item.items())
        else:
            yield name, inner, item


def _word(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else value


def accepted_row(row: asyncpg.Record, told: Explanation | None) -> Row:
    """One accepted event and what became of it."""
    return {
        "id": row["id"],
        "type": row["type"],
        "unit_id": row["unit_id"],
        "occurred": row["occurred"].isoformat(),
        "position": row["position"],
        "state": "unknown" if told is None else told.state,
        "code": None if told is None else told.code,
        "reason": "metrics does not answer" if told is None else told.reason,
        "objectives": []
        if told is None
        else [f"{o.plan}/{o.objective}" for o in told.objectives if o.counts],
        "number": None,
    }


def refused_row(refused: Refused) -> Row:
    """One refused event."""
    return {
        **dict.fromkeys(COLUMNS),
        "id": refused.id,
        "type": refused.type,
        "state": "rejected",
        "code": refused.code,
        "reason": refused.problem["detail"],
        "objectives": [],
        "number": refused.number,
    }


async def csv_lines(rows: AsyncIterator[Row]) -> AsyncIterator[bytes]:
    """Rows as CSV with a head; objectives are parted by spaces."""
    yield line(COLUMNS).encode()
    async for row in rows:
        values = {**row, "objectives": " ".join(row["objectives"])}
        yield line("" if values[c] is None else values[c] for c in COLUMNS).encode()
