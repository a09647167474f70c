"""The bodies that a plan's words mean: who leads a task, who owes a report. Pure.

A plan names organisations of its own, some of them groups. A group of communes, districts or
hamlets is the plan's units of that level; a group with `members` is its members; of another group
nobody has listed who belongs to it, and it stands as one body that says so.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from shared.domain.tree import UnitTree
from shared.domain.units import Unit

LEVEL_OF_KIND = {"commune": "commune", "district": "district", "hamlet": "hamlet"}
"""Groups of these kinds are units of the tree; other groups are lists of organisations."""


@dataclass(frozen=True)
class Body:
    """A unit of the tree, or an organisation that the plan names.

    `listed` False: a group whose members nobody has listed; whether all of them have acted is
    unknown.
    """

    id: str
    name_vi: str
    unit_id: str | None = None
    listed: bool = True

    def json(self) -> dict[str, Any]:
        """As shown."""
        named = {"unit_id": self.unit_id} if self.unit_id else {"organisation": self.id}
        return {**named, "name_vi": self.name_vi, "members_listed": self.listed}


def bodies(
    names: Iterable[str], organisations: Mapping[str, Any], units: Sequence[Unit], on: date
) -> list[Body]:
    """Every body that some of a plan's organisations are on a day, in the order in which they are
    named; `organisations` by id, `units` the plan's units of that day."""
    found: dict[str, Body] = {}
    queue = list(names)
    seen: set[str] = set()
    while queue:
        name = queue.pop(0)
        if name in seen:
            continue
        seen.add(name)
        organisation = organisations[name]
        level = LEVEL_OF_KIND.get(organisation["kind"])
        if not organisation.get("group"):
            found[name] = Body(name, organisation["name_vi"])
        elif organisation.get("members"):
            queue += organisation["members"]
        elif level is not None and any(unit.level == level for unit in units):
            for unit in units:
                if unit.level == level:
                    found[unit.unit_id] = Body(unit.unit_id, unit.name(on), unit.unit_id)
        else:
            found[name] = Body(name, organisation["name_vi"], listed=False)
    return list(found.values())


def owner_of(
    bodies: list[Body], tree: UnitTree, unit_id: str, said: list[str | None]
) -> Body | None:
    """Whose event it is: whom it names (an organisation's id or name), else the unit it is for.

    `said` is what the event itself names as reporter or sender. An organisation that is a unit of
    its own has the organisation's id as its code, or PROVINCE.ID.
    """
    names = {text for text in said if text}
    for body in bodies:
        if body.id in names or (body.unit_id is None and body.name_vi in names):
            return body
    unit = tree.unit(unit_id)
    code = unit.code.rpartition(".")[2] if unit else ""
    for body in bodies:
        if body.unit_id == unit_id or (body.unit_id is None and body.id == code):
            return body
    alone = [b for b in bodies if b.unit_id is None and b.listed]
    above = unit is not None and unit.level not in ("commune", "hamlet", "organisation")
    return alone[0] if above and len(alone) == 1 == len(bodies) else None
