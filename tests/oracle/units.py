"""Today's tree and the shipped populations, read from `units/*.csv`. Part of the oracle."""

import csv
from collections.abc import Iterable
from datetime import date
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "units"


class Units:
    """Today's tree as the repository ships it, and what `unit.*` events add."""

    def __init__(self, rows: Iterable[tuple[str, str, str]] = ()) -> None:
        self.parent: dict[str, str] = {}
        self.level: dict[str, str] = {}
        for unit, kind, parent in rows:
            self.add(unit, kind, parent)

    def add(self, unit: str, kind: str, parent: str) -> None:
        self.parent[unit] = parent
        places = {"ward": "commune", "township": "commune", "special_zone": "commune"}
        self.level[unit] = places.get(kind, "province" if kind == "city" else kind)

    def above(self, unit: str) -> list[str]:
        """The unit itself and everything above it."""
        found = []
        while unit in self.level:
            found.append(unit)
            unit = self.parent[unit]
        return found

    def at(self, unit: str, level: str) -> str:
        """The unit of a level in which a unit lies; itself if it lies in none."""
        return next((u for u in self.above(unit) if self.level[u] == level), unit)

    def lies(self, unit: str, level: str) -> str:
        """Where a unit lies in the tree that is shown: its unit of a level, or (`unit`) itself."""
        return unit if level == "unit" else self.at(unit, level)

    def astray(self, unit: str) -> bool:
        """Whether the facts of a unit are shown above it, since no unit took its place."""
        return False

    def below(self, unit: str, level: str) -> list[str]:
        return [u for u in self.level if self.level[u] == level and unit in self.above(u)]

    def children(self, unit: str) -> list[str]:
        return [
            u for u in self.parent if self.parent[u] == unit and self.level[u] != "organisation"
        ]


class Declared:
    """Denominators: what authorities declared."""

    def __init__(self, units: Units, declared: list[tuple[str, str, int, date]]) -> None:
        self._units = units
        self._declared = declared

    def population(self, unit: str, name: str, on: date) -> int | None:
        """The newest declaration for the unit; else the sum of its parts if all are declared."""
        newest = None
        for where, what, number, as_of in self._declared:
            if (where, what) == (unit, name) and as_of <= on and (not newest or as_of >= newest[0]):
                newest = (as_of, number)
        if newest:
            return newest[1]
        parts = [self.population(child, name, on) for child in self._units.children(unit)]
        known = [part for part in parts if part is not None]
        return sum(known) if parts and len(known) == len(parts) else None

    def all_hamlets(self, unit: str, on: date) -> bool:
        """Whether every commune has declared how many hamlets it has, and all are registered."""
        communes = (
            [unit] if self._units.level[unit] == "commune" else self._units.below(unit, "commune")
        )
        numbers = {c: self.population(c, "hamlets", on) for c in communes}
        return all(
            number is not None and len(self._units.below(commune, "hamlet")) >= number
            for commune, number in numbers.items()
        )


def shipped_units() -> list[tuple[str, str, str]]:
    """(unit_id, kind, unit_id of the parent) of units-2025.csv and hamlets.csv."""
    found = [
        (f"{row['code']}@2025", row["kind"], f"{row['parent']}@2025")
        for row in _rows("units-2025.csv")
    ]
    return found + [
        (f"{row['code']}@2025", "hamlet", f"{row['parent']}@2025") for row in _rows("hamlets.csv")
    ]


def shipped_populations() -> list[tuple[str, str, int, date]]:
    """(unit_id, population, number, day) of populations.csv."""
    return [
        (row["unit_id"], row["population"], int(row["number"]), date.fromisoformat(row["as_of"]))
        for row in _rows("populations.csv")
        if row["number"]
    ]


def _rows(name: str) -> list[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))
