"""Rows of an XLSX workbook, with what a reader does not see: hidden rows and merged cells."""

import zipfile
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

import openpyxl
from openpyxl.utils import range_boundaries
from openpyxl.xml.functions import iterparse

from hocvuso_cli.language import say
from hocvuso_cli.send.cells import Fault
from hocvuso_cli.send.sniff import TableError

LISTS_SHEET = "_hocvuso"
TYPE_MARK = "hocvuso-type="
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


@dataclass(frozen=True, slots=True)
class Merged:
    """A merged range, all bounds included, counted from 1."""

    left: int
    top: int
    right: int
    bottom: int


@dataclass
class Structure:
    """What is known of a sheet beside its values. `rows`: how many it stores."""

    rows: int = 0
    hidden: set[int] = field(default_factory=set)
    merged: list[Merged] = field(default_factory=list)

    def covered(self, row: int, column: int) -> bool:
        """Whether a cell lies in a merged range and is not the one that holds its value."""
        at = bisect_right(self.merged, row, key=lambda one: one.top)
        return any(
            one.bottom >= row
            and one.left <= column <= one.right
            and (row, column) != (one.top, one.left)
            for one in self.merged[:at]
        )


@contextmanager
def _readable() -> Iterator[None]:
    """Whatever a broken file makes the libraries say is one thing to who sends it: TableError."""
    try:
        yield
    except TableError:
        raise
    except Exception:
        raise TableError(
            say(
                vi="Tệp không phải sổ tính XLSX (hoặc đã hỏng, hoặc có mật khẩu). Hãy mở bằng bảng"
                " tính rồi lưu lại thành .xlsx, không đặt mật khẩu.",
                en="The file is no XLSX workbook (or is damaged, or has a password). Open it in the"
                " spreadsheet program and save it as .xlsx without a password.",
            )
        ) from None


def shown_sheet(path: Path) -> tuple[str, str | None]:
    """The first visible sheet, and the event type that a template names. Raises TableError."""
    with _readable(), path.open("rb") as file, closing(_load(file, data_only=True)) as book:
        shown = [s.title for s in book.worksheets if s.sheet_state == "visible"]
        if not shown:
            raise TableError(
                say(
                    vi="Tệp không có trang tính nào đang hiện.",
                    en="The file has no visible sheet.",
                )
            )
        mark = None
        if LISTS_SHEET in book.sheetnames:
            cell = next(iter(book[LISTS_SHEET].iter_rows(max_row=1, values_only=True)), (None,))
            mark = cell[0] if cell else None
    kind = mark.removeprefix(TYPE_MARK) if isinstance(mark, str) else None
    return shown[0], kind


def structure(path: Path, sheet: str) -> Structure:
    """Hidden rows and merged cells of a sheet, read without holding it in memory. Raises TableError."""
    found = Structure()
    with _readable(), path.open("rb") as file, closing(_load(file, data_only=True)) as book:
        inside = cast(str, book[sheet]._worksheet_path)
        with zipfile.ZipFile(path) as archive, archive.open(inside) as content:
            for _, element in iterparse(content):
                if element.tag == f"{_MAIN}row":
                    found.rows += 1
                    number = int(element.get("r", found.rows))
                    if element.get("hidden") in ("1", "true") and len(element):
                        found.hidden.add(number)
                    element.clear()
                elif element.tag == f"{_MAIN}mergeCell":
                    left, top, right, bottom = range_boundaries(element.get("ref", "A1"))
                    found.merged.append(Merged(left or 1, top or 1, right or 1, bottom or 1))
    found.merged.sort(key=lambda one: one.top)
    return found


def rows(path: Path, sheet: str, about: Structure) -> Iterator[tuple[int, list[Any]]]:
    """Stored values; a second pass beside it sees which cells are formulas. Raises TableError."""
    with (
        _readable(),
        path.open("rb") as one,
        path.open("rb") as other,
        closing(_load(one, data_only=True)) as values,
        closing(_load(other)) as formulas,
    ):
        # What a program wrote as the size of the sheet may be wrong: read all there is.
        for book in (values, formulas):
            book[sheet].reset_dimensions()
        pairs = zip(values[sheet].iter_rows(), formulas[sheet].iter_rows(), strict=True)
        for number, (row, sources) in enumerate(pairs, 1):
            cells = [_cell(c, f) for c, f in zip(row, sources, strict=True)]
            if about.merged:
                cells = [
                    Fault(_merged(), empty=True) if about.covered(number, column) else cell
                    for column, cell in enumerate(cells, 1)
                ]
            yield number, cells


def _load(file: IO[bytes], *, data_only: bool = False) -> Any:
    """Opened by its content: its name may end in anything."""
    return openpyxl.load_workbook(file, read_only=True, data_only=data_only)


def _cell(cell: Any, source: Any) -> Any:
    if cell.data_type == "e":
        return Fault(
            say(
                vi="Ô này là lỗi của bảng tính (như #N/A hoặc #REF!).",
                en="The cell holds an error of the spreadsheet (like #N/A or #REF!).",
            )
        )
    if cell.value is None and source.data_type == "f":
        return Fault(
            say(
                vi="Ô này là công thức chưa có kết quả. Hãy mở tệp bằng bảng tính, lưu lại rồi gửi;"
                " hoặc ghi giá trị thay cho công thức.",
                en="The cell holds a formula without a stored result. Open the file in the"
                " spreadsheet program, save it, and send it again; or write the value instead of the"
                " formula.",
            )
        )
    return cell.value


def _merged() -> str:
    return say(
        vi="Ô này bị gộp với ô khác nên không có giá trị riêng. Hãy bỏ gộp ô và điền từng dòng.",
        en="The cell is merged with another and has no value of its own. Unmerge the cells and fill"
        " in every row.",
    )
