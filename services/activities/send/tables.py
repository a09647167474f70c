"""Reading CSV and XLSX files as numbered rows of cells, without holding the file in memory."""

import codecs
import csv
import zipfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from services.activities.send.cells import Fault
from services.activities.send.text import nfc

LISTS_SHEET = "_hocvuso"
TYPE_MARK = "hocvuso-type="
HEADER_WITHIN = 20
"""A sheet may have so many lines of titles above its header row."""

ERROR_CELL = "The cell holds an error of the spreadsheet (like #N/A or #REF!)."
NO_RESULT = (
    "The cell holds a formula without a stored result. Open the file in the spreadsheet program,"
    " save it, and send it again; or write the value instead of the formula."
)
Cells = list[Any]


class TableError(ValueError):
    """A file that cannot be read as a table; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Table:
    """What is known before the rows are read. `first` is the number of the header row."""

    path: Path
    headers: tuple[str, ...]
    first: int
    type: str | None
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""

    def rows(self) -> Iterator[tuple[int, Cells]]:
        """The rows below the header that are not empty, with their numbers in the file."""
        rows = _xlsx_rows(self.path, self.sheet) if self.sheet else _csv_rows(self)
        for number, cells in rows:
            if number > self.first and any(c is not None and c != "" for c in cells):
                yield number, cells


def open_table(path: Path) -> Table:
    """Look at a file: its header, and how it is written. Raises TableError."""
    return _open_xlsx(path) if path.suffix.lower() in (".xlsx", ".xlsm") else _open_csv(path)


def _header(rows: Iterator[tuple[int, Cells]]) -> tuple[int, tuple[str, ...]]:
    """The header is the first row with at least two texts; titles of one cell may stand above."""
    lonely: tuple[int, tuple[str, ...]] | None = None
    for number, cells in rows:
        if number > HEADER_WITHIN:
            break
        texts = [nfc(c) if isinstance(c, str) else "" for c in cells]
        while texts and not texts[-1]:
            texts.pop()
        if sum(map(bool, texts)) >= 2:
            return number, tuple(texts)
        if texts and lonely is None:
            lonely = number, tuple(texts)
    if lonely is None:
        raise TableError("The file has no header row.")
    return lonely


# -- XLSX -------------------------------------------------------------------------------------


def _open_xlsx(path: Path) -> Table:
    try:
        with closing(openpyxl.load_workbook(path, read_only=True, data_only=True)) as book:
            shown = [s.title for s in book.worksheets if s.sheet_state == "visible"]
            if not shown:
                raise TableError("The file has no visible sheet.")
            mark = None
            if LISTS_SHEET in book.sheetnames:
                cell = next(iter(book[LISTS_SHEET].iter_rows(max_row=1, values_only=True)), (None,))
                mark = cell[0] if cell else None
    except (zipfile.BadZipFile, InvalidFileException, KeyError, OSError):
        raise TableError(
            "The file is no XLSX workbook (or has a password). Save it as .xlsx without a password."
        ) from None
    kind = mark.removeprefix(TYPE_MARK) if isinstance(mark, str) else None
    first, headers = _header(_xlsx_rows(path, shown[0]))
    return Table(path, headers, first, kind, sheet=shown[0])


def _xlsx_rows(path: Path, sheet: str) -> Iterator[tuple[int, Cells]]:
    """Stored values; a second pass beside it sees which cells are formulas."""
    with (
        closing(openpyxl.load_workbook(path, read_only=True, data_only=True)) as values,
        closing(openpyxl.load_workbook(path, read_only=True)) as formulas,
    ):
        # What a program wrote as the size of the sheet may be wrong: read all there is.
        for book in (values, formulas):
            book[sheet].reset_dimensions()
        pairs = zip(values[sheet].iter_rows(), formulas[sheet].iter_rows(), strict=True)
        for number, (row, sources) in enumerate(pairs, 1):
            yield number, [_cell(c, f) for c, f in zip(row, sources, strict=True)]


def _cell(cell: Any, source: Any) -> Any:
    if cell.data_type == "e":
        return Fault(ERROR_CELL)
    if cell.value is None and source.data_type == "f":
        return Fault(NO_RESULT)
    return cell.value


# -- CSV --------------------------------------------------------------------------------------


def _open_csv(path: Path) -> Table:
    encoding = _encoding(path)
    with path.open(encoding=encoding, newline="") as file:
        start = file.readline()
        told = start.strip().lower().startswith("sep=")
        if told:
            start = start.strip()[4:5]
    delimiter = (start or ",") if told else _delimiter(start)
    table = Table(path, (), 0, None, encoding, delimiter)
    first, headers = _header(_csv_rows(table))
    return Table(path, headers, first, None, encoding, delimiter)


def _encoding(path: Path) -> str:
    """UTF-8 or UTF-16 with its mark. Everything else is refused: it would only be guessed."""
    with path.open("rb") as file:
        start = file.read(4)
        if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            encoding = "utf-16"
        else:
            encoding = "utf-8-sig"
        file.seek(0)
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            while chunk := file.read(1 << 20):
                if "\0" in decoder.decode(chunk):
                    raise ValueError
            decoder.decode(b"", final=True)
        except ValueError:
            raise TableError(
                "The file is not UTF-8 (perhaps windows-1258, TCVN3 or VNI). In Excel save it as"
                " 'CSV UTF-8 (Comma delimited)' or as .xlsx, and send that."
            ) from None
    return encoding


def _delimiter(line: str) -> str:
    """What separates most in the first line, outside of quotes."""
    counts = dict.fromkeys(",;\t", 0)
    quoted = False
    for letter in line:
        if letter == '"':
            quoted = not quoted
        elif letter in counts and not quoted:
            counts[letter] += 1
    return max(counts, key=lambda letter: counts[letter])


def _csv_rows(table: Table) -> Iterator[tuple[int, Cells]]:
    """Numbers are those of rows (a cell may hold line ends), all cells texts."""
    csv.field_size_limit(1 << 20)
    with table.path.open(encoding=table.encoding, newline="") as file:
        reader = csv.reader(file, delimiter=table.delimiter)
        try:
            for number, cells in enumerate(reader, 1):
                if number == 1 and len(cells) <= 2 and "".join(cells).lower().startswith("sep"):
                    continue
                yield number, list(cells)
        except csv.Error as error:
            raise TableError(f"Line {reader.line_num} is no CSV: {error}.") from None
