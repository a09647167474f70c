"""When a task is to be done: once, or again and again. Pure.

An occurrence is named as people write it (2026-W27, 2026-06, 2026-Q2, 2026), or `once`. Weeks,
months and quarters that the plan's period cuts are shown and not judged.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from services.registry.reports.periods import months, weeks
from shared.domain.closing import Closing
from shared.domain.deadlines import deadline_day

Json = dict[str, Any]

ONCE = "once"
LENGTH = {"month": 1, "quarter": 3}
JUDGED = "month"
"""How long an occurrence of continuous work is, where its closing does not say."""
MAINTAINED = "quarter"
"""The same of work that goes on after it was first to be done."""


@dataclass(frozen=True)
class Occurrence:
    """One time that a task is to be done. Events count from `start` on, in time until `last_day`;
    after it they prove it late. `last_day` None: nobody has set off its term yet. `judged` False:
    the plan's period cuts it, so nobody is late."""

    id: str
    start: date
    end: date
    last_day: date | None
    judged: bool = True


def occurrences(
    task: Json, plan: Json, closing: Closing, issued: Mapping[str, date], shifted: date | None
) -> list[Occurrence]:
    """Every occurrence of a task, oldest first; at least one.

    `issued`: when central documents were issued that start terms, by the name the plan gives them.
    `shifted`: a later last day that the task's objectives grant (schools).
    """
    period = plan["period"]
    own = task.get("period") or period
    start, end = date.fromisoformat(own["start"]), date.fromisoformat(own["end"])
    last = date.fromisoformat(period["end"])
    deadline = task.get("deadline")
    rhythm = deadline.get("recurring") if isinstance(deadline, dict) else None
    if isinstance(deadline, dict) and "relative" in deadline:
        return [_relative(deadline["relative"], start, end, issued)]
    if rhythm == "weekly":
        return _cut(weeks(start, end), start, end)
    if rhythm == "monthly":
        return _cut(months(start, end, 1), start, end)
    if rhythm == "yearly" and isinstance(deadline, dict):
        return _yearly(deadline, start, end)
    if closing.repeats and (closing.judged is not None or rhythm == "continuous"):
        return _cut(months(start, end, LENGTH[closing.judged or JUDGED]), start, end)
    written = deadline_day(task)
    due = max(filter(None, (written, shifted)), default=None) if written else None
    once = Occurrence(ONCE, start, max(end, due or end), due or last)
    if task.get("deadline_then") != "continuous" or due is None or not closing.repeats:
        return [once]
    # "Hoàn thành trước ngày ... và duy trì thường xuyên": first once, then by period to the end.
    after = due + timedelta(days=1)
    spans = months(after, last, LENGTH[closing.judged or MAINTAINED])
    return [once, *(one for one in _cut(spans, after, last) if one.judged)]


def shifted(task: Json, plan: Json) -> date | None:
    """The later last day that all objectives of a task grant (schools, Đắk Lắk III.6)."""
    named = {o["id"]: o for o in plan["objectives"]}
    extensions = [named[n].get("extension") for n in task.get("objectives") or ()]
    if not extensions or not all(extensions):
        return None
    return max(date.fromisoformat(one["last_day"]) for one in extensions if one is not None)


def _relative(term: Json, start: date, end: date, issued: Mapping[str, date]) -> Occurrence:
    began = issued.get(term["document"])
    if began is None:
        return Occurrence(ONCE, start, end, None)
    return Occurrence(ONCE, began, end, began + timedelta(days=term["within_days"]))


def _cut(spans: Any, start: date, end: date) -> list[Occurrence]:
    return [
        Occurrence(name, first, final, final, judged=start <= first and final <= end)
        for name, first, final in spans
    ]


def _yearly(deadline: Json, start: date, end: date) -> list[Occurrence]:
    """A year; or of each year the month that the plan names, with its own day where there is one
    (Ngày Chuyển đổi số quốc gia 10/10: what is held later in October is late)."""
    found = []
    for name, first, final in months(start, end, 12):
        due = min(final, end)
        if "on" in deadline or "month" in deadline:
            month, _, day = str(deadline.get("on") or deadline["month"]).partition("-")
            ((_, first, final),) = months(
                date(first.year, int(month), 1), date(first.year, int(month), 1), 1
            )
            # 29/2 is the last of February in other years.
            due = final.replace(day=min(int(day), final.day)) if day else final
            if not start <= due <= end:
                continue
        found.append(Occurrence(name, max(first, start), min(final, end), due))
    return found
