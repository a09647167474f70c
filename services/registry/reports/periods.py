"""The periods of an obligation, each with its due day where the plan names one. Pure.

A period is named as people write it: 2026-W27, 2026-06, 2026-Q2, 2026-H1, 2026, or `once`; what is
asked for outside the rhythm is named by its request. Four days are kept apart: the period itself,
the day on which its figures close, the day on which they are known (when the report is confirmed),
and the day on which it is due.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from shared.domain.deadlines import Due, due_days

MONTHS = {"monthly": 1, "quarterly": 3, "every_3_months": 3, "half_yearly": 6, "yearly": 12}
WATCHED = "continuous"
"""Work without end: looked at by quarter, due on no day."""
PERIODIC = frozenset({"once", "weekly", WATCHED, *MONTHS})
"""Cadences that have periods; the others (ad hoc, on request, not said) have none of their own."""

MIDDLE = 14
"""Figures of a state body's periodic report run to the 14th of its last month and begin on the 15th
before it (Nghị định 09/2019/NĐ-CP, Điều 12), unless the regime says otherwise."""


@dataclass(frozen=True)
class Period:
    """One period; `due` None: the plan names no day for it. Figures run from `figures_from` to
    `closing_day`, both included."""

    id: str
    start: date
    end: date
    due: Due | None
    figures_from: date
    closing_day: date
    request: "Request | None" = None

    @property
    def last_day(self) -> date | None:
        """The last day that is on time."""
        return self.due.last_day if self.due else None


@dataclass(frozen=True)
class Request:
    """A report that somebody has asked for: who asks, of whom (nobody named: all who owe it), what
    about, until when."""

    id: str
    asked_on: date
    last_day: date
    who: tuple[str, ...] = ()
    requested_by: str | None = None
    subject_matter: str | None = None
    document_ref: str | None = None
    revised: int = 0
    """Grows with corrections of the request, and when it is asked again."""
    first: int = 0
    """The position of the first event that asked for it."""


def periods(
    obligation: dict[str, Any],
    plan: dict[str, Any],
    requests: Sequence[Request] = (),
    *,
    party: bool = False,
) -> list[Period]:
    """Every period of an obligation, oldest first, within its window or its plan's period, then
    those asked for. `party`: a Party body owes it, which the decree on state bodies' reports does
    not bind."""
    window = obligation.get("window") or plan["period"]
    start, end = date.fromisoformat(window["start"]), date.fromisoformat(window["end"])
    dues = due_days(obligation)
    cadence = obligation["cadence"]
    asked = [
        Period(r.id, r.asked_on, r.last_day, Due(r.last_day, False), start, r.asked_on, r)
        for r in sorted(requests, key=lambda r: (r.asked_on, r.id))
    ]
    if cadence not in PERIODIC and len(dues) > 1:
        return [*_times(dues, start, end), *asked]
    if cadence == "once" or (cadence not in PERIODIC and dues):
        due = last(dues)
        closing = min(end, due.last_day) if due else end
        whole = max([end, *(d.written for d in dues)])
        return [Period("once", start, whole, due, start, closing), *asked]
    if cadence == "weekly":
        spans = list(weeks(start, end))
    elif cadence in MONTHS or cadence == WATCHED:
        spans = list(months(start, end, MONTHS.get(cadence, 3)))
    else:
        return asked
    found = []
    owed = _dues_of(spans, dues)
    for name, first, final in spans:
        due = last(owed.get(name, []))
        opens, closing = first, final
        if cadence in MONTHS and not party:
            opens, closing = _middle(first), final.replace(day=MIDDLE)
        if due is not None:
            closing = min(closing, due.last_day)
        found.append(Period(name, first, final, due, opens, closing))
    return found + asked


def _times(dues: list[Due], start: date, end: date) -> list[Period]:
    """What has several due days and no rhythm (a review in the middle and one at the end): a time
    for each, from the day after the one before."""
    found = []
    for number, due in enumerate(dues, 1):
        final = max(due.written, end) if due is dues[-1] else due.written
        found.append(Period(f"dot-{number}", start, final, due, start, due.last_day))
        start = final + timedelta(days=1)
    return found


def _dues_of(spans: list[tuple[str, date, date]], dues: list[Due]) -> dict[str, list[Due]]:
    """The due days of each period. One in the first two fifths of a period (the 5th of the next
    month) is of the period before: its own has hardly begun."""
    found: dict[str, list[Due]] = {}
    for due in dues:
        for index, (name, first, final) in enumerate(spans):
            if due.written > final and index < len(spans) - 1:
                continue
            early = (due.written - first).days * 5 < ((final - first).days + 1) * 2
            if early and index > 0 and first <= due.written <= final:
                name = spans[index - 1][0]
            found.setdefault(name, []).append(due)
            break
    return found


def _middle(first: date) -> date:
    """The 15th of the month before a period begins."""
    return (first - timedelta(days=1)).replace(day=MIDDLE + 1)


def last(dues: list[Due]) -> Due | None:
    """The latest of some due days."""
    return max(dues, key=lambda due: due.written, default=None)


def containing(found: list[Period], day: date) -> Period | None:
    """The period a day lies in."""
    return next((p for p in found if p.start <= day <= p.end), None)


def weeks(start: date, end: date) -> Iterator[tuple[str, date, date]]:
    """Calendar weeks (Monday to Sunday, ISO 8601) that touch the span, each whole."""
    monday = start - timedelta(days=start.weekday())
    while monday <= end:
        year, week, _ = monday.isocalendar()
        yield f"{year}-W{week:02}", monday, monday + timedelta(days=6)
        monday += timedelta(days=7)


def months(start: date, end: date, length: int) -> Iterator[tuple[str, date, date]]:
    """Calendar months, quarters, half-years or years that touch the span, each whole."""
    year, month = start.year, (start.month - 1) // length * length + 1
    while date(year, month, 1) <= end:
        following = date(year + (month + length > 12), (month + length - 1) % 12 + 1, 1)
        part = (month - 1) // length + 1
        names = {1: f"{year}-{month:02}", 3: f"{year}-Q{part}", 6: f"{year}-H{part}", 12: str(year)}
        yield names[length], date(year, month, 1), following - timedelta(days=1)
        year, month = following.year, following.month
