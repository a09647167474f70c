"""Finding units by name, with or without Vietnamese diacritics. Pure."""

import unicodedata
from collections.abc import Iterable
from datetime import date

from shared.contracts.tree import Unit


def fold(text: str) -> str:
    """Lower case without diacritics: `Đắk Lắk` -> `dak lak`."""
    decomposed = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    plain = "".join(c for c in decomposed if not unicodedata.combining(c))
    return " ".join(plain.split())


class Search:
    """An index over the names of all units, made again when there are new definitions."""

    def __init__(self) -> None:
        self._position = -1
        self._entries: list[tuple[str, str, Unit]] = []

    def find(
        self, units: Iterable[Unit], position: int, text: str, on: date, limit: int
    ) -> list[Unit]:
        """Units that exist on `on` and match: exact names first, then prefixes, then the rest.

        A text with diacritics must match them; a plain one matches either way. A code matches too.
        """
        if position != self._position:
            self._entries = [
                (unicodedata.normalize("NFC", name.casefold()), fold(name), unit)
                for unit in units
                for name in {n[1] for n in unit.names}
            ]
            self._position = position
        exact = " ".join(unicodedata.normalize("NFC", text.casefold()).split())
        plain = fold(text)
        accented = exact != plain
        found: dict[str, tuple[int, str, Unit]] = {}
        for name, folded, unit in self._entries:
            where = name.find(exact) if accented else folded.find(plain)
            if where < 0 and unit.code != text:
                continue
            if not unit.exists(on):
                continue
            rest = (name if accented else folded)[where:] if where >= 0 else ""
            rank = 0 if unit.code == text else 1 if rest in (plain, exact) else 2
            known = found.get(unit.unit_id)
            if known is None or rank < known[0]:
                found[unit.unit_id] = (rank, unit.unit_id, unit)
        ranked = sorted(found.values(), key=lambda hit: (hit[0], len(hit[2].name(on)), hit[1]))
        return [unit for _, _, unit in ranked[:limit]]
