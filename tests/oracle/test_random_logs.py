"""Random logs through the real services, at EVERY day as known on EVERY day, against the oracle.

Events of every kind that the plans count are posted to activities: late, twice, corrected, revoked,
corrections of corrections too, before and after a merger of units that splits one and reuses a
code. metrics counts them with one to four workers that take lanes from each other, and is rebuilt
in between. Every cell of both plans, in the tree of the day and in today's, is the oracle's.
"""

import random
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from deploy.local.stack import LocalStack
from services.metrics import rebuild
from services.metrics.evaluating.cell import Cell
from services.metrics.explaining.differences import Differences
from services.metrics.explaining.evidence import EvidencePages
from services.metrics.explaining.series import SeriesMaker
from services.metrics.projecting.projection import MetricsProjection
from shared.contracts.record import LANES
from shared.lane_consumer import LaneConsumer, LogReader
from shared.problems import Problem
from shared.progress import LanesLost
from tests.golden.system import System, noon, running
from tests.oracle.eras import Day
from tests.oracle.oracle import Oracle
from tests.oracle.truth import Posted
from tests.oracle.world import (
    FIRST,
    LAST,
    MERGED,
    NEW,
    OBJECTIVES,
    OLD,
    RECORDED,
    SPANS,
    Amendments,
    Story,
    declared,
    definitions,
    known_from,
    plan,
    units,
)

Json = dict[str, Any]
SEEDS = range(2)
EVENTS_A_DAY = 66
AMENDMENTS_A_DAY = 12
COLUMNS = ["value", "denominator", "met", "met_on_time", "status", "required_per_week", "required"]
AS_OF = [FIRST + timedelta(days=n) for n in range(-1, (LAST - FIRST).days + 6)]


class World:
    """A system that took a story, day by day, and what the oracle was told of it."""

    def __init__(self, system: System, dice: random.Random) -> None:
        self.system, self.dice = system, dice
        self.posted: list[Posted] = []
        self.numbers = declared(dice)
        self.refused = 0
        self.codes: dict[tuple[str, str], int] = {}

    async def live(self) -> None:
        """All days of the story."""
        story, amendments = Story(self.dice), Amendments(self.dice)
        defined = units()
        await self.system.post(defined, RECORDED[0], told=False)
        marked = [event for event in defined if event["type"].endswith("unit.attributed")]
        self.posted += [Posted(event, RECORDED[0]) for event in marked]
        for recorded in RECORDED:
            await self.system.post(definitions(self.numbers, recorded), recorded, told=False)
            await self.system.count()
            await rebuild.build_new_measures(
                self.system._pool, LogReader(self.system.client), self.system._catalogue
            )
            await self._post(amendments.day(recorded, AMENDMENTS_A_DAY), recorded)
            await self._post(story.day(recorded, EVENTS_A_DAY), recorded)
            await self._count()

    async def _post(self, events: list[Json], day: date) -> None:
        """What is refused (a correction that makes its event invalid, say) was never said."""
        self.system.clock.at = noon(day)
        while events:
            size = self.dice.randrange(1, 20)
            batch, events = events[:size], events[size:]
            answer = await self.system.client.post(
                "/v1/events",
                content=msgspec.json.encode(batch),
                headers={"Content-Type": "application/cloudevents-batch+json"},
            )
            for event, result in zip(batch, answer.json()["results"], strict=True):
                if result["status"] == "rejected":
                    self.refused += 1
                    code = result["problem"]["code"]
                    self.codes[event["type"], code] = self.codes.get((event["type"], code), 0) + 1
                else:
                    self.posted.append(Posted(event, day))

    async def _count(self) -> None:
        """Some workers, in turns, with lanes that go from one to another; a rebuild at times."""
        system, dice = self.system, self.dice
        reader = LogReader(system.client)
        names = [f"w{n}" for n in range(dice.randrange(1, 5))]
        workers = [MetricsProjection(system._pool, name, system._catalogue) for name in names]
        for _ in range(2):
            await system._pool.execute("TRUNCATE worker")
            of = {lane: dice.randrange(len(workers)) for lane in range(LANES)}
            for at, worker in enumerate(workers):
                await worker.begin(frozenset(lane for lane, owner in of.items() if owner == at))
            dice.shuffle(workers)
            for worker in workers:
                lanes = [lane for lane in worker.lanes if dice.random() < 0.8]
                if lanes:
                    try:
                        await LaneConsumer(worker, reader, "unused:1", "w").catch_up(lanes)
                    except LanesLost:
                        continue  # a rebuild made its measures old: the next one counts the rest
            if dice.random() < 0.4:
                report = await rebuild.rebuild(system._pool, reader, system._catalogue)
                assert (report.differences, report.evidence_differences) == ([], 0)
        await system.count()

    def oracle(self, unit: str, known_at: date | None) -> Oracle:
        return Oracle(
            plan(unit),
            self.posted,
            known_at,
            declared=[n for n in self.numbers if known_at is None or known_from(n[0]) <= known_at],
            eras=lambda day, root: Day(SPANS, day, root),
            since=known_from(unit),
        )


@pytest.fixture(params=SEEDS)
async def world(
    request: pytest.FixtureRequest, infrastructure: LocalStack, tmp_path: Path
) -> AsyncIterator[World]:
    async with running(infrastructure, tmp_path, RECORDED[0]) as system:
        found = World(system, random.Random(request.param))
        await found.live()
        yield found


def levels(unit: str, tree: date) -> list[str]:
    return ["province", "commune"] + (["hamlet"] if tree >= MERGED and unit == NEW else [])


