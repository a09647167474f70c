"""What stands behind a number adds up to it: evidence, series, differences, on any days."""

import itertools
import random
from datetime import date, timedelta
from typing import Any

import asyncpg
import pytest

from services.metrics import rebuild
from services.metrics.explaining.differences import Differences
from services.metrics.explaining.evidence import EvidencePages
from services.metrics.explaining.series import Point, SeriesMaker, ends
from shared.contracts.definitions import Catalogue
from shared.problems import Problem
from tests.metrics.histories import BASE
from tests.metrics.memory_log import MemoryLog
from tests.metrics.province import (
    FIRST,
    OBJECTIVES,
    ROOT,
    A,
    B,
    declare,
    define,
    document,
    follow,
    moments,
    publish,
    random_history,
)
from tests.metrics.why import PARTS, TODAY, UNITS, cell, difference


def days(dice: random.Random, known: list[date]) -> tuple[date, date | None]:
    as_of = BASE + timedelta(days=dice.randrange(-1, 25))
    return as_of, dice.choice([None, *known])


def recorded_days(log: MemoryLog) -> list[date]:
    found = {row.recorded for row in log.rows}
    return sorted({BASE - timedelta(days=60), *found})


@pytest.mark.parametrize("seed", range(4))
async def test_the_events_behind_a_cell_add_up_to_it(
    pool: asyncpg.Pool, catalogue: Catalogue, seed: int
) -> None:
    log, _ = random_history(catalogue, seed, 90)
    await follow(pool, catalogue, log)
    all_moments = moments(pool, catalogue, TODAY)
    pages = EvidencePages(all_moments, lambda: log)  # type: ignore[arg-type,return-value]
    dice, proved = random.Random(seed), 0
    for (name, part), unit in itertools.product(PARTS, UNITS * 2):
        as_of, known_at = days(dice, recorded_days(log)[2:])
        shown = await cell(all_moments, name, unit, as_of, known_at)
        events, cursor = [], None
        while True:
            page = await pages.ask(
                plan="p",
                objective=name,
                unit=unit,
                as_of=as_of,
                known_at=known_at,
                tree="as_of",
                part=part,
                cursor=cursor,
                limit=2,
            )
            assert len(page.events) <= 2, "as asked"
            events += page.events
            cursor = page.next
            if cursor is None:
                break
        said = shown.value if part == "value" else shown.denominator
        assert page.counted == (said or 0), (name, unit, as_of, known_at)
        assert sum(event.weight for event in events) == page.counted
        assert [e.position for e in events] == sorted(e.position for e in events)
        for event in events:
            row = log.rows[event.position - 1]
            assert (event.type, event.id) == (row.short_type, row.id)
            assert event.since <= as_of and (known_at is None or event.recorded <= known_at)
        proved += len(events)
    assert proved > 10


@pytest.mark.parametrize("seed", range(4))
async def test_the_effects_of_events_add_up_to_the_difference(
    pool: asyncpg.Pool, catalogue: Catalogue, seed: int
) -> None:
    log, _ = random_history(catalogue, seed, 90)
    await follow(pool, catalogue, log)
    all_moments = moments(pool, catalogue, TODAY)
    pages = Differences(all_moments, lambda: log)  # type: ignore[arg-type,return-value]
    dice, hows = random.Random(seed), set()
    for (name, part), unit in itertools.product(PARTS, UNITS * 2):
        before, after = days(dice, recorded_days(log)), days(dice, recorded_days(log))
        if before[1] is None or (after[1] is not None and after[1] < before[1]):
            after = (after[0], before[1])
        found, events = await difference(pages, name, unit, before, after, part)
        cells = [await cell(all_moments, name, unit, *moment) for moment in (before, after)]
        values = [(c.value if part == "value" else c.denominator) or 0 for c in cells]
        case = (name, unit, before, after)
        assert [found.before.count, found.after.count] == values, case
        assert found.unexplained == 0, case
        assert found.by_definitions == 0 and found.definitions == [], case
        assert found.change == found.by_events == sum(e.effect for e in events), case
        assert len(events) == found.total_events
        hows |= {event.how for event in events}
    assert {"happened", "recorded"} <= hows


