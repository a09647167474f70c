"""A file of units against the tree: what it would change. Pure.

A heading (import_file.py) of code, name_vi, kind, parent (or
parent_code; empty for provinces), and optionally organisation_kind, one column
per attribute (yes, no, or empty: not said), distinct (yes: a hamlet spelt nearly like another of its
commune is another one), and ends_on with successors (codes, spaces between):
the first day on which the unit is no more, and what took its place. The same file again changes
nothing. Units that the file does not name stay as they are, and are listed.
"""

from datetime import date
from typing import Any

from pydantic import ValidationError

from services.registry.units.changes import Planner
from services.registry.units.import_file import UnitFile
from services.registry.units.rules import is_called
from services.registry.units.wishes import Attribute, Establish, Rename
from shared.contracts.live import of_process
from shared.domain.tree import UnitTree
from shared.domain.units import LEVEL_OF_KIND, UnknownUnit
from shared.problems import Problem

ROOT = "VN@2025"
LARGEST = 5 * 1024 * 1024
_TRUTH = {"yes": True, "true": True, "1": True, "có": True, "no": False, "false": False}
_TRUTH |= {"0": False, "không": False}


class LineError(ValueError):
    """A line that cannot be taken; `rule`: the name by which pages say it in Vietnamese."""

    def __init__(self, rule: str, detail: str) -> None:
        super().__init__(detail)
        self.rule = rule


def plan_import(
    tree: UnitTree, file: UnitFile, on: date, planner: Planner
) -> tuple[list[dict[str, Any]], list[str]]:
    """Plan what the lines change; those that are wrong, and the units that no line names."""
    attributes = of_process().words.enums["unit_attribute"]
    wrong = list(file.wrong)
    named: set[str] = set()
    parents: dict[str, str] = {}
    ending: list[tuple[int, dict[str, str]]] = []
    for line in file.lines:
        number, row = line.number, line.cells
        try:
            parent = _parent(tree, row, on, named)
            _row(tree, row, parent, on, planner, named, attributes)
        except (UnknownUnit, Problem, ValidationError, ValueError) as error:
            wrong.append({"line": number, "code": row["code"], **_said(error)})
            continue
        if parent is not None and row["kind"] in LEVEL_OF_KIND:
            parents[parent] = LEVEL_OF_KIND[row["kind"]]
        if row.get("ends_on"):
            ending.append((number, row))
    for number, row in ending:  # when all that may succeed them is there
        try:
            last = date.fromisoformat(row["ends_on"])
            planner.end(f"{row['code']}@2025", row.get("successors", "").split(), last)
        except (UnknownUnit, Problem, ValueError) as error:
            wrong.append({"line": number, "code": row["code"], **_said(error)})
    wrong.sort(key=lambda entry: entry["line"])
    absent = [
        unit.unit_id
        for parent, level in sorted(parents.items())
        for unit in tree.children(parent, on)
        if unit.level == level and unit.unit_id not in named
    ]
    return wrong, absent


def _parent(tree: UnitTree, row: dict[str, str], on: date, named: set[str]) -> str | None:
    code = row["parent"]
    if not code and LEVEL_OF_KIND.get(row["kind"]) in ("nation", "province"):
        return None if row["kind"] == "nation" else ROOT
    for unit_id in (code, f"{code}@2025"):
        if unit_id in named:
            return unit_id
    found = tree.unit(code) if "@" in code else None
    return (found or tree.resolve(code, on)).unit_id


def _row(
    tree: UnitTree,
    row: dict[str, str],
    parent: str | None,
    on: date,
    planner: Planner,
    named: set[str],
    attributes: Any,
) -> None:
    unit_id = f"{row['code']}@2025"
    if unit_id in named:
        raise LineError("code-twice", "this code stands twice")
    unit = tree.unit(unit_id)
    said = _attributes(row, attributes)
    if row.get("successors") and not row.get("ends_on"):
        raise LineError("successors-without-day", "successors need the day in ends_on")
    if unit is None:
        if row.get("ends_on"):
            raise LineError("end-of-nothing", "a unit that was never there cannot end")
        about: dict[str, Any] = {name: row[name] for name in ("code", "name_vi", "kind")}
        about["organisation_kind"] = row.get("organisation_kind") or None
        about["distinct"] = _distinct(row)
        about["attributes"] = [name for name, value in said.items() if value]
        planner.plan_new(Establish(op="establish", parent="", on=on, **about), parent or "")
        for name in (name for name, value in said.items() if not value):
            planner.deny(unit_id, name, on)
    elif unit.parent != parent:
        raise LineError(
            "lies-elsewhere", f"lies in {unit.parent}, not in {parent}; merge or split it instead"
        )
    elif row.get("organisation_kind", "") not in ("", unit.facts.get("organisation_kind")):
        raise LineError(
            "organisation-kind-stays",
            f"is a {unit.facts.get('organisation_kind') or 'unit'}; the kind of an organisation never changes",
        )
    elif row.get("ends_on"):
        now = {name: unit.has(name, on) for name in said}
        if not is_called(unit, row["name_vi"], row["kind"], on) or now != said:
            raise LineError(
                "ends-and-changes",
                "a line that ends a unit repeats its name, kind and attributes; change them by a"
                " line of their own, or on another day",
            )
    else:
        planner.plan(
            Rename.model_validate(
                {"op": "rename", "unit": unit_id, "on": on}
                | {name: row[name] for name in ("name_vi", "kind")}
                | {"distinct": _distinct(row)}
            )
        )
        for name, value in said.items():
            planner.plan(
                Attribute(op="attribute", unit=unit_id, attribute=name, value=value, on=on)
            )
    named.add(unit_id)


def _distinct(row: dict[str, str]) -> bool:
    """Whether a line says that its hamlet is another than one that is spelt nearly alike."""
    word = row.get("distinct", "").lower()
    if word not in {"", *_TRUTH}:
        raise LineError("neither-yes-nor-no", "distinct is neither yes nor no")
    return _TRUTH.get(word, False)


def _attributes(row: dict[str, str], known: Any) -> dict[str, bool]:
    """What a line says of attributes; empty fields say nothing."""
    said = {name: row[name].lower() for name in known if row.get(name)}
    for name, word in said.items():
        if word not in _TRUTH:
            raise LineError("neither-yes-nor-no", f"{name} is neither yes nor no")
    return {name: _TRUTH[word] for name, word in said.items()}


def _said(error: Exception) -> dict[str, str]:
    """What is wrong with a line: the rule by its name, and in words."""
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        field = str(first["loc"][-1])
        return {"rule": "field-invalid", "field": field, "problem": f"{field}: {first['msg']}"}
    if isinstance(error, LineError):
        return {"rule": error.rule, "problem": str(error)}
    if isinstance(error, Problem):
        return {"rule": str(error.extra.get("rule", error.code)), "problem": error.detail}
    if isinstance(error, UnknownUnit):
        return {"rule": error.code, "problem": error.detail}
    return {"rule": "day-malformed", "field": "ends_on", "problem": str(error)}
