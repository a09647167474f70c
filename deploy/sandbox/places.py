"""Where a course happens: the communes and hamlets of a plan, from the files the repository ships."""

import csv
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
NEW_TREE = "2025-07-01"
"""Bare commune codes mean today's communes from this day on; no course starts earlier."""


@dataclass
class Commune:
    """One commune of the course. `speed` is its share of all events, `diligent` ones reach targets."""

    code: str
    name: str
    speed: float
    diligent: bool = False
    hamlets: list[str] = field(default_factory=list)
    new_hamlets: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Place:
    """A plan's territory; `root` is the code of the plan's own unit in today's tree."""

    plan: dict[str, Any]
    root: str
    communes: list[Commune]


class UnknownPlan(ValueError):
    """There is no such plan; the message lists those there are."""


def plan_document(plan_id: str) -> dict[str, Any]:
    """A shipped plan as data. Raises UnknownPlan."""
    files = {file.stem: file for file in sorted((ROOT / "plans").glob("*.yaml"))}
    if plan_id not in files:
        raise UnknownPlan(f"no plan {plan_id!r}; there are: {', '.join(files)}")
    document: dict[str, Any] = yaml.safe_load(files[plan_id].read_text(encoding="utf-8"))
    return document


def place_of(plan_id: str, rng: random.Random, diligent: int) -> Place:
    """The territory of a shipped plan; its communes get speeds drawn from `rng`."""
    plan = plan_document(plan_id)
    rows = {row["code"]: row for row in _rows("units-2025.csv")}
    codes = _communes(plan["unit"], rows)
    rng.shuffle(codes)
    communes = [
        Commune(code, rows[code]["name_vi"], 1 / (rank + 6) ** 0.9, diligent=rank < diligent)
        for rank, code in enumerate(codes)
    ]
    _add_hamlets(communes)
    unit = plan["unit"].partition("@")
    root = unit[0] if unit[2] == "2025" else rows[codes[0]]["parent"]
    return Place(plan, root, sorted(communes, key=lambda c: c.code))


def _communes(unit_id: str, rows: dict[str, dict[str, str]]) -> list[str]:
    """Today's communes of a unit: itself, its children, or the successors of its old communes."""
    code, _, era = unit_id.partition("@")
    if era == "2025":
        return (
            [code]
            if rows[code]["kind"] in ("ward", "commune", "special_zone")
            else sorted(row["code"] for row in rows.values() if row["parent"] == code)
        )
    parents = {row["code"]: row["parent"] for row in _rows("units-2004.csv")}
    found = set()
    for row in _rows("succession.csv"):
        old = row["old"].partition("@")[0]
        if parents.get(parents.get(old, "")) == code:
            found.add(row["new"].partition("@")[0])
    return sorted(found)


def _add_hamlets(communes: list[Commune]) -> None:
    """The shipped hamlets, and invented ones for the fast communes that have none."""
    shipped: dict[str, list[str]] = {}
    for row in _rows("hamlets.csv"):
        shipped.setdefault(row["parent"], []).append(row["code"])
    for index, commune in enumerate(communes):
        commune.hamlets = shipped.get(commune.code, [])
        if not commune.hamlets and (index < 4 or index == len(communes) // 2):
            commune.new_hamlets = [
                (f"{commune.code}-{n:03d}", f"Thôn {n} (mô phỏng)") for n in range(1, 4 + index % 3)
            ]
            commune.hamlets = [code for code, _ in commune.new_hamlets]


def _rows(name: str) -> list[dict[str, str]]:
    with (ROOT / "units" / name).open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))
