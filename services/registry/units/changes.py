"""Merging, splitting, renaming, establishing units on a day: what is asked for, as events. Pure.

The unit_id never changes: a renamed unit is the same one, a merged one ends and has a successor.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from services.registry.posting import event
from services.registry.units.catalogue import NEW, CloudEvent
from shared.contracts.tree import LEVEL_OF_KIND, Unit, UnitTree
from shared.problems import Problem

Code = Annotated[str, Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$")]
Name = Annotated[str, Field(min_length=1, max_length=300)]
Kind = Literal[
    "nation", "province", "city", "district", "ward", "commune", "township", "special_zone",
    "hamlet", "organisation",
]  # fmt: skip


class NewUnit(BaseModel):
    """A unit to establish."""

    model_config = ConfigDict(extra="forbid")

    code: Code
    name_vi: Name
    kind: Kind
    organisation_kind: str | None = None
    attributes: list[str] = Field([], max_length=20, description="what it has from its first day")


class Establish(NewUnit):
    """Begin a unit (an organisation, too) below another."""

    op: Literal["establish"]
    parent: str
    on: date


class Rename(BaseModel):
    """Give a unit another name or kind from a day on."""

    model_config = ConfigDict(extra="forbid")

    op: Literal["rename"]
    unit: str
    name_vi: Name | None = None
    kind: Kind | None = None
    on: date


class Merge(BaseModel):
    """Several units become one: a new one, or one of those that are there."""

    model_config = ConfigDict(extra="forbid")

    op: Literal["merge"]
    units: Annotated[list[str], Field(min_length=1, max_length=100)]
    into: NewUnit | str
    on: date


class Split(BaseModel):
    """One unit becomes several; each takes a part."""

    model_config = ConfigDict(extra="forbid")

    op: Literal["split"]
    unit: str
    into: Annotated[list[NewUnit | str], Field(min_length=2, max_length=100)]
    on: date


class Attribute(BaseModel):
    """A unit has, or loses, an attribute from a day on."""

    model_config = ConfigDict(extra="forbid")

    op: Literal["attribute"]
    unit: str
    attribute: str
    value: bool
    on: date


Change = Annotated[Establish | Rename | Merge | Split | Attribute, Field(discriminator="op")]


@dataclass
class Planned:
    """The events of some changes, in the order in which they must be written, and in words."""

    events: list[CloudEvent] = field(default_factory=list)
    difference: list[str] = field(default_factory=list)


class Planner:
    """Turns changes into events against the tree as it is."""

    def __init__(self, tree: UnitTree, source: str, today: date, source_ref: str | None) -> None:
        self.planned = Planned()
        self._tree = tree
        self._source = source
        self._today = today
        self._reference = {"source_ref": source_ref} if source_ref else {}
        self._new: dict[str, str] = {}

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
            units = [self._unit(code, change.on) for code in change.units]
            into = self._target(change.into, units[0], change.on)
            for unit in units:
                if unit.unit_id != into:
                    self._dissolve(unit, [into], "whole", change.on)
        else:
            unit = self._unit(change.unit, change.on)
            parts = [self._target(part, unit, change.on) for part in change.into]
            if unit.unit_id in parts:
                raise _wrong("A unit cannot be split into itself.", "Establish only the new part.")
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
            raise _wrong(f"{unit_id} was never established.", "Check the code.")
        into = [
            self._new.get(code, code if "@" in code else f"{code}@{NEW}") for code in successors
        ]
        if unit.valid_to is not None:
            if (unit.valid_to, {s.unit_id for s in unit.successors}) != (on, set(into)):
                raise _wrong(
                    f"{unit_id} ended on {unit.valid_to.isoformat()} already, otherwise than"
                    " this line says.",
                    "Correct the event that ended it, or the file.",
                )
            return
        for other in into:
            found = self._tree.unit(other)
            there = found.exists(on) if found else other in self._new.values()
            if other == unit_id or not there:
                raise _wrong(
                    f"{other} cannot succeed {unit_id}: it is the same, or not there on that day.",
                    "Name units of that day.",
                )
        self._dissolve(unit, into, "whole" if len(into) == 1 else "part", on)

    def _unit(self, code: str, on: date) -> Unit:
        found = self._tree.unit(code) if "@" in code else self._tree.resolve(code, on)
        if found is None:
            found = self._tree.resolve(code, on)
        if not found.exists(on):
            raise _wrong(
                f"{found.unit_id} does not exist on {on.isoformat()}.",
                "Check the unit and the day.",
            )
        return found

    def _target(self, into: NewUnit | str, like: Unit, on: date) -> str:
        if isinstance(into, str):
            known = self._new.get(into)
            return known or self._unit(into, on).unit_id
        return self._establish(into, like.parent, on)

    def _establish(self, new: NewUnit, parent: str | None, on: date) -> str:
        unit_id = f"{new.code}@{NEW}"
        if self._tree.unit(unit_id) is not None or new.code in self._new:
            raise _wrong(f"{unit_id} is a unit already.", "Codes are never used twice in one era.")
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

    def _rename(self, change: Rename) -> None:
        unit = self._unit(change.unit, change.on)
        name, kind = unit.name(change.on), unit.kind(change.on)
        data: dict[str, Any] = {"unit_id": unit.unit_id, "from": change.on.isoformat()}
        if change.name_vi is not None and change.name_vi != name:
            data["name_vi"] = change.name_vi
        if change.kind is not None and change.kind != kind:
            if LEVEL_OF_KIND[change.kind] != unit.level:
                raise _wrong(
                    f"{unit.unit_id} is a {unit.level}; a {change.kind} is not.",
                    "The level of a unit never changes: merge or split it.",
                )
            data["kind"] = change.kind
        if len(data) == 2:
            return
        self._add("renamed", unit.unit_id, change.on, data, f"-{change.on.isoformat()}")
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
        self._add("attributed", unit_id, on, data, f"-{attribute}-{on.isoformat()}")

    def _dissolve(self, unit: Unit, into: list[str], part: str, on: date) -> None:
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


def _wrong(detail: str, hint: str) -> Problem:
    return Problem("change-impossible", detail, pointer="/changes", hint=hint)
