"""Who owes a report: the units and organisations that an obligation's words mean. Pure."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from shared.domain.tree import UnitTree
from shared.domain.units import Unit

LEVEL_OF_KIND = {"commune": "commune", "district": "district", "hamlet": "hamlet"}
"""Groups of these kinds are units of the tree; other groups are lists of organisations."""


@dataclass(frozen=True)
class Debtor:
    """One body that owes a report: a unit of the tree, or an organisation that the plan names.

    `listed` False: a group whose members nobody has listed; whether all have reported is unknown.
    """

    id: str
    name_vi: str
    unit_id: str | None = None
    listed: bool = True

    def json(self) -> dict[str, Any]:
        """As shown."""
        named = {"unit_id": self.unit_id} if self.unit_id else {"organisation": self.id}
        return {**named, "name_vi": self.name_vi, "members_listed": self.listed}


def debtors(
    obligation: dict[str, Any], plan: dict[str, Any], units: list[Unit], on: date
) -> list[Debtor]:
    """Everybody who owes it on a day; `units` are the plan's units of that day."""
    organisations = {o["id"]: o for o in plan["organisations"]}
    found: dict[str, Debtor] = {}
    queue = list(obligation["who"])
    seen: set[str] = set()
    while queue:
        name = queue.pop(0)
        if name in seen:
            continue
        seen.add(name)
        organisation = organisations[name]
        level = LEVEL_OF_KIND.get(organisation["kind"])
        if not organisation.get("group"):
            found[name] = Debtor(name, organisation["name_vi"])
        elif organisation.get("members"):
            queue += organisation["members"]
        elif level is not None and any(unit.level == level for unit in units):
            for unit in units:
                if unit.level == level:
                    found[unit.unit_id] = Debtor(unit.unit_id, unit.name(on), unit.unit_id)
        else:
            found[name] = Debtor(name, organisation["name_vi"], listed=False)
    return list(found.values())


def owner_of(
    debtors: list[Debtor], tree: UnitTree, unit_id: str, said: list[str | None]
) -> Debtor | None:
    """Whose report it is: who it names (an organisation's id or name), else the unit it is for.

    `said` is what the event itself names as reporter or sender. An organisation that is a unit of
    its own has the organisation's id as its code, or PROVINCE.ID.
    """
    names = {text for text in said if text}
    for debtor in debtors:
        if debtor.id in names or (debtor.unit_id is None and debtor.name_vi in names):
            return debtor
    unit = tree.unit(unit_id)
    code = unit.code.rpartition(".")[2] if unit else ""
    for debtor in debtors:
        if debtor.unit_id == unit_id or (debtor.unit_id is None and debtor.id == code):
            return debtor
    alone = [d for d in debtors if d.unit_id is None and d.listed]
    above = unit is not None and unit.level not in ("commune", "hamlet", "organisation")
    return alone[0] if above and len(alone) == 1 == len(debtors) else None
