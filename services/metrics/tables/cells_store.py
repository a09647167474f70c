"""Writing the published tables: cells, the watermark, which objectives are counted."""

from collections.abc import Iterable
from typing import Any

import msgspec

from services.metrics.evaluating.cell import Cell
from shared.db import Connection
from shared.domain.compile import Objective

_COLUMNS = {
    "plan": "text",
    "objective": "text",
    "unit_id": "text",
    "plan_version": "int",
    "value": "bigint",
    "total": "bigint",
    "denominator": "bigint",
    "ratio": "double precision",
    "target": "numeric",
    "target_unit": "text",
    "met": "boolean",
    "met_on_time": "boolean",
    "status": "text",
    "basis": "text",
    "required_per_week": "numeric",
    "flags": "text",
    "as_of": "date",
    "building": "boolean",
    "not_attributable": "bigint",
    "beside": "text",
    "comparator": "text",
    "required": "bigint",
    "last_day": "date",
    "bucket": "text",
    "status_bucket": "text",
    "deadlines": "text",
}
_KEYS = ("plan", "unit_id", "objective")

_JSON = ("beside", "bucket", "status_bucket", "deadlines")
_READ = {"flags": "string_to_array(flags, ' ')"} | {c: f"{c}::jsonb" for c in _JSON}
"""What is sent as text, since arrays of arrays are not."""

_UPSERT = f"""
INSERT INTO cell ({", ".join(_COLUMNS)})
SELECT {", ".join(_READ.get(c, c) for c in _COLUMNS)}
FROM unnest({", ".join(f"${i}::{kind}[]" for i, kind in enumerate(_COLUMNS.values(), 1))})
  AS v ({", ".join(_COLUMNS)})
ON CONFLICT ({", ".join(_KEYS)}) DO UPDATE
SET {", ".join(f"{c} = excluded.{c}" for c in _COLUMNS if c not in _KEYS)}
"""


async def write_cells(connection: Connection, cells: list[Cell], *, replace_all: bool) -> None:
    """Write these cells; `replace_all`: there are no others any more."""
    if replace_all:
        await connection.execute("DELETE FROM cell")
    if not cells:
        return
    ordered = sorted(cells, key=lambda c: (c.plan, c.unit_id, c.objective))
    columns: list[list[Any]] = [[_plain(c, name) for c in ordered] for name in _COLUMNS]
    await connection.execute(_UPSERT, *columns)


def _plain(cell: Cell, column: str) -> Any:
    if column == "flags":
        return " ".join(cell.flags)
    found = getattr(cell, column)
    if column in _JSON and found is not None:
        return msgspec.json.encode(found).decode()
    return found


async def write_states(
    connection: Connection, objectives: Iterable[Objective], building: frozenset[str]
) -> None:
    """Say of every objective whether it is counted."""
    rows = []
    for objective in objectives:
        if objective.measure is None:
            rows.append((objective.plan, objective.id, "not_counted", objective.reason))
        elif any(m.fingerprint() in building for m in objective.measures()):
            rows.append((objective.plan, objective.id, "building", "is being counted from the log"))
        else:
            rows.append((objective.plan, objective.id, "counted", None))
    await connection.execute("DELETE FROM objective_state")
    await connection.executemany("INSERT INTO objective_state VALUES ($1, $2, $3, $4)", rows)
