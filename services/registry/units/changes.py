"""Merging, splitting, renaming, establishing units on a day: what is asked for, as events. Pure.

The unit_id never changes: a renamed unit is the same one, a merged one ends and has a successor.
Ids of events say what they change and from what state, so that sending again changes nothing, and
of two people who change the same at once only one does.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from services.registry.posting import event
from services.registry.units.catalogue import NEW, CloudEvent
from services.registry.units.doubles import Candidate, asked, hamlets_like, like
from services.registry.units.rules import check_place, ended_so, is_same, more_of, wrong
from services.registry.units.wishes import Attribute, Establish, Merge, NewUnit, Rename, nfc
from shared.domain.tree import UnitTree
from shared.domain.units import LEVEL_OF_KIND, Unit


@dataclass
class Planned:
    """The events of some changes, in the order in which they must be written, and in words;
    `warnings`: what nobody has said anything about, though it is touched."""

    events: list[CloudEvent] = field(default_factory=list)
    difference: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


class Planner:
    """Turns changes into events against the tree as it is."""

    def __init__(self, tree: UnitTree, source: str, today: date, source_ref: str | None) -> None:
        self.planned = Planned()
        self._tree = tree
        self._source = source
        self._today = today
        self._reference = {"source_ref": source_ref} if source_ref else {}
        self._new: dict[str, str] = {}
        self._levels: dict[str, str] = {}
        self._named: dict[str, list[Candidate]] = {}
        self._ended: set[str] = set()

    def plan(self, change: Any) -> None:
        """Add the events of one change."""
        if isinstance(change, Establish):
            above = self._unit(change.parent, change.on)
            self._establish(change, above.unit_id, change.on)
        elif isinstance(change, Rename):
            self._rename(change)
        elif isinstance(change, Attribute):
            self._attribute(change)
        elif isinstance(change, Merge):
            units = [self._ending(code, change.on) for code in change.units]
            if len({unit.level for unit in units}) > 1:
                raise wrong(
                    "levels-differ", "units", "Units of several levels do not merge.",
                    "Name units of one level.",
                )  # fmt: skip
            self._ended |= {unit.unit_id for unit in units}
            into = self._target(change.into, units[0], change.on)
            for unit in {unit.unit_id: unit for unit in units}.values():
                if unit.unit_id != into:
                    self._dissolve(unit, [into], "whole", change.on)
        else:
            unit = self._ending(change.unit, change.on)
            self._ended.add(unit.unit_id)
            parts = [self._target(part, unit, change.on) for part in change.into]
            if unit.unit_id in parts:
                raise wrong(
                    "into-itself", "into", "A unit cannot be split into itself.",
                    "Establish only the new part.",
                )  # fmt: skip
            if len(set(parts)) < len(parts):
                raise wrong("part-twice", "into", "A part stands twice.", "Name each part once.")
            self._dissolve(unit, parts, "part", change.on)

    def plan_new(self, new: Establish, parent: str) -> None:
        """Establish a unit below one that may itself be new."""
        self._establish(new, parent, new.on)

    def deny(self, unit_id: str, attribute: str, on: date) -> None:
        """Say of a unit established here that it lacks an attribute."""
        self._say(unit_id, attribute, False, on)
        self.planned.difference.append(f"~ {unit_id}: {attribute} not said -> no")

    def end(self, unit_id: str, successors: list[str], on: date) -> None:
        """End a unit: wholly for one successor, in parts for several, or for nobody."""
        unit = self._tree.unit(unit_id)
        if unit is None:
            raise wrong(
                "never-established", "code", f"{unit_id} was never established.", "Check the code."
            )
        into = [
            self._new.get(code, code if "@" in code else f"{code}@{NEW}") for code in successors
        ]
        if ended_so(unit, on, into):
            return
        for other in into:
            found = self._tree.unit(other)
            there = found.exists(on) if found else other in self._new.values()
            same = LEVEL_OF_KIND.get(unit.kind(on)) == self._level_of(other)
            if other == unit_id or not there or not same:
                raise wrong(
                    "no-successor",
                    "successors",
                    f"{other} cannot succeed {unit_id}: it is the same, of another level, or"
                    " not there on that day.",
                    "Name units of its level, of that day.",
                )
        self._dissolve(unit, into, "whole" if len(into) == 1 else "part", on)

    def _unit(self, code: str, on: date) -> Unit:
        found = self._tree.unit(code) if "@" in code else self._tree.resolve(code, on)
        if found is None:
            found = self._tree.resolve(code, on)
        if not found.exists(on):
            raise wrong(
                "not-there",
                "on",
                f"{found.unit_id} does not exist on {on.isoformat()}.",
                "Check the unit and the day.",
            )
        return found

    def _ending(self, code: str, on: date) -> Unit:
        """A unit that ends on a day; it may have ended just so already."""
        gone = [self._tree.unit(code)] if "@" in code else self._tree.with_code(code)
        return next((u for u in gone if u and u.valid_to == on), None) or self._unit(code, on)

    def _target(self, into: NewUnit | str, like: Unit, on: date) -> str:
        if isinstance(into, NewUnit):
            if LEVEL_OF_KIND[into.kind] != like.level:
                raise wrong(
                    "level-changes", "kind", f"A {like.level} cannot become a {into.kind}.",
                    "Name its level.",
                )  # fmt: skip
            return self._establish(into, like.parent, on)
        known = self._new.get(into)
        if known is not None:
            return known
        found = self._unit(into, on)
        if found.level != like.level:
            raise wrong(
                "levels-differ",
                "into",
                f"{like.unit_id} is a {like.level}, {found.unit_id} a {found.level}.",
                "Only units of one level merge or follow each other.",
            )
        return found.unit_id

    def _establish(self, new: NewUnit, parent: str | None, on: date) -> str:
        unit_id = f"{new.code}@{NEW}"
        self._levels[unit_id] = LEVEL_OF_KIND[new.kind]
        check_place(new, parent, self._level_of(parent or ""), unit_id)
        there = self._tree.unit(unit_id)
        if there is not None and is_same(there, new, parent, on) and new.code not in self._new:
            return unit_id
        if there is not None or new.code in self._new:
            raise wrong(
                "code-taken", "code", f"{unit_id} is a unit already.",
                "Codes are never used twice in one era.",
            )  # fmt: skip
        if self._levels[unit_id] == "hamlet":
            if not new.distinct:
                self._ask(new.name_vi, parent or "", on)
            self._named.setdefault(parent or "", []).append((None, new.name_vi))
        self._new[new.code] = unit_id
        data: dict[str, Any] = {
            "unit_id": unit_id,
            "code": new.code,
            "era": NEW,
            "name_vi": new.name_vi,
            "kind": new.kind,
            "from": on.isoformat(),
        }
        if parent is not None:
            data["parent"] = parent
        if new.organisation_kind is not None:
            data["organisation_kind"] = new.organisation_kind
        if new.attributes:
            data["attributes"] = sorted(new.attributes)
        self._add("established", unit_id, on, data)
        self.planned.difference.append(f"+ {unit_id} {new.name_vi} ({new.kind}, in {parent})")
        return unit_id

    def _ask(self, name: str, commune: str, on: date, but: str | None = None) -> None:
        """Ask about a hamlet's name that another one has already, or nearly."""
        found = hamlets_like(self._tree, commune, name, on, but)
        found = [one for one in found if one[0] not in self._ended]
        found += like(name, self._named.get(commune, []))
        if found:
            hint = "if it is another hamlet, say so with `distinct`: true in the change."
            raise asked({name: found}, "/changes/name_vi", hint)

    def _level_of(self, unit_id: str) -> str:
        unit = self._tree.unit(unit_id)
        return unit.level if unit else self._levels.get(unit_id, "")

    def _rename(self, change: Rename) -> None:
        unit = self._unit(change.unit, change.on)
        name, kind = unit.name(change.on), unit.kind(change.on)
        data: dict[str, Any] = {"unit_id": unit.unit_id, "from": change.on.isoformat()}
        if change.name_vi is not None and change.name_vi != nfc(name):
            if unit.level == "hamlet" and not change.distinct:
                self._ask(change.name_vi, unit.parent or "", change.on, unit.unit_id)
            data["name_vi"] = change.name_vi
        if change.kind is not None and change.kind != kind:
            if LEVEL_OF_KIND[change.kind] != unit.level:
                raise wrong(
                    "level-changes",
                    "kind",
                    f"{unit.unit_id} is a {unit.level}; a {change.kind} is not.",
                    "The level of a unit never changes: merge or split it.",
                )
            data["kind"] = change.kind
        if len(data) == 2:
            return
        again = sum(since == change.on for since, _, _ in unit.names[1:])
        self._add("renamed", unit.unit_id, change.on, data, more_of(change.on.isoformat(), again))
        now = f"{data.get('name_vi', name)} ({data.get('kind', kind)})"
        self.planned.difference.append(f"~ {unit.unit_id} {name} ({kind}) -> {now}")

    def _attribute(self, change: Attribute) -> None:
        unit = self._unit(change.unit, change.on)
        before = unit.has(change.attribute, change.on)
        if before is change.value:
            return
        self._say(unit.unit_id, change.attribute, change.value, change.on)
        said = {True: "yes", False: "no", None: "not said"}
        self.planned.difference.append(
            f"~ {unit.unit_id} {unit.name(change.on)}: {change.attribute} {said[before]} ->"
            f" {said[change.value]}"
        )

    def _say(self, unit_id: str, attribute: str, value: bool, on: date) -> None:
        data = {"unit_id": unit_id, "attribute": attribute, "value": value, "from": on.isoformat()}
        unit = self._tree.unit(unit_id)
        again = sum(s == on for s, _ in unit.attributes.get(attribute, [])) if unit else 0
        more = more_of(f"{attribute}-{on.isoformat()}", again)
        self._add("attributed", unit_id, on, data, more)

    def _dissolve(self, unit: Unit, into: list[str], part: str, on: date) -> None:
        if ended_so(unit, on, into):
            return
        below = [u for u in self._tree.children(unit.unit_id) if u.exists(on)]
        if below:
            self.planned.warnings.append(
                f"{len(below)} units below {unit.unit_id} ({below[0].unit_id} ...) stay below it,"
                " though it ends: end them too, and list them anew below what succeeds it"
            )
        data = {
            "unit_id": unit.unit_id,
            "dissolved_on": on.isoformat(),
            "successors": [{"unit_id": other, "part": part} for other in sorted(into)],
        }
        self._add("dissolved", unit.unit_id, on, data)
        self.planned.difference.append(
            f"- {unit.unit_id} {unit.name(on)}: {part} -> {', '.join(sorted(into))}"
        )

    def _add(self, verb: str, unit_id: str, on: date, data: dict[str, Any], more: str = "") -> None:
        """Decided for a day to come, an event still happens today."""
        day = min(on, self._today)
        self.planned.events.append(
            event(
                f"unit.{verb}",
                self._source,
                f"unit-{unit_id}-{verb}{more}",
                unit_id,
                f"{day.isoformat()}T00:00:00+07:00",
                data | self._reference,
            )
        )
