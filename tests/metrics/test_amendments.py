"""Plans change: targets and deadlines of a day, as known on a day, come from the amended plan."""

from datetime import date, timedelta
from typing import Any

import asyncpg

from services.metrics.evaluating.cell import Cell
from shared.contracts.definitions import Catalogue
from shared.domain.definitions import Definitions
from shared.domain.objectives import Objective
from tests.metrics.histories import BASE
from tests.metrics.memory_log import MemoryLog
from tests.metrics.province import ROOT, A, B, define, document, follow, moments, objective, of

SCHOOL = "s1@2025"
PERSONS = {
    "count": "distinct_persons",
    "of": [of("citizen.certified")],
    "over": {"population": "adults"},
}


def defined(log: MemoryLog, catalogue: Catalogue, known_at: date = date.max) -> Definitions:
    found = Definitions(catalogue)
    for row in log.rows:
        if row.recorded <= known_at:
            found.apply(row)
    return found


def read(definitions: Definitions, on: date, name: str = "persons", unit: str = ROOT) -> Objective:
    found = definitions.plan("p", on)
    assert found is not None
    return next(o for o in found.objectives if o.id == name).of(unit)


def plan_with(**more: Any) -> dict[str, Any]:
    return document(
        [objective("persons", PERSONS, last_day="2026-11-29", **more), objective("other", PERSONS)]
    )


def amend(log: MemoryLog, valid_from: date, recorded: date, **data: Any) -> int:
    said = {"plan": "p", "objective": "persons", "valid_from": valid_from.isoformat(), **data}
    return log.post("plan.amended", ROOT, recorded, recorded, said)


def test_a_target_changes_from_a_day_on_once_it_is_known(catalogue: Catalogue) -> None:
    log = MemoryLog(catalogue)
    define(log, plan_with())
    amend(log, BASE, BASE + timedelta(days=5), changes={"target": {"value": 80}})
    second = amend(
        log, BASE + timedelta(days=9), BASE + timedelta(days=5), changes={"target": {"value": 90}}
    )
    now = defined(log, catalogue)
    values = {n: read(now, BASE + timedelta(days=n)).target.value for n in (-1, 0, 8, 9, 30)}
    assert values == {-1: 50, 0: 80, 8: 80, 9: 90, 30: 90}
    before = defined(log, catalogue, BASE + timedelta(days=4))
    assert read(before, BASE + timedelta(days=30)).target.value == 50
    assert read(now, BASE + timedelta(days=30), "other").target.value == 50
    log.revise_definition(second, BASE + timedelta(days=6))
    assert read(defined(log, catalogue), BASE + timedelta(days=30)).target.value == 80


def test_a_changed_deadline_moves_the_last_day(catalogue: Catalogue) -> None:
    log = MemoryLog(catalogue)
    define(log, plan_with(deadline="2026-11-30", deadline_exclusive=True))
    amend(log, BASE, BASE, changes={"deadline": "2026-12-16"})
    assert read(defined(log, catalogue), BASE).last_day == date(2026, 12, 15)
    amend(log, BASE, BASE, changes={"deadline_exclusive": None})
    assert read(defined(log, catalogue), BASE).last_day == date(2026, 12, 16)
    amend(log, BASE, BASE, changes={"last_day": "2026-12-20"})
    assert read(defined(log, catalogue), BASE).last_day == date(2026, 12, 20)


def test_one_unit_may_have_its_own_target(catalogue: Catalogue) -> None:
    log = MemoryLog(catalogue)
    define(log, plan_with())
    amend(log, BASE, BASE, for_unit=A, changes={"target": {"value": 30}})
    amend(log, BASE, BASE, changes={"last_day": "2026-10-01"})
    now = defined(log, catalogue)
    assert [read(now, BASE, unit=u).target.value for u in (ROOT, A, B)] == [50, 30, 50]
    assert {read(now, BASE, unit=u).last_day for u in (ROOT, A, B)} == {date(2026, 10, 1)}


