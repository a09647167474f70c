"""Which lead body answers for what happened in a unit, in the tree of one day. Pure."""

from collections.abc import Container, Iterable
from datetime import date
from functools import cached_property

from services.registry.plans.speaking import is_top, levels_below, may_speak, own_code
from shared.domain.tree import UnitTree
from shared.domain.units import Unit


class Area:
    """The units of a plan on a day. Facts of a unit that has gone wholly into another are that
    one's; of one that was divided nobody's but the plan's."""

    def __init__(self, tree: UnitTree, top: str, units: Iterable[str], day: date) -> None:
        self._tree = tree
        self._levels = levels_below(tree.unit(top))
        self._day = day
        self._units = frozenset(units)
        self._bodies: dict[str, tuple[str | None, ...]] = {}
        self._parts: dict[str, list[str]] = {}

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
        return is_top(self._tree, unit_id, self._levels)

    def own_code(self, unit_id: str) -> str | None:
        """The id under which a plan may know an organisation that is a unit."""
        return own_code(self._tree, unit_id)

    def may_speak(self, unit_id: str, organisation: str, organisations: Container[str]) -> bool:
        """Whether a fact of a unit is believed to be of one of the plan's organisations."""
        return may_speak(self._tree, unit_id, self._levels, organisation, organisations)

    def parts_of(self, unit_id: str) -> list[str]:
        """The units that a unit was made of when it began, if it is wholly made of such."""
        known = self._parts.get(unit_id)
        if known is None:
            known = self._parts[unit_id] = self._made_of(unit_id)
        return known

    def _made_of(self, unit_id: str) -> list[str]:
        unit = self._tree.unit(unit_id)
        if unit is None or unit.level not in self._levels:
            return []
        found = []
        for name, _ in self._tree.predecessors(unit_id):
            old = self._tree.unit(name)
            if old is None or len(old.successors) != 1:
                return []  # it was divided
            if old.valid_to == unit.valid_from:  # else it came to it later
                found.append(name)
        return found

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
