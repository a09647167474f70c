"""The tree of units through time, as known at a position of the log.

Three services hold the tree (activities to resolve subjects, registry to show it, metrics to roll
up); they must not disagree, so what the `unit.*` events mean lives here with the contracts: of one
unit in `units.py`, of them all in `unit_fold.py`, of codes in `unit_codes.py`.
"""

from collections.abc import Iterable, Iterator
from datetime import date

from shared.contracts.record import Content, LogRecord
from shared.domain import unit_codes
from shared.domain.unit_fold import UnitFold
from shared.domain.units import UNIT_TYPES, Ignored, Unit

RESOLVED_KEPT = 100_000
"""Answers of `resolve` that are remembered: events come for few units and days at a time."""


class UnitTree:
    """All units that the given definition rows speak of.

    Feed rows with `apply`, in position order. To know the tree as known at an earlier day, feed
    only the rows recorded until then.
    """

    def __init__(self) -> None:
        self.position = 0
        self._contents: dict[int, Content | None] = {}
        self._revisions: dict[int, int] = {}
        self._fold = UnitFold()
        self._resolved: dict[tuple[str, date, str | None], Unit] = {}
        self._stale = False

    def __len__(self) -> int:
        return len(self._folded().units)

    def copy(self) -> "UnitTree":
        """The same tree, which later rows of this one do not change; units are shared, since none
        is ever changed in place."""
        found = UnitTree()
        found.position, found._contents = self.position, dict(self._contents)
        found._revisions = dict(self._revisions)
        found._stale = self._stale
        found._fold = UnitFold(self._fold.told) if self._stale else self._fold.copy()
        return found

    def apply(self, record: LogRecord) -> None:
        """Take one row; rows of other types only move `position`."""
        self.position = max(self.position, record.position)
        content = record.effective_content()
        if record.origin in self._contents:
            said_anew = self._revisions.get(record.origin) == record.revision
            if content is None and said_anew and self._contents[record.origin] is not None:
                # A correction that moves an event to another key says the new one, then voids the
                # old one.
                return
            # A correction of a definition is rare: fold everything again, simply.
            self._contents[record.origin] = content
            self._revisions[record.origin] = record.revision
            self._resolved.clear()
            self._stale = True
        elif content is not None and content.type in UNIT_TYPES:
            self._contents[record.origin] = content
            self._resolved.clear()
            if not self._stale:
                self._fold.take(record.origin, content)

    def restated(self, origin: int, content: Content) -> "UnitTree":
        """The tree as it would be if the event at `origin` said this; this one stays as it is."""
        found = UnitTree()
        found.position, found._stale = self.position, True
        found._contents = {**self._contents, origin: content}
        found._fold = UnitFold(self._fold.told)
        return found

    def unit(self, unit_id: str) -> Unit | None:
        """The unit, whether it still exists or not."""
        return self._folded().units.get(unit_id)

    def units(self) -> Iterator[Unit]:
        """Every unit that ever was."""
        return iter(self._folded().units.values())

    def ignored(self) -> list[Ignored]:
        """What the tree leaves out to stay a tree, in the order of the log."""
        return list(self._folded().ignored)

    def in_circle(self, unit_id: str, successors: Iterable[str]) -> str | None:
        """The first of these successors that went, itself or by its own, into the unit."""
        fold = self._folded()
        return next((name for name in successors if fold.comes_from(unit_id, name)), None)

    def with_code(self, code: str) -> list[Unit]:
        """Every unit that ever had this code, oldest first."""
        fold = self._folded()
        found = (fold.units[u] for u in fold.by_code.get(code, []))
        return sorted(found, key=lambda u: u.valid_from)

    def children(self, unit_id: str, on: date | None = None) -> list[Unit]:
        """Direct children, of that day when one is given; ordered by code."""
        fold = self._folded()
        found = (fold.units[u] for u in fold.children.get(unit_id, []))
        return sorted((u for u in found if on is None or u.exists(on)), key=lambda u: u.unit_id)

    def parent(self, unit_id: str) -> Unit | None:
        """The unit above."""
        units = self._folded().units
        unit = units.get(unit_id)
        return units.get(unit.parent) if unit and unit.parent else None

    def ancestors(self, unit_id: str) -> list[Unit]:
        """The units above, nearest first."""
        found: list[Unit] = []
        current = self.parent(unit_id)
        while current is not None and current not in found:
            found.append(current)
            current = self.parent(current.unit_id)
        return found

    def descendants(
        self, unit_id: str, on: date | None = None, level: str | None = None
    ) -> list[Unit]:
        """All units below, of that day and level when given; parents before children."""
        found: list[Unit] = []
        stack = self.children(unit_id, on)[::-1]
        while stack:
            unit = stack.pop()
            if level is None or unit.level == level:
                found.append(unit)
            stack += self.children(unit.unit_id, on)[::-1]
        return found

    def predecessors(self, unit_id: str) -> list[tuple[str, str]]:
        """(unit_id, part) of the units that went into this one."""
        return list(self._folded().predecessors.get(unit_id, []))

    def same_territory(self, old: Unit, new: Unit) -> bool:
        """Whether `new` is exactly what `old` was (its only predecessor, wholly)."""
        return [(s.unit_id, s.part) for s in old.successors] == [
            (new.unit_id, "whole")
        ] and self.predecessors(new.unit_id) == [(old.unit_id, "whole")]

    def resolve(self, subject: str, on: date, era: str | None = None) -> Unit:
        """The unit that a code, or code@era, names on a day (design, section 4).

        Raises UnknownUnit: no such code; not valid on that day; or a bare code whose unit of that
        day is another territory than the unit that has the code today, with no era declared.
        """
        asked = (subject, on, era)
        unit = self._resolved.get(asked)
        if unit is None or self._stale:
            unit = unit_codes.resolve(self, subject, on, era)
            if len(self._resolved) >= RESOLVED_KEPT:
                self._resolved.clear()
            self._resolved[asked] = unit
        return unit

    def _folded(self) -> UnitFold:
        """The fold of all contents; made anew when one of them was corrected."""
        if self._stale:
            self._fold = UnitFold(self._fold.told)
            for origin in sorted(self._contents):
                content = self._contents[origin]
                if content is not None:
                    self._fold.take(origin, content)
            self._stale = False
        return self._fold
