"""The file beside the input that says what became of each row: the same rows, a few columns more."""

import csv
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import openpyxl
from openpyxl.cell import MergedCell, WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from hocvuso_cli.language import say
from hocvuso_cli.send import words
from hocvuso_cli.send.cells import Fault
from hocvuso_cli.send.columns import ID
from hocvuso_cli.send.tables import Table

WHOLE_WORKBOOK_BYTES = 600_000
"""Up to this size (some 30,000 rows) the workbook is copied with its formats, in memory; a larger one
row by row, without."""

_TITLES = {
    "result.status": ("Kết quả", "Result"),
    "result.position": ("Vị trí trong sổ", "Position in the log"),
    "result.problem": ("Vấn đề", "Problem"),
    ID: ("Mã dòng", "Id"),
}
_FILL = {
    "accepted": PatternFill("solid", start_color="C6EFCE"),
    "would be accepted": PatternFill("solid", start_color="C6EFCE"),
    "duplicate": PatternFill("solid", start_color="FFEB9C"),
    "rejected": PatternFill("solid", start_color="FFC7CE"),
    "not sent": PatternFill("solid", start_color="FFC7CE"),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a row. `text` says why, and never repeats a cell."""

    number: int
    status: str
    position: int | None = None
    id: str | None = None
    text: str = ""


class Places:
    """Where the added columns are: those of an earlier result again, others behind the last."""

    def __init__(self, headers: Sequence[str], targets: Sequence[str]) -> None:
        self.headers = list(headers)
        self.at: dict[str, int] = {}
        for name, title in _TITLES.items():
            found = [i for i, header in enumerate(headers) if header.endswith(f"[{name}]")]
            found += [i for i, target in enumerate(targets) if target == name == ID]
            if found:
                self.at[name] = found[0]
            else:
                self.at[name] = len(self.headers)
                self.headers.append(f"{say(vi=title[0], en=title[1])} [{name}]")

    def values(self, verdict: Verdict) -> dict[int, Any]:
        """Column index -> value."""
        named: dict[str, Any] = {
            "result.status": words.status(verdict.status),
            "result.position": verdict.position,
            "result.problem": verdict.text,
        }
        if verdict.id is not None:
            named[ID] = verdict.id
        return {self.at[name]: value for name, value in named.items()}

    def row(self, cells: Sequence[Any], verdict: Verdict) -> list[Any]:
        """The whole row with what is added."""
        whole = [*cells, *[None] * (len(self.headers) - len(cells))]
        for index, value in self.values(verdict).items():
            whole[index] = value
        return whole


class Results(Protocol):
    """Gets the verdicts in the order of the rows."""

    def add(self, cells: Sequence[Any], verdict: Verdict) -> None:
        """One row."""

    def close(self) -> None:
        """Write the file, in one step."""


def open_results(table: Table, targets: Sequence[str], out: Path) -> Results:
    """The writer that fits the input."""
    places = Places(table.headers, targets)
    if not table.sheet:
        return _Csv(table, places, out)
    if table.path.stat().st_size <= WHOLE_WORKBOOK_BYTES:
        return _Workbook(table, places, out)
    return _LargeWorkbook(table, places, out)


def beside(table: Table, dry_run: bool) -> Path:
    """`class.xlsx` -> `class.results.xlsx`; never the input itself."""
    kind, path = "dry-run" if dry_run else "results", table.path
    stem, end = path.stem, ".xlsx" if table.sheet else path.suffix.lower().replace(".xls", ".csv")
    found = path.with_name(f"{stem}.{kind}{end}")
    if stem.endswith(f".{kind}"):
        stem = stem.removesuffix(f".{kind}")
        number = 2
        while (found := path.with_name(f"{stem}.{kind}{number}{end}")).exists():
            number += 1
    return found


def _fresh(out: Path, like: Path) -> Path:
    """A file to be renamed to `out`, for the eyes of those who may read the input."""
    fresh = out.with_name(out.name + ".new")
    fresh.touch(mode=0o600)
    shutil.copymode(like, fresh)
    return fresh


class _Csv:
    def __init__(self, table: Table, places: Places, out: Path) -> None:
        self._out, self._fresh, self._places = out, _fresh(out, table.path), places
        # With the mark, so that Excel reads it as UTF-8.
        self._file = self._fresh.open("w", encoding="utf-8-sig", newline="")
        self._writer = csv.writer(self._file, delimiter=table.delimiter)
        self._writer.writerow(places.headers)

    def add(self, cells: Sequence[Any], verdict: Verdict) -> None:
        self._writer.writerow(["" if c is None else c for c in self._places.row(cells, verdict)])

    def close(self) -> None:
        self._file.close()
        self._fresh.replace(self._out)


class _Workbook:
    """The input's workbook, its formats and lists kept, with columns added to its first sheet."""

    def __init__(self, table: Table, places: Places, out: Path) -> None:
        self._out, self._input, self._places = out, table.path, places
        with table.path.open("rb") as file:  # by its content: its name may end in .xls
            self._book = openpyxl.load_workbook(file)
        self._sheet = self._book[table.sheet]
        for index in range(len(table.headers), len(places.headers)):
            cell = self._sheet.cell(table.first, index + 1, places.headers[index])
            cell.font = Font(bold=True)
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            letter = get_column_letter(index + 1)
            self._sheet.column_dimensions[letter].width = 24

    def add(self, _: Sequence[Any], verdict: Verdict) -> None:
        for index, value in self._places.values(verdict).items():
            cell = self._sheet.cell(verdict.number, index + 1)
            if isinstance(cell, MergedCell):
                continue
            cell.value = value
            if isinstance(value, str):
                cell.number_format = "@"
                cell.data_type = "s"  # a text that begins with = stays a text
            if index != self._places.at[ID] and verdict.status in _FILL:
                cell.fill = _FILL[verdict.status]

    def close(self) -> None:
        fresh = _fresh(self._out, self._input)
        self._book.save(fresh)
        self._book.close()
        fresh.replace(self._out)


class _LargeWorkbook:
    """Values only, written as they come: memory stays flat."""

    def __init__(self, table: Table, places: Places, out: Path) -> None:
        self._out, self._input, self._places = out, table.path, places
        self._book = openpyxl.Workbook(write_only=True)
        self._sheet = self._book.create_sheet(say(vi="Kết quả", en="Result"))
        self._sheet.append(places.headers)

    def add(self, cells: Sequence[Any], verdict: Verdict) -> None:
        row = []
        for index, value in enumerate(self._places.row(cells, verdict)):
            cell = WriteOnlyCell(self._sheet, "#?" if isinstance(value, Fault) else value)
            if isinstance(value, str):
                cell.number_format = "@"
                cell.data_type = "s"  # a text that begins with = stays a text
            if index == self._places.at["result.status"] and verdict.status in _FILL:
                cell.fill = _FILL[verdict.status]
            row.append(cell)
        self._sheet.append(row)

    def close(self) -> None:
        fresh = _fresh(self._out, self._input)
        self._book.save(fresh)
        self._book.close()
        fresh.replace(self._out)
