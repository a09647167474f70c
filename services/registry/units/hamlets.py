"""A commune's list of its hamlets, pasted as lines: who is new, who is missing. Pure.

New hamlets get the next codes of their commune (24133-089); a code is never given twice. Names are
compared without case and spaces; diacritics count, since Buôn Tơng and Buôn Tong are two.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date

from shared.contracts.tree import Unit, UnitTree

MOST = 500


@dataclass(frozen=True)
class Listed:
    """What a list says of a commune."""

    known: list[tuple[str, str]]
    new: list[tuple[str, str]]
    absent: list[tuple[str, str]]
    twice: list[str]


def same(name: str) -> str:
    """The form in which names are compared."""
    return " ".join(unicodedata.normalize("NFC", name.casefold()).split())


def clean(lines: list[str]) -> list[str]:
    """Names as pasted, without numbering and empty lines."""
    stripped = (re.sub(r"^\s*(\d+\s*[.)\t]|[-*•])\s*", "", line).strip() for line in lines)
    return [" ".join(name.split()) for name in stripped if name]


def listed(tree: UnitTree, commune: Unit, names: list[str], on: date) -> Listed:
    """Compare a list with the hamlets of a commune on a day."""
    ever = [u for u in tree.children(commune.unit_id) if u.level == "hamlet"]
    there = {same(u.name(on)): u for u in ever if u.exists(on)}
    numbers = [int(m[1]) for u in ever if (m := re.search(r"-(\d+)$", u.code))]
    following = max(numbers, default=0) + 1
    known, new, twice = [], [], []
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
            new.append((f"{commune.code}-{following:03}", name))
            following += 1
    absent = [(u.unit_id, u.name(on)) for key, u in sorted(there.items()) if key not in seen]
    return Listed(known, new, absent, twice)
