"""Denominators of units and groups on a day: declared, summed, partial or missing. Pure.

The rule is that of metrics: the number declared for the unit itself wins; else the sum of all its
children; else nothing. Here it is also said when a declared parent is not the sum of its parts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from shared.domain.definitions import Definitions, Population
from shared.domain.tree import UnitTree

DECLARED, SUM, PARTIAL, MISSING = "declared", "sum", "partial", "missing"


@dataclass(frozen=True)
class Number:
    """One denominator.

    `number` is None unless it is complete; `sum` is what the children add up to, of which `known`
    of `children` have a number; `mismatch`: declared, and all children known, and not equal.
    """

    state: str
    number: int | None
    declared: Population | None
    sum: int | None
    known: int
    children: int

    @property
    def mismatch(self) -> bool:
        return (
            self.declared is not None
            and self.children > 0
            and self.known == self.children
            and self.sum != self.declared.number
        )


class Grid:
    """Denominators in the tree of one day.

    `proposed`: numbers that nobody has written yet, counted in as if they had been.
    """

    def __init__(
        self,
        definitions: Definitions,
        on: date,
        proposed: Mapping[tuple[str, str], Population] | None = None,
    ) -> None:
        self._definitions = definitions
        self._tree: UnitTree = definitions.tree
        self._on = on
        self._proposed = proposed or {}
        self._found: dict[tuple[str, str], Number] = {}

    def of(self, unit_id: str, population: str) -> Number:
        """The denominator of a unit for a group."""
        key = (unit_id, population)
        known = self._found.get(key)
        if known is None:
            known = self._found[key] = self._find(unit_id, population)
        return known

    def _find(self, unit_id: str, population: str) -> Number:
        declared = next(
            (
                p
                for p in self._definitions.populations(unit_id)
                if p.population == population and p.as_of <= self._on
            ),
            None,
        )
        new = self._proposed.get((unit_id, population))
        if new is not None and (declared is None or new.as_of >= declared.as_of):
            declared = new
        below = self._tree.children(unit_id, self._on)
        children = [unit for unit in below if unit.level != "organisation"]
        parts = [self.of(u.unit_id, population).number for u in children]
        numbers = [n for n in parts if n is not None]
        total = sum(numbers) if numbers else None
        if declared is not None:
            return Number(DECLARED, declared.number, declared, total, len(numbers), len(children))
        if children and len(numbers) == len(children):
            return Number(SUM, total, None, total, len(numbers), len(children))
        state = PARTIAL if numbers else MISSING
        return Number(state, None, None, total, len(numbers), len(children))
