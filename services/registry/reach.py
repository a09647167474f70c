"""Whose numbers a reader may see: those of the key's own unit, and of all that lies below it.

What is said about units and plans themselves (names, targets, deadlines, denominators) is for every
key. Counts, who has reported, and who owes what are not: they are shown where the key's unit is the
unit asked for, or lies above it. A key of a unit that has ended goes on showing what was part of it,
under the names that this has now, and nothing of the unit that took it in besides. Somebody who names no unit is shown their own.
"""

from datetime import date

from services.registry.plans.territory import area_of, covered_by, in_plan
from services.registry.state import State
from shared.auth import Principal
from shared.domain.plan_history import PlanVersion
from shared.problems import Problem


def bound_to(principal: Principal) -> str | None:
    """The unit_id that the reader's key is bound to; None: all units."""
    return principal.subtree


def can_read(principal: Principal, state: State, unit_id: str) -> bool:
    """Whether the numbers of a unit are the reader's to see."""
    bound = bound_to(principal)
    return bound is None or unit_id in covered_by(state, bound)


def can_read_plan(principal: Principal, state: State, plan: PlanVersion) -> bool:
    """Whether the reader sees every unit of a plan."""
    return can_read(principal, state, plan.document["unit"])


def authorize_unit(
    principal: Principal, state: State, plan: PlanVersion, unit: str | None, on: date
) -> str | None:
    """The unit to answer for: the one asked for, else the plan's own (None), else the reader's own.

    Raises `unit-outside-key` where that is not the reader's to see.
    """
    bound = bound_to(principal)
    if bound is None or (unit is None and can_read_plan(principal, state, plan)):
        return unit
    if unit is None:
        see_plan(principal, state, plan)
        return bound
    if not can_read(principal, state, in_plan(state, plan, unit, on).unit_id):
        raise outside(bound)
    return unit


def has_part(principal: Principal, state: State, plan: PlanVersion) -> bool:
    """Whether the reader's unit lies within a plan or above it."""
    bound = bound_to(principal)
    return bound is None or bound in area_of(state, plan) or can_read_plan(principal, state, plan)


def see_plan(principal: Principal, state: State, plan: PlanVersion) -> None:
    """Refuse readers of units that have no part in a plan."""
    if has_part(principal, state, plan):
        return
    raise Problem(
        "unit-outside-key",
        f"The plan {plan.plan} does not apply to {bound_to(principal)}, the unit of the key.",
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
