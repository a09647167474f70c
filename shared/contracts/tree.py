"""What the `unit.*` events mean: units through time, as one pure fold.

Three services hold the tree (activities to resolve subjects, registry to show it, metrics to roll
up); they must not disagree, so the meaning of the events lives here with the contracts. A unit is
known by `unit_id` = code@era; a code alone is ambiguous (15 was Yên Bái and is Lào Cai).
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date

from shared.contracts.record import Content, LogRecord

log = logging.getLogger(__name__)

LEVEL_OF_KIND = {
    "nation": "nation",
    "province": "province",
    "city": "province",
    "district": "district",
    "ward": "commune",
    "commune": "commune",
    "township": "commune",
    "special_zone": "commune",
    "hamlet": "hamlet",
    "organisation": "organisation",
}
"""Five kinds of place share three levels; the level never changes, the kind may (xã -> phường)."""

FACTS = ("name_en", "organisation_kind", "area_km2", "lat", "lon", "source_ref")
"""What `unit.established` says of a unit besides, shown as it was said."""

RESOLVED_KEPT = 100_000
"""Answers of `resolve` that are remembered: events come for few units and days at a time."""

UNIT_TYPES = frozenset({"unit.established", "unit.renamed", "unit.dissolved", "unit.attributed"})


class UnknownUnit(Exception):
    """A code that names no single unit on that day.

    `code` is stable: unit-unknown, unit-not-valid, unit-ambiguous. `candidates` are unit_ids.
    """

    def __init__(self, code: str, detail: str, hint: str, candidates: list[str]) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.hint = hint
        self.candidates = candidates


@dataclass(frozen=True)
class Successor:
    """Where a dissolved unit went: `part` is whole or part (of its territory)."""

    unit_id: str
    part: str


@dataclass(frozen=True)
class Ignored:
    """A link that the tree leaves out, because with it a unit would lie in, or come from, itself;
    or a unit that was established twice (`field` is unit_id). `origin` is the event's position."""

    origin: int
    unit_id: str
    field: str
    other: str


@dataclass
class Unit:
    """One node of the tree; `valid_to` is the first day on which it no longer exists. Not to be
    changed: copies of the tree share it."""

    unit_id: str
    code: str
    era: str
    level: str
    parent: str | None
    valid_from: date
    valid_to: date | None = None
    names: list[tuple[date, str, str]] = field(default_factory=list)
    successors: tuple[Successor, ...] = ()
    attributes: dict[str, list[tuple[date, bool]]] = field(default_factory=dict)
    facts: dict[str, object] = field(default_factory=dict)

    def exists(self, on: date) -> bool:
        """Whether the unit exists on that day."""
        return self.valid_from <= on and (self.valid_to is None or on < self.valid_to)

    def name(self, on: date) -> str:
        """Its Vietnamese name on that day (its first one before it existed)."""
        return self._named(on)[1]

    def kind(self, on: date) -> str:
        """Its kind (ward, commune, city ...) on that day."""
        return self._named(on)[2]

    def has(self, attribute: str, on: date) -> bool | None:
        """Whether it has an attribute on that day; None when nobody has ever said so."""
        known = [value for since, value in self.attributes.get(attribute, []) if since <= on]
        return known[-1] if known else None

    def _named(self, on: date) -> tuple[date, str, str]:
        return next((n for n in reversed(self.names) if n[0] <= on), self.names[0])


