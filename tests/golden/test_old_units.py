"""Yên Bái's plan at units before 1/7/2025: the real 168 communes and 9 districts, and the 51
communes of today's Lào Cai that they became. Every cell is the oracle's, in both trees.

No commune of Yên Bái was split by the resolution of 2025; one that was (99001@2004, into two real
communes of today) is added, so that what nobody can attribute below the province is there too.
"""

import csv
import random
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from deploy.local.stack import LocalStack
from services.registry.units.catalogue import stages
from shared.domain.plan_files.positions import parse
from tests.golden.system import System, running
from tests.oracle.eras import Day, Span
from tests.oracle.oracle import Oracle

Json = dict[str, Any]
UNITS = Path(__file__).parents[2] / "units"
PLAN = "yen-bai-2025-2026"
OLD, NEW, SPLIT, DISTRICT = "15@2004", "15@2025", "99001@2004", "132@2004"
MERGED = date(2025, 7, 1)
SINCE = date(2004, 7, 8)
BEFORE, KNOWN_AT = date(2025, 6, 20), date(2025, 7, 2)
AFTER, LAST = date(2025, 9, 1), date(2026, 11, 20)
COLUMNS = ["value", "denominator", "met", "met_on_time", "status", "required_per_week"]


def rows(name: str) -> list[dict[str, str]]:
    with (UNITS / name).open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def spans() -> list[Span]:
    """The two former provinces, all of Yên Bái, and what both became, from the shipped files."""
    old = {f"{r['code']}@2004": r for r in rows("units-2004.csv")}
    heirs: dict[str, list[tuple[str, str]]] = {}
    for row in rows("succession.csv"):
        heirs.setdefault(row["old"], []).append((row["new"], row["part"]))

    def within(unit: str, top: str) -> bool:
        return unit == top or (unit in old and within(f"{old[unit]['parent']}@2004", top))

    mine = [unit for unit in old if within(unit, OLD)]
    found = [
        Span(u, old[u]["kind"], f"{old[u]['parent']}@2004", SINCE, MERGED, tuple(heirs.get(u, ())))
        for u in (*mine, "10@2004")
    ]
    into = {new for unit in mine for new, _ in heirs.get(unit, ())}
    found += [
        Span(f"{r['code']}@2025", r["kind"], f"{r['parent']}@2025", MERGED)
        for r in rows("units-2025.csv")
        if f"{r['code']}@2025" in into
    ]
    two = tuple((unit, "part") for unit in sorted(into - {NEW})[:2])
    return [*found, Span(SPLIT, "commune", DISTRICT, SINCE, MERGED, two)]


SPANS = spans()
STANDING = {span.unit: span for span in SPANS}


def event(kind: str, subject: str, day: date, data: Json, id: str) -> Json:
    return {
        "specversion": "1.0", "id": id, "source": "https://x.example/a",
        "type": f"vn.hocvuso.{kind}", "subject": subject,
        "time": f"{day}T08:00:00+07:00", "data": data,
    }  # fmt: skip


def units() -> list[Json]:
    """The shipped definitions of these units, and the commune that was split."""
    kept = {*STANDING, "VN@2004", "VN@2025"}
    found = [e for stage in stages() for e in stage.events if e["subject"] in kept]
    found = [e for e in found if e["type"].split(".", 2)[2] != "population.declared"]
    heirs = [{"unit_id": unit, "part": part} for unit, part in STANDING[SPLIT].heirs]
    made = {"unit_id": SPLIT, "code": "99001", "era": "2004", "name_vi": "Xã", "kind": "commune"}
    made |= {"parent": DISTRICT, "from": str(SINCE)}
    ended = {"unit_id": SPLIT, "dissolved_on": str(MERGED), "successors": heirs}
    established = event("unit.established", SPLIT, BEFORE, made, "u1")
    return [*found, established, event("unit.dissolved", SPLIT, BEFORE, ended, "u2")]


def facts(dice: random.Random, number: int, first: date, last: date) -> list[Json]:
    """Events on days at units of their day; among them the district, the province, the split."""
    found = []
    for at in range(number):
        day = first + timedelta(days=dice.randrange((last - first).days + 1))
        standing = [s for s in SPANS if s.since <= day and (s.until is None or day < s.until)]
        unit = dice.choice(standing).unit
        if day < MERGED and dice.random() < 0.4:
            unit = dice.choice([SPLIT, DISTRICT, OLD, "04249@2004"])
        while unit == NEW or unit == "10@2004":
            unit = dice.choice(standing).unit
        person = {"scheme": "cccd", "value": f"0150990000{dice.randrange(60):02}"}
        groups = {"target_groups": [dice.choice(["adult", "civil_servant", "pupil", "worker"])]}
        kind = dice.choice(["citizen.certified", "training.attended", "skill.confirmed",
                            "programme.completed"])  # fmt: skip
        said: Json = {"person": person} | groups
        if kind == "programme.completed":
            said = {"school": f"s{dice.randrange(9)}", "pupils_completed": dice.randrange(1, 30)}
            said |= {"target_groups": ["pupil"], "school_level": "lower_secondary"}
        found.append(event(kind, unit, day, said, f"f{first}-{at}"))
    return found


