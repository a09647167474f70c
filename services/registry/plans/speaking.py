"""For whom an event speaks. Pure.

Events name whom they are of in words of their own (`reporter`, `organisation`). That is believed where
whoever posted it may speak for that body: at the plan's own level for the organisations that the plan
names there, and below it only for the unit itself and those that it lies in. An organisation that is
a unit of its own speaks for itself alone.
"""

from collections.abc import Container

from shared.domain.tree import UnitTree
from shared.domain.units import Unit

BELOW = {
    "nation": ("province", "district", "commune", "hamlet"),
    "commune": ("hamlet",),
}
"""Levels whose units lead tasks themselves, by the level of the plan's unit; what is not of one of
them is the plan's own level."""
USUAL = ("district", "commune", "hamlet")


def levels_below(plan_unit: Unit | None) -> tuple[str, ...]:
    """The levels below a plan of this unit."""
    return BELOW.get(plan_unit.level if plan_unit is not None else "", USUAL)


def is_top(tree: UnitTree, unit_id: str, below: tuple[str, ...]) -> bool:
    """Whether an event is of the plan's own level: of no commune, hamlet or what lies in one."""
    unit = tree.unit(unit_id)
    while unit is not None:
        if unit.level in below:
            return False
        unit = tree.parent(unit.unit_id) if unit.level == "organisation" else None
    return True


def own_code(tree: UnitTree, unit_id: str) -> str | None:
    """The id under which a plan may know an organisation that is a unit: its code, or what follows
    the point in PROVINCE.ID."""
    unit = tree.unit(unit_id)
    if unit is None or unit.level != "organisation":
        return None
    return unit.code.rpartition(".")[2]


def may_speak(
    tree: UnitTree,
    unit_id: str,
    below: tuple[str, ...],
    organisation: str,
    organisations: Container[str],
) -> bool:
    """Whether an event of a unit is believed to be of one of the plan's organisations."""
    if not is_top(tree, unit_id, below):
        return False
    own = own_code(tree, unit_id)
    return own is None or own not in organisations or own == organisation
