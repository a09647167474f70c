"""Tables as CSV and XLSX: exact integers, names that no spreadsheet takes for a formula."""

import csv
import io
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font

from services.registry.tables.model import Cell, Header, Row, Table

SANDBOX = "DỮ LIỆU MÔ PHỎNG - KHÔNG PHẢI SỐ LIỆU THẬT"
_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"
_RISKY = ("=", "+", "-", "@", "\t", "\r", "\n")
_PARTS: dict[str, Callable[[Cell], str | float | None]] = {
    "value": lambda cell: cell.value,
    "denominator": lambda cell: cell.denominator,
    "target": lambda cell: _whole(cell.target),
    "target_unit": lambda cell: safe(cell.target_unit or ""),
    "status": lambda cell: cell.status,
    "flags": lambda cell: safe(" ".join(cell.flags)),
}
"""The columns of each objective; of one that is not counted only `status` says something."""
_MORE: dict[str, Callable[[Cell], str | float | None]] = {
    "comparator": lambda cell: cell.comparator,
    "required": lambda cell: cell.required,
    "met": lambda cell: None if cell.met is None else "true" if cell.met else "false",
    "last_day": lambda cell: _day(cell.last_day),
}
"""Further columns of each objective, after those of all objectives: no column ever moves."""
_RHYTHM: dict[str, Callable[[Cell], str | float | None]] = {
    "bucket_start": lambda cell: _day(cell.bucket.start) if cell.bucket else None,
    "bucket_end": lambda cell: _day(cell.bucket.end) if cell.bucket else None,
    "status_bucket_start": lambda cell: (
        _day(cell.status_bucket.start) if cell.status_bucket else None
    ),
    "status_bucket_end": lambda cell: _day(cell.status_bucket.end) if cell.status_bucket else None,
    "status_bucket_value": lambda cell: cell.status_bucket.value if cell.status_bucket else None,
}
"""Further columns of what recurs: the week or month of the value, and that of the status."""
_BUCKETS = ("weekly", "monthly")


def safe(text: str) -> str:
    """Text that a spreadsheet shows as it is: a leading formula character gets an apostrophe."""
    return f"'{text}" if text.startswith(_RISKY) else text


def about(table: Table) -> list[tuple[str, str]]:
    """What must stand on every export."""
    lines = [
        ("plan", f"{table.plan} v{table.plan_version}"),
        ("title", table.plan_title_vi),
        ("unit", f"{table.unit_id} {table.unit_name_vi}"),
        ("level", table.level),
        ("as_of", table.as_of.isoformat()),
        ("known_at", table.known_at.isoformat() if table.known_at else ""),
        ("position", str(table.position)),
    ]
    return [("sandbox", SANDBOX), *lines] if table.sandbox else lines


def columns(table: Table) -> list[str]:
    """Column names: three of the unit, the parts of each objective, then its further ones."""
    names = [f"{o.id}.{part}" for o in table.objectives for part in _PARTS]
    names += [f"{o.id}.{part}" for o in table.objectives for part in _more(o)]
    return ["unit", "unit_id", "name_vi", *names]


def _more(objective: Header) -> dict[str, Callable[[Cell], str | float | None]]:
    return _MORE | _RHYTHM if objective.recurrence in _BUCKETS else _MORE


def short_names(table: Table) -> list[str]:
    """A line that readers skip like the others with #: the short name of the objective above each of
    its columns; empty where the plan has no such names."""
    names = {o.id: safe(o.short_vi) for o in table.objectives if o.short_vi}
    if not names:
        return []
    above = [names.get(name.rpartition(".")[0], "") for name in columns(table)]
    return ["# short_vi", *above[1:]]


def rows(table: Table) -> Iterator[list[str | float | None]]:
    """The unit itself first, then the units of the level."""
    for row in [*([table.whole] if table.whole else []), *table.rows]:
        yield _row(row, table.objectives)


def _row(row: Row, objectives: list[Header]) -> list[str | float | None]:
    found: list[str | float | None] = [row.unit, row.unit_id, safe(row.name_vi)]
    for objective in objectives:
        cell = row.cells.get(objective.id)
        if cell is None:
            found += [objective.state if part == "status" else None for part in _PARTS]
        else:
            found += [shown(cell) for shown in _PARTS.values()]
    for objective in objectives:
        cell = row.cells.get(objective.id)
        found += [None if cell is None else shown(cell) for shown in _more(objective).values()]
    return found


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _whole(target: float | None) -> float | None:
    """80 rather than 80.0."""
    return int(target) if target is not None and target.is_integer() else target


def to_csv(table: Table) -> bytes:
    """UTF-8 with a byte order mark (for Excel); lines that begin with # say what it is."""
    out = io.StringIO()
    writer = csv.writer(out)
    for name, value in about(table):
        writer.writerow([f"# {name}", safe(value)])
    if names := short_names(table):
        writer.writerow(names)
    writer.writerow(columns(table))
    for row in rows(table):
        writer.writerow(["" if value is None else value for value in row])
    return (_BOM + out.getvalue()).encode()


def to_xlsx(table: Table) -> bytes:
    """One sheet with a frozen header; codes stay text, numbers stay numbers."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(table.plan[:31])
    heading = about(table)
    names = short_names(table)
    sheet.freeze_panes = f"D{len(heading) + bool(names) + 2}"
    sheet.column_dimensions["C"].width = 28

    def text(value: str, *, bold: bool = False) -> Any:
        cell = WriteOnlyCell(sheet, value=safe(value))
        cell.data_type = "s"
        cell.font = Font(bold=bold)
        cell.alignment = Alignment(wrap_text=bold, vertical="top")
        return cell

    for name, value in heading:
        sheet.append([text(f"# {name}", bold=True), text(value)])
    if names:
        sheet.append([text(name, bold=True) for name in names])
    sheet.append([text(name, bold=True) for name in columns(table)])
    for row in rows(table):
        sheet.append([text(value) if isinstance(value, str) else value for value in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
