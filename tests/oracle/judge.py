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


def week_or_month(bucket: str, day: date) -> list[date]:
    """All days of the week (Monday to Sunday) or month that holds a day."""

    def same(other: date) -> bool:
        if bucket == "week":
            return other.isocalendar()[:2] == day.isocalendar()[:2]
        return (other.year, other.month) == (day.year, day.month)

    near = [day + timedelta(days=n) for n in range(-31, 32)]
    return [other for other in near if same(other)]


def is_judged(objective: Json, days: list[date]) -> bool:
    """Whether the plan's days cut nothing off a week or month."""
    span = objective["period"]
    first = date.fromisoformat(span["start"])
    if objective["counts_from"] == "date":
        first = max(first, date.fromisoformat(objective["from_date"]))
    return all(first <= day <= date.fromisoformat(span["end"]) for day in days)


def last_judged(objective: Json, bucket: str, day: date) -> date | None:
    """The last day of the last week or month that is over by the end of a day and judged."""
    at = day
    while (day - at).days < 800:
        days = week_or_month(bucket, at)
        if days[-1] <= day and is_judged(objective, days):
            return days[-1]
        at = days[0] - timedelta(days=1)
    return None


def rhythm(complete: Figure | None) -> str:
    if complete is None:
        return "not_judged"
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
