"""The fold of the `unit.*` events: the units that they make, and how these hang together.

What would make a unit lie in itself, or come from itself, is left out, so that every walk ends.
"""

import logging
from collections import defaultdict
from dataclasses import replace
from datetime import date

from shared.contracts.record import Content
from shared.domain.units import LEVEL_OF_KIND, Ignored, Successor, Unit

log = logging.getLogger(__name__)

FACTS = ("name_en", "organisation_kind", "area_km2", "lat", "lon", "source_ref")
"""What `unit.established` says of a unit besides, shown as it was said."""


class UnitFold:
    """Units and their links, as said so far. Feed contents with `take`, in the order of the log."""

    def __init__(self, told: set[Ignored] | None = None) -> None:
        """`told`: what the log of this process has already heard of, shared by copies."""
        self.units: dict[str, Unit] = {}
        self.by_code: dict[str, list[str]] = defaultdict(list)
        self.children: dict[str, list[str]] = defaultdict(list)
        self.predecessors: dict[str, list[tuple[str, str]]] = defaultdict(list)
        """(unit_id, part) of the units that went into one."""
        self.ignored: list[Ignored] = []
        self.told: set[Ignored] = set() if told is None else told

    def copy(self) -> "UnitFold":
        """The same, which what this one takes later does not change."""
        found = UnitFold(self.told)
        found.units = dict(self.units)
        found.by_code.update((code, ids.copy()) for code, ids in self.by_code.items())
        found.children.update((name, below.copy()) for name, below in self.children.items())
        found.predecessors.update(
            (name, before.copy()) for name, before in self.predecessors.items()
        )
        found.ignored = self.ignored.copy()
        return found

    def take(self, origin: int, content: Content) -> None:
        """Fold in what the event at `origin` says; of a unit that nobody established: nothing."""
        if content.type == "unit.established":
            self._establish(origin, content)
            return
        known = self.units.get(content.data["unit_id"])
        if known is None:
            return
        if content.type == "unit.renamed":
            self._rename(known, content)
        elif content.type == "unit.dissolved":
            self._dissolve(origin, known, content)
        elif content.type == "unit.attributed":
            self._attribute(known, content)

    def lies_in(self, unit_id: str, parent: str) -> bool:
        """Whether the parent is the unit or lies in it (by links taken so far, which end)."""
        above: str | None = parent
        while above is not None and above != unit_id:
            unit = self.units.get(above)
            above = unit.parent if unit is not None else None
        return above is not None

    def comes_from(self, successor: str, unit_id: str) -> bool:
        """Whether `unit_id` is the successor or went into it (by links taken so far)."""
        into = [unit_id]
        for name in into:
            unit = self.units.get(name)
            into += [s.unit_id for s in unit.successors if s.unit_id not in into] if unit else []
        return successor in into

    def _establish(self, origin: int, content: Content) -> None:
        data = content.data
        unit_id, parent = data["unit_id"], data.get("parent")
        since = date.fromisoformat(data["from"])
        level = LEVEL_OF_KIND[data["kind"]]
        if unit_id in self.units:
            self._ignore(Ignored(origin, unit_id, "unit_id", unit_id))
            return
        if parent is not None and self.lies_in(unit_id, parent):
            self._ignore(Ignored(origin, unit_id, "parent", parent))
            parent = None
        unit = Unit(unit_id, data["code"], data["era"], level, parent, since)
        unit.names.append((since, data["name_vi"], data["kind"]))
        unit.attributes = {name: [(since, True)] for name in data.get("attributes", [])}
        unit.facts = {name: data[name] for name in FACTS if name in data}
        self.units[unit_id] = unit
        self.by_code[unit.code].append(unit_id)
        if unit.parent:
            self.children[unit.parent].append(unit_id)

    def _rename(self, known: Unit, content: Content) -> None:
        data = content.data
        since = date.fromisoformat(data["from"])
        kind = data.get("kind") or known.kind(since)
        named = (since, data.get("name_vi") or known.name(since), kind)
        names = sorted([*known.names, named], key=lambda one: one[0])
        self.units[known.unit_id] = replace(known, names=names)

    def _dissolve(self, origin: int, known: Unit, content: Content) -> None:
        data, unit_id = content.data, known.unit_id
        # Ended again: the last statement holds, and what the former one named is no heir.
        for former in known.successors:
            self.predecessors[former.unit_id].remove((unit_id, former.part))
        self.units[unit_id] = replace(known, successors=())
        taken = []
        for said in data.get("successors", []):
            if self.comes_from(unit_id, said["unit_id"]):
                self._ignore(Ignored(origin, unit_id, "successors", said["unit_id"]))
            else:
                taken.append(Successor(said["unit_id"], said["part"]))
        self.units[unit_id] = replace(
            known, valid_to=date.fromisoformat(data["dissolved_on"]), successors=tuple(taken)
        )
        for successor in taken:
            self.predecessors[successor.unit_id].append((unit_id, successor.part))

    def _attribute(self, known: Unit, content: Content) -> None:
        data = content.data
        name = data["attribute"]
        step = (date.fromisoformat(data["from"]), bool(data["value"]))
        history = sorted([*known.attributes.get(name, []), step], key=lambda one: one[0])
        attributes = {**known.attributes, name: history}
        self.units[known.unit_id] = replace(known, attributes=attributes)

    def _ignore(self, one: Ignored) -> None:
        """Leave a link out; told once, since every fold of the same rows leaves it out again."""
        self.ignored.append(one)
        if one not in self.told:
            self.told.add(one)
            log.warning(
                "left out of the tree of units: %s of %s, said at position %d;"
                " with it a unit would lie in, come from, or stand beside itself",
                one.field, one.unit_id, one.origin,
            )  # fmt: skip
