"""All units that a plan speaks of, today's and former ones."""

from datetime import date

from services.registry.definitions import PlanVersion
from services.registry.state import State
from shared.domain.tree import UnitTree
from shared.domain.units import Unit
from shared.problems import Problem

BELOW = ("hamlet", "organisation")


def territory(tree: UnitTree, top: str) -> frozenset[str]:
    """unit_ids of `top`, everything that ever lay below it, and what succeeded any of these.

    What lies below a successor belongs only if it is a hamlet or an organisation of a commune: of
    Lào Cai, which succeeded Yên Bái among others, 51 communes are the plan's, and 48 are not.
    """
    found: set[str] = set()
    stack = [(top, True)]
    whole: set[str] = set()
    while stack:
        unit_id, below = stack.pop()
        unit = tree.unit(unit_id)
        if unit is None or unit_id in whole or (unit_id in found and not below):
            continue
        found.add(unit_id)
        if below:
            whole.add(unit_id)
        stack += [(s.unit_id, False) for s in unit.successors]
        for child in tree.children(unit_id):
            if below or (unit.level == "commune" and child.level in BELOW):
                stack.append((child.unit_id, True))
    return frozenset(found)


def area_of(state: State, plan: PlanVersion) -> frozenset[str]:
    """The plan's territory; made once per state of the definitions."""
    key = ("territory", state.definitions.position, plan.document["unit"])
    known: frozenset[str] | None = state.places.get(key)
    if known is None:
        known = state.places[key] = territory(state.tree, plan.document["unit"])
    return known


def in_plan(state: State, plan: PlanVersion, code: str, on: date) -> Unit:
    """The unit of a code or code@era, if the plan applies to it."""
    own = plan.document["unit"]
    found = state.unit(own if code == own.partition("@")[0] else code, on)
    if found.unit_id not in area_of(state, plan):
        raise Problem(
            "unit-outside-plan",
            f"The plan {plan.plan} does not apply to {found.unit_id}.",
            pointer="/unit",
            hint=f"Its unit is {own}; ask for it or a unit below it.",
        )
    return found
