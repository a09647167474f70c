"""The occurrences of a duty that a report can be drafted for. Pure.

A duty with periods has those; one without (ad hoc, not said) is reported as of any day, and the
occurrence is named by it.
"""

import re
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from services.registry.reports.answering import REPORTS
from services.registry.reports.periods import PERIODIC, Period

AHEAD = timedelta(days=10)
"""How long before a report is due its draft is listed."""


def of_day(document: dict[str, Any], day: date) -> Period:
    """The occurrence of a duty without periods: from the plan's first day to `day`."""
    start = date.fromisoformat(document["period"]["start"])
    return Period(day.isoformat(), start, day, None, start, day)


def find(
    duty: dict[str, Any], document: dict[str, Any], spans: Sequence[Period], name: str, today: date
) -> Period | None:
    """The occurrence of this name; None where the duty has none of it."""
    found = next((p for p in spans if p.id == name), None)
    if (
        found is not None
        or duty["cadence"] in PERIODIC
        or not re.fullmatch(r"\d{4}-\d\d-\d\d", name)
    ):
        return found
    try:
        day = date.fromisoformat(name)
    except ValueError:
        return None
    return of_day(document, day) if document["period"]["start"] <= name and day <= today else None


def before(spans: Sequence[Period], period: Period, document: dict[str, Any]) -> date | None:
    """The closing day of the report before this one; None for the first."""
    start = date.fromisoformat(document["period"]["start"])
    closed = [p.closing_day for p in spans if p.request is None and p.end < period.end]
    day = max((d for d in closed if start <= d < period.closing_day), default=None)
    return day


def as_of(period: Period, document: dict[str, Any], today: date) -> tuple[date, bool]:
    """The day of the figures, and whether they are provisional: until they have closed, yesterday's."""
    yesterday = today - timedelta(days=1)
    if period.closing_day <= yesterday:
        return period.closing_day, False
    start = date.fromisoformat(document["period"]["start"])
    return max(min(yesterday, period.closing_day), start), True


def listed(period: Period, today: date) -> bool:
    """Whether its draft is to be looked at: ten days before it is due, or before its figures close."""
    last = period.last_day or period.closing_day
    return last - AHEAD <= today


def feeding(document: dict[str, Any], duty: dict[str, Any], author: str) -> list[dict[str, Any]]:
    """The duties whose reports an author gathers into this one: those that come to it or through it, in
    the same rhythm; what it owes itself is none of them."""
    return [
        other
        for other in document["reporting"]
        if author in (*(other.get("to") or ()), *(other.get("via") or ()))
        and other["event"] in REPORTS
        and other["cadence"] == duty["cadence"]
        and author not in other["who"]
    ]
