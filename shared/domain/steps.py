"""Targets that rise in steps, and numbers handed down to units: what holds for a unit on a day. Pure.

`target.course` names the steps, each with its last day; the last one is the target's own value. On
a day the step holds whose last day is not over yet, and after all of them the last one.
`target.shares` names the number of each unit to which a plain number is handed down.
"""

from datetime import date
from typing import Any

Json = dict[str, Any]


def course_of(raw: Json) -> list[tuple[date, Any]]:
    """The steps of an objective's target, by their last days; none for a target that stays."""
    steps = raw["target"].get("course") or ()
    return [(date.fromisoformat(step["by"]), step["value"]) for step in steps]


def on_day(raw: Json, day: date) -> Json:
    """The objective with the step that holds on a day as its target, and its last day."""
    course = course_of(raw)
    if not course:
        return raw
    by, value = next((step for step in course if step[0] >= day), course[-1])
    return _with(raw, by, value)


def steps_before(raw: Json) -> list[Json]:
    """Of an objective read on a day: how it read in each step that was over by then."""
    course, last = course_of(raw), raw.get("last_day")
    return [_with(raw, by, value) for by, value in course if last and by.isoformat() < last]


def step_before(raw: Json) -> tuple[date, Any] | None:
    """Last day and value of the step before the one that holds."""
    last = raw.get("last_day")
    over = [step for step in course_of(raw) if last and step[0].isoformat() < last]
    return over[-1] if over else None


def share_of(raw: Json, unit_id: str | None) -> Json:
    """The objective as it is handed down to a unit; for others, and where the unit was given
    another number since, as it is."""
    shares = raw["target"].get("shares") or {}
    if unit_id not in shares or raw["target"]["value"] != sum(shares.values()):
        return raw
    return {**raw, "target": {**raw["target"], "value": shares[unit_id]}}


def _with(raw: Json, by: date, value: Any) -> Json:
    day = by.isoformat()
    last = raw.get("last_day")
    if day == last and value == raw["target"]["value"]:
        return raw
    dated = {"last_day": day}
    if day != last:
        dated["deadline"] = day
    kept = {k: v for k, v in raw.items() if day == last or k != "deadline_exclusive"}
    return {**kept, **dated, "target": {**raw["target"], "value": value}}
