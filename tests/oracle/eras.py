"""The tree through time, naively: who stands where on one day, and who shows what is gone.

Part of the oracle: written from the design's Readings, shares no code with `services` or `shared`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from tests.oracle.units import Units


@dataclass(frozen=True)
class Span:
    """A unit from its first day to the day before `until`, and (unit, "whole" or "part") after."""

    unit: str
    kind: str
    parent: str
    since: date
    until: date | None = None
    heirs: tuple[tuple[str, str], ...] = ()


class Day(Units):
    """The tree of one day, as the plan of one unit sees it."""

    def __init__(self, spans: Iterable[Span], day: date, root: str) -> None:
        super().__init__()
        self._all = {span.unit: span for span in spans}
        self._root = root
        standing = [s for s in self._all.values() if self._stands(s, day)]
        self._standing = {s.unit for s in standing}
        self.gone = root not in self._standing
        self._mine = self._territory(root)
        for span in standing:
            self.add(span.unit, span.kind, span.parent)
        if self.gone:
            # A former province goes on as the communes that its territory became.
            self.add(root, self._all[root].kind, "")
            for unit in self._mine & self._standing:
                if self.level[unit] == "commune":
                    self.parent[unit] = root

    def at(self, unit: str, level: str) -> str:
        """Where the unit lay when it stood."""
        found = unit
        while found in self._all:
            kind = Units()
            kind.add(found, self._all[found].kind, "")
            if kind.level[found] == level:
                return found
            found = self._all[found].parent
        return unit

    def lies(self, unit: str, level: str) -> str:
        """Where a unit lies on this day: in what wholly took its place; else as it stood."""
        if self.astray(unit) or unit not in self._all:
            return super().lies(unit, level)
        here = unit if unit == self._root else self._now(unit, set())[0][0]
        return super().lies(here, level)

    def above(self, unit: str) -> list[str]:
        """The units that show the facts of a unit on this day, itself included if it stands."""
        if self.gone and unit not in self._mine:
            return []
        if unit in self._standing or unit == self._root:
            return super().above(unit)
        heirs, whole = self._now(unit, set())
        if whole:
            return self.above(heirs[0])
        if not heirs:
            parent = self._all[unit].parent if unit in self._all else ""
            found = self.above(parent) if parent in self._all else []
        else:
            chains = [self.above(heir)[1:] for heir in heirs]
            found = [u for u in chains[0] if all(u in chain for chain in chains)]
        return found or ([self._root] if self.gone else [])

    def astray(self, unit: str) -> bool:
        """Whether no single unit of this day took the unit's place."""
        if unit in self._standing or unit == self._root:
            return False
        return not self._now(unit, set())[1]

    def _stands(self, span: Span, day: date) -> bool:
        return span.since <= day and (span.until is None or day < span.until)

    def _now(self, unit: str, seen: set[str]) -> tuple[list[str], bool]:
        """The standing units into which it went (or from which it came); whether wholly into one."""
        if unit in self._standing:
            return [unit], True
        if unit not in self._all or unit in seen:
            return [], False
        seen = seen | {unit}
        span = self._all[unit]
        if span.heirs:
            others, whole = [u for u, _ in span.heirs], [p for _, p in span.heirs] == ["whole"]
        else:
            before = [s for s in self._all.values() if unit in [u for u, _ in s.heirs]]
            others = [s.unit for s in before]
            whole = len(before) == 1 and len(before[0].heirs) == 1
        parts = [self._now(other, seen) for other in others]
        if whole:
            return parts[0]
        return [u for found, _ in parts for u in found], False

    def _territory(self, root: str) -> set[str]:
        """The unit, all that lay below it, and their heirs with what lies below those; but not a
        unit as high as the root that others went into too."""
        ranks = {"province": 0, "city": 0, "district": 1}
        mine, grown = {root}, True
        while grown:
            more = {s.unit for s in self._all.values() if s.parent in mine}
            for unit in mine:
                for heir, _ in self._all[unit].heirs:
                    high = ranks.get(self._all[heir].kind, 2) <= ranks.get(self._all[root].kind, 2)
                    into = {s.unit for s in self._all.values() if heir in [u for u, _ in s.heirs]}
                    if not high or into <= mine:
                        more.add(heir)
            grown = not more <= mine
            mine |= more
        return mine
