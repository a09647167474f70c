"""Whether a document can be a plan at all: what every service relies on. Pure.

`hocvuso plans` checks a file against `plans/plan.schema.json` and every filter before it posts
`plan.published`. The event itself may carry any document. One without a unit, or whose objectives
have no names, is refused when it is posted; should one stand in the log all the same, it is as if
it had never been published: the version before stays in force, for registry and metrics alike.
What is wrong inside single objectives is said of them, and takes nothing else down.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
UNIT = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,63}@(2004|2025)")
MOST_ITEMS = 1_000
LARGEST_VERSION = 1_000_000
SECTIONS = ("objectives", "organisations", "tasks", "reporting")


class Refusal(NamedTuple):
    """What is wrong, and what to do. `pointer`: the place in the document (RFC 6901)."""

    pointer: str
    detail: str
    hint: str

    def __str__(self) -> str:
        return f"{self.pointer or '/'}: {self.detail} {self.hint}"


def why_refused(plan: Any, document: Any) -> Refusal | None:
    """Why `document` cannot be a version of `plan`; None if it can. Repeats no values."""
    if not isinstance(document, Mapping):
        return Refusal("", "A plan document is an object.", "See plans/plan.schema.json.")
    if not _fits(NAME, plan) or document.get("id") != plan:
        return Refusal(
            "/id",
            "The document has another id than the event's field `plan`, or none.",
            "Write the same name in both: letters, digits, points and hyphens.",
        )
    if not _fits(UNIT, document.get("unit")):
        return Refusal(
            "/unit", "The plan's unit is missing or malformed.", "Write CODE@ERA, like 66@2025."
        )
    version = document.get("version")
    if type(version) is not int or not 0 < version <= LARGEST_VERSION:
        return Refusal("/version", "The version is missing or malformed.", "Write 1, 2, 3 ...")
    period = document.get("period")
    if not isinstance(period, Mapping) or not all(_day(period.get(n)) for n in ("start", "end")):
        return Refusal(
            "/period",
            "The period has no first and last day.",
            "Write {start: 2026-01-01, end: 2026-12-31}.",
        )
    for section in SECTIONS:
        refused = _items(document.get(section), section)
        if refused is not None:
            return refused
    return None


def _items(items: Any, section: str) -> Refusal | None:
    if not isinstance(items, list) or len(items) > MOST_ITEMS:
        return Refusal(
            f"/{section}",
            f"The list of {section} is missing, no list, or longer than {MOST_ITEMS}.",
            "A plan without any has an empty list.",
        )
    seen: set[str] = set()
    for index, item in enumerate(items):
        at = f"/{section}/{index}"
        if not isinstance(item, Mapping):
            return Refusal(at, "This is no object.", "See plans/plan.schema.json.")
        name = item.get("id")
        if not isinstance(name, str) or not _fits(NAME, name):
            return Refusal(f"{at}/id", "It has no name of its own.", "Letters, digits, hyphens.")
        if name in seen:
            return Refusal(f"{at}/id", "This name stands twice.", "Give each its own name.")
        seen.add(name)
        if section != "objectives":
            continue
        if not isinstance(item.get("text_vi"), str):
            return Refusal(f"{at}/text_vi", "Its wording is missing.", "Add text_vi, as printed.")
        if not isinstance(item.get("target"), Mapping):
            return Refusal(f"{at}/target", "Its target is missing.", "Add value, unit, comparator.")
    return None


def _fits(pattern: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _day(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(date.fromisoformat(value))
    except ValueError:
        return False
