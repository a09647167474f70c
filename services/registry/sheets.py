"""Lists as CSV and XLSX, in Vietnamese: a line per entry, and what the list is of above it."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from fastapi.responses import Response
from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties

from services.registry.tables.export import SANDBOX, safe

MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"
Line = Sequence[str | int | date | None]


@dataclass(frozen=True)
class Sheet:
    """`columns`: their heads, each with its width in letters; `about`: names and values."""

    title: str
    about: Sequence[tuple[str, str]]
    columns: Mapping[str, int]
    lines: Iterable[Line]


def about_plan(
    plan: str, version: int, title_vi: str, on: date, known_at: date | None, *, sandbox: bool
) -> list[tuple[str, str]]:
    """What must stand on every list of a plan."""
    found = [
        ("Kế hoạch", f"{plan} v{version}"),
        ("Tên", title_vi),
        ("Tính đến ngày", on.isoformat()),
        ("Theo hiểu biết đến", known_at.isoformat() if known_at else ""),
    ]
    return [("Chú ý", SANDBOX), *found] if sandbox else found


def sheet_answer(sheet: Sheet, format: str, name: str) -> Response:
    """A list as a file to download, `csv` or `xlsx`."""
    body = _csv(sheet) if format == "csv" else _xlsx(sheet)
    headers = {"Content-Disposition": f'attachment; filename="{name}.{format}"'}
    return Response(body, media_type=MEDIA[format], headers=headers)


def _csv(sheet: Sheet) -> bytes:
    """UTF-8 with a byte order mark (for Excel); lines that begin with # say what it is."""
    out = io.StringIO()
    writer = csv.writer(out)
    for name, value in sheet.about:
        writer.writerow([f"# {name}", safe(value)])
    writer.writerow(sheet.columns)
    for line in sheet.lines:
        writer.writerow([_text(value) for value in line])
    return (_BOM + out.getvalue()).encode()


def _text(value: str | int | date | None) -> str:
    if isinstance(value, date):
        return value.isoformat()
    return safe(value) if isinstance(value, str) else "" if value is None else str(value)


def _xlsx(sheet: Sheet) -> bytes:
    """One sheet, landscape, with a frozen header that is repeated in print; days are days."""
    book = Workbook()
    page = book.active
    assert page is not None  # noqa: S101 - a new book has a sheet
    page.title = sheet.title
    for name, value in sheet.about:
        page.append([f"# {name}", safe(value)])
    head = page.max_row + 1
    page.append(list(sheet.columns))
    for line in sheet.lines:
        page.append([safe(v) if isinstance(v, str) else v for v in line])
    for number, width in enumerate(sheet.columns.values(), 1):
        page.column_dimensions[get_column_letter(number)].width = width
        page.cell(head, number).font = Font(bold=True)
    for row in page.iter_rows(min_row=head + 1):
        for cell in row:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            if isinstance(cell.value, date):
                cell.number_format = "dd/mm/yyyy"
    page.freeze_panes = f"C{head + 1}"
    page.print_title_rows = f"{head}:{head}"
    page.page_setup.orientation = "landscape"
    page.page_setup.fitToHeight = 0
    page.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
