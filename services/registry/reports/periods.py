"""The periods of an obligation, each with its due day where the plan names one. Pure.

A period is named as people write it: 2026-W27, 2026-06, 2026-Q2, 2026-H1, 2026, or `once`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from shared.domain.deadlines import Due, due_days

MONTHS = {"monthly": 1, "quarterly": 3, "every_3_months": 3, "half_yearly": 6, "yearly": 12}
PERIODIC = frozenset({"once", "weekly", *MONTHS})
"""Cadences that have periods; the others (continuous, ad hoc, on request, not said) have none."""


@dataclass(frozen=True)
class Period:
    """One period; `due` None: the plan names no day for it."""

    id: str
    start: date
    end: date
    due: Due | None

    @property
    def last_day(self) -> date | None:
        """The last day that is on time."""
        return self.due.last_day if self.due else None


def periods(obligation: dict[str, Any], plan: dict[str, Any]) -> list[Period]:
    """Every period of an obligation, oldest first, within its window or its plan's period."""
    window = obligation.get("window") or plan["period"]
    start, end = date.fromisoformat(window["start"]), date.fromisoformat(window["end"])
    dues = due_days(obligation)
    cadence = obligation["cadence"]
    if cadence == "once" or (cadence not in PERIODIC and dues):
        return [Period("once", start, max([end, *(d.written for d in dues)]), last(dues))]
    if cadence == "weekly":
        spans = list(_weeks(start, end))
    elif cadence in MONTHS:
        spans = list(_months(start, end, MONTHS[cadence]))
    else:
        return []
    return [
        Period(name, first, final, last([d for d in dues if first <= d.written <= final]))
        for name, first, final in spans
    ]


def last(dues: list[Due]) -> Due | None:
    """The latest of some due days."""
    return max(dues, key=lambda due: due.written, default=None)


def containing(found: list[Period], day: date) -> Period | None:
    """The period a day lies in."""
    return next((p for p in found if p.start <= day <= p.end), None)


def _weeks(start: date, end: date) -> Iterator[tuple[str, date, date]]:
    monday = start - timedelta(days=start.weekday())
    while monday <= end:
        year, week, _ = monday.isocalendar()
        yield f"{year}-W{week:02}", monday, monday + timedelta(days=6)
        monday += timedelta(days=7)


def _months(start: date, end: date, length: int) -> Iterator[tuple[str, date, date]]:
    """Calendar months, quarters, half-years or years that touch the span, each whole."""
    year, month = start.year, (start.month - 1) // length * length + 1
    while date(year, month, 1) <= end:
        following = date(year + (month + length > 12), (month + length - 1) % 12 + 1, 1)
        part = (month - 1) // length + 1
        names = {1: f"{year}-{month:02}", 3: f"{year}-Q{part}", 6: f"{year}-H{part}", 12: str(year)}
        yield names[length], date(year, month, 1), following - timedelta(days=1)
        year, month = following.year, following.month
