"""The appendix as a workbook: numbers stay numbers, heads are merged and repeated, pages fit."""

import io
from collections.abc import Sequence
from typing import Any, NamedTuple

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, Side
from openpyxl.utils import get_column_letter

from services.registry.documents.appendix import Appendix, Column, appendix_of
from services.registry.documents.compose import Draft
from services.registry.documents.docx_body import UNKNOWN, note_of
from services.registry.documents.occasion import full_name
from services.registry.documents.word import mark_of
from services.registry.documents.wording import day
from services.registry.tables.export import safe

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FONT = "Times New Roman"
GROUP = 5
LINE = 15
"""Points that a line of text needs: heights are given, since not every program finds them."""
FIRST = 3
"""Columns of the unit: TT, code, name."""
THIN = Side(style="thin")
BOX = Border(left=THIN, right=THIN, top=THIN, bottom=THIN)
CENTRE = Alignment(horizontal="center", vertical="center", wrap_text=True)
LEFT = Alignment(horizontal="left", vertical="center", wrap_text=True)
RIGHT = Alignment(horizontal="right", vertical="center")
PLAIN, BOLD = Font(name=FONT, size=11), Font(name=FONT, size=11, bold=True)


class Lines(NamedTuple):
    """What stands above every table besides its title."""

    mark: str
    note: str


def to_xlsx(draft: Draft, *, confirmed: bool = False) -> bytes:
    """Sheets: the targets as in the report, the units by groups of targets, the lists of names."""
    book = Workbook()
    appendix = appendix_of(draft)
    lines = Lines(mark_of(draft, confirmed=confirmed), note_of(appendix))
    _targets(book.active, draft, lines)
    if appendix is not None and len(appendix.rows) > 1:
        for number, group in enumerate(appendix.groups(GROUP), 1):
            _by_unit(book.create_sheet(f"Phụ lục I.{number}"), draft, appendix, group, lines)
    if draft.lists:
        _lists(book.create_sheet("Phụ lục II"), draft, lines)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _title(sheet: Any, draft: Draft, title: str, columns: int, lines: Lines) -> int:
    """Four lines above a table; the row of its head."""
    texts = (
        (full_name(draft.material.author).upper(), Font(name=FONT, size=12, bold=True)),
        (title.upper(), Font(name=FONT, size=14, bold=True)),
        (f"(Số liệu đến hết ngày {day(draft.material.as_of)}; kèm theo Báo cáo số ... ngày ...). {lines.note}", Font(name=FONT, size=12, italic=True)),
        (lines.mark, Font(name=FONT, size=12, bold=True)),
    )  # fmt: skip
    for row, (text, font) in enumerate(texts, 1):
        sheet.merge_cells(start_row=row, start_column=1, end_row=row, end_column=columns)
        cell = sheet.cell(row, 1, safe(text))
        cell.font, cell.alignment = font, CENTRE
    return len(texts) + 1


def _head(sheet: Any, row: int, column: int, text: str, *, across: int = 1, down: int = 1) -> None:
    cell = sheet.cell(row, column, safe(text))
    for r in range(row, row + down):
        for c in range(column, column + across):
            sheet.cell(r, c).border = BOX
    cell.font, cell.alignment = BOLD, CENTRE
    if across > 1 or down > 1:
        sheet.merge_cells(start_row=row, start_column=column, end_row=row + down - 1, end_column=column + across - 1)  # fmt: skip


def _cell(
    sheet: Any, row: int, column: int, value: Any, align: Alignment, format: str | None = None
) -> None:
    cell = sheet.cell(row, column, safe(value) if isinstance(value, str) else value)
    cell.font, cell.border, cell.alignment = PLAIN, BOX, align
    if format is not None:
        cell.number_format = format
    if isinstance(value, str):
        cell.data_type = "s"


