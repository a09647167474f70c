"""Deadlines and due days of plans, as days. Pure."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any


@dataclass(frozen=True)
class Due:
    """One due day: `last_day` is the last day that is still on time."""

    written: date
    exclusive: bool

    @property
    def last_day(self) -> date:
        """`Trước ngày 15` (exclusive) is met on the 14th at the latest."""
        return self.written - timedelta(days=1) if self.exclusive else self.written


def deadline_day(item: dict[str, Any]) -> date | None:
    """The last day of an objective or task that is still on time; None when it has none."""
    if item.get("last_day"):
        return date.fromisoformat(item["last_day"])
    deadline = item.get("deadline")
    if not isinstance(deadline, str):
        return None
    return Due(date.fromisoformat(deadline), bool(item.get("deadline_exclusive"))).last_day


def due_days(obligation: dict[str, Any]) -> list[Due]:
    """All due days of a reporting obligation, oldest first; empty when the plan names none."""
    exclusive = bool(obligation.get("due_exclusive"))
    written = obligation.get("due_dates") or []
    if not written and re.fullmatch(r"\d{4}-\d{2}-\d{2}", obligation.get("due") or ""):
        written = [obligation["due"]]
    return [Due(date.fromisoformat(day), exclusive) for day in sorted(written)]
