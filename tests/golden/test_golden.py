"""The tables of a simulated course of each plan: equal to the oracle's, and to those kept here.

Run with WRITE_GOLDEN=1 in the environment to keep new tables; then read the difference.
"""

import csv
import io
import os
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from deploy.local.stack import LocalStack
from deploy.sandbox.course import Course, make_course
from services.metrics.evaluating.cell import Cell
from tests.golden.system import System, running, territory
from tests.oracle import units as oracle_units
from tests.oracle.oracle import Oracle
from tests.oracle.truth import day_of

FOLDER = Path(__file__).parent
COLUMNS = ["value", "denominator", "met", "met_on_time", "status", "required_per_week"]
EVENTS = 1200
UNTIL = {
    "dak-lak-2026": date(2026, 11, 20),
    "gia-lai-2026": date(2026, 11, 20),
    "tan-lap-100-days-2025": date(2025, 10, 20),
    "dong-nai-2026": date(2026, 11, 20),
    "yen-bai-2025-2026": date(2026, 11, 20),
}
LEVELS = {"tan-lap-100-days-2025": ["commune", "hamlet"]}


class Played:
    """A course that was posted on three days."""

    def __init__(self, system: System, course: Course, days: list[date]) -> None:
        self.system, self.course, self.days = system, course, days
        self.plan = course.place.plan
        self.levels = LEVELS.get(self.plan["id"], [_level(self.plan), "commune"])

    async def cells(self, as_of: date, known_at: date | None = None) -> dict[Any, Cell]:
        return await self.system.cells(self.plan["id"], self.levels, as_of, known_at)

    def expected(self, as_of: date, known_at: date | None = None) -> dict[Any, Any]:
        oracle = Oracle(self.plan, self.system.posted, known_at, units=self._units())
        return {
            (unit, name): cell
            for level in self.levels
            for unit, row in oracle.table(level, as_of).items()
            for name, cell in row.items()
        }

    def _units(self) -> list[tuple[str, str, str]]:
        """Today's tree; under a former province the communes that its territory became."""
        rows = oracle_units.shipped_units()
        root = self.plan["unit"]
        if root.endswith("@2025"):
            return rows
        communes = {f"{commune.code}@2025" for commune in self.course.place.communes}
        moved = [(u, kind, root if u in communes else parent) for u, kind, parent in rows]
        return [*moved, (root, "province", "VN@2025")]


def _level(plan: dict[str, Any]) -> str:
    return "commune" if len(plan["unit"].partition("@")[0]) == 5 else "province"


@pytest.fixture(params=UNTIL)
async def played(
    request: pytest.FixtureRequest, infrastructure: LocalStack, tmp_path: Path
) -> AsyncIterator[Played]:
    plan, until = request.param, UNTIL[request.param]
    course = make_course(plan, EVENTS, 1, until)
    times = [posting.at.date() for posting in course.postings]
    declared = max(day_of(posting.event["time"]) for posting in course.definitions)
    last = max(until, declared) + timedelta(days=1)
    days = [times[len(times) // 3], times[2 * len(times) // 3], last]
    async with running(infrastructure, tmp_path, days[0]) as system:
        await system.post(territory(course), days[0], told=False)
        document = course.place.plan
        published = {
            "specversion": "1.0",
            "id": "plan",
            "source": "https://hocvuso.example/registry",
            "type": "vn.hocvuso.plan.published",
            "subject": document["unit"],
            "time": f"{document['period']['start']}T00:00:00+07:00",
            "data": {"plan": plan, "version": document["version"], "document": document},
        }
        await system.post([published], days[0], told=False)
        done = date.min
        for day in days:
            declared = [p.event for p in course.definitions]
            events = [e for e in declared if done < day_of(e["time"]) <= day]
            events += [p.event for p in course.postings if done < p.at.date() <= day]
            await system.post(events, day)
            done = day
        await system.count()
        yield Played(system, course, days)


async def test_tables_equal_the_oracles_and_the_golden_ones(played: Played) -> None:
    first, _, last = played.days
    after = date(last.year, 12, 31)
    moments = [(last, None), (first, None), (last, first), (after, None), (first, first)]
    for as_of, known_at in moments:
        cells, expected = await played.cells(as_of, known_at), played.expected(as_of, known_at)
        assert cells.keys() == expected.keys()
        wrong = [
            f"{key} {name}: {getattr(cells[key], name)}, oracle {getattr(cell, name)}"
            for key, cell in expected.items()
            for name in COLUMNS
            if getattr(cells[key], name) != getattr(cell, name)
        ]
        assert wrong == [], (as_of, known_at)
    text = _written(await played.cells(last))
    file = FOLDER / f"{played.plan['id']}.csv"
    if os.environ.get("WRITE_GOLDEN"):
        file.write_text(text, encoding="utf-8")
    assert file.read_text(encoding="utf-8") == text


def _written(cells: dict[Any, Cell]) -> str:
    """The rows that say something, sorted."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["unit_id", "objective", *COLUMNS])
    for (unit, name), cell in sorted(cells.items()):
        if cell.value:
            writer.writerow([unit, name, *(getattr(cell, column) for column in COLUMNS)])
    return out.getvalue()
