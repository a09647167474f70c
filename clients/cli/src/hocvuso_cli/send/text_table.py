"""Rows of a CSV file: its encoding, its separator, its rows."""

import codecs
import csv
import io
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from hocvuso_cli.language import say
from hocvuso_cli.send.sniff import TableError

SEPARATORS = ",;\t"
LOOKED_AT = 40
"""So many lines say which separator a file has."""

LONGEST_CELL = 1 << 20
_TAB = ("tab", "\\t")


def encoding_of(path: Path) -> str:
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
                say(
                    vi="Tệp không phải UTF-8 (có thể là windows-1258, TCVN3 hoặc VNI). Trong Excel"
                    " hãy lưu thành 'CSV UTF-8 (Comma delimited)' hoặc .xlsx rồi gửi tệp đó.",
                    en="The file is not UTF-8 (perhaps windows-1258, TCVN3 or VNI). In Excel save it"
                    " as 'CSV UTF-8 (Comma delimited)' or as .xlsx, and send that.",
                )
            ) from None
    return encoding


def named_separator(path: Path, encoding: str) -> str | None:
    """What a first line like `sep=;` says; None without one. `sep=` with a tab or TAB is a tab."""
    with path.open(encoding=encoding, newline="") as file:
        first = file.readline(100).rstrip("\r\n").strip(' "')
    if not first.lower().startswith("sep="):
        return None
    given = first[4:].strip(" ")
    return "\t" if given.lower() in _TAB else (given[:1] or ",")


def separator(path: Path, encoding: str) -> str:
    """What parts most lines into the same number of cells: titles above the header have others."""
    with path.open(encoding=encoding, newline="") as file:
        lines = [line for _, line in zip(range(LOOKED_AT), file, strict=False)]
    text = "".join(lines)
    return max(SEPARATORS, key=lambda letter: _fits(text, letter))


def _fits(text: str, letter: str) -> tuple[int, int]:
    """How well a separator fits: cells in the rows that agree in their number, and that number."""
    try:
        widths = Counter(
            len(cells)
            for cells in csv.reader(io.StringIO(text, newline=""), delimiter=letter)
            if any(cell.strip() for cell in cells)
        )
    except csv.Error:
        return 0, 0
    del widths[1], widths[0]
    if not widths:
        return 0, 0
    width, number = max(widths.items(), key=lambda item: (item[1], item[0]))
    return number * (width - 1), width


def rows(path: Path, encoding: str, delimiter: str, told: bool) -> Iterator[tuple[int, list[str]]]:
    """Rows with the number of their first line in the file; a line `sep=` is none (`told`)."""
    csv.field_size_limit(LONGEST_CELL)
    with path.open(encoding=encoding, newline="") as file:
        reader = csv.reader(file, delimiter=delimiter)
        try:
            for number, cells in enumerate(reader, 1):
                if not (told and number == 1):
                    yield number, cells
        except csv.Error as error:
            raise TableError(
                say(
                    vi=f"Dòng {reader.line_num} không đúng CSV: {error}.",
                    en=f"Line {reader.line_num} is no CSV: {error}.",
                )
            ) from None
