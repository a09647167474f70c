"""The grid as a workbook that people edit, and what an edited one says. Pure.

One sheet: three lines to fill in (as_of, authority, source_ref), a heading, one line per unit. An
empty cell says nothing; it is never a zero.
"""

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from services.registry.populations.faults import fault
from services.registry.tables.export import SANDBOX, safe
from shared.problems import Problem

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LARGEST = 5 * 1024 * 1024
UNPACKED = 60 * 1024 * 1024
MOST_ROWS, MOST_COLUMNS = 5_000, 100
LONGEST_POSITION = 16
FILL_IN = ("as_of", "authority", "source_ref")
HEADING = ("unit_id", "name_vi")

_GROUPED = re.compile(r"\d{1,3}(\.\d{3})+|\d{1,3}([ \u00a0\u202f]\d{3})+|\d+")
_BETWEEN = re.compile(r"[. \u00a0\u202f]")
_VIETNAMESE_DAY = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")
SHEET = "mau-so"


@dataclass
class Said:
    """What an uploaded workbook says; `problems` has line and column of everything wrong."""

    plan: str = ""
    position: int = 0
    as_of: date | None = None
    authority: str = ""
    source_ref: str | None = None
    numbers: dict[tuple[str, str], int] = field(default_factory=dict)
    places: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)
    """Line and cell ("D12") of each number."""
    problems: list[dict[str, Any]] = field(default_factory=list)


def write(
    plan: str,
    position: int,
    groups: dict[str, str],
    rows: list[tuple[str, str, list[int | None]]],
    *,
    sandbox: bool = False,
) -> bytes:
    """The workbook; `groups` is code -> Vietnamese name, `rows` unit_id, name, number per group."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(SHEET)
    sheet.column_dimensions["A"].width = 16
    sheet.column_dimensions["B"].width = 32

    def text(value: str, *, bold: bool = False) -> Any:
        cell = WriteOnlyCell(sheet, value=safe(value))
        cell.data_type = "s"
        cell.font = Font(bold=bold)
        return cell

    if sandbox:
        sheet.append([text("# sandbox", bold=True), text(SANDBOX, bold=True)])
    sheet.append([text("# plan"), text(plan)])
    sheet.append([text("# position"), text(str(position))])
    hints = ("Số liệu tính đến ngày (YYYY-MM-DD)", "Cơ quan công bố", "Nguồn, số văn bản")
    for name, hint in zip(FILL_IN, hints, strict=True):
        sheet.append([text(f"# {name}", bold=True), None, text(hint)])
    sheet.append([None, None, *(text(name) for name in groups.values())])
    sheet.append([text(name, bold=True) for name in (*HEADING, *groups)])
    for unit_id, name, numbers in rows:
        sheet.append([text(unit_id), text(name), *numbers])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def read(body: bytes, groups: dict[str, str]) -> Said:
    """What the workbook says; raises a Problem only when it is none of ours at all."""
    said = Said()
    lines = enumerate(_lines(body), 1)
    heading: list[str] = []
    for at, line in lines:  # noqa: B007 - the heading's own line is named below
        first = str(line[0] or "").strip() if line else ""
        if first == HEADING[0]:
            heading = [str(value or "").strip() for value in line]
            break
        if first.startswith("# "):
            _about(said, first[2:], line[1] if len(line) > 1 else None)
    if not heading:
        raise _not_ours("It has no line that begins with unit_id.")
    columns = [(place, code) for place, code in enumerate(heading) if code not in ("", *HEADING)]
    for _, code in columns:
        if code not in groups:
            said.problems.append(fault("group-unknown", code, at))
    for number, line in lines:
        unit_id = str(line[0] or "").strip() if line else ""
        if not unit_id:
            continue
        for place, code in columns:
            value = line[place] if place < len(line) else None
            if isinstance(value, str):
                value = value.strip()
            if code in groups and value not in (None, ""):
                cell = f"{get_column_letter(place + 1)}{number}"
                _number(said, number, cell, unit_id, code, value)
    return said


def _about(said: Said, name: str, value: Any) -> None:
    text = "" if value is None else str(value).strip()
    if name == "plan":
        said.plan = text
    elif name == "position":
        said.position = int(text) if text.isdecimal() and len(text) <= LONGEST_POSITION else 0
    elif name == "authority":
        said.authority = text
    elif name == "source_ref":
        said.source_ref = text or None
    elif name == "as_of":
        if isinstance(value, datetime):
            said.as_of = value.date()
            return
        if isinstance(value, date):
            said.as_of = value
            return
        said.as_of = _day(text)


def _day(text: str) -> date | None:
    """A day as 2026-03-01 or, as people write it in Vietnam, 1/3/2026."""
    written = _VIETNAMESE_DAY.fullmatch(text)
    try:
        if written:
            day, month, year = map(int, written.groups())
            return date(year, month, day)
        return date.fromisoformat(text)
    except ValueError:
        return None


def _number(said: Said, line: int, cell: str, unit_id: str, code: str, value: Any) -> None:
    found: int | None = None
    if isinstance(value, bool):
        found = None
    elif isinstance(value, int | float) and value >= 0 and float(value).is_integer():
        found = int(value)
    elif isinstance(value, str) and _GROUPED.fullmatch(value):
        found = int(_BETWEEN.sub("", value))
    if found is None:
        formula = isinstance(value, str) and value.startswith("=")
        rule = "formula" if formula else "not-a-number"
        said.problems.append(fault(rule, code, line, cell=cell))
    elif (unit_id, code) in said.numbers:
        said.problems.append(fault("unit-twice", code, line, cell=cell))
    else:
        said.numbers[unit_id, code] = found
        said.places[unit_id, code] = (line, cell)


def _lines(body: bytes) -> Iterator[tuple[Any, ...]]:
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as packed:
            if sum(entry.file_size for entry in packed.infolist()) > UNPACKED:
                raise _not_ours("Unpacked it is too large.")
        book = load_workbook(io.BytesIO(body), read_only=True)
        sheet = book[SHEET] if SHEET in book.sheetnames else book.worksheets[0]
        rows = sheet.iter_rows(max_row=MOST_ROWS, max_col=MOST_COLUMNS, values_only=True)
        found = list(rows)
    except Problem:
        raise
    except Exception as error:
        # Whatever a broken file makes the library say: to the reader it is one thing.
        raise _not_ours(f"It cannot be read as XLSX ({type(error).__name__}).") from error
    yield from found


def _not_ours(why: str) -> Problem:
    return Problem(
        "workbook-invalid",
        f"The file is not the workbook of this grid. {why}",
        hint="Download the grid as XLSX, fill it in, save it as XLSX, and upload that file.",
    )
