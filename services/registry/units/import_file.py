"""The lines of a file of units, with their numbers; nothing in the file is overlooked. Pure."""

import csv
import io
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from shared.contracts.live import of_process
from shared.problems import Problem

COLUMNS = ("code", "name_vi", "kind", "parent")
MORE = ("organisation_kind", "distinct", "ends_on", "successors")
UNREAD = ("area_km2", "lat", "lon", "as_of", "source", "note")
"""Columns of the published lists of units (units/*.csv) that say where a line is from; no event
carries them."""
ALIASES = {"parent_code": "parent"}
MOST = 20_000
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class Line:
    """One line below the heading: its number in the file (of its first line, when a cell holds line
    ends) and its cells by column, composed (NFC) and without spaces around."""

    number: int
    cells: dict[str, str]


@dataclass
class UnitFile:
    """What a file says, and what of it cannot be read: entries as `problems` of an answer."""

    lines: list[Line] = field(default_factory=list)
    wrong: list[dict[str, Any]] = field(default_factory=list)


def read_units(body: bytes) -> UnitFile:
    """The lines of a file, empty ones left out. Raises Problem (file-invalid) when it is no CSV, or
    lacks columns."""
    try:
        rows = _rows(_text(body))
        heading = next(rows, (1, list[str]()))
        names = [_column(name) for name in heading[1]]
        missing = [name for name in COLUMNS if name not in names]
        if missing:
            raise _no_file(f"These columns are missing: {', '.join(missing)}.")
        found = UnitFile(wrong=list(_wrong_columns(heading[0], heading[1], names)))
        for number, cells in rows:
            if any(cells[len(names) :]):
                found.wrong.append(_too_many(number, cells[names.index("code")], len(names)))
                continue
            padded = [*cells, *[""] * (len(names) - len(cells))]
            about = {name: cell for name, cell in zip(names, padded, strict=False) if name}
            found.lines.append(Line(number, about))
            if len(found.lines) > MOST:
                raise _no_file(f"It has more than {MOST} lines.")
    except csv.Error as error:
        raise _no_file(f"It is no CSV ({error}).") from None
    return found


def _text(body: bytes) -> str:
    if body.startswith(b"PK\x03\x04"):
        raise _no_file("It is a workbook (.xlsx); save its sheet as CSV UTF-8.")
    try:
        return body.decode("utf-16" if body.startswith(_UTF_16) else "utf-8").lstrip("\ufeff")
    except UnicodeDecodeError:
        raise _no_file("It is not in UTF-8; in Excel save it as 'CSV UTF-8'.") from None


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """(number of the line, cells) of all that is not empty; the heading is the first of them."""
    lines = text.splitlines()
    first = next((line for line in lines if line.strip(" ,;\t")), "")
    told = first.lower().startswith("sep=")
    between = (first[4:5] or "\t") if told else max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=between, strict=True)
    before = 0
    for cells in reader:
        number, before = before + 1, reader.line_num
        clean = [unicodedata.normalize("NFC", cell).strip() for cell in cells]
        if told and any(clean):
            told = False  # `sep=;` is a word to Excel
        elif any(clean):
            yield number, clean


def _column(name: str) -> str:
    plain = name.lower()
    return ALIASES.get(plain, plain)


def _wrong_columns(number: int, heading: list[str], names: list[str]) -> Iterator[dict[str, Any]]:
    known = (*COLUMNS, *MORE, *of_process().words.enums["unit_attribute"])
    for position, (text, name) in enumerate(zip(heading, names, strict=True), 1):
        if name in names[: position - 1] and name:
            yield _heading(number, "column-twice", text, f"the column {text} stands twice")
        elif name and name not in (*known, *UNREAD):
            near = get_close_matches(name, (*known, *ALIASES), 1, 0.6)
            meant = f"; did you mean {near[0]}?" if near else f"; columns: {', '.join(known)}"
            yield _heading(number, "column-unknown", text, f"there is no column {text}{meant}")


def _heading(number: int, rule: str, field_: str, problem: str) -> dict[str, Any]:
    return {"line": number, "code": "", "rule": rule, "field": field_, "problem": problem}


def _too_many(number: int, code: str, columns: int) -> dict[str, Any]:
    return {
        "line": number,
        "code": code,
        "rule": "cells-too-many",
        "problem": f"the line has more cells than the heading has columns ({columns}); put a text"
        " that holds the separator between quotes",
    }


def _no_file(why: str) -> Problem:
    return Problem(
        "file-invalid",
        f"The file cannot be imported. {why}",
        hint=f"CSV in UTF-8 with the columns {', '.join(COLUMNS)}.",
    )
