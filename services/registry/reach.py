"""Whose numbers a reader may see: those of the key's own unit, and of all that lies below it.

What is said about units and plans themselves (names, targets, deadlines, denominators) is for every
key. Counts, who has reported, and who owes what are not: they are shown where the key's unit is the
unit asked for, or lies above it. Somebody who names no unit is shown their own.
"""

from datetime import date

from services.registry.access import Visitor
from services.registry.definitions import PlanVersion
from services.registry.plans.territory import area_of, in_plan
from services.registry.state import State
from shared.problems import Problem


def bound_to(visitor: Visitor) -> str | None:
    """The unit_id that the reader's key is bound to; None: all units."""
    return visitor.rights.subtree if visitor.rights is not None else None


def sees(visitor: Visitor, state: State, unit_id: str) -> bool:
    """Whether the numbers of a unit are the reader's to see."""
    bound = bound_to(visitor)
    return bound is None or state.tree.is_within(unit_id, bound)


def sees_all_of(visitor: Visitor, state: State, plan: PlanVersion) -> bool:
    """Whether the reader sees every unit of a plan."""
    return sees(visitor, state, plan.document["unit"])


def reach(
    visitor: Visitor, state: State, plan: PlanVersion, unit: str | None, on: date
) -> str | None:
    """The unit to answer for: the one asked for, else the plan's own (None), else the reader's own.

    Raises `unit-outside-key` where that is not the reader's to see.
    """
    bound = bound_to(visitor)
    if bound is None or (unit is None and sees_all_of(visitor, state, plan)):
        return unit
    if unit is None:
        see_plan(visitor, state, plan)
        return bound
    if not sees(visitor, state, in_plan(state, plan, unit, on).unit_id):
        raise outside(bound)
    return unit


def has_part(visitor: Visitor, state: State, plan: PlanVersion) -> bool:
    """Whether the reader's unit lies within a plan or above it."""
    bound = bound_to(visitor)
    return bound is None or bound in area_of(state, plan) or sees_all_of(visitor, state, plan)


def see_plan(visitor: Visitor, state: State, plan: PlanVersion) -> None:
    """Refuse readers of units that have no part in a plan."""
    if has_part(visitor, state, plan):
        return
    raise Problem(
        "unit-outside-key",
        f"The plan {plan.plan} does not apply to {bound_to(visitor)}, the unit of the key.",
        status=403,
        pointer="/plan",
        hint="Ask for a plan of your own unit: GET /v1/plans.",
    )


def outside(bound: str) -> Problem:
    """The refusal of a unit that is not the reader's."""
    return Problem(
        "unit-outside-key",
        f"The key shows numbers of {bound} and the units below it only.",
        status=403,
        pointer="/unit",
        hint="Ask for your own unit or one below it, or leave `unit` out.",
    )
