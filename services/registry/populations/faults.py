"""What can be wrong with an uploaded workbook: a stable name and an English sentence of each. Pure.

Pages say the same in Vietnamese (`services/registry/web/rule_words.py`).
"""

from typing import Any

FAULTS = {
    "not-filled-in": "not filled in",
    "day-in-future": "lies in the future",
    "other-plan": "is of another plan",
    "group-unknown": "unknown group",
    "formula": "a formula: paste its value",
    "not-a-number": "not a whole number of people, 0 or more",
    "unit-twice": "this unit stands twice",
    "unit-outside": "no unit of this plan",
    "declared-since": "was declared anew after this file was downloaded",
}


def fault(rule: str, column: str, line: int | None = None, **more: Any) -> dict[str, Any]:
    """One entry of `problems`: the rule, where it is broken, and in words."""
    return {"line": line, "column": column, **more, "rule": rule, "problem": FAULTS[rule]}