def numbers() -> list[Json]:
    """What authorities declared: for the old province and for every commune of today."""
    communes = [s.unit for s in SPANS if s.since == MERGED and s.unit != NEW]
    found = []
    for at, unit in enumerate([OLD, *communes]):
        for population in ("adults", "civil_servants"):
            day = BEFORE if unit == OLD else AFTER
            number = 100 if unit == OLD else 3 + at % 7
            said = {"population": population, "number": number, "as_of": str(day)}
            said |= {"authority": "UBND"}
            found.append(event("population.declared", unit, day, said, f"p{at}-{population}"))
    return found


def test_the_files_have_the_territory() -> None:
    kinds = [s.kind for s in SPANS if s.since == SINCE and s.unit not in (SPLIT, "10@2004")]
    assert len([k for k in kinds if k in ("commune", "ward", "township")]) == 168
    assert kinds.count("district") == 9
    assert len([s for s in SPANS if s.since == MERGED]) == 51 + 1


async def test_every_cell_at_old_units_is_the_oracles(
    infrastructure: LocalStack, tmp_path: Path
) -> None:
    dice = random.Random(15)
    document = parse((UNITS.parent / "plans" / f"{PLAN}.yaml").read_text("utf-8")).data
    plan = {"plan": PLAN, "version": document["version"], "document": document}
    async with running(infrastructure, tmp_path, KNOWN_AT) as system:
        await system.post(units(), KNOWN_AT, told=False)
        await system.post(
            [event("plan.published", OLD, BEFORE, plan, "plan")], KNOWN_AT, told=False
        )
        declared = numbers()
        await system.post([e for e in declared if e["subject"] == OLD], KNOWN_AT)
        await system.post(facts(dice, 150, date(2025, 4, 1), BEFORE), KNOWN_AT)
        await system.post([e for e in declared if e["subject"] != OLD], AFTER)
        # Recorded after the merger, about days before and after it.
        await system.post(facts(dice, 150, date(2025, 5, 1), AFTER), AFTER)
        await system.post(facts(dice, 150, AFTER, LAST), LAST)
        await system.count()
        astray: set[int | None] = set()
        for as_of in (BEFORE, date(2025, 6, 30), MERGED, date(2025, 12, 31), LAST):
            for known_at in (KNOWN_AT, None):
                for tree in {as_of, LAST}:
                    astray |= await compare(system, document, as_of, known_at, tree)
        assert len(astray) > 3, "facts at the split unit and at the district are told apart"


async def compare(
    system: System, plan: Json, as_of: date, known_at: date | None, tree: date
) -> set[int | None]:
    """All cells of the province and its communes; what is not attributable at the province."""
    oracle = Oracle(
        plan, system.posted, known_at, units=[], declared=[],
        eras=lambda day, root: Day(SPANS, day, root),
    )  # fmt: skip
    expected = {
        (unit, name): cell
        for level in ("province", "commune")
        for unit, row in oracle.table(level, as_of, tree).items()
        for name, cell in row.items()
    }
    assert len({unit for unit, _ in expected}) == 1 + (169 if tree < MERGED else 51)
    found: set[int | None] = set()
    async with system.moments.snapshot() as connection:
        moment = await system.moments.at(connection, PLAN, as_of, known_at, tree.isoformat())
        cells = await moment.cells(
            connection, moment.objectives, sorted({unit for unit, _ in expected})
        )
    assert {(c.unit_id, c.objective) for c in cells} == expected.keys()
    assert len({c.unit_id for c in cells if c.value}) > 20, (as_of, known_at, tree)
    for cell in cells:
        wanted = expected[cell.unit_id, cell.objective]
        for column in COLUMNS:
            case = (as_of, known_at, tree, column, cell)
            assert getattr(cell, column) == getattr(wanted, column), case
        if cell.unit_id == OLD:
            found.add(cell.not_attributable)
        elif tree >= MERGED:
            assert cell.not_attributable is None
    return found
