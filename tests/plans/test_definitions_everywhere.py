"""Random definitions, right and wrong ones, corrected and taken back: every reader answers alike, and
as a naive reading of the log does."""

import random
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from services.registry.definitions import COLUMNS, _record, _row
from shared.contracts.definitions import Catalogue
from shared.contracts.record import Content, LogRecord, record_decoder
from shared.domain.definitions import Definitions
from shared.domain.territory import covered
from tests.metrics.memory_log import MemoryLog
from tests.plans.whole import whole

Json = dict[str, Any]
CATALOGUE = Catalogue.load()
START = date(2026, 1, 1)
ROOT = "66@2025"
WARDS = [f"{24000 + n}@2025" for n in range(5)]
GOALS = ("one", "two")
DAYS = [START + timedelta(days=n) for n in range(0, 80, 7)]


def plan(version: int, values: dict[str, int]) -> Json:
    def goal(name: str) -> Json:
        target = {"value": values[name], "unit": "percent", "comparator": ">="}
        measure = {
            "count": "distinct_persons",
            "of": [{"types": ["citizen.certified"]}],
            "over": {"population": "adults"},
        }
        return {"id": name, "target": target, "counts_from": "ever", "measure": measure,
                "last_day": "2026-02-15"}  # fmt: skip

    return whole({
        "id": "p", "version": version, "unit": ROOT, "objectives": [goal(n) for n in GOALS],
        "period": {"start": "2026-01-01", "end": "2026-12-31"},
    })  # fmt: skip


def unit(unit_id: str, kind: str, parent: str | None) -> Json:
    data = {"unit_id": unit_id, "code": unit_id[:-5], "era": "2025", "name_vi": unit_id,
            "kind": kind, "from": "2025-07-01"}  # fmt: skip
    return data | ({"parent": parent} if parent else {})


def random_log(dice: random.Random) -> MemoryLog:
    log = MemoryLog(CATALOGUE)
    log.post("unit.established", ROOT, START, START, unit(ROOT, "province", None))
    for ward in WARDS:
        log.post("unit.established", ward, START, START, unit(ward, "ward", ROOT))
    day, version, origins, left = START, 0, [], list(WARDS)
    for _ in range(40):
        day += timedelta(days=dice.choice((0, 0, 1, 3)))
        valid = (START + timedelta(days=dice.randrange(80))).isoformat()
        what = dice.randrange(8)
        data: Json
        if what == 0 or version == 0:
            version += 1
            document = plan(version, {name: dice.randrange(1, 100) for name in GOALS})
            if version > 1 and dice.random() < 0.3:
                document["objectives"][0]["target"]["value"] = "many"  # as an older door let it in
            data = {"plan": "p", "version": version, "document": document}
            origins.append(log.post("plan.published", ROOT, day, day, data))
        elif what < 4:
            changes: Json = dice.choice(
                [
                    {"target": {"value": dice.randrange(1, 100)}},
                    {"deadline": (START + timedelta(days=dice.randrange(10, 80))).isoformat()},
                    {"target": {"value": 400}},
                    {"counts_from": "nonsense"},
                ]
            )
            data = {
                "plan": "p",
                "objective": dice.choice(GOALS),
                "valid_from": valid,
                "changes": changes,
            }
            data |= {"for_unit": dice.choice(WARDS)} if dice.random() < 0.3 else {}
            origins.append(log.post("plan.amended", ROOT, day, day, data))
        elif what == 4:
            data = {
                "population": "adults",
                "number": dice.randrange(99),
                "as_of": valid,
                "authority": "CA",
            }
            log.post("population.declared", dice.choice(WARDS), day, day, data)
        elif what == 5 and len(left) > 2:
            gone, heir = left.pop(), dice.choice(left)
            data = {
                "unit_id": gone,
                "dissolved_on": valid,
                "successors": [{"unit_id": heir, "part": "whole"}],
            }
            log.post("unit.dissolved", gone, day, day, data)
        elif origins:
            log.revise_definition(origins.pop(dice.randrange(len(origins))), day)
    return log  # fmt: skip


def answers(known: Definitions) -> object:
    """All that readers ask."""
    found = []
    for day in DAYS:
        amended = known.plan("p", day)
        found.append(
            amended
            and (
                amended.version,
                amended.document,
                amended.objectives,
                {name: amended.for_unit(name) for name in WARDS},
            )
        )
    return (
        found,
        known.position,
        sorted(repr(one) for one in known.tree.units()),
        sorted(covered(known.tree, ROOT)),
        [[known.population(u, "adults", day) for u in WARDS] for day in DAYS],
        [known.populations(u) for u in WARDS],
        sorted(known.measures()),
    )


def fold(rows: list[LogRecord]) -> Definitions:
    known = Definitions(CATALOGUE)
    for row in rows:
        known.apply(row)
    return known


def of_metrics(row: LogRecord) -> LogRecord:
    return record_decoder.decode(msgspec.json.encode(row))


def of_registry(row: LogRecord) -> LogRecord:
    stored = dict(zip(COLUMNS, _row(row), strict=True))
    return _record(stored)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(12))
def test_every_reader_answers_alike(seed: int) -> None:
    rows = random_log(random.Random(seed)).rows
    wanted = answers(fold(rows))
    assert answers(fold([of_metrics(row) for row in rows])) == wanted
    assert answers(fold([of_registry(row) for row in rows])) == wanted
    at = len(rows) // 2
    first = fold(rows[:at])
    before, copy = answers(first), first.copy()
    for row in rows[at:]:
        copy.apply(row)
    assert answers(copy) == wanted
    assert answers(first) == before, "what was known before has changed"


@pytest.mark.parametrize("seed", range(12))
def test_targets_and_deadlines_are_what_a_naive_reading_says(seed: int) -> None:
    rows = random_log(random.Random(100 + seed)).rows
    known = fold(rows)
    for day in DAYS:
        amended = known.plan("p", day)
        for name in GOALS:
            for who in (ROOT, *WARDS):
                wanted = naive(rows, name, who, day)
                if wanted is None:
                    assert amended is None
                    continue
                assert amended is not None
                one = next(o for o in amended.objectives if o.id == name).of(who)
                assert (one.target.value, one.last_day) == wanted, (seed, day, name, who)


def naive(rows: list[LogRecord], name: str, who: str, day: date) -> tuple[int, date] | None:
    """Target and deadline of an objective for a unit, straight from the rows."""
    said: dict[int, Content] = {}
    for row in rows:
        content = row.effective_content()
        said.pop(row.origin, None)
        if content is not None:
            said[row.origin] = content
    versions = [
        c.data["document"]
        for _, c in sorted(said.items())
        if c.type == "plan.published" and c.data["document"]["objectives"][0]["target"]["value"] != "many"
    ]  # fmt: skip
    if not versions:
        return None
    raw = next(
        o for o in max(versions, key=lambda d: d["version"])["objectives"] if o["id"] == name
    )

    def on(when: date) -> tuple[int, date]:
        value, last = raw["target"]["value"], date.fromisoformat(raw["last_day"])
        for _, content in sorted(said.items()):
            data = content.data
            if content.type != "plan.amended" or data["objective"] != name:
                continue
            if data.get("for_unit", who) != who or date.fromisoformat(data["valid_from"]) > when:
                continue
            changes = data["changes"]
            target = changes.get("target", {}).get("value", value)
            if target <= 100:
                value = target
            if "deadline" in changes:
                last = date.fromisoformat(changes["deadline"])
        return value, last

    last = on(day)[1]
    return on(min(last, day))[0], last
