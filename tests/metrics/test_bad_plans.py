"""Documents that no plan can be, and objectives that cannot be counted: said with the place, while
everything that ran before goes on running, unchanged to the last row."""

from datetime import date, timedelta
from typing import Any

import asyncpg
import pytest

from services.metrics.explaining.explain import Explainer
from services.metrics.tables.refresh import Refresher
from services.metrics.tables.watch_plans import PlanWatch
from shared.contracts.definitions import Catalogue
from shared.domain.history import DefinitionHistory
from shared.domain.plan_document import why_refused
from shared.domain.plan_files.document import why_plan_refused
from tests.metrics.bad_input import CLASSES, GOOD, PERSONS
from tests.metrics.histories import BASE
from tests.metrics.memory_log import MemoryLog
from tests.metrics.province import (
    ROOT,
    A,
    declare,
    define,
    document,
    follow,
    moments,
    objective,
    of,
)

Json = dict[str, Any]
Q = document([GOOD], id="q")
MENTORS = {"count": "distinct_things", "key": "mentor", "of": [of("mentor.assigned")]}
PER_MOON = {"within_unit": {"per": "moon", "threshold": 1}, "over": {"units": "moon"}}
PERCENT = {"value": 50, "unit": "percent", "comparator": ">="}


def but(**more: Any) -> Json:
    return {**Q, **more}


def without(*names: str) -> Json:
    return {name: value for name, value in Q.items() if name not in names}


NO_PLANS: dict[str, tuple[Json, str]] = {
    "nothing": ({}, "/id"),
    "only an id": ({"id": "q"}, "/unit"),
    "no unit": (without("unit"), "/unit"),
    "a bare code": (but(unit="66"), "/unit"),
    "a number for a unit": (but(unit=66), "/unit"),
    "a list for a unit": (but(unit=[1]), "/unit"),
    "another plan's id": (but(id="p"), "/id"),
    "an id that no table takes": (but(id="q\x00"), "/id"),
    "no period": (without("period"), "/period"),
    "a period in words": (but(period="2026"), "/period"),
    "a month 13": (but(period={"start": "2026-13-01", "end": "2026-12-31"}), "/period"),
    "no version": (without("version"), "/version"),
    "a version in words": (but(version="x"), "/version"),
    "half a version": (but(version=1.5), "/version"),
    "no objectives": (without("objectives"), "/objectives"),
    "objectives in words": (but(objectives="none"), "/objectives"),
    "objectives by name": (but(objectives={"a": GOOD}), "/objectives"),
    "a number among objectives": (but(objectives=[GOOD, 1]), "/objectives/1"),
    "an objective without a name": (but(objectives=[{**GOOD, "id": None}]), "/objectives/0/id"),
    "two of one name": (but(objectives=[GOOD, GOOD]), "/objectives/1/id"),
    "a name that no table takes": (but(objectives=[{**GOOD, "id": "a\x00b"}]), "/objectives/0/id"),
    "no wording": (but(objectives=[{**GOOD, "text_vi": None}]), "/objectives/0/text_vi"),
    "no target": (but(objectives=[{**GOOD, "target": None}]), "/objectives/0/target"),
    "no tasks": (without("tasks"), "/tasks"),
}


def wrong(measure: Any = None, **more: Any) -> Json:
    return {**GOOD, **({"measure": measure} if measure is not None else {}), **more}


