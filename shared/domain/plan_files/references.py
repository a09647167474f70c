"""Names inside a plan: unique where they are given, known where they are used, no circles."""

import re
from datetime import date
from difflib import get_close_matches
from typing import Any

from shared.contracts.definitions import Catalogue
from shared.domain.closing import wrong_closing, wrong_filter
from shared.domain.plan_files.positions import Path
from shared.domain.plan_files.problems import Report

Json = dict[str, Any]

_ORGANISATIONS = {
    "organisations": ("members",),
    "objectives": ("direct", "lead", "coordinate"),
    "tasks": ("direct", "lead", "coordinate", "implement"),
    "reporting": ("who", "to", "via"),
}
_LIKE_A_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_OBJECTIVES = {"objectives": ("overlaps",), "tasks": ("objectives",)}


def check_references(plan: Json, catalogue: Catalogue, report: Report) -> None:
    """Ids, organisations, objectives, event types, and the days of tasks and obligations."""
    if plan.get("parent_plan") == plan["id"]:
        report.add(("parent_plan",), "cycle", "a plan cannot lie under itself")
    for section in ("organisations", "objectives", "tasks", "reporting"):
        _unique(plan[section], section, report)
    organisations = {item["id"] for item in plan["organisations"]}
    objectives = {item["id"] for item in plan["objectives"]}
    for section, names in _ORGANISATIONS.items():
        _known(plan[section], section, names, organisations, "organisation", report)
    for section, names in _OBJECTIVES.items():
        _known(plan[section], section, names, objectives, "objective", report)
    for index, task in enumerate(plan["tasks"]):
        for at, name in enumerate(task.get("events", [])):
            _type(name, ("tasks", index, "events", at), catalogue, report)
        for path, message in wrong_closing(task, catalogue):
            report.add(("tasks", index, *path), "closing", message, "see docs/tasks.md")
        check_span(task.get("period"), ("tasks", index, "period"), report)
    for index, obligation in enumerate(plan["reporting"]):
        _type(obligation["event"], ("reporting", index, "event"), catalogue, report)
        for path, message in wrong_filter(obligation, catalogue):
            report.add(("reporting", index, *path), "filter", message)
        check_span(obligation.get("window"), ("reporting", index, "window"), report)
        due = obligation.get("due")
        if due and _LIKE_A_DAY.fullmatch(due) and not _is_day(due):
            where: Path = ("reporting", index, "due")
            report.add(where, "day", "this is no day from 2000 to 2199", "like 2026-11-30")
    _circles(plan["objectives"], objectives, report)


def _is_day(text: str) -> bool:
    try:
        return 2000 <= date.fromisoformat(text).year < 2200
    except ValueError:
        return False


def check_span(span: Json | None, path: Path, report: Report) -> None:
    """A period ends no earlier than it starts."""
    if span is not None and span["start"] > span["end"]:
        report.add(path, "period", "ends before it starts")


def _unique(items: list[Json], section: str, report: Report) -> None:
    seen: set[str] = set()
    for index, item in enumerate(items):
        if item["id"] in seen:
            report.add((section, index, "id"), "duplicate_id", f"{item['id']!r} is used twice")
        seen.add(item["id"])


def _known(
    items: list[Json],
    section: str,
    names: tuple[str, ...],
    known: set[str],
    what: str,
    report: Report,
) -> None:
    for index, item in enumerate(items):
        for name in names:
            for at, value in enumerate(item.get(name, [])):
                if value not in known:
                    path: Path = (section, index, name, at)
                    report.add(
                        path, "unknown_reference", f"unknown {what} {value!r}", near(value, known)
                    )


def _type(name: str, path: Path, catalogue: Catalogue, report: Report) -> None:
    if name not in catalogue:
        message = f"unknown event type {name!r}"
        report.add(path, "unknown_type", message, near(name, catalogue.keys()))


def _circles(items: list[Json], known: set[str], report: Report) -> None:
    """A share of another objective, or a part of one, must lead to an end."""
    above: dict[str, list[tuple[Path, str]]] = {}
    for index, item in enumerate(items):
        links: list[tuple[Path, str | None]] = [
            (("sub_target_of",), item.get("sub_target_of")),
            (("target", "of_objective"), item["target"].get("of_objective")),
            (("measure", "over", "target_of"), target_of(item)),
        ]
        for path, name in links:
            if name is None:
                continue
            if name not in known:
                place = ("objectives", index, *path)
                message = f"unknown objective {name!r}"
                report.add(place, "unknown_reference", message, near(name, known))
            else:
                above.setdefault(item["id"], []).append((("objectives", index, *path), name))
    for item in items:
        for place, first in above.get(item["id"], ()):
            reached: set[str] = set()
            queue = [first]
            while queue:
                name = queue.pop()
                if name not in reached:
                    reached.add(name)
                    queue.extend(above_it for _, above_it in above.get(name, ()))
            if item["id"] in reached:
                message = f"{item['id']!r} depends on itself"
                report.add(place, "cycle", message, "name an objective that does not lead back")


def target_of(objective: Json) -> str | None:
    """The objective of whose target this one is a share."""
    over = objective.get("measure", {}).get("over", {})
    name: str | None = over.get("target_of")
    return name


def near(word: str, known: Any) -> str:
    """A hint for a misspelt name."""
    close = get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else ""
