"""Spreadsheets to fill in, made from the definition of an event type."""

import csv
import json
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from hocvuso_cli.language import say
from hocvuso_cli.send.columns import (
    ID,
    LIST_COLUMNS,
    MARK,
    SOURCE,
    SUBJECT,
    TIME,
    Column,
    Layout,
    flatten,
)
from hocvuso_cli.send.workbook import LISTS_SHEET, TYPE_MARK

YES, NO = "Có", "Không"
LAST_ROW = 1_048_576
EXAMPLE_DAY = "2026-06-30"

_HEAD = PatternFill("solid", start_color="D9E1F2")
_MUST = PatternFill("solid", start_color="F8CBAD")
_GREY = PatternFill("solid", start_color="EDEDED")
_FORMATS = {"date": "yyyy-mm-dd", "moment": "yyyy-mm-dd hh:mm", "integer": "0", "number": "General"}
_HOW = {
    "text": ("Văn bản; giữ nguyên số 0 ở đầu.", "Text; leading zeros stay."),
    "unit": (
        "Mã đơn vị hành chính, là văn bản (xã, phường: 5 chữ số, ví dụ 00123).",
        "Code of the unit, a text (communes: 5 digits, like 00123).",
    ),
    "enum": ("Chọn một giá trị trong danh sách.", "Choose one value of the list."),
    "enum_list": (
        "Chọn một giá trị; nhiều giá trị: dùng thêm các cột bên cạnh, hoặc ngăn cách bằng dấu chấm"
        " phẩy (;).",
        "Choose a value; several: use the columns beside it too, or semicolons (;).",
    ),
    "text_list": (
        "Văn bản; nhiều giá trị ngăn cách bằng dấu chấm phẩy (;).",
        "Text; several values with semicolons (;) between.",
    ),
    "boolean": ("Có hoặc Không.", "Có (yes) or Không (no)."),
    "integer": ("Số nguyên, chỉ gồm chữ số.", "A whole number, digits only."),
    "number": (
        "Số; dấu chấm hoặc dấu phẩy là dấu thập phân.",
        "A number; a point or a comma is the decimal mark.",
    ),
    "date": (
        "Ngày: ngày/tháng/năm (30/06/2026) hoặc 2026-06-30. Luôn hiểu là ngày trước, tháng sau.",
        "A day: day/month/year (30/06/2026) or 2026-06-30. Always the day first.",
    ),
    "moment": (
        "Ngày, hoặc ngày và giờ Việt Nam: 30/06/2026 09:12.",
        "A day, or a day and a time in Viet Nam: 30/06/2026 09:12.",
    ),
    "json": ("Dữ liệu JSON.", "JSON."),
    "mark": (
        "Để trống. Dòng bắt đầu bằng VÍ DỤ không được gửi.",
        "Leave it empty. A row that begins with VÍ DỤ is not sent.",
    ),
}
_NOTES = (
    ("Mỗi dòng là một sự kiện. Cột tô màu cam là bắt buộc.",
     "One row is one event. Orange columns must be filled in."),
    ("Gửi tệp: hocvuso send TỆP.xlsx - gửi lại tệp này bao nhiêu lần cũng chỉ tính một lần.",
     "Send it: hocvuso send FILE.xlsx - however often it is sent, it counts once."),
    ("Sửa một dòng đã gửi thành công sẽ tạo ra một sự kiện mới; muốn đính chính hãy gửi"
     " event.corrected.",
     "A changed row is another event; to correct one that was sent, send an event.corrected."),
    ("Hai dòng giống hệt nhau chỉ tính một; nếu là hai sự kiện khác nhau, hãy điền cột id khác nhau.",
     "Two equal rows count once; if they are two events, give them different ids."),
    ("Số CCCD, số điện thoại chỉ ghi ở cột dành cho người; không ghi ở cột ghi chú hoặc mã.",
     "Identity and phone numbers belong in the columns for persons only, not into notes or codes."),
)  # fmt: skip


def write_template(layout: Layout, example: dict[str, Any], out: Path) -> None:
    """Write FILE.xlsx or FILE.csv. Raises ValueError for another ending."""
    if out.suffix.lower() == ".csv":
        _write_csv(layout, example, out)
    elif out.suffix.lower() == ".xlsx":
        _write_xlsx(layout, example, out)
    else:
        raise ValueError(
            say(vi="Bảng điền là tệp .xlsx hoặc .csv.", en="A template is an .xlsx or a .csv file.")
        )


def template_columns(layout: Layout) -> list[tuple[str, Column]]:
    """Header texts with their columns, in the order of the sheet."""
    found = []
    for column in layout.columns.values():
        if column.name == SOURCE:
            continue
        count = LIST_COLUMNS if column.kind == "enum_list" else 1
        for number in range(1, count + 1):
            more = f" ({number})" if number > 1 else ""
            name = f"{column.name}#{number}" if number > 1 else column.name
            title = say(vi=column.title_vi, en=column.title)
            found.append((f"{title}{more} [{name}]", column))
    return found