WRONG: dict[str, tuple[Json, str]] = {
    "target-of-many": (wrong(target={**PERCENT, "value": "many"}), "$.target.value"),
    "target-of-nothing": (wrong(target={**PERCENT, "value": 0}), "$.target.value"),
    "target-below-nothing": (wrong(target={**PERCENT, "value": -5}), "$.target.value"),
    "target-without-end": (wrong(target={**PERCENT, "value": 10**30}), "$.target.value"),
    "target-of-110-percent": (wrong(target={**PERCENT, "value": 110}), "impossible"),
    "target-above-100": (wrong(target={**PERCENT, "value": 100, "comparator": ">"}), "impossible"),
    "target-in-dozens": (wrong(target={**PERCENT, "unit": "dozens"}), "$.target.unit"),
    "measure-of-5": (wrong(5), "$.measure"),
    "nothing-counted": (wrong({"count": "events"}), "measure.of"),
    "of-5": (wrong({"count": "events", "of": 5}), "$.measure.of"),
    "types-in-words": (wrong({"count": "events", "of": [{"types": "class.held"}]}), "types"),
    "types-in-lists": (wrong({"count": "events", "of": [{"types": [["x"]]}]}), "types"),
    "no-types": (wrong({"count": "events", "of": [{"types": []}]}), "types"),
    "type-unknown": (wrong({"count": "events", "of": [of("class.hold")]}), "'class.held'"),
    "field-unknown": (wrong({"count": "events", "of": [of("class.held", colour=1)]}), "colour"),
    "filter-a-list": (
        wrong({"count": "events", "of": [{"types": ["class.held"], "filter": [1]}]}),
        "$.measure.of[0].filter",
    ),
    "filter-never": (
        wrong({"count": "events", "of": [of("class.held", participants={">": 5, "<": 4})]}),
        "can ever match",
    ),
    "every-year": (wrong({**CLASSES, "bucket": "year"}), "$.measure.bucket"),
    "on-the-moon": (wrong({**CLASSES, **PER_MOON}), "$.measure.within_unit.per"),
    "threshold-in-words": (
        wrong({**CLASSES, "within_unit": {"per": "commune", "threshold": "x"}}),
        "$.measure.within_unit.threshold",
    ),
    "threshold-of-nothing": (
        wrong({**MENTORS, "inside": {"distinct": "mentee_ref", "threshold": 0}}),
        "$.measure.inside.threshold",
    ),
    "among-numbers": (
        wrong({**MENTORS, "inside": {"distinct": "mentee_ref", "among": [1], "threshold": 2}}),
        "$.measure.inside.among",
    ),
    "over-3": (wrong({**PERSONS, "over": 3}), "$.measure.over"),
    "population-a-list": (wrong({**PERSONS, "over": {"population": ["a"]}}), "population"),
    "beside-3": (wrong(beside=3), "$.beside"),
    "beside-nothing": (wrong(beside=[{"id": "x"}]), "$.beside[0]"),
    "last-day-soon": (wrong(last_day="soon"), "$.last_day"),
    "days-after-in-words": (
        wrong(last_day=None, deadline={"relative": {"document": "d", "within_days": "x"}}),
        "within_days",
    ),
    "from-a-list": (wrong(counts_from=[1]), "$.counts_from"),
    "from-no-day": (wrong(counts_from="date", from_date="later"), "$.from_date"),
    "period-of-its-own": (wrong(period={"start": "x"}), "$.period.start"),
}


async def everything(pool: asyncpg.Pool) -> dict[str, list[Any]]:
    """All that was counted and is shown for the plan that ran before."""
    ask = {
        "evidence": "SELECT * FROM evidence ORDER BY 1, 2",
        "tally": "SELECT * FROM tally ORDER BY 1, 2, 3, 4",
        "cell": "SELECT * FROM indicators.cells WHERE plan = 'p' ORDER BY unit_id, objective",
        "state": "SELECT * FROM indicators.objectives_state WHERE plan = 'p' ORDER BY objective",
    }
    # The position up to which a table is complete moves on, and nothing else.
    moves = {"position", "refreshed_at"}
    return {
        name: [{k: v for k, v in row.items() if k not in moves} for row in await pool.fetch(sql)]
        for name, sql in ask.items()
    }


async def running(pool: asyncpg.Pool, catalogue: Catalogue) -> tuple[MemoryLog, Refresher]:
    """A plan with a number, shown."""
    log = MemoryLog(catalogue)
    define(log, document([GOOD]))
    person = {"person_ref": "cccd:1", "target_groups": ["adult"]}
    log.post("citizen.certified", A, BASE, BASE, person)
    refresher = Refresher(pool, catalogue, moments(pool, catalogue, BASE)._clock)
    await follow(pool, catalogue, log)
    await refresher.refresh()
    return log, refresher


async def said(pool: asyncpg.Pool, catalogue: Catalogue, log: MemoryLog, position: int) -> Any:
    found = moments(pool, catalogue, BASE)
    explainer = Explainer(pool, found._definitions, log, found._clock)  # type: ignore[arg-type]
    _, (answer,) = await explainer.explain([position], records=True)
    return answer


