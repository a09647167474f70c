"""How far a unit is below the pace that its target requires. Pure, in exact fractions."""

from datetime import date
from fractions import Fraction
from typing import Any

from services.registry.tables.model import Cell


def least(target: float, comparator: str | None, whole: int = 1, parts: int = 1) -> int:
    """The smallest count that compares with `target` x `whole` / `parts`; `>` wants more, and of `<=` it is
    the greatest."""
    exact = Fraction(str(target)) * whole / parts
    if comparator == "<=":
        return exact.numerator // exact.denominator
    up = -(-exact.numerator // exact.denominator)
    return up + 1 if comparator == ">" and up == exact else up


def elapsed(objective: dict[str, Any], as_of: date, last: date | None) -> Fraction:
    """The part of the objective's time that is over; 1 when it has no last day or is past it."""
    if last is None or objective.get("recurrence"):
        return Fraction(1)
    first = date.fromisoformat(objective.get("from_date") or objective["period"]["start"])
    whole = max((last - first).days + 1, 1)
    return Fraction(min(max((as_of - first).days + 1, 0), whole), whole)


def shortfall(cell: Cell, objective: dict[str, Any], as_of: date) -> Fraction | None:
    """What is missing to the pace, as a share of what the target requires: 0 is on pace, 1 is
    nothing at all at the end. Of a rhythm: in the last week or month that was whole. None when it
    cannot be compared."""
    judged = cell.judged()
    if judged is None or judged.required is None or judged.value is None:
        return None
    need = judged.required
    if cell.status in ("building", "not_in_operation"):
        return None
    if need <= 0 or judged.met:
        return Fraction(0)
    gone = elapsed(objective, as_of, cell.last_day)
    return max(Fraction(0), gone - Fraction(judged.value, need))
