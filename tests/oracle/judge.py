"""What a count means on a day: met, on track, behind. Part of the oracle: from the design's words."""

import math
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Figure:
    """A count over what, whether that is enough, the least that is, and whether there is a target."""

    value: int
    whole: int | None
    met: bool | None
    needed: int | None = None
    target: bool = False


def last_complete(bucket: str, day: date) -> date:
    """The last day of the last week (Sunday) or month that is over by the end of a day."""
    while (day.weekday() != 6) if bucket == "week" else ((day + timedelta(days=1)).day != 1):
        day -= timedelta(days=1)
    return day


def rhythm(objective: Json, complete: Figure, ended: date) -> str:
    if ended < date.fromisoformat(objective["period"]["start"]):
        return "on_track"
    return "unknown" if complete.met is None else "met" if complete.met else "behind"


def judged(objective: Json, figure: Figure, as_of: date) -> tuple[str, int | None]:
    """Met, on track, behind, overdue, unknown; and how many per week from tomorrow on."""
    if not figure.target:
        return "no_target", None
    if figure.met is None:
        return "unknown", None
    if figure.met:
        return "met", 0
    if objective.get("last_day") is None:
        return "behind", None
    last = date.fromisoformat(objective["last_day"])
    if as_of > last:
        return "overdue", None
    first = date.fromisoformat(objective["period"]["start"])
    days, gone = (last - first).days + 1, max(0, (as_of - first).days + 1)
    needed = figure.needed or 0
    status = "on_track" if figure.value * days >= needed * gone else "behind"
    left = (last - as_of).days
    return status, math.ceil(Fraction(7 * (needed - figure.value), left)) if left else None


def least(numerator: int, parts: int, sign: str) -> int:
    """The smallest whole number that is enough."""
    exact = Fraction(numerator, parts)
    return math.floor(exact) + 1 if sign == ">" else math.ceil(exact)


def compare(left: int, sign: str, right: int) -> bool:
    return left > right if sign == ">" else left >= right
