"""Tasks as CSV and XLSX: a line per task and lead body, in Vietnamese."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties

from services.registry.tables.export import SANDBOX, safe
from services.registry.tasks.fold import TaskStanding
from services.registry.tasks.ledger import Ledger
from services.registry.tasks.standing import BodyStanding
from services.registry.tasks.words import TASK, condition_vi

CSV = "text/csv; charset=utf-8"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"

COLUMNS = {
    "Mã nhiệm vụ": 22, "Nhiệm vụ": 60, "Chủ trì": 34, "Phối hợp": 34, "Kỳ": 12, "Hạn": 12,
    "Trạng thái": 16, "Xong ngày": 12, "Còn thiếu": 50, "Đã làm": 40, "Văn bản": 20,
    "Khó khăn": 40,
}  # fmt: skip

Rows = Iterable[tuple[TaskStanding, Mapping[str, BodyStanding]]]


def lines(
    ledger: Ledger, rows: Rows, names: Mapping[str, str]
) -> Iterator[list[str | date | None]]:
    """One line per task and lead body."""
    objectives = {o["id"]: o["text_vi"] for o in ledger.plan.document["objectives"]}
    for task, bodies in rows:
        coordinate = "; ".join(names.get(n, n) for n in task.task.get("coordinate") or ())
        for name, stands in bodies.items():
            now = stands.current
            said = now.statement.data if now.statement is not None else {}
            lacking = "; ".join(condition_vi(c, objectives) for c in now.conditions if not c.holds)
            yield [
                task.task["id"],
                task.task["title_vi"],
                task.bodies[name].name_vi,
                coordinate,
                "" if now.occurrence.id == "once" else now.occurrence.id,
                now.occurrence.last_day,
                TASK[stands.state][1],
                now.done_on,
                lacking,
                said.get("done", ""),
                said.get("document_ref", ""),
                said.get("difficulties", ""),
            ]


def _about(ledger: Ledger, sandbox: bool) -> list[tuple[str, str]]:
    found = [
        ("Kế hoạch", f"{ledger.plan.plan} v{ledger.plan.version}"),
        ("Tên", ledger.plan.document["title_vi"]),
        ("Tính đến ngày", ledger.on.isoformat()),
        ("Theo hiểu biết đến", ledger.known_at.isoformat() if ledger.known_at else ""),
        ("Vị trí nhật ký", str(ledger.position)),
    ]
    return [("Chú ý", SANDBOX), *found] if sandbox else found


def to_csv(ledger: Ledger, rows: Rows, names: Mapping[str, str], *, sandbox: bool) -> bytes:
    """UTF-8 with a byte order mark (for Excel); lines that begin with # say what it is."""
    out = io.StringIO()
    writer = csv.writer(out)
    for name, value in _about(ledger, sandbox):
        writer.writerow([f"# {name}", safe(value)])
    writer.writerow(COLUMNS)
    for line in lines(ledger, rows, names):
        writer.writerow(
            [safe(v) if isinstance(v, str) else v.isoformat() if v else "" for v in line]
        )
    return (_BOM + out.getvalue()).encode()


def to_xlsx(ledger: Ledger, rows: Rows, names: Mapping[str, str], *, sandbox: bool) -> bytes:
    """One sheet, landscape, with a frozen header that is repeated in print; days are days."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None  # noqa: S101 - a new book has a sheet
    sheet.title = "Nhiệm vụ"
    for name, value in _about(ledger, sandbox):
        sheet.append([f"# {name}", safe(value)])
    head = sheet.max_row + 1
    sheet.append(list(COLUMNS))
    for line in lines(ledger, rows, names):
        sheet.append([safe(v) if isinstance(v, str) else v for v in line])
    for number, width in enumerate(COLUMNS.values(), 1):
        sheet.column_dimensions[get_column_letter(number)].width = width
        sheet.cell(head, number).font = Font(bold=True)
    for row in sheet.iter_rows(min_row=head + 1):
        for cell in row:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            if isinstance(cell.value, date):
                cell.number_format = "dd/mm/yyyy"
    sheet.freeze_panes = f"C{head + 1}"
    sheet.print_title_rows = f"{head}:{head}"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
