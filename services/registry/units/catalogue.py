"""The files of `units/` as definition events: pure, deterministic, parents before children.

The same files always give the same events (ids, order, content), so that loading them again is
answered with duplicates and changes nothing. See `units/README.md` for what the files mean.
"""

import csv
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.domain.units import LEVEL_OF_KIND

CloudEvent = dict[str, Any]

SOURCE = "https://hocvuso.example/registry"
"""CloudEvents source of everything that ships in the repository."""

OLD, NEW = "2004", "2025"
NEW_SINCE = "2025-07-01"
ERA_SINCE = {OLD: "2004-07-08", NEW: NEW_SINCE}
"""Era 2004: the day of Decision 124/2004/QĐ-TTg, for units formed later too (README, caution 3)."""

DEFAULT_FOLDER = Path(__file__).parents[3] / "units"

_LEVELS = ("nation", "province", "district", "commune")


@dataclass(frozen=True)
class Stage:
    """Events that may be posted in any order, once all earlier stages are in the log."""

    name: str
    events: list[CloudEvent]


def stages(folder: Path = DEFAULT_FOLDER) -> list[Stage]:
    """Everything in `folder`, in the order in which it must be posted."""
    eras = {era: _read(folder / f"units-{era}.csv") for era in (OLD, NEW)}
    authority = {row["tag"]: row for row in _read(folder / "sources.csv")}
    by_level: dict[str, list[CloudEvent]] = defaultdict(list)
    for era, rows in eras.items():
        for row in rows:
            by_level[LEVEL_OF_KIND[row["kind"]]].append(_established(row, era))
    found = [Stage(level, by_level[level]) for level in _LEVELS]
    found.append(Stage("hamlet", [_hamlet(row) for row in _read(folder / "hamlets.csv")]))
    changes = [_renamed(row) for row in _read(folder / "renames.csv")]
    changes += [_attributed(row) for row in _read(folder / "attributes.csv")]
    changes += _dissolved(folder, eras[OLD])
    found.append(Stage("change", changes))
    declared = (row for row in _read(folder / "populations.csv") if row["number"])
    found.append(Stage("population", [_population(row, authority) for row in declared]))
    return found


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def _event(id: str, type: str, unit_id: str, day: str, data: dict[str, Any]) -> CloudEvent:
    return {
        "specversion": "1.0",
        "id": id,
        "source": SOURCE,
        "type": f"vn.hocvuso.{type}",
        "subject": unit_id,
        "time": f"{day}T00:00:00+07:00",
        "datacontenttype": "application/json",
        "data": data,
    }


def _unit_event(verb: str, day: str, data: dict[str, Any], more: str = "") -> CloudEvent:
    unit_id = data["unit_id"]
    return _event(f"unit-{unit_id}-{verb}{more}", f"unit.{verb}", unit_id, day, data)


def _established(row: dict[str, str], era: str) -> CloudEvent:
    data: dict[str, Any] = {
        "unit_id": f"{row['code']}@{era}",
        "code": row["code"],
        "era": era,
        "name_vi": row["name_vi"],
        "kind": row["kind"],
        "from": ERA_SINCE[era],
    }
    if row["parent"]:
        data["parent"] = f"{row['parent']}@{era}"
    for name in ("area_km2", "lat", "lon"):
        if row.get(name):
            data[name] = float(row[name])
    if row["kind"] != "nation":
        data["source_ref"] = row.get("source") or "code=GSO2025-07@VAU"
    return _unit_event("established", ERA_SINCE[era], data)


def _hamlet(row: dict[str, str]) -> CloudEvent:
    data = {
        "unit_id": f"{row['code']}@{NEW}",
        "code": row["code"],
        "era": NEW,
        "name_vi": row["name_vi"],
        "kind": "hamlet",
        "parent": f"{row['parent']}@{NEW}",
        "from": NEW_SINCE,
        "source_ref": f"{row['source']} ({row['as_of']})"[:200],
    }
    return _unit_event("established", NEW_SINCE, data)


def _renamed(row: dict[str, str]) -> CloudEvent:
    data = {k: row[k] for k in ("unit_id", "name_vi", "kind")}
    data |= {"from": row["valid_from"], "source_ref": row["legal_basis"]}
    return _unit_event("renamed", row["valid_from"], data, f"-{row['valid_from']}")


def _attributed(row: dict[str, str]) -> CloudEvent:
    since, attribute = row["valid_from"], row["attribute"]
    data: dict[str, Any] = {"unit_id": row["unit_id"], "attribute": attribute}
    data |= {"value": row["value"] == "true", "from": since}
    return _unit_event("attributed", since, data, f"-{attribute}-{since}")


def _dissolved(folder: Path, old_units: list[dict[str, str]]) -> Iterator[CloudEvent]:
    """Every unit of era 2004 ends.

    Districts have no successor: their communes have. (As successors of a district, today's communes
    would no longer have one predecessor, and equal territory could not be told.)
    """
    successors: dict[str, dict[str, str]] = defaultdict(dict)
    for row in _read(folder / "succession.csv"):
        if row["effective"] != NEW_SINCE:
            raise ValueError(f"succession.csv: {row['old']} on {row['effective']} is not covered")
        successors[row["old"]][row["new"]] = row["part"]
    resolution = {row["unit_id"]: row["number"] for row in _read(folder / "resolutions.csv")}
    above = {row["code"]: row["parent"] for row in old_units}

    def resolved_by(code: str) -> str:
        while above[code] != "VN":
            code = above[code]
        return resolution[next(iter(successors[f"{code}@{OLD}"]))]

    for row in old_units:
        unit_id, level = f"{row['code']}@{OLD}", LEVEL_OF_KIND[row["kind"]]
        went = successors[unit_id]
        if not went and level != "district":
            raise ValueError(f"{unit_id} has no successor in succession.csv")
        data = {
            "unit_id": unit_id,
            "dissolved_on": NEW_SINCE,
            "successors": [{"unit_id": new, "part": went[new]} for new in sorted(went)],
            "source_ref": resolved_by(row["code"])
            if level in ("district", "commune")
            else "202/2025/QH15",
        }
        yield _unit_event("dissolved", NEW_SINCE, data)


def _population(row: dict[str, str], sources: dict[str, dict[str, str]]) -> CloudEvent:
    source = sources[row["source"]]
    unit_id, population, as_of = row["unit_id"], row["population"], row["as_of"]
    note = f"; {row['note']}" if row["note"] else ""
    data = {
        "population": population,
        "number": int(row["number"]),
        "as_of": as_of,
        "authority": source["authority"],
        "source_ref": f"{source['reference']}; reference date not verified{note}"[:200],
    }
    id = f"population-{unit_id}-{population}-{as_of}"
    return _event(id, "population.declared", unit_id, as_of, data)