def test_a_school_may_take_longer_but_not_beyond_the_limit(catalogue: Catalogue) -> None:
    log = MemoryLog(catalogue)
    extension = {"organisation_kind": "school", "last_day": "2026-12-19"}
    define(log, plan_with(extension=extension))
    data = {"unit_id": SCHOOL, "code": "s1", "era": "2025", "name_vi": "s", "kind": "organisation",
            "parent": A, "from": "2025-07-01"}  # fmt: skip
    log.post("unit.established", SCHOOL, BASE, BASE, data)
    amend(log, BASE, BASE, for_unit=SCHOOL, changes={"last_day": "2026-12-10"})
    found = read(defined(log, catalogue), BASE, unit=SCHOOL)
    assert (found.last_day, found.flags) == (date(2026, 12, 10), ())
    amend(log, BASE, BASE, for_unit=SCHOOL, changes={"last_day": "2026-12-31"})
    found = read(defined(log, catalogue), BASE, unit=SCHOOL)
    assert (found.last_day, found.flags) == (date(2026, 12, 19), ("extension_limited",))
    assert read(defined(log, catalogue), BASE).last_day == date(2026, 11, 29)


def test_an_amendment_that_leaves_nothing_countable_changes_nothing(catalogue: Catalogue) -> None:
    log = MemoryLog(catalogue)
    define(log, plan_with())
    amend(log, BASE, BASE, changes={"measure": {"count": "nonsense"}})
    amend(log, BASE, BASE, changes={"target": {"value": "many"}})
    found = read(defined(log, catalogue), BASE)
    assert found.measure is not None and found.target.value == 50
    assert found.flags == ()


def test_a_deadline_may_start_when_a_document_is_issued(catalogue: Catalogue) -> None:
    log = MemoryLog(catalogue)
    relative = {
        "relative": {"after": "central_document.issued", "document": "Khung", "within_days": 7}
    }
    plan = plan_with(deadline=relative)
    plan["objectives"][0]["last_day"] = None
    define(log, plan)
    assert read(defined(log, catalogue), BASE).last_day is None
    issued = {"document": "Khung", "issued_on": "2026-02-01"}
    log.post("central_document.issued", ROOT, BASE, BASE + timedelta(days=3), issued)
    assert read(defined(log, catalogue), BASE).last_day == date(2026, 2, 8)
    assert read(defined(log, catalogue, BASE), BASE).last_day is None


async def test_cells_follow_amendments_in_both_times(
    pool: asyncpg.Pool, catalogue: Catalogue
) -> None:
    log = MemoryLog(catalogue)
    define(log, plan_with())
    for n in range(2):
        person = {"person_ref": f"cccd:{n}", "target_groups": ["adult"]}
        log.post("citizen.certified", A, BASE, BASE, person)
    known = BASE + timedelta(days=3)
    amend(log, BASE + timedelta(days=2), known, changes={"target": {"value": 60}})
    amend(log, BASE, known, for_unit=A, changes={"last_day": known.isoformat()})
    await follow(pool, catalogue, log)
    all_moments = moments(pool, catalogue, BASE + timedelta(days=30))

    async def cell(unit: str, as_of: date, known_at: date | None = None) -> Cell:
        async with all_moments.snapshot() as connection:
            moment = await all_moments.at(connection, "p", as_of, known_at)
            (found,) = await moment.cells(connection, [moment.objective("persons")], [unit])
        return found

    assert (await cell(ROOT, BASE)).status == "met"  # 2 of 4 adults, 50 percent
    after = await cell(ROOT, BASE + timedelta(days=2))
    assert (after.target, after.met, after.status) == (60, False, "on_track")
    assert (await cell(ROOT, BASE + timedelta(days=2), BASE + timedelta(days=2))).met is True
    late = await cell(A, known + timedelta(days=1))
    assert late.status == "unknown" and late.flags == ["denominator_missing", "missing:adults"]