async def test_what_definitions_change_is_told_apart(
    pool: asyncpg.Pool, catalogue: Catalogue
) -> None:
    log, _ = random_history(catalogue, 1, 60)
    later = log.rows[-1].recorded + timedelta(days=1)
    changed = document()
    changed["version"] = 2
    for one in changed["objectives"]:
        if one["id"] == "both":
            one["counts_from"] = "ever"
        if one["id"] == "persons":
            one["target"] = {**one["target"], "value": 70}
    publish(log, changed, later)
    declare(log, ROOT, "adults", 9, later)
    await follow(pool, catalogue, log)
    all_moments = moments(pool, catalogue, TODAY)
    pages = Differences(all_moments, lambda: log)  # type: ignore[arg-type,return-value]
    as_of = later + timedelta(days=1)
    before, after = (as_of, later - timedelta(days=1)), (as_of, None)
    found, events = await difference(pages, "persons", ROOT, before, after)
    assert (found.change, events) == (0, [])
    said = {d.what: (d.before, d.after) for d in found.definitions}
    assert said["population"] == (4, 9) and said["plan_version"] == (1, 2)
    assert (said["target"][0]["value"], said["target"][1]["value"]) == (50, 70)
    assert {e.type for e in found.definition_events} == {"plan.published", "population.declared"}


async def test_a_merger_is_an_effect_of_the_tree_and_names_both_trees(
    pool: asyncpg.Pool, catalogue: Catalogue
) -> None:
    log, _ = random_history(catalogue, 1, 60)
    day, new = BASE + timedelta(days=30), "24999@2025"
    data = {"unit_id": new, "code": "24999", "era": "2025", "name_vi": "Mới", "kind": "ward"}
    log.post("unit.established", new, day, day, data | {"from": day.isoformat(), "parent": ROOT})
    gone = {"dissolved_on": day.isoformat(), "successors": [{"unit_id": new, "part": "whole"}]}
    for old in (A, B):
        log.post("unit.dissolved", old, day, day, {"unit_id": old} | gone)
    await follow(pool, catalogue, log)
    pages = Differences(moments(pool, catalogue, TODAY), lambda: log)  # type: ignore[arg-type,return-value]
    before, after = day - timedelta(days=1), day + timedelta(days=1)
    found, _ = await difference(pages, "persons", new, (before, None), (after, None))
    assert found.before.count == 0 and found.after.count > 0
    (tree,) = [d for d in found.definitions if d.what == "tree"]
    assert (tree.before, tree.after) == (before, after)
    assert tree.effect == found.by_definitions == found.change - found.by_events


async def test_a_new_window_is_a_definitions_effect(
    pool: asyncpg.Pool, catalogue: Catalogue
) -> None:
    """The measure of the new version is another one; it is rebuilt before it can be compared."""
    first = document([o for o in OBJECTIVES if o["id"] == "both"])
    log, _ = random_history(catalogue, 3, 120, first)
    await follow(pool, catalogue, log)
    later = log.rows[-1].recorded + timedelta(days=1)
    second = document([{**OBJECTIVES[2], "counts_from": "ever"}], version=2)
    publish(log, second, later)
    await follow(pool, catalogue, log)
    all_moments = moments(pool, catalogue, TODAY)
    pages = Differences(all_moments, lambda: log)  # type: ignore[arg-type,return-value]
    before, after = (TODAY, later - timedelta(days=1)), (TODAY, None)
    with pytest.raises(Problem) as waiting:
        await difference(pages, "both", ROOT, before, after)
    assert waiting.value.code == "measure-building"
    await rebuild.build_new_measures(pool, log, catalogue)  # type: ignore[arg-type]
    found, events = await difference(pages, "both", ROOT, before, after)
    assert events == [] and found.unexplained == 0
    assert found.change == found.by_definitions
    assert [d.effect for d in found.definitions if d.what == "measure"] == [found.change or None]


