"""How the plans are read: every objective once, the same words alike, an example and a near miss each.

The events go through the schema, the compiler and the counting that the system itself uses.
"""

from datetime import date
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest

from deploy.readings import Reading, page, plans, readings
from services.metrics.counting.contribute import Contributor, Evidence
from services.metrics.counting.states import state
from shared.contracts.definitions import Catalogue
from shared.contracts.filters import Filter, compile_filter
from shared.domain.compile import compile_objective
from shared.domain.measures import Measure
from shared.domain.objectives import Objective
from tests.metrics.memory_log import MemoryLog

CATALOGUE = Catalogue.load()
READINGS = readings()
PLANS = {plan["id"]: plan for plan in plans()}
ALL = [(name, one) for one in READINGS for name in one.objectives]
IDS = [name for name, _ in ALL]
PAGE = page()
UNITS = {"tan-lap-100-days-2025": "24121@2025"}


def raw(name: str) -> dict[str, Any]:
    plan, _, objective = name.partition("/")
    return next(o for o in PLANS[plan]["objectives"] if o["id"] == objective)


def compiled(name: str) -> Objective:
    return compile_objective(PLANS[name.partition("/")[0]], raw(name), CATALOGUE)


def measure_of(name: str) -> Measure:
    measure = compiled(name).measure
    assert measure is not None
    return measure


def stored(kind: str, data: dict[str, Any]) -> dict[str, Any]:
    """As the log keeps it; the pseudonym of a person is its number here."""
    jsonschema_rs.validate(CATALOGUE.data_schema(kind), data)
    found = dict(data)
    for identity in CATALOGUE[kind].identities:
        if identity.name in found:
            said = found.pop(identity.name)
            found[identity.stored] = f"{said['scheme']}:{said['value']}"
    return found


def counted(measure: Measure, name: str, events: list[dict[str, Any]]) -> int:
    """What these events count, however late: n, or the sum of the figures."""
    plan = name.partition("/")[0]
    first = date.fromisoformat(raw(name)["period"]["start"])
    log = MemoryLog(CATALOGUE)
    for event in events:
        day = date.fromisoformat(event["day"]) if "day" in event else first
        unit = event.get("unit") or UNITS.get(plan, "26368@2025")
        log.post(event["type"], unit, day, first, stored(event["type"], event["data"]))
    contributor = Contributor({1: measure}, CATALOGUE)
    subjects: dict[bytes, list[Evidence]] = {}
    for row in log.rows:
        evidence = contributor.evidence(row)
        if evidence is not None:
            subjects.setdefault(row.key, []).append(evidence)
    weights = [w for rows in subjects.values() for w in state(measure, 1, rows).values()]
    return sum(total if measure.kind in ("latest", "add") else n for n, total in weights)


def test_every_objective_is_read_once() -> None:
    names = [f"{plan['id']}/{o['id']}" for plan in PLANS.values() for o in plan["objectives"]]
    assert sorted(IDS) == sorted(names)
    assert len(IDS) == 83
    assert len({one.id for one in READINGS}) == len(READINGS)
    assert all(one.stricter or one.looser for one in READINGS)


@pytest.mark.parametrize(("name", "one"), ALL, ids=IDS)
def test_the_example_counts_and_the_near_miss_does_not(name: str, one: Reading) -> None:
    measure = measure_of(name)
    assert counted(measure, name, one.example) == 1
    assert counted(measure, name, one.near_miss) == 0


def meaning(measure: Measure) -> tuple[Any, ...]:
    """What it counts, whatever its days, with filters as they are understood, not as written."""
    parts: list[dict[str, Any]] = []
    for part in measure.parts:
        filter: Filter = compile_filter(part.filter, part.types, CATALOGUE)
        parts.append(filter.nodes)
    plain = msgspec.to_builtins(measure)
    rest = {k: v for k, v in plain.items() if k not in ("parts", "since")}
    return rest, parts


@pytest.mark.parametrize("one", READINGS, ids=lambda one: one.id)
def test_the_same_words_are_the_same_filter(one: Reading) -> None:
    first, *others = [meaning(measure_of(name)) for name in one.objectives]
    for other in others:
        assert other == first


SKILL = ("use-well", "-use")


@pytest.mark.parametrize(("name", "one"), ALL, ids=IDS)
def test_where_attendance_counts_as_skill_the_confirmed_stand_beside(
    name: str, one: Reading
) -> None:
    measure = measure_of(name)
    shown = {beside.id: beside.measure for beside in compiled(name).beside}
    if one.id.endswith(SKILL):
        assert {"training.attended", "skill.confirmed"} <= measure.types()
        assert shown["confirmed"].types() == {"skill.confirmed", "assessment.passed"}
        assert "bên cạnh" in page_note(name)
    confirmed = shown.get("confirmed")
    if confirmed is not None and "skill.confirmed" in measure.types():
        # The stricter number is part of the counted one.
        for level in ("good", "proficient"):
            data = {"target_groups": ["worker", "civil_servant"], "person": PERSON, "level": level}
            events = [{"type": "skill.confirmed", "data": data}]
            assert counted(confirmed, name, events) <= counted(measure, name, events)


PERSON = {"scheme": "cccd", "value": "066099000001"}


def page_note(name: str) -> str:
    """What the page shows of the objective."""
    plan, _, objective = name.partition("/")
    chapter = PAGE[PAGE.index(f"(`{plan}`)") :]
    entry = chapter[chapter.index(f"`{objective}` (") :]
    return entry[: entry.index("\n### ") if "\n### " in entry else None]


def test_the_page_is_what_the_plans_say() -> None:
    file = Path(__file__).parents[2] / "docs" / "readings.md"
    assert file.read_text("utf-8") == PAGE
