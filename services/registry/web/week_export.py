"""A week's review to download: the same numbers, needs and decisions as the page, one line each."""

import csv
import io
from collections.abc import Iterator, Mapping

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font

from services.registry.review.week import Week
from services.registry.tables.export import SANDBOX, safe
from services.registry.web.heat import long
from services.registry.web.words import day as day_vi
from shared.domain.plan_history import PlanVersion

MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
COLUMNS = ("Phần", "Tên", "Giá trị", "Thay đổi so với tuần trước", "Nội dung", "Ghi chú")
_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"
Words = Mapping[str, str]
Line = list[str | int | None]


def lines(
    week: Week, figures: Words, reasons: Words, outcomes: Words, names: Words
) -> Iterator[Line]:
    """One line per number, objective, unit and decision, in the words of the page."""
    for figure in week.figures:
        whole = None if figure.whole is None else f"trong {figure.whole}"
        yield ["Sáu con số", figures[figure.id], figure.value, figure.change, whole, None]
    for chart in week.charts:
        name = chart.header.short_vi or chart.header.name_vi
        change = chart.points[-1] - chart.points[-2] if len(chart.points) > 1 else None
        value = chart.cell.value if chart.cell else None
        yield ["Chỉ tiêu", name, value, change, long(chart.cell) if chart.cell else None, chart.header.name_vi]  # fmt: skip
    for need in week.needs:
        late = "; ".join(o.short_vi or o.name_vi for o in need.objectives)
        yield ["Đơn vị cần hỗ trợ", need.name, len(need.objectives), None, late, reasons[need.reason]]  # fmt: skip
    for decision in [*week.record.before(week.monday), *week.record.of_week(week.monday)]:
        where = "; ".join(names.get(unit, unit) for unit in decision.units)
        said = outcomes.get(decision.outcome or "", "Chưa có kết quả")
        sent = "; ".join(
            f"cử {d.team or 'lực lượng'}{f' ({d.members} người)' if d.members else ''}"
            f" đến {names.get(d.unit_id, d.unit_id)}"
            for d in decision.dispatches
        )
        note = ". ".join(filter(None, (said, decision.remark, sent)))
        yield [f"Kết luận ngày {day_vi(decision.day)}", where, None, None, decision.text, note]


def _about(week: Week, plan: PlanVersion, sandbox: bool) -> list[tuple[str, str]]:
    found = [
        ("Kế hoạch", plan.document["title_vi"]),
        ("Tuần từ ngày", day_vi(week.monday)),
        ("Số liệu đến hết ngày", day_vi(week.day)),
        ("Đã kết thúc rà soát ngày", day_vi(week.closed.day) if week.closed else "chưa kết thúc"),
    ]
    return [("Chú ý", SANDBOX), *found] if sandbox else found


def to_csv(
    week: Week, plan: PlanVersion, figures: Words, reasons: Words, outcomes: Words, names: Words,
    *, sandbox: bool,
) -> bytes:  # fmt: skip
    """UTF-8 with a byte order mark; lines that begin with # say what it is."""
    out = io.StringIO()
    writer = csv.writer(out)
    for name, value in _about(week, plan, sandbox):
        writer.writerow([f"# {name}", safe(value)])
    writer.writerow(COLUMNS)
    for line in lines(week, figures, reasons, outcomes, names):
        writer.writerow([safe(v) if isinstance(v, str) else "" if v is None else v for v in line])
    return (_BOM + out.getvalue()).encode()


def to_xlsx(
    week: Week, plan: PlanVersion, figures: Words, reasons: Words, outcomes: Words, names: Words,
    *, sandbox: bool,
) -> bytes:  # fmt: skip
    """One sheet, landscape, with a frozen head."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None  # noqa: S101 - a new book has a sheet
    sheet.title = f"Tuần {week.monday.isoformat()}"
    for name, value in _about(week, plan, sandbox):
        sheet.append([f"# {name}", safe(value)])
    head = sheet.max_row + 1
    sheet.append(list(COLUMNS))
    for line in lines(week, figures, reasons, outcomes, names):
        sheet.append([safe(v) if isinstance(v, str) else v for v in line])
    for column, width in zip("ABCDEF", (22, 30, 12, 14, 60, 45), strict=True):
        sheet.column_dimensions[column].width = width
        sheet[f"{column}{head}"].font = Font(bold=True)
    for row in sheet.iter_rows(min_row=head + 1):
        for cell in row:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    sheet.freeze_panes = f"A{head + 1}"
    sheet.page_setup.orientation = "landscape"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