@pytest.mark.parametrize("every", ["day", "week", "month"])
async def test_every_point_of_a_series_is_the_cell_of_its_day(
    pool: asyncpg.Pool, catalogue: Catalogue, every: str
) -> None:
    log, _ = random_history(catalogue, 7, 120)
    await follow(pool, catalogue, log)
    all_moments = moments(pool, catalogue, TODAY)
    known = recorded_days(log)
    for known_at in (None, known[len(known) // 2], known[0]):
        points: list[Point] = []
        start: date | None = BASE
        while start is not None:  # page after page
            found = await SeriesMaker(all_moments).ask(
                plan="p",
                unit=ROOT,
                objectives=[],
                level="commune",
                start=start,
                end=BASE + timedelta(days=20),
                every=every,  # type: ignore[arg-type]
                known_at=known_at,
                tree="as_of",
            )
            assert found.next is None or found.next > start
            points, start = points + found.points, found.next
        assert [p.as_of for p in points] == ends(BASE, BASE + timedelta(days=20), every)  # type: ignore[arg-type]
        for point in points:
            async with all_moments.snapshot() as connection:
                moment = await all_moments.at(connection, "p", point.as_of, known_at)
                units = moment.units(ROOT, "commune")
                expected = await moment.cells(connection, moment.objectives, units)
            assert point.cells == expected


def test_series_end_with_weeks_months_and_the_last_day() -> None:
    first, last = date(2026, 1, 28), date(2026, 3, 4)
    assert ends(first, last, "month") == [date(2026, 1, 31), date(2026, 2, 28), last]
    assert ends(first, date(2026, 2, 10), "week") == [
        date(2026, 2, 1),
        date(2026, 2, 8),
        date(2026, 2, 10),
    ]
    assert ends(last, last, "day") == [last]


async def test_questions_that_cannot_be_answered_say_why(
    pool: asyncpg.Pool, catalogue: Catalogue
) -> None:
    log, _ = random_history(catalogue, 1, 5)
    await follow(pool, catalogue, log)
    all_moments = moments(pool, catalogue, TODAY)
    pages = Differences(all_moments, lambda: log)  # type: ignore[arg-type,return-value]
    with pytest.raises(Problem) as backwards:
        await difference(pages, "events", ROOT, (TODAY, None), (TODAY, BASE))
    assert backwards.value.code == "differences-backwards"
    with pytest.raises(Problem) as unknown:
        await difference(pages, "nothing", ROOT, (TODAY, None), (TODAY, None))
    assert unknown.value.code == "objective-unknown"


async def test_the_earlier_side_is_blamed_for_what_it_did_not_know(
    pool: asyncpg.Pool, catalogue: Catalogue
) -> None:
    log, eve = MemoryLog(catalogue), FIRST - timedelta(days=1)
    data = {"unit_id": "Z@2025", "code": "Z", "era": "2025", "name_vi": "Z", "kind": "province"}
    log.post("unit.established", "Z@2025", eve, eve, data | {"from": "2025-07-01"})
    define(log)
    await follow(pool, catalogue, log)
    pages = Differences(moments(pool, catalogue, TODAY), lambda: log)  # type: ignore[arg-type,return-value]
    published = next(row.position for row in log.rows if row.type.endswith("plan.published"))
    for before, name in (((TODAY, published - 1), "position"), ((TODAY, eve), "known_at")):
        with pytest.raises(Problem) as early:
            await difference(pages, "events", ROOT, before, (TODAY, None))
        assert early.value.code == "plan-not-yet-known", name
        assert early.value.pointer == f"/from_{name}"
        assert early.value.hint is not None and f"from_{name}" in early.value.hint
    found, _ = await difference(pages, "events", ROOT, (TODAY, published), (TODAY, None))
    assert found.before.count == 0 and found.unexplained == 0
    with pytest.raises(Problem) as unknown:
        await pages.ask(
            plan="q", objective="events", unit=ROOT, before=(TODAY, published),
            after=(TODAY, None), tree="as_of", part="value", cursor=None, limit=3,
        )  # fmt: skip
    assert (unknown.value.code, unknown.value.pointer) == ("plan-unknown", "/plan")


@pytest.mark.parametrize("limit", [1, 2, 50])
async def test_evidence_names_everything_that_a_subject_needs(
    pool: asyncpg.Pool, catalogue: Catalogue, limit: int
) -> None:
    """`match: all`: training and confirmation of one person; a threshold: both whom a mentor has.
    What changes nothing more stays out, and the weights add up to the cell."""
    log = MemoryLog(catalogue)
    define(log)
    day = BASE + timedelta(days=5)

    def post(name: str, who: str, data: dict[str, Any], days: int = 0) -> int:
        on = day + timedelta(days=days)
        key = "mentor_ref" if name == "mentor.assigned" else "person_ref"
        return log.post(name, A, on, on, {key: who, "target_groups": ["adult"], **data})

    trained = post("training.attended", "cccd:1", {})
    post("training.attended", "cccd:1", {}, 1)  # once more
    able = post("skill.confirmed", "cccd:1", {}, 2)
    post("training.attended", "cccd:2", {})  # not confirmed
    first = post("mentor.assigned", "cccd:3", {"mentee_ref": "x"})
    post("mentor.assigned", "cccd:3", {"mentee_ref": "x"}, 1)
    second = post("mentor.assigned", "cccd:3", {"mentee_ref": "y"}, 2)
    await follow(pool, catalogue, log)
    pages = EvidencePages(moments(pool, catalogue, TODAY), lambda: log)  # type: ignore[arg-type,return-value]
    for name, needed in (("both", [trained, able]), ("mentors", [first, second])):
        events, cursor = [], None
        while True:
            page = await pages.ask(
                plan="p", objective=name, unit=ROOT, as_of=None, known_at=None, tree="as_of",
                part="value", cursor=cursor, limit=limit,
            )  # fmt: skip
            assert len(page.events) <= limit
            events += page.events
            cursor = page.next
            if cursor is None:
                break
        assert [event.position for event in events] == needed, name
        assert [event.weight for event in events] == [1, 0], name
        assert page.counted == page.cell.value == 1, name
