"""Finding units by name, as people type Vietnamese. Pure.

Diacritics may be left out, wholly or in part; those that are typed must be right, unless nothing
else is found. Composed and decomposed Unicode, `Hoà` and `Hòa`, `Ð` (eth) and `Đ`, apostrophes,
`Quy` and `Qui`, `p.` and `phường`, and a kind that the unit no longer has, make no difference.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from shared.domain.units import Unit
from shared.identity.names import Word
from shared.identity.names import words as words_of

_SHORT = {
    "p": "phường", "x": "xã", "tt": "thị trấn", "tx": "thị xã", "tp": "thành phố", "q": "quận",
    "h": "huyện", "t": "tỉnh", "đk": "đặc khu", "tdp": "tổ dân phố", "kp": "khu phố",
    "hcm": "hồ chí minh", "tphcm": "thành phố hồ chí minh",
}  # fmt: skip
# As `plain` writes them.
_KINDS = tuple(
    tuple(kind.split())
    for kind in (
        "thanh pho", "thi tran", "thi xa", "dac khu", "to dan pho", "khu pho", "phuong", "xa",
        "tinh", "quan", "huien", "thon", "buon", "ap", "ban", "lang",
    )
)  # fmt: skip


@dataclass(frozen=True)
class _Name:
    words: tuple[Word, ...]
    plain: str
    unit: Unit


def _asked(text: str) -> tuple[Word, ...]:
    """The words of a query, with what people shorten written out."""
    return tuple(
        word
        for typed in words_of(text)
        for word in (words_of(_SHORT[typed.letters]) if typed.letters in _SHORT else (typed,))
    )


def _without_kind(words: tuple[Word, ...]) -> tuple[Word, ...]:
    plain = tuple(word.plain for word in words)
    for kind in _KINDS:
        if plain[: len(kind)] == kind and len(plain) > len(kind):
            return words[len(kind) :]
        if plain[-len(kind) :] == kind and len(plain) > len(kind) and kind[0] != "ban":
            return words[: -len(kind)]
    return words


def _fits(typed: Word, word: Word, *, whole: bool) -> bool:
    """Whether a typed word may mean (the beginning of) another; what it marks must be marked so."""
    if (typed.plain != word.plain) if whole else not word.plain.startswith(typed.plain):
        return False
    if typed.tone not in ("", word.tone):
        return False
    pairs = zip(typed.letters, typed.plain, word.letters, strict=False)
    return all(letter in (bare, said) for letter, bare, said in pairs)


def _rank(words: tuple[Word, ...], name: _Name) -> int | None:
    """How well a name fits: 0 the same, 1 the same without its kind, 2 in a row, 3 all there."""
    if not all(f" {word.plain}" in name.plain for word in words):
        return None
    if _same(words, name.words):
        return 0
    rest = _without_kind(name.words)
    if _same(words, rest):
        return 1
    for start in range(len(name.words) - len(words) + 1):
        run = name.words[start : start + len(words)]
        if _same(words[:-1], run[:-1]) and _fits(words[-1], run[-1], whole=False):
            return 2
    there = all(any(_fits(typed, word, whole=False) for word in name.words) for typed in words)
    return 3 if there else None


def _same(words: tuple[Word, ...], others: tuple[Word, ...]) -> bool:
    return len(words) == len(others) and all(
        _fits(typed, word, whole=True) for typed, word in zip(words, others, strict=True)
    )


class Search:
    """An index over the names of all units, made again when there are new definitions."""

    def __init__(self) -> None:
        self._position = -1
        self._names: list[_Name] = []

    def find(
        self, units: Iterable[Unit], position: int, text: str, on: date | None, limit: int
    ) -> list[Unit]:
        """Units that match, and exist on `on` (None: that ever existed), the best first.

        A code or unit_id is found as it is, and a unit by every name that it ever had.
        """
        if position != self._position:
            self._names = [
                _Name(words, " " + " ".join(word.plain for word in words), unit)
                for unit in units
                for words in {words_of(name) for _, name, _ in unit.names}
            ]
            self._position = position
        names = [name for name in self._names if on is None or name.unit.exists(on)]
        coded = {n.unit.unit_id: n.unit for n in names if text in (n.unit.code, n.unit.unit_id)}
        if coded:
            return [coded[unit_id] for unit_id in sorted(coded)][:limit]
        words = _asked(text)
        tries = [words, _without_kind(words)]
        tries += [tuple(Word(w.plain, w.plain, "") for w in one) for one in tries]
        for asked in dict.fromkeys(tries):
            found = _ranked(asked, names, on) if asked else []
            if found:
                return found[:limit]
        return []


def _ranked(words: tuple[Word, ...], names: list[_Name], on: date | None) -> list[Unit]:
    found: dict[str, tuple[int, int, str, Unit]] = {}
    for name in names:
        rank = _rank(words, name)
        if rank is None:
            continue
        unit = name.unit
        shown = unit.name(on or unit.valid_from)
        hit = (rank, len(shown), unit.unit_id, unit)
        known = found.get(unit.unit_id)
        if known is None or hit[:3] < known[:3]:
            found[unit.unit_id] = hit
    return [hit[3] for hit in sorted(found.values(), key=lambda hit: hit[:3])]