def fill(columns: list[tuple[str, Column]], values: dict[str, Any]) -> list[Any]:
    """A row of the template from JSON values by column name; lists spread over their columns."""
    row: list[Any] = []
    for index, (_, column) in enumerate(columns):
        value = values.get(column.name)
        if isinstance(value, list) and column.kind == "enum_list":
            first = next(i for i, (_, c) in enumerate(columns) if c is column)
            last = first + LIST_COLUMNS - 1 == index
            part = value[index - first :] if last else value[index - first : index - first + 1]
            value = "; ".join(column.words[v] for v in part) or None
        elif isinstance(value, list) and column.kind == "text_list":
            value = "; ".join(value)
        elif column.kind == "enum" and value is not None:
            value = column.words[value]
        elif isinstance(value, bool):
            value = YES if value else NO
        elif column.kind == "json" and value is not None:
            value = json.dumps(value, ensure_ascii=False)
        row.append(value)
    return row


def _example() -> str:
    return say(vi="VÍ DỤ - dòng này không được gửi", en="EXAMPLE - this row is not sent")


def _example_row(layout: Layout, example: dict[str, Any]) -> list[Any]:
    values = {MARK: _example(), **flatten(layout.columns, example), TIME: EXAMPLE_DAY}
    if layout.needs_subject:
        values[SUBJECT] = "24133"
    return fill(template_columns(layout), values)


def _write_csv(layout: Layout, example: dict[str, Any], out: Path) -> None:
    with out.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([header for header, _ in template_columns(layout)])
        writer.writerow(["" if v is None else v for v in _example_row(layout, example)])


def _write_xlsx(layout: Layout, example: dict[str, Any], out: Path) -> None:
    book = openpyxl.Workbook()
    sheet: Worksheet = book.worksheets[0]
    sheet.title = say(vi="Dữ liệu", en="Data")
    lists = book.create_sheet(LISTS_SHEET)
    lists.sheet_state = "hidden"
    lists["A1"] = TYPE_MARK + layout.type
    ranges: dict[tuple[str, ...], str] = {}
    columns = template_columns(layout)
    for index, ((header, column), value) in enumerate(
        zip(columns, _example_row(layout, example), strict=True), 1
    ):
        letter = get_column_letter(index)
        head = sheet.cell(1, index, header)
        head.font, head.fill = Font(bold=True), _MUST if column.required else _HEAD
        head.alignment = Alignment(wrap_text=True, vertical="top")
        dimension = sheet.column_dimensions[letter]
        dimension.width = 30 if column.name == MARK else 22
        dimension.number_format = _FORMATS.get(column.kind, "@")
        shown = sheet.cell(2, index, value)
        shown.font, shown.fill = Font(italic=True, color="7F7F7F"), _GREY
        shown.number_format = _FORMATS.get(column.kind, "@")
        _choices(sheet, lists, letter, column, ranges)
    sheet.row_dimensions[1].height = 60
    sheet.freeze_panes = "B2"
    _write_help(book.create_sheet(say(vi="Hướng dẫn", en="How to"), 1), layout, columns)
    book.save(out)
    book.close()


def _choices(
    sheet: Worksheet,
    lists: Worksheet,
    letter: str,
    column: Column,
    ranges: dict[tuple[str, ...], str],
) -> None:
    """A drop-down, from a range of the hidden sheet: a list inside the rule has 255 characters."""
    words = (YES, NO) if column.kind == "boolean" else tuple(column.words.values())
    if not words:
        return
    if words not in ranges:
        at = len(ranges) + 2
        for row, word in enumerate(words, 1):
            lists.cell(row, at, word)
        there = get_column_letter(at)
        ranges[words] = f"{quote_sheetname(LISTS_SHEET)}!${there}$1:${there}${len(words)}"
    rule = DataValidation(
        type="list",
        formula1=ranges[words],
        allow_blank=True,
        # A list may also be typed, several values in one cell.
        showErrorMessage=column.kind != "enum_list",
        errorTitle=say(vi="Không có trong danh sách", en="Not in the list"),
        error=say(vi="Hãy chọn một giá trị trong danh sách.", en="Choose a value of the list."),
    )
    rule.add(f"{letter}2:{letter}{LAST_ROW}")
    sheet.add_data_validation(rule)


def _write_help(sheet: Worksheet, layout: Layout, columns: list[tuple[str, Column]]) -> None:
    """What every column means."""
    title = say(vi=layout.title_vi, en=layout.title)
    sheet.append([f"{title} ({layout.type})"])
    sheet["A1"].font = Font(bold=True, size=14)
    for vi, en in _NOTES:
        sheet.append([say(vi=vi, en=en)])
    sheet.append([])
    heads = (("Cột", "Column"), ("Bắt buộc", "Required"), ("Cách ghi", "How"), ("Meaning", "Meaning"),
             ("Giá trị", "Values"))  # fmt: skip
    sheet.append([say(vi=vi, en=en) for vi, en in heads])
    for cell in sheet[sheet.max_row]:
        cell.font, cell.fill = Font(bold=True), _HEAD
    shown = set()
    for header, column in columns:
        if column.name in shown:
            continue
        shown.add(column.name)
        must = say(vi="Có", en="Yes") if column.required else ""
        words = "; ".join(f"{title} ({value})" for value, title in column.words.items())
        how = say(vi=_HOW[column.kind][0], en=_HOW[column.kind][1])
        if column.name == ID:
            how = say(
                vi="Để trống, hoặc mã riêng của bạn cho sự kiện này (không chứa dữ liệu cá nhân).",
                en="Leave it empty, or your own id of the event (without personal data).",
            )
        sheet.append([header, must, how, column.title, words])
        for cell in sheet[sheet.max_row]:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    for letter, width in zip("ABCDE", (42, 10, 50, 40, 80), strict=True):
        sheet.column_dimensions[letter].width = width
