"""Which units a table shows: the plan's own territory in the tree of a day. Pure."""

from datetime import date

from services.registry.definitions import PlanVersion
from shared.domain.tree import UnitTree
from shared.domain.units import Unit
from shared.problems import Problem

LEVELS = ("nation", "province", "district", "commune", "hamlet")


def units_of(tree: UnitTree, plan: PlanVersion, top: Unit, level: str, on: date) -> list[Unit]:
    """The units of `level` in `top` that the plan applies to, by code.

    A plan applies to its unit, everything below it, and their successors: Yên Bái's plan covers
    51 of today's 99 communes of Lào Cai. A unit that has ended is shown by what succeeded it.
    """
    if top.level not in LEVELS:
        raise Problem(
            "unit-without-table",
            f"{top.unit_id} ({top.name(on)}) is an organisation; tables are of places.",
            pointer="/unit",
            hint=f"What it does is counted in the place it belongs to: ask for {top.parent}.",
        )
    if LEVELS.index(level) < LEVELS.index(top.level):
        raise Problem(
            "level-above-unit",
            f"{top.unit_id} ({top.name(on)}) is a {top.level}; {level} lies above it.",
            pointer="/level",
            hint=f"Ask for {', '.join(LEVELS[LEVELS.index(top.level) :])}, or for a unit above.",
        )
    scope = plan.document["unit"]
    if top.exists(on):
        found = [top] if top.level == level else tree.descendants(top.unit_id, on, level)
    else:
        found = [
            unit
            for unit in tree.units()
            if unit.level == level and unit.exists(on) and tree.is_within(unit.unit_id, top.unit_id)
        ]
    inside = [unit for unit in found if tree.is_within(unit.unit_id, scope)]
    if found and not inside:
        raise Problem(
            "unit-outside-plan",
            f"The plan {plan.plan} does not apply to {top.unit_id} ({top.name(on)}).",
            pointer="/unit",
            hint=f"Its unit is {scope}; ask for it or a unit below it.",
        )
    return sorted(inside, key=lambda unit: unit.unit_id)


def default_level(tree: UnitTree, top: Unit, on: date) -> str:
    """Where people look first: communes of a province, hamlets of a commune that has listed them."""
    if top.level not in LEVELS:
        return "commune"
    if top.level in ("commune", "hamlet"):
        return "hamlet" if tree.descendants(top.unit_id, on, "hamlet") else top.level
    return "province" if top.level == "nation" else "commune"
