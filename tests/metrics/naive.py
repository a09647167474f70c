"""What measures mean, naively: for one day and one state of knowledge, from the list of events.

Shares no code with `services.metrics.counting.fold` or `contribute`: no deltas, no states, no marks.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from shared.domain.measures import Measure

Values = dict[str, tuple[int, int]]

STATES = {"citizen.certified": None, "committee.established": "from", "mentor.assigned": "from",
          "staff.assigned": "from", "household.member_qualified": None, "model.recognised": None,
          "team.established": "from", "figure.reported": "as_of",
          "digital_identity.activated": None, "signature.registered": None}  # fmt: skip
FIGURES = {
    "programme.completed": "pupils_completed",
    "class.held": "participants",
    "figure.reported": "number",
}
SOURCE = "https://partner.example/a"


@dataclass
class Told:
    """One event: what it said on each day it was told anew (None: revoked)."""

    origin: int
    type: str
    versions: list[tuple[date, str, date, dict[str, Any] | None]] = field(default_factory=list)

    def as_known(self, known_at: date) -> tuple[str, date, dict[str, Any]] | None:
        last = [v for v in self.versions if v[0] <= known_at]
        if not last or last[-1][3] is None:
            return None
        return last[-1][1:]  # type: ignore[return-value]


def holds(data: dict[str, Any], wanted: dict[str, Any]) -> bool:
    for name, value in wanted.items():
        if name == "of_age":
            if not (data.get("age", 0) >= value or "turns_16_on" in data or "birth_year" in data):
                return False
        elif name == "target_group":
            implied = {"adult": {"adult", "worker", "civil_servant", "agency_employee", "elderly",
                                 "cnscd_member"}}.get(value, {value})  # fmt: skip
            if not implied & set(data.get("target_groups", [])):
                return False
        elif isinstance(value, dict):
            if data.get(name) is None or not data[name] > value[">"]:
                return False
        elif data.get(name) != value:
            return False
    return True


def commune_of(unit: str) -> str:
    return unit.split("-")[0] + "@2025" if "-" in unit else unit


def key_of(measure: Measure, name: str, unit: str, origin: int, data: dict[str, Any]) -> Any:
    """Whom the event counts for under this measure; None: nobody."""
    if measure.keys == ("person",):
        return data.get("person_ref")
    if measure.keys == ("request",):
        ref = data["request_ref"]
        return ref if "#" in ref else f"{SOURCE}#{ref}"
    if measure.keys == ("mentor",):
        return data.get("mentor_ref")
    if measure.keys == ("page",):
        return (commune_of(unit), data["url"])
    if measure.keys == ("unit",) and name == "material.published":
        return commune_of(unit)
    if measure.keys == ("unit",):
        return unit if data.get("topics") else None
    if measure.keys == ("household",):
        return data["household_ref"]
    if measure.keys == ("organisation",):
        return data.get("organisation_ref", ("unit", unit))
    if measure.keys == ("model",):
        return (commune_of(unit), data["kind"], data["model_ref"])
    if measure.keys == ("team",):
        return (unit, data.get("team_ref"))
    if measure.keys == ("report",) and name == "figure.reported":
        return (data.get("reporter", SOURCE), unit, data["objective"], data.get("plan"))
    if measure.keys == ("report",):
        return (unit, data["school"], data.get("grade"), tuple(sorted(data["target_groups"])))
    return origin


def values(measure: Measure, told: list[Told], as_of: date, known_at: date) -> Values:
    """n and total per unit (of the facts themselves)."""
    evidence: dict[Any, list[tuple[date, int, str, int, dict[str, Any], str]]] = {}
    for event in told:
        now = event.as_known(known_at)
        if now is None:
            continue
        unit, occurred, data = now
        first, last = occurred, None
        if event.type in STATES:
            start = STATES[event.type]
            if start and data.get(start):
                first = date.fromisoformat(data[start])
            if data.get("to"):
                last = date.fromisoformat(data["to"])
        if measure.since and first < measure.since:
            continue
        if measure.of_age and data.get("age", 0) < measure.of_age:
            # Who is too young counts from the day on which they are old enough.
            if "turns_16_on" in data:
                turns = date.fromisoformat(data["turns_16_on"])
                first = max(first, turns.replace(year=turns.year + measure.of_age - 16))
            elif "birth_year" in data:
                first = max(first, date(data["birth_year"] + measure.of_age, 12, 31))
        if first > as_of:
            continue
        if last is not None and as_of > last and measure.bucket is None:
            continue
        parts = 0
        for index, part in enumerate(measure.parts):
            if event.type in part.types and holds(data, part.filter):
                parts |= 1 << index
        key = key_of(measure, event.type, unit, event.origin, data) if parts else None
        if key is not None:
            if measure.apart:
                key = (key, commune_of(unit) if measure.apart == "commune" else unit)
            if measure.bucket:
                monday = first - timedelta(days=first.weekday())
                key = (key, monday if measure.bucket == "week" else first.replace(day=1))
            row = (first, event.origin, unit, parts, data, event.type)
            evidence.setdefault(key, []).append(row)
    found: dict[str, list[int]] = {}

    def add(unit: str, n: int, total: int = 0) -> None:
        sums = found.setdefault(unit, [0, 0])
        sums[0] += n
        sums[1] += total

    for rows in evidence.values():
        rows.sort(key=lambda row: row[:2])
        if measure.kind == "events":
            for row in rows:
                add(row[2], 1)
        elif measure.kind == "distinct":
            seen = 0
            for row in rows:
                seen |= row[3]
            if not measure.whole or seen == (1 << len(measure.parts)) - 1:
                placing = [row for row in rows if row[3] & 1] if measure.placed_by_first else rows
                add(placing[0][2], 1)
        elif measure.kind == "crossing":
            things = set()
            having = []
            for row in rows:
                value = row[4].get(measure.field or "")
                here = set(value if isinstance(value, list) else [] if value is None else [value])
                here = {thing for thing in here if not measure.among or thing in measure.among}
                if here:
                    having.append(row)
                things |= here
            if len(things) >= measure.threshold:
                add(having[0][2], 1)
        else:
            figures = [(row[2], row[4].get(FIGURES[row[5]])) for row in rows]
            known = [(unit, number) for unit, number in figures if number is not None]
            for unit, number in known if measure.kind == "add" else known[-1:]:
                add(unit, 1, number)
    return {unit: (n, total) for unit, (n, total) in found.items() if n or total}