class UnitTree:
    """All units that the given definition rows speak of.

    Feed rows with `apply`, in position order. To know the tree as known at an earlier day, feed
    only the rows recorded until then.
    """

    def __init__(self) -> None:
        self.position = 0
        self._contents: dict[int, Content | None] = {}
        self._units: dict[str, Unit] = {}
        self._by_code: dict[str, list[str]] = defaultdict(list)
        self._children: dict[str, list[str]] = defaultdict(list)
        self._predecessors: dict[str, list[tuple[str, str]]] = defaultdict(list)
        self._resolved: dict[tuple[str, date, str | None], Unit] = {}
        self._stale = False
        self._ignored: list[Ignored] = []
        self._told: set[Ignored] = set()

    def __len__(self) -> int:
        return len(self._all())

    def copy(self) -> "UnitTree":
        """The same tree, which later rows of this one do not change; units are shared, since none
        is ever changed in place."""
        found = UnitTree()
        found.position, found._contents, found._stale = self.position, dict(self._contents), True
        found._told = self._told  # one line in the log of the process is enough
        if not self._stale:
            found._units = dict(self._units)
            found._ignored = self._ignored.copy()
            for mine, theirs in (
                (found._by_code, self._by_code),
                (found._children, self._children),
            ):
                mine.update((name, below.copy()) for name, below in theirs.items())
            found._predecessors.update(
                (name, before.copy()) for name, before in self._predecessors.items()
            )
            found._stale = False
        return found

    def apply(self, record: LogRecord) -> None:
        """Take one row; rows of other types only move `position`."""
        self.position = max(self.position, record.position)
        content = record.effective_content()
        if record.origin in self._contents:
            # A correction of a definition is rare: fold everything again, simply.
            self._contents[record.origin] = content
            self._resolved.clear()
            self._stale = True
        elif content is not None and content.type in UNIT_TYPES:
            self._contents[record.origin] = content
            self._resolved.clear()
            if not self._stale:
                self._fold(record.origin, content)

    def restated(self, origin: int, content: Content) -> "UnitTree":
        """The tree as it would be if the event at `origin` said this; this one stays as it is."""
        found = UnitTree()
        found.position, found._stale = self.position, True
        found._contents = {**self._contents, origin: content}
        found._told = self._told
        return found

    # -- questions ---------------------------------------------------------------------------

    def unit(self, unit_id: str) -> Unit | None:
        """The unit, whether it still exists or not."""
        return self._all().get(unit_id)

    def units(self) -> Iterator[Unit]:
        """Every unit that ever was."""
        return iter(self._all().values())

    def ignored(self) -> list[Ignored]:
        """What the tree leaves out to stay a tree, in the order of the log."""
        self._all()
        return list(self._ignored)

    def in_circle(self, unit_id: str, successors: Iterable[str]) -> str | None:
        """The first of these successors that went, itself or by its own, into the unit."""
        self._all()
        return next((name for name in successors if self._comes_from(unit_id, name)), None)

    def with_code(self, code: str) -> list[Unit]:
        """Every unit that ever had this code, oldest first."""
        units = self._all()
        return sorted((units[u] for u in self._by_code.get(code, [])), key=lambda u: u.valid_from)

    def children(self, unit_id: str, on: date | None = None) -> list[Unit]:
        """Direct children, of that day when one is given; ordered by code."""
        units = self._all()
        found = (units[u] for u in self._children.get(unit_id, []))
        return sorted((u for u in found if on is None or u.exists(on)), key=lambda u: u.unit_id)

    def parent(self, unit_id: str) -> Unit | None:
        """The unit above."""
        unit = self._all().get(unit_id)
        return self._units.get(unit.parent) if unit and unit.parent else None

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

    def is_within(self, unit_id: str, top: str) -> bool:
        """Whether `unit_id` is `top`, lies below it, or succeeds such a unit.

        So a key or a plan of an old unit keeps its reach over the units that took its territory.
        """
        former = [unit_id]
        for name in former:
            if name == top or any(a.unit_id == top for a in self.ancestors(name)):
                return True
            former += [old for old, _ in self.predecessors(name) if old not in former]
        return False

    def predecessors(self, unit_id: str) -> list[tuple[str, str]]:
        """(unit_id, part) of the units that went into this one."""
        self._all()
        return list(self._predecessors.get(unit_id, []))

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
            unit = self._resolve(subject, on, era)
            if len(self._resolved) >= RESOLVED_KEPT:
                self._resolved.clear()
            self._resolved[asked] = unit
        return unit

    # -- the fold ----------------------------------------------------------------------------

    def _resolve(self, subject: str, on: date, era: str | None) -> Unit:
        units = self._all()
        if "@" in subject:
            unit = units.get(subject)
            if unit is None:
                raise self._unknown(subject)
            return self._valid(unit, on)
        candidates = self.with_code(subject)
        if not candidates:
            raise self._unknown(subject)
        if era is not None:
            declared = [u for u in candidates if u.era == era and u.exists(on)]
            if declared:
                return declared[-1]
        valid = [u for u in candidates if u.exists(on)]
        if not valid:
            return self._valid(candidates[-1], on)
        unit = valid[-1]
        today = candidates[-1]
        if unit is not today and not self.same_territory(unit, today):
            raise UnknownUnit(
                "unit-ambiguous",
                f"Code {subject} meant {unit.name(on)} on {on.isoformat()} and means"
                f" {today.name(today.valid_from)} since {today.valid_from.isoformat()}.",
                f"Write the era with the code: {' or '.join(u.unit_id for u in candidates)}.",
                [u.unit_id for u in candidates],
            )
        return unit

    def _valid(self, unit: Unit, on: date) -> Unit:
        if unit.exists(on):
            return unit
        others = (
            [s.unit_id for s in unit.successors] if unit.valid_to and on >= unit.valid_to else []
        )
        others = others or [old for old, _ in self.predecessors(unit.unit_id)]
        until = f" until {unit.valid_to.isoformat()} (excluded)" if unit.valid_to else ""
        raise UnknownUnit(
            "unit-not-valid",
            f"{unit.unit_id} ({unit.name(on)}) exists from {unit.valid_from.isoformat()}{until},"
            f" not on {on.isoformat()}.",
            f"Name the unit of that day: {', '.join(others[:8])}."
            if others
            else "Check the day of the event (attribute `time`) and the unit.",
            others,
        )

    def _unknown(self, subject: str) -> UnknownUnit:
        bare = subject.partition("@")[0]
        near = [u.unit_id for u in self.with_code(bare)]
        hint = "Codes keep their leading zeros; GET /v1/units of registry lists them."
        if near:
            hint = f"Known: {', '.join(near)}."
        elif self._by_code.get(bare.zfill(5)) or self._by_code.get(bare.zfill(2)):
            hint = "Codes keep their leading zeros (two digits for provinces, five for communes)."
        return UnknownUnit("unit-unknown", "No unit has the code in `subject`.", hint, near)

    def _all(self) -> dict[str, Unit]:
        if self._stale:
            self._units.clear()
            self._by_code.clear()
            self._children.clear()
            self._predecessors.clear()
            self._ignored.clear()
            for origin in sorted(self._contents):
                content = self._contents[origin]
                if content is not None:
                    self._fold(origin, content)
            self._stale = False
        return self._units

    def _ignore(self, one: Ignored) -> None:
        """Leave a link out; told once, since every fold of the same rows leaves it out again."""
        self._ignored.append(one)
        if one not in self._told:
            self._told.add(one)
            log.warning(
                "left out of the tree of units: %s of %s, said at position %d;"
                " with it a unit would lie in, come from, or stand beside itself",
                one.field, one.unit_id, one.origin,
            )  # fmt: skip

    def _lies_in(self, unit_id: str, parent: str) -> bool:
        """Whether the parent is the unit or lies in it (by links taken so far, which end)."""
        above: str | None = parent
        while above is not None and above != unit_id:
            unit = self._units.get(above)
            above = unit.parent if unit is not None else None
        return above is not None

    def _comes_from(self, successor: str, unit_id: str) -> bool:
        """Whether `unit_id` is the successor or went into it (by links taken so far)."""
        into = [unit_id]
        for name in into:
            unit = self._units.get(name)
            into += [s.unit_id for s in unit.successors if s.unit_id not in into] if unit else []
        return successor in into

    def _fold(self, origin: int, content: Content) -> None:
        data = content.data
        unit_id = data["unit_id"]
        if content.type == "unit.established":
            since = date.fromisoformat(data["from"])
            level = LEVEL_OF_KIND[data["kind"]]
            parent = data.get("parent")
            if unit_id in self._units:
                self._ignore(Ignored(origin, unit_id, "unit_id", unit_id))
                return
            if parent is not None and self._lies_in(unit_id, parent):
                self._ignore(Ignored(origin, unit_id, "parent", parent))
                parent = None
            unit = Unit(unit_id, data["code"], data["era"], level, parent, since)
            unit.names.append((since, data["name_vi"], data["kind"]))
            unit.attributes = {name: [(since, True)] for name in data.get("attributes", [])}
            unit.facts = {name: data[name] for name in FACTS if name in data}
            self._units[unit_id] = unit
            self._by_code[unit.code].append(unit_id)
            if unit.parent:
                self._children[unit.parent].append(unit_id)
            return
        known = self._units.get(unit_id)
        if known is None:
            return
        if content.type == "unit.renamed":
            since = date.fromisoformat(data["from"])
            kind = data.get("kind") or known.kind(since)
            named = (since, data.get("name_vi") or known.name(since), kind)
            names = sorted([*known.names, named], key=lambda one: one[0])
            self._units[unit_id] = replace(known, names=names)
        elif content.type == "unit.dissolved":
            # Ended again: the last statement holds, and what the former one named is no heir.
            for former in known.successors:
                self._predecessors[former.unit_id].remove((unit_id, former.part))
            self._units[unit_id] = replace(known, successors=())
            taken = []
            for said in data.get("successors", []):
                if self._comes_from(unit_id, said["unit_id"]):
                    self._ignore(Ignored(origin, unit_id, "successors", said["unit_id"]))
                else:
                    taken.append(Successor(said["unit_id"], said["part"]))
            successors = tuple(taken)
            self._units[unit_id] = replace(
                known, valid_to=date.fromisoformat(data["dissolved_on"]), successors=successors
            )
            for successor in successors:
                self._predecessors[successor.unit_id].append((unit_id, successor.part))
        elif content.type == "unit.attributed":
            name = data["attribute"]
            step = (date.fromisoformat(data["from"]), bool(data["value"]))
            history = sorted([*known.attributes.get(name, []), step], key=lambda one: one[0])
            self._units[unit_id] = replace(known, attributes={**known.attributes, name: history})
