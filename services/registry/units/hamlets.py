"""A commune's list of its hamlets, pasted as lines: who is new, who is missing. Pure.

New hamlets get the next codes of their commune (24133-089); a code is never given twice. Names are
compared as `shared.identity.names` spells them; diacritics count, since Buôn Tơng and Buôn Tong
may be two, but who adds one beside the other is asked.
"""

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from services.registry.units.doubles import Candidate, like
from shared.domain.tree import UnitTree
from shared.domain.units import Unit
from shared.identity.names import same

MOST = 500
LONGEST = 100
"""Characters of a name; a longer line is no name of a hamlet."""

HEADINGS = 5
"""So many lines may stand above the names."""

_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"))
_NUMBER = re.compile(r"^\(?\d{1,3}\s*[.):/\-–—]\s*(?=\D)")
_BULLET = re.compile(r"^[-–—*•·+▪●o]\s+|^[•·▪●]")
_COUNTED = re.compile(r"^\d{1,3}\s+(?=\D)")
_PLACE = re.compile(r"\b(thôn|buôn|bon|ấp|bản|làng|khu phố|tổ dân phố|tdp|khóm)\b")
_HEAD = re.compile(r"^(stt|tt|số tt|số thứ tự)\b|^danh sách|^tên (thôn|buôn|ấp|bản|làng|khu|tổ)")
_PERSON = re.compile(r"trưởng|họ (và )?tên|điện thoại|sđt|ghi chú|số (hộ|khẩu|dân)|diện tích")


@dataclass(frozen=True)
class Pasted:
    """The names of a pasted text; the numbers of its lines that hold none, though not empty."""

    names: list[str]
    skipped: list[int]


@dataclass(frozen=True)
class Listed:
    """What a list says of a commune."""

    known: list[tuple[str, str]]
    new: list[tuple[str, str]]
    absent: list[tuple[str, str]]
    twice: list[str]
    near: dict[str, list[Candidate]]
    """New names that are nearly those of other hamlets, which somebody has to look at."""


def pasted(text: str) -> Pasted:
    """Names as they come from a spreadsheet or a document: one per line, numbered or not.

    Of a table (columns between tabs) only the column of names is taken: the one whose heading
    names hamlets, else the first that holds letters. So heads of hamlets and their telephone
    numbers, which stand in such lists, go nowhere.
    """
    lines = unicodedata.normalize("NFC", text.translate(_INVISIBLE)).splitlines()
    rows = [[" ".join(cell.split()) for cell in line.split("\t")] for line in lines]
    first = [number for number, row in enumerate(rows) if any(row)][:HEADINGS]
    head = max((number for number in first if _is_heading(rows[number])), default=-1)
    column = None if head < 0 else _column(rows[head])
    names: list[str] = []
    skipped: list[int] = []
    for number, row in enumerate(rows):
        name = _name(row, column) if number > head else None
        if name is not None and len(name) <= LONGEST:
            names.append(name)
        elif any(row):
            skipped.append(number + 1)
    counted = [_COUNTED.match(name) for name in names]
    if len(names) > 1 and all(counted):
        names = [_COUNTED.sub("", name) for name in names]
    return Pasted(names, skipped)


def _is_heading(row: list[str]) -> bool:
    cells = [cell.casefold() for cell in row]
    return bool(_HEAD.search(next(filter(None, cells)))) and not re.search(r"\d", " ".join(cells))


def _column(heading: list[str]) -> int | None:
    """Which column of a table holds the names; None when the heading does not say."""
    for wanted in (_HEAD, _PLACE):
        for number, cell in enumerate(heading):
            text = cell.casefold()
            counts = re.match(r"(stt|tt|số)\b", text)
            if wanted.search(text) and not _PERSON.search(text) and not counts:
                return number
    return None


def _name(row: list[str], column: int | None) -> str | None:
    cells = row[column : column + 1] if column is not None and len(row) > 1 else row
    for cell in cells:
        bare = _BULLET.sub("", _NUMBER.sub("", cell)).strip(" \"'“”;,.")
        if re.search(r"[^\W\d_]", bare):
            return bare
    return None


def listed(
    tree: UnitTree, commune: Unit, names: list[str], on: date, distinct: Collection[str] = ()
) -> Listed:
    """Compare a list with the hamlets of a commune on a day.

    `distinct`: new names of which somebody has said that no other hamlet is meant.
    """
    ever = [u for u in tree.children(commune.unit_id) if u.level == "hamlet"]
    there = {same(u.name(on)): u for u in ever if u.exists(on)}
    following = next_number(ever)
    looked_at = {same(name) for name in distinct}
    known, twice = [], []
    new: list[tuple[str, str]] = []
    near: dict[str, list[Candidate]] = {}
    seen: set[str] = set()
    for name in names:
        key = same(name)
        if key in seen:
            twice.append(name)
            continue
        seen.add(key)
        unit = there.get(key)
        if unit is not None:
            known.append((unit.unit_id, unit.name(on)))
        else:
            others: list[Candidate] = [(u.unit_id, u.name(on)) for u in there.values()]
            doubles = like(name, others + [(None, other) for _, other in new])
            if doubles and key not in looked_at:
                near[name] = doubles
            new.append((f"{commune.code}-{following:03}", name))
            following += 1
    missing = [unit for key, unit in there.items() if key not in seen]
    absent = [(u.unit_id, u.name(on)) for u in sorted(missing, key=lambda u: u.unit_id)]
    return Listed(known, new, absent, twice, near)


def next_number(ever: list[Unit]) -> int:
    """The number of the next hamlet: one more than any hamlet of the commune ever had."""
    numbers = [int(m[1]) for u in ever if (m := re.search(r"-(\d+)$", u.code))]
    return max(numbers, default=0) + 1