async def test_what_is_no_plan_is_as_if_never_published(
    pool: asyncpg.Pool, catalogue: Catalogue
) -> None:
    log, refresher = await running(pool, catalogue)
    before = await everything(pool)
    assert before["cell"]
    for name, (bad, pointer) in NO_PLANS.items():
        refused = why_refused("q", bad)
        assert refused is not None and refused.pointer == pointer, name
        data = {"plan": "q", "version": 1, "document": bad}
        position = log.post("plan.published", ROOT, BASE, BASE, data)
        # The same as the next version of the plan that runs: the one before stays in force.
        newer = {**bad, "id": "p"} if bad.get("id") == "q" else bad
        assert why_refused("p", newer) is not None or name == "another plan's id"
        if name != "another plan's id":
            data = {"plan": "p", "version": 9, "document": newer}
            log.post("plan.published", ROOT, BASE, BASE, data)
        await follow(pool, catalogue, log)
        await refresher.refresh()
        assert await everything(pool) == before, name
        answer = await said(pool, catalogue, log, position)
        assert (answer.state, answer.code) == ("definition", "plan_refused"), name
        assert f"{pointer}: " in answer.reason, name
    await PlanWatch(pool, DefinitionHistory(catalogue), refresher._clock).look()


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_in_an_objective_is_refused_with_its_place(
    catalogue: Catalogue, name: str
) -> None:
    plan = document([objective("good", CLASSES), {**WRONG[name][0], "id": name}], id="q")
    refused = why_plan_refused("q", plan, catalogue)
    assert refused is not None and refused.path.startswith("/objectives/1/"), refused
    assert "object has no" not in refused.message and "argument" not in refused.message


async def test_a_version_with_wrong_objectives_leaves_the_one_before_in_force(
    pool: asyncpg.Pool, catalogue: Catalogue
) -> None:
    log, refresher = await running(pool, catalogue)
    before = await everything(pool)
    objectives = [{**bad, "id": name} for name, (bad, _) in WRONG.items()]
    plan = document([*objectives, objective("good", CLASSES)], version=2)
    data = {"plan": "p", "version": 2, "document": plan}
    position = log.post("plan.published", ROOT, BASE, BASE, data)
    await follow(pool, catalogue, log)
    await refresher.refresh()
    assert await everything(pool) == before
    answer = await said(pool, catalogue, log, position)
    assert answer.code == "plan_refused" and "/objectives/0/" in answer.reason, answer
    await PlanWatch(pool, DefinitionHistory(catalogue), refresher._clock).look()


AMENDMENTS: list[Json] = [
    {"id": "other"},
    {"id": None},
    {"target": None},
    {"target": {"value": 400}},
    {"deadline": "one day", "deadline_exclusive": True},
    {"deadline": 5},
    {"last_day": "9999-99-99"},
    {"measure": {"of": []}},
    {"measure": {"of": [{"types": ["class.hold"]}]}},
    {"counts_from": "never"},
    {"period": {"start": "x"}},
    {"beside": 4},
    {"extension": {"last_day": None}},
]


@pytest.mark.parametrize("for_unit", [None, A])
async def test_amendments_that_leave_nothing_countable_change_nothing(
    pool: asyncpg.Pool, catalogue: Catalogue, for_unit: str | None
) -> None:
    log, refresher = await running(pool, catalogue)
    before = await everything(pool)
    for changes in AMENDMENTS:
        data = {"plan": "p", "objective": "good", "valid_from": "2026-01-01", "changes": changes}
        log.post("plan.amended", ROOT, BASE, BASE, data | ({"for_unit": A} if for_unit else {}))
        await follow(pool, catalogue, log)
        await refresher.refresh()
    after = await everything(pool)
    assert after == before


async def test_a_population_of_nobody_or_a_plan_that_divides_by_it_changes_no_other_row(
    pool: asyncpg.Pool, catalogue: Catalogue
) -> None:
    log, refresher = await running(pool, catalogue)
    before = await everything(pool)
    for number in (0, -7):
        declare(log, A, "adults", number, BASE)
        await follow(pool, catalogue, log)
        await refresher.refresh()
        after = await everything(pool)
        for was, now in zip(before["cell"], after["cell"], strict=True):
            if now["unit_id"] != A:
                assert now == was
                continue
            assert (now["met"], now["ratio"], now["status"]) == (None, None, "unknown")
            flags = ["exceeds_denominator", "denominator_zero", "missing:adults"]
            assert now["flags"] == flags
        assert after["tally"] == before["tally"]


async def test_old_days_show_the_plan_of_then(pool: asyncpg.Pool, catalogue: Catalogue) -> None:
    """The version with the highest number holds, not the one posted last: registry says the same."""
    log, refresher = await running(pool, catalogue)
    later = BASE + timedelta(days=1)
    for version, recorded in ((3, later), (2, later)):
        plan = document([GOOD], version=version)
        data = {"plan": "p", "version": version, "document": plan}
        log.post("plan.published", ROOT, recorded, recorded, data)
    await follow(pool, catalogue, log)
    await refresher.refresh()
    found = moments(pool, catalogue, later)
    versions: dict[date | None, int] = {}
    async with found.snapshot() as connection:
        for known_at in (BASE, later, None):
            versions[known_at] = (await found.at(connection, "p", later, known_at)).version
    assert versions == {BASE: 1, later: 3, None: 3}
