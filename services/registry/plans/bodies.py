"""The bodies that a plan's words mean: who leads a task, who owes a report. Pure.

A plan names organisations of its own, some of them groups. A group with `members` is its members.
Another group is what its kind says: one body for each unit of a level (communes, their Party
committees), or the plan's own organisations of that kind and those that are registered as units, from
the day on which they are. Where that finds nobody, or fewer than the plan counts, nobody has listed
who belongs to it, and it stands as a body that says so.
"""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.registry.plans.speaking import is_top, may_speak, own_code
from shared.domain.tree import UnitTree
from shared.domain.units import Unit

LEVEL_OF_KIND = {
    "province": "province",
    "province_authority": "province",
    "province_party_committee": "province",
    "district": "district",
    "district_party_committee": "district",
    "commune": "commune",
    "commune_party_committee": "commune",
    "commune_mass_organisation": "commune",
    "hamlet": "hamlet",
}
"""Groups of these kinds are one body for each unit of a level, which reports as that unit; other
groups are lists of organisations."""
ABOLISHED = {"district": date(2025, 7, 1)}
"""Levels that there are no more from a day on: then nobody is such a group (two tiers since July 2025)."""
CALLED = {
    "province_party_committee": "Tỉnh ủy, thành ủy {}",
    "district_party_committee": "Huyện ủy, thị ủy, thành ủy {}",
    "commune_party_committee": "Đảng ủy {}",
    "commune_mass_organisation": "Mặt trận Tổ quốc và đoàn thể {}",
}
"""What such a body is called, by the name of its unit."""
REGISTERED = {
    "department": "department",
    "ward_office": "department",
    "school": "school",
    "enterprise": "enterprise",
    "service_centre": "service_centre",
    "association": "association",
    "mass_organisation": "association",
}
"""Kinds whose organisations may be registered as units: (kind in a plan) -> organisation_kind."""


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
        if not organisation.get("group"):
            found[name] = Body(name, organisation["name_vi"])
        elif organisation.get("members"):
            queue += organisation["members"]
        else:
            members = list(_of_kind(organisation["kind"], organisations, units, on))
            found |= {body.id: body for body in members}
            if organisation.get("includes_itself"):
                found[name] = Body(name, organisation["name_vi"])
            elif not members and on >= ABOLISHED.get(
                LEVEL_OF_KIND.get(organisation["kind"], ""), date.max
            ):
                continue
            elif not members or len(members) < _counted(organisation):
                found[name] = Body(name, organisation["name_vi"], listed=False)
    return list(found.values())


def _counted(organisation: Mapping[str, Any]) -> int:
    """How many the plan counts, where that stays so: communes merge, their list is the tree's."""
    if organisation["kind"] in LEVEL_OF_KIND:
        return 0
    return int(organisation.get("count", 0))


def _of_kind(
    kind: str, organisations: Mapping[str, Any], units: Sequence[Unit], on: date
) -> Iterator[Body]:
    level = LEVEL_OF_KIND.get(kind)
    if level is not None:
        called = CALLED.get(kind, "{}")
        for unit in units:
            if unit.level == level:
                yield Body(unit.unit_id, called.format(unit.name(on)), unit.unit_id)
        return
    named = {
        id: Body(id, one["name_vi"])
        for id, one in organisations.items()
        if one["kind"] == kind and not one.get("group")
    }
    yield from named.values()
    if kind not in REGISTERED:
        return
    for unit in units:
        of_kind = unit.facts.get("organisation_kind") == REGISTERED[kind]
        known = unit.code.rpartition(".")[2] in named
        if unit.level == "organisation" and of_kind and not known:
            yield Body(unit.unit_id, unit.name(on), unit.unit_id)


def owner_of(
    bodies: list[Body],
    tree: UnitTree,
    unit_id: str,
    said: list[str | None],
    below: tuple[str, ...],
    organisations: Container[str],
) -> Body | None:
    """Whose event it is: whom it names (an organisation's id or name), if its unit may speak for
    that body, else the unit it is for. Nobody's where it names a body for which it may not speak.

    `said` is what the event itself names as reporter or sender; `below` the levels below the plan's
    own, `organisations` all that the plan names. An organisation that is a unit of its own has the
    organisation's id as its code, or PROVINCE.ID.
    """
    names = {text for text in said if text}
    top = is_top(tree, unit_id, below)
    for body in bodies:
        if body.unit_id is not None and body.id in names:
            within = [unit_id, *(above.unit_id for above in tree.ancestors(unit_id))]
            return body if top or body.unit_id in within else None
        if body.unit_id is None and names & {body.id, body.name_vi}:
            return body if may_speak(tree, unit_id, below, body.id, organisations) else None
    code = own_code(tree, unit_id)
    for body in bodies:
        if body.unit_id == unit_id or (body.unit_id is None and body.id == code and top):
            return body
    alone = [b for b in bodies if b.unit_id is None and b.listed]
    return alone[0] if top and code is None and len(alone) == 1 else None
