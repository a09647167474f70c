"""How far a unit is below the pace that its target requires. Pure, in exact fractions."""

from datetime import date
from fractions import Fraction
from typing import Any

from services.registry.tables.model import Cell
from shared.domain.deadlines import deadline_day


def required(cell: Cell) -> int | None:
    """The count that meets the cell's target; None when the denominator is not known."""
    if cell.target is None:
        return None
    target = Fraction(str(cell.target))
    if cell.target_unit == "count" or cell.target_unit is None:
        return -(-target.numerator // target.denominator)
    if cell.denominator is None:
        return None
    need = target * cell.denominator / 100
    return -(-need.numerator // need.denominator)


def elapsed(objective: dict[str, Any], as_of: date) -> Fraction:
    """The part of the objective's time that is over; 1 when it has no last day or is past it."""
    last = deadline_day(objective)
    if last is None or objective.get("recurrence"):
        return Fraction(1)
    first = date.fromisoformat(objective.get("from_date") or objective["period"]["start"])
    whole = max((last - first).days + 1, 1)
    return Fraction(min(max((as_of - first).days + 1, 0), whole), whole)


def shortfall(cell: Cell, objective: dict[str, Any], as_of: date) -> Fraction | None:
    """What is missing to the pace, as a share of what the target requires: 0 is on pace, 1 is
    nothing at all at the end. None when it cannot be compared."""
    need = required(cell)
    if need is None or cell.value is None or cell.status in ("building", "not_in_operation"):
        return None
    if need <= 0 or cell.met:
        return Fraction(0)
    return max(Fraction(0), elapsed(objective, as_of) - Fraction(cell.value, need))