async def test_every_cell_of_every_day_as_known_on_every_day(world: World) -> None:
    assert world.refused < len(world.posted) // 4
    seen: dict[str, set[object]] = {}
    for unit in (OLD, NEW):
        for known_at in (*(day for day in RECORDED if day >= known_from(unit)), None):
            oracle = world.oracle(unit, known_at)
            for as_of in AS_OF:
                # The new province has no table in the old tree, but old days in the new one.
                for tree in {as_of, LAST} if unit == OLD else {max(as_of, MERGED)}:
                    await _compare(world, oracle, unit, as_of, known_at, tree, seen)
    still = sorted(name for name in OBJECTIVES if len(seen[name]) < 2)
    assert len(still) <= 3, f"a story in which too little happens: {still}"
    assert seen["not_attributable"] != {None}, "a unit that was split has facts"
    assert {"met", "on_track", "behind", "overdue", "unknown", "not_judged"} <= seen["status"]
    for unit in (OLD, NEW):
        await _evidence_adds_up(world, unit, LAST)
        await _changes_add_up(world, unit)
    await _evidence_adds_up(world, OLD, FIRST + timedelta(days=6))
    assert seen["exceeds"] == {True, False} and len(seen["status_value"]) > 2


async def _evidence_adds_up(world: World, unit: str, tree: date) -> None:
    """What the pages of evidence weigh is what the cell says, and its course ends with it."""
    pages = EvidencePages(world.system.moments, lambda: LogReader(world.system.client))
    name = f"plan-{unit.partition('@')[0]}"
    places = [unit, *(s.unit for s in SPANS if s.kind in ("commune", "ward", "hamlet"))]
    asked: Json = {"plan": name, "as_of": tree, "known_at": None, "tree": tree.isoformat()}
    names = world.oracle(unit, None).names(tree)
    for place in places:
        for objective in OBJECTIVES:
            # What was ended for everybody is no objective of that day.
            codes = {"unit-not-in-plan", "unit-unknown"}
            codes |= set() if objective in names else {"objective-unknown"}
            cursor, weight, limit = None, 0, world.dice.randrange(1, 9)
            while True:
                try:
                    page = await pages.ask(
                        **asked,
                        objective=objective,
                        unit=place,
                        part="value",
                        cursor=cursor,
                        limit=limit,
                    )
                except Problem as problem:
                    assert problem.code in codes, (place, objective)
                    break
                assert len(page.events) <= limit
                weight += sum(event.weight for event in page.events)
                cursor = page.next
                if cursor is None:
                    said = (weight, page.counted)
                    assert said == (page.cell.value,) * 2, (place, objective, page)
                    break
    course = await SeriesMaker(world.system.moments).ask(
        plan=name, unit=unit, objectives=[], level="commune", start=tree - timedelta(days=9),
        end=tree, every="day", known_at=None, tree="as_of",
    )  # fmt: skip
    async with world.system.moments.snapshot() as connection:
        for point in course.points:
            moment = await world.system.moments.at(connection, name, point.as_of, None)
            units_of = moment.units(unit, "commune")
            # The course is of the objectives of its last day.
            lasting = [one for one in moment.objectives if one.id in course.objectives]
            assert point.cells == await moment.cells(connection, lasting, units_of)


async def _changes_add_up(world: World, unit: str) -> None:
    """From before the merger to after it: nothing of the difference is unexplained."""
    differences = Differences(world.system.moments, lambda: LogReader(world.system.client))
    name = f"plan-{unit.partition('@')[0]}"
    known = known_from(unit)
    for objective in world.oracle(unit, None).names(LAST):
        for before, after in (((FIRST, None), (LAST, None)), ((LAST, known), (LAST, None))):
            found = await differences.ask(
                plan=name, objective=objective, unit=unit, before=before, after=after, tree="as_of",
                part="value", cursor=None, limit=500,
            )  # fmt: skip
            assert found.unexplained == 0, (objective, before, after, found)


async def _compare(
    world: World,
    oracle: Oracle,
    unit: str,
    as_of: date,
    known_at: date | None,
    tree: date,
    seen: dict[str, set[object]],
) -> None:
    name = f"plan-{unit.partition('@')[0]}"
    moments = world.system.moments
    async with moments.snapshot() as connection:
        moment = await moments.at(connection, name, as_of, known_at, tree.isoformat())
        expected: dict[tuple[str, str], Any] = {}
        shown: dict[tuple[str, str], Cell] = {}
        for level in levels(unit, tree):
            table = oracle.table(level, as_of, tree)
            expected |= {(u, o): cell for u, row in table.items() for o, cell in row.items()}
        units_of = sorted({place for place, _ in expected})
        for cell in await moment.cells(connection, moment.objectives, units_of):
            shown[cell.unit_id, cell.objective] = cell
    case = (unit, as_of, known_at, tree)
    assert shown.keys() == expected.keys(), case
    for key, wanted in expected.items():
        cell = shown[key]
        for column in COLUMNS:
            value = getattr(cell, column)
            assert value == getattr(wanted, column), (*case, key, column, cell)
            seen.setdefault(column, set()).add(value)
        seen.setdefault(key[1], set()).add(cell.value)
        seen.setdefault("not_attributable", set()).add(cell.not_attributable)
        assert ("exceeds_denominator" in cell.flags) is wanted.exceeds, (*case, key, cell)
        said = cell.status_bucket.value if cell.status_bucket is not None else None
        assert said == wanted.status_value, (*case, key, cell)
        seen.setdefault("status_value", set()).add(said)
        seen.setdefault("exceeds", set()).add(wanted.exceeds)
        beside = {b.id: b.value for b in cell.beside}.get("figure.reported")
        assert beside == oracle.reported(key[1], key[0], as_of), (*case, key, cell)
        seen.setdefault("beside", set()).add(beside)
