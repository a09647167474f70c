"""Which lead body answers for what happened in a unit, in the tree of one day. Pure."""

from collections.abc import Iterable
from datetime import date
from functools import cached_property

from shared.domain.tree import UnitTree
from shared.domain.units import Unit

BELOW = {
    "nation": ("province", "district", "commune", "hamlet"),
    "commune": ("hamlet",),
}
"""Levels whose units lead tasks themselves, by the level of the plan's unit; what is not of one of
them is the plan's own level."""


class Area:
    """The units of a plan on a day. Facts of a unit that has gone wholly into another are that
    one's; of one that was divided nobody's but the plan's."""

    def __init__(self, tree: UnitTree, top: str, units: Iterable[str], day: date) -> None:
        self._tree = tree
        plan_unit = tree.unit(top)
        level = plan_unit.level if plan_unit is not None else ""
        self._levels = BELOW.get(level, ("district", "commune", "hamlet"))
        self._day = day
        self._units = frozenset(units)
        self._bodies: dict[str, tuple[str | None, ...]] = {}

    @cached_property
    def units(self) -> list[Unit]:
        """The plan's units that exist on the day, by unit_id."""
        found = (self._tree.unit(name) for name in sorted(self._units))
        return [unit for unit in found if unit is not None and unit.exists(self._day)]

    def bodies_of(self, unit_id: str) -> tuple[str | None, ...]:
        """The units of those levels that a fact of this unit is in, and None for the plan."""
        found = self._bodies.get(unit_id)
        if found is None:
            found = self._bodies[unit_id] = (None, *self._find(unit_id))
        return found

    def is_top(self, unit_id: str) -> bool:
        """Whether a fact is of the plan's own level: of no commune, hamlet or what lies in one."""
        top = self._tree.unit(unit_id)
        while top is not None:
            if top.level in self._levels:
                return False
            top = self._tree.parent(top.unit_id) if top.level == "organisation" else None
        return True

    def own_code(self, unit_id: str) -> str | None:
        """The id under which a plan may know an organisation that is a unit: its code, or what
        follows the point in PROVINCE.ID."""
        unit = self._tree.unit(unit_id)
        if unit is None or unit.level != "organisation":
            return None
        return unit.code.rpartition(".")[2]

    def communes(self) -> list[str]:
        """The unit_ids of the plan's communes of the day."""
        return [unit.unit_id for unit in self.units if unit.level == "commune"]

    def _find(self, unit_id: str) -> list[str]:
        found: list[str] = []
        unit = self._tree.unit(unit_id)
        while unit is not None:
            current = self._of_today(unit)
            if current is None:
                break
            if current.level in self._levels and current.unit_id in self._units:
                found.append(current.unit_id)
            unit = self._tree.parent(current.unit_id)
        return found

    def _of_today(self, unit: Unit) -> Unit | None:
        seen: set[str] = set()
        current: Unit | None = unit
        while current is not None and not current.exists(self._day):
            wholly = [s.unit_id for s in current.successors if s.part == "whole"]
            if len(current.successors) != 1 or not wholly or current.unit_id in seen:
                return None
            seen.add(current.unit_id)
            current = self._tree.unit(wholly[0])
        return current
