"""Which units a table shows: the plan's own territory in the tree of a day. Pure."""

from datetime import date

from shared.domain.plan_history import PlanVersion
from shared.domain.territory import covered
from shared.domain.tree import UnitTree
from shared.domain.units import Unit
from shared.problems import Problem

LEVELS = ("nation", "province", "district", "commune", "hamlet")


def units_of(tree: UnitTree, plan: PlanVersion, top: Unit, level: str, on: date) -> list[Unit]:
    """The units of `level` in `top` that the plan applies to, by code.

    A plan applies to its unit, everything below it, and their successors: Yên Bái's plan covers
    51 of today's 99 communes of Lào Cai. Of a unit that has ended what it covers today is shown.
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
    if top.level == level:
        found = [top]  # also where it has ended: its cell is its own, not of what took it in
    elif top.exists(on):
        found = tree.descendants(top.unit_id, on, level)
    else:
        below = (tree.unit(unit_id) for unit_id in covered(tree, top.unit_id))
        found = [u for u in below if u is not None and u.level == level and u.exists(on)]
    area = covered(tree, scope)
    inside = [unit for unit in found if unit.unit_id in area]
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