def _targets(sheet: Any, draft: Draft, lines: Lines) -> None:
    sheet.title = "Chỉ tiêu"
    names = ("TT", "Chỉ tiêu", "Giao", "Thực hiện", "Số nền", "Tỷ lệ", "So với kỳ trước", "Đánh giá")  # fmt: skip
    head = _title(sheet, draft, "Kết quả thực hiện các chỉ tiêu", len(names), lines)
    for column, name in enumerate(names, 1):
        _head(sheet, head, column, name)
    figures = draft.figures
    for index, row in enumerate(draft.rows, 1):
        key, line = f"objective.{row.objective}", head + index
        value, base = figures.get(f"{key}.value"), figures.get(f"{key}.denominator")
        ratio, change = figures.get(f"{key}.ratio"), figures.get(f"{key}.change")
        sign = -1 if row.change_vi.startswith("-") else 1
        _cell(sheet, line, 1, index, CENTRE)
        _cell(sheet, line, 2, row.full_vi, LEFT)
        sheet.row_dimensions[line].height = LINE * -(-len(row.full_vi) // 58)
        _cell(sheet, line, 3, row.target_vi, CENTRE)
        _cell(sheet, line, 4, value.value if value else row.done_vi, RIGHT, "#,##0")
        _cell(sheet, line, 5, base.value if base else None, RIGHT, "#,##0")
        share = _share(value.value, base.value) if ratio and value and base else None
        _cell(sheet, line, 6, share, RIGHT, "0.0%")
        _cell(sheet, line, 7, sign * float(str(change.value)) if change else None, RIGHT, "+#,##0;-#,##0;0")  # fmt: skip
        _cell(sheet, line, 8, row.judged_vi, CENTRE)
    _finish(sheet, (5, 60, 20, 14, 14, 10, 14, 18), head, head, head + len(draft.rows))


def _by_unit(
    sheet: Any, draft: Draft, appendix: Appendix, group: Sequence[Column], lines: Lines
) -> None:
    width = FIRST + 3 * len(group)
    head = _title(sheet, draft, appendix.title_vi, width, lines)
    for column, name in enumerate(("TT", "Mã đơn vị", "Đơn vị"), 1):
        _head(sheet, head, column, name, down=2)
    for number, one in enumerate(group):
        at = FIRST + 1 + 3 * number
        title = f"{one.name_vi} ({one.target_vi})" if one.target_vi else one.name_vi
        _head(sheet, head, at, title, across=3)
        for part, name in enumerate(("Thực hiện", "Số nền", "Tỷ lệ" if one.shares else "Đánh giá")):  # fmt: skip
            _head(sheet, head + 1, at + part, name)
    sheet.row_dimensions[head].height = 62
    for index, (code, name, cells) in enumerate(appendix.rows):
        line = head + 2 + index
        _cell(sheet, line, 1, index or None, CENTRE)
        _cell(sheet, line, 2, code, CENTRE)
        _cell(sheet, line, 3, name, LEFT)
        for number, one in enumerate(group):
            at, shown = FIRST + 1 + 3 * number, cells.get(one.id)
            value = None if shown is None else UNKNOWN if shown.value is None else shown.value
            base = shown.denominator if shown else None
            _cell(sheet, line, at, value, RIGHT if isinstance(value, int) else CENTRE, "#,##0")
            _cell(sheet, line, at + 1, base, RIGHT, "#,##0")
            if one.shares:
                share = _share(shown.value, base) if shown else None
                _cell(sheet, line, at + 2, share, RIGHT, "0.0%")
            else:
                known = shown is not None and shown.value is not None
                _cell(sheet, line, at + 2, shown.word if shown and known else None, CENTRE)
    widths = (5, 10, 26, *((11, 11, 9) * len(group)))
    _finish(sheet, widths, head, head + 1, head + 1 + len(appendix.rows))
    sheet.freeze_panes = sheet.cell(head + 2, FIRST + 1)


def _share(value: Any, base: Any) -> float | None:
    """A share cut at a tenth of a per cent, as the report's sentences say it; None without a base."""
    return int(value / base * 1000 + 1e-9) / 1000 if value is not None and base else None


def _lists(sheet: Any, draft: Draft, lines: Lines) -> None:
    head = _title(sheet, draft, "Danh sách đơn vị nêu trong báo cáo", 3, lines)
    for column, name in enumerate(("TT", "Nội dung", "Đơn vị"), 1):
        _head(sheet, head, column, name)
    line = head
    for one in draft.lists:
        for index, name in enumerate(one.names, 1):
            line += 1
            _cell(sheet, line, 1, index, CENTRE)
            _cell(sheet, line, 2, one.title_vi, LEFT)
            sheet.row_dimensions[line].height = LINE * -(-len(one.title_vi) // 66)
            _cell(sheet, line, 3, name, LEFT)
    _finish(sheet, (5, 70, 40), head, head, line)


def _finish(sheet: Any, widths: Sequence[float], first: int, last: int, end: int) -> None:
    """Landscape A4, one page wide, the head on every page, everything inside the print area."""
    for column, width in enumerate(widths, 1):
        sheet.column_dimensions[get_column_letter(column)].width = width
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", 9
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_title_rows = f"{first}:{last}"
    sheet.print_area = f"A1:{get_column_letter(len(widths))}{end}"
    sheet.oddFooter.center.text = "Trang &P/&N"
    sheet.page_margins.left = sheet.page_margins.right = 0.5
    sheet.freeze_panes = sheet.cell(last + 1, 1)
