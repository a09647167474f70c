"""Denominators: declared by an authority, never guessed.

The number declared for the unit itself; else the sum of its children if every one has a number;
else none, with a flag that says whether nothing or only a part is known.
"""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from shared.domain.definitions import Definitions
from shared.domain.objectives import Objective
from shared.domain.places import Places

UNDECLARED = "denominator_undeclared"
"""The number ships with the units, from files about mergers; its authority has not declared it."""


class Number(NamedTuple):
    """A denominator, with what is to be said of it; None with the reason."""

    value: int | None
    flag: str | None = None


def said(flag: str | None, objective: Objective, others: Mapping[str, Objective]) -> list[str]:
    """A denominator's flag, and `missing:NAME` for the input that somebody must declare: a
    population, or an attribute of units."""
    if flag is None:
        return []
    name = None
    if flag.startswith("denominator_"):
        of_other = others.get(objective.target_of or "")
        name = objective.population or (of_other.population if of_other is not None else None)
    elif flag == "hamlets_incomplete":
        name = "hamlets"
    elif flag == "attribute_unknown" and objective.within is not None:
        name = objective.within.attribute
    return [flag, f"missing:{name}"] if name is not None else [flag]


class Populations:
    """Denominators in one day's tree."""

    def __init__(self, definitions: Definitions, places: Places) -> None:
        self._definitions = definitions
        self._places = places
        self._known: dict[tuple[str, str, date], Number] = {}

    def of(self, unit_id: str, code: str, on: date) -> Number:
        """The population of a unit as last declared on or before a day."""
        key = (unit_id, code, on)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._find(unit_id, code, on)
        return found

    def _find(self, unit_id: str, code: str, on: date) -> Number:
        for name in (unit_id, self._goes_on_as(unit_id)):
            own = self._definitions.declared(name, code, on) if name is not None else None
            if own is not None:
                return Number(own.number, UNDECLARED if own.imported else None)
        if self._places.exists(unit_id):
            below = [unit.unit_id for unit in self._places.children(unit_id)]
        else:
            below = self._places.units_below(unit_id, "commune")
        parts = [self.of(name, code, on) for name in below]
        known = [part.value for part in parts if part.value is not None]
        if parts and len(known) == len(parts):
            imported = any(part.flag == UNDECLARED for part in parts)
            return Number(sum(known), UNDECLARED if imported else None)
        return Number(None, "denominator_partial" if known else "denominator_missing")

    def _goes_on_as(self, unit_id: str) -> str | None:
        """The unit of this day with the very territory of one that is gone: what is declared for it
        is declared for the old one too."""
        if self._places.exists(unit_id):
            return None
        home = self._places.home(unit_id)
        old, new = (self._places.tree.unit(name) for name in (unit_id, home.unit_id or ""))
        if home.remainder or old is None or new is None:
            return None
        return new.unit_id if self._places.tree.same_territory(old, new) else None

    def hamlets_incomplete(self, unit_id: str, on: date) -> str | None:
        """A flag unless every commune has as many hamlets in the register as were declared."""
        unit = self._places.tree.unit(unit_id)
        if unit is not None and unit.level == "commune":
            communes = [unit_id]
        else:
            communes = self._places.units_below(unit_id, "commune")
        for commune in communes:
            declared = self._definitions.population(commune, "hamlets", on)
            registered = len(self._places.units_below(commune, "hamlet"))
            if declared is None or registered < declared:
                return "hamlets_incomplete"
        return None if communes else "hamlets_incomplete"
