"""CSV and XLSX files as numbered rows of cells, without holding the file in memory."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hocvuso_cli.language import say
from hocvuso_cli.send import text_table, workbook
from hocvuso_cli.send.cells import Fault
from hocvuso_cli.send.sniff import TableError, kind_of
from hocvuso_cli.send.text import nfc
from hocvuso_cli.send.workbook import Structure

HEADER_WITHIN = 20
"""A sheet may have so many lines of titles above its header row."""

Cells = list[Any]
_TEXT_MARK = re.compile(r"^'(?=[0-9+=@-])")
"""An apostrophe by which people and programs mark a number as a text; no part of the value."""


@dataclass(frozen=True, slots=True)
class Table:
    """What is known before the rows are read. `first` is the number of the header row."""

    path: Path
    headers: tuple[str, ...]
    first: int
    type: str | None
    encoding: str = ""
    delimiter: str = ""
    told: bool = False
    sheet: str = ""
    about: Structure = field(default_factory=Structure)

    def rows(self) -> Iterator[tuple[int, Cells]]:
        """The rows below the header that are not empty, with their numbers in the file."""
        for number, cells in self._all():
            if number > self.first and any(map(_says, cells)):
                yield number, [_without_mark(cell) for cell in cells]

    def headed(self, knows: Callable[[str], bool]) -> "Table":
        """The same table with the row as header in which most cells name a known column; as it was
        found when no row does."""
        best, most = None, 0
        for number, cells in self._all():
            if number > HEADER_WITHIN:
                break
            texts = _texts(cells)
            known = sum(bool(text) and knows(text) for text in texts)
            if known > most:
                best, most = (number, texts), known
        return self if best is None else replace(self, first=best[0], headers=best[1])

    @property
    def hidden(self) -> int:
        """How many rows below the header are hidden or filtered out."""
        return sum(number > self.first for number in self.about.hidden)

    def is_hidden(self, number: int) -> bool:
        """Whether the spreadsheet program does not show a row."""
        return number in self.about.hidden

    def count(self) -> int:
        """About how many rows there are below the header."""
        if self.sheet:
            return max(0, self.about.rows - self.first)
        with self.path.open("rb") as file:
            lines = sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))
        return max(1, lines - self.first + 1)

    def _all(self) -> Iterator[tuple[int, Cells]]:
        if self.sheet:
            return workbook.rows(self.path, self.sheet, self.about)
        return text_table.rows(self.path, self.encoding, self.delimiter, self.told)


def open_table(path: Path) -> Table:
    """Look at a file: its header, and how it is written. Raises TableError."""
    if kind_of(path) == "xlsx":
        sheet, kind = workbook.shown_sheet(path)
        table = Table(path, (), 0, kind, sheet=sheet, about=workbook.structure(path, sheet))
    else:
        encoding = text_table.encoding_of(path)
        named = text_table.named_separator(path, encoding)
        delimiter = named or text_table.separator(path, encoding)
        table = Table(path, (), 0, None, encoding, delimiter, told=named is not None)
    first, headers = _header(table._all())
    return replace(table, first=first, headers=headers)


def _header(rows: Iterator[tuple[int, Cells]]) -> tuple[int, tuple[str, ...]]:
    """The header is the first row with at least two texts; titles of one cell may stand above."""
    lonely: tuple[int, tuple[str, ...]] | None = None
    for number, cells in rows:
        if number > HEADER_WITHIN:
            break
        texts = _texts(cells)
        if sum(map(bool, texts)) >= 2:
            return number, texts
        if texts and lonely is None:
            lonely = number, texts
    if lonely is None:
        raise TableError(say(vi="Tệp không có dòng tiêu đề cột.", en="The file has no header row."))
    return lonely


def _texts(cells: Cells) -> tuple[str, ...]:
    texts = [nfc(c) if isinstance(c, str) else "" for c in cells]
    while texts and not texts[-1]:
        texts.pop()
    return tuple(texts)


def _says(cell: Any) -> bool:
    """Whether a cell holds anything: spaces of any kind are nothing."""
    if isinstance(cell, str):
        return bool(nfc(cell))
    if isinstance(cell, Fault):
        return not cell.empty
    return cell is not None


def _without_mark(cell: Any) -> Any:
    return _TEXT_MARK.sub("", cell, count=1) if isinstance(cell, str) and cell[:1] == "'" else cell
