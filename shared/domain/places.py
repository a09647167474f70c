"""Where facts belong in the tree of one chosen day, and what a plan covers there.

A fact stays with the unit for which it was posted. In another day's tree that unit may be gone: a
whole successor takes its facts; after a split they lie, not attributable, with the lowest common
ancestor of the successors. So children + own + not attributable = parent, in every tree.
"""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from shared.contracts.places import commune_of
from shared.domain.measures import reports, speaking
from shared.domain.territory import LEVELS as LEVELS
from shared.domain.territory import covered
from shared.domain.tree import UnitTree
from shared.domain.units import Unit

Sums = Mapping[str, tuple[int, int]]
"""n and total by the unit of the facts themselves."""


class Home(NamedTuple):
    """The unit of the chosen tree that shows a unit's facts; `remainder`: not attributable."""

    unit_id: str | None
    remainder: bool


class Rolled(NamedTuple):
    """Sums of units with all below them, and which part of that is not attributable below.

    `replaced`: units whose own report stands in for the sum of those below.
    """

    values: dict[str, tuple[int, int]]
    remainders: dict[str, int]
    replaced: frozenset[str]


class Places:
    """The tree as of one day. Keep it only as long as the tree does not change."""

    def __init__(self, tree: UnitTree, day: date) -> None:
        self.tree = tree
        self.day = day
        self._homes: dict[str, Home] = {}
        self._within: dict[str, frozenset[str]] = {}
        self._scopes: dict[str, list[Unit]] = {}
        self._chains: dict[str, list[str]] = {}
        self._children: dict[str, list[Unit]] = {}
        self._below: dict[tuple[str, str], list[str]] = {}

    def exists(self, unit_id: str) -> bool:
        unit = self.tree.unit(unit_id)
        return unit is not None and unit.exists(self.day)

    def home(self, unit_id: str) -> Home:
        """Where the facts of a unit are shown on this day."""
        known = self._homes.get(unit_id)
        if known is None:
            self._homes[unit_id] = Home(None, True)  # ends a circle of successors
            known = self._homes[unit_id] = self._find_home(unit_id)
        return known

    def _find_home(self, unit_id: str) -> Home:
        unit = self.tree.unit(unit_id)
        if unit is None:
            return Home(None, True)
        if unit.exists(self.day):
            return Home(unit_id, False)
        if unit.valid_to is not None and unit.valid_to <= self.day:
            others = [s.unit_id for s in unit.successors]
            whole = len(others) == 1 and unit.successors[0].part == "whole"
        else:
            before = self.tree.predecessors(unit_id)
            others = [old for old, _ in before]
            whole = (
                len(others) == 1
                and self.tree.unit(others[0]) is not None
                and len(getattr(self.tree.unit(others[0]), "successors", ())) == 1
            )
        homes = [self.home(other) for other in others]
        if whole:
            return homes[0]
        found = [home.unit_id for home in homes if home.unit_id is not None]
        if not found:
            return Home(self.home(unit.parent).unit_id, True) if unit.parent else Home(None, True)
        return Home(self._common(found), True)

    def _attributable(self, unit_id: str, covered: frozenset[str]) -> bool:
        home = self.home(unit_id)
        return not home.remainder and home.unit_id in covered

    def _common(self, unit_ids: list[str]) -> str | None:
        """The lowest unit above all of these (at least one above, as none holds the whole)."""
        chains = [self.chain(unit_id)[1:] for unit_id in unit_ids]
        return next((u for u in chains[0] if all(u in chain for chain in chains)), None)

    def chain(self, unit_id: str) -> list[str]:
        """The unit and all above it, nearest first."""
        known = self._chains.get(unit_id)
        if known is None:
            above = [unit.unit_id for unit in self.tree.ancestors(unit_id)]
            known = self._chains[unit_id] = [unit_id, *above]
        return known

    def _home_chain(self, unit_id: str) -> list[str]:
        home = self.home(unit_id).unit_id
        return self.chain(home) if home is not None else []

    def lies_in(self, unit_id: str, level: str) -> str:
        """Where a unit lies in this tree, at level `commune`, or `unit`: itself or what took its
        place. A unit that went into several stays where its code says."""
        home = self.home(unit_id)
        if home.unit_id is None:
            return commune_of(unit_id) if level == "commune" else unit_id
        if level == "unit":
            return unit_id if home.remainder else home.unit_id
        for name in self.chain(home.unit_id):
            unit = self.tree.unit(name)
            if unit is not None and unit.level == "commune":
                return name
        return commune_of(unit_id) if home.remainder else home.unit_id

    def children(self, unit_id: str) -> list[Unit]:
        known = self._children.get(unit_id)
        if known is None:
            found = self.tree.children(unit_id, self.day)
            known = self._children[unit_id] = [u for u in found if u.level != "organisation"]
        return known

    def within(self, root: str) -> frozenset[str]:
        """Every unit, of any time, whose facts a plan of the unit covers: its territory's."""
        known = self._within.get(root)
        if known is None:
            known = self._within[root] = covered(self.tree, root)
        return known

    def scope(self, root: str) -> list[Unit]:
        """The units a plan of `root` shows: itself, communes, hamlets if it is a commune."""
        known = self._scopes.get(root)
        if known is None:
            known = self._scopes[root] = self._find_scope(root)
        return known

    def _find_scope(self, root: str) -> list[Unit]:
        top = self.tree.unit(root)
        if top is None:
            return []
        deepest = LEVELS["hamlet"] if top.level == "commune" else LEVELS["commune"]
        if top.exists(self.day):
            below = self.tree.descendants(root, self.day)
        else:
            units = (self.tree.unit(name) for name in sorted(self.within(root)))
            below = [u for u in units if u is not None and u.exists(self.day)]
        shown = [u for u in below if u.unit_id != root and LEVELS[u.level] <= deepest]
        return [top, *shown]

    def units_below(self, root: str, level: str) -> list[str]:
        """The units of a level that exist on this day in a unit (or in what succeeded it); not to
        be changed."""
        known = self._below.get((root, level))
        if known is None:
            known = self._below[root, level] = self._find_below(root, level)
        return known

    def _find_below(self, root: str, level: str) -> list[str]:
        if self.exists(root):
            return [u.unit_id for u in self.tree.descendants(root, self.day, level)]
        found = []
        for name in sorted(self.within(root)):
            unit = self.tree.unit(name)
            if unit is not None and unit.level == level and unit.exists(self.day):
                found.append(name)
        return found

    def covers(self, unit_id: str, facts_of: str, root: str) -> bool:
        """Whether the facts of a unit are part of the cell of `unit_id` in the scope of `root`."""
        home = self.home(facts_of).unit_id
        if not self.exists(root):
            if facts_of not in self.within(root):
                return False
            return unit_id == root or (home is not None and unit_id in self.chain(home))
        if home is None:
            return False
        chain = self.chain(home)
        return root in chain and unit_id in chain

    def speaking(self, unit_id: str, reporting: Mapping[str, int], root: str) -> list[str]:
        """Of the units with reports (their n) in the cell of `unit_id` those whose reports count
        there: those between which and it no unit has one that speaks for the whole of it."""
        whole = {name for name, n in reporting.items() if speaking(n) > 0}
        if unit_id == root and not self.exists(root) and root in whole:
            return [root]
        homes = {name: self.home(name) for name in reporting}
        direct = {
            home.unit_id for name, home in homes.items() if name in whole and not home.remainder
        }
        found = []
        for name, home in homes.items():
            if home.unit_id is None:
                continue
            chain = self.chain(home.unit_id)
            between = chain[: chain.index(unit_id) + 1] if unit_id in chain else chain
            if not direct.intersection(between if home.remainder else between[1:]):
                found.append(name)
        return sorted(found)

    def roll(self, own: Sums, *, own_report_wins: bool, root: str) -> Rolled:
        """Sum up what lies in `root`, which may be a unit of the past."""
        direct: dict[str, list[int]] = {}
        loose: dict[str, list[int]] = {}
        present = self.exists(root)
        covered = frozenset() if present else self.within(root)
        for unit_id, (n, total) in own.items():
            home = self.home(unit_id)
            if present and home.unit_id is not None and root not in self.chain(home.unit_id):
                continue
            if not present and unit_id not in covered:
                continue
            if home.unit_id is not None and (n or total):
                into = (loose if home.remainder else direct).setdefault(home.unit_id, [0, 0])
                into[0] += n
                into[1] += total
        values: dict[str, list[int]] = {}
        replaced: set[str] = set()
        nodes = {name for unit_id in (*direct, *loose) for name in self.chain(unit_id)}
        for name in sorted(nodes, key=lambda name: -len(self.chain(name))):
            sums = values.setdefault(name, [0, 0])
            here, rest = direct.get(name), loose.get(name)
            if own_report_wins and here is not None and speaking(here[0]) > 0:
                if sums[0] or rest:
                    replaced.add(name)
                sums[:] = here
            else:
                for part in (here, rest):
                    if part is not None:
                        sums[0] += part[0]
                        sums[1] += part[1]
            chain = self.chain(name)
            if len(chain) > 1:
                above = values.setdefault(chain[1], [0, 0])
                above[0] += sums[0]
                above[1] += sums[1]
        if not present:
            # The parts of an old unit lie under several units of this day, so it is summed apart.
            if own_report_wins and speaking(own.get(root, (0, 0))[0]) > 0:
                values[root] = list(own[root])
                replaced.add(root)
            else:
                # As children would: where one speaks for itself, those below it do not.
                inside = set(self.units_below(root, "commune"))
                parts = [tuple(values[name]) for name in inside if name in values]
                parts += [
                    sums
                    for unit_id, sums in own.items()
                    if unit_id in covered and not inside.intersection(self._home_chain(unit_id))
                ]
                values[root] = [sum(part[0] for part in parts), sum(part[1] for part in parts)]
            astray = [
                sums[0]
                for unit_id, sums in own.items()
                if unit_id in covered
                and unit_id != root
                and not self._attributable(unit_id, covered)
            ]
            loose[root] = [sum(astray), 0]
        return Rolled(
            {name: (n, total) for name, (n, total) in values.items()},
            {name: reports(n) if own_report_wins else n for name, (n, _) in loose.items()},
            frozenset(replaced),
        )
