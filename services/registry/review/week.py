"""Everything the week's page shows, gathered once: numbers with their change, every objective small,
the units that need help, decisions and what became of them."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from services.registry.completeness.routes import counted_types, reported
from services.registry.progress import why
from services.registry.progress.cold_spots import cold_spots
from services.registry.progress.pace import elapsed
from services.registry.reports.routes import accounts
from services.registry.review.decisions import Closing, Record, load_record
from services.registry.state import State
from services.registry.tables.build import Question, build
from services.registry.tables.model import Cell, Header, Table
from services.registry.tasks.ledger import task_ledger
from services.registry.tasks.standing import state_of_all
from shared.domain.plan_history import PlanVersion
from shared.problems import Problem

LATE = ("behind", "overdue")
GOOD = ("met", "on_track")
WEEKS = 12
EVERY_SPOT = 500
LOOKED_BACK = timedelta(weeks=9)


@dataclass(frozen=True)
class Figure:
    """One of the six numbers. `whole`: out of how many; `change` since the week before, None where it
    is not known; `better`: 1 where more is good, -1 where less is."""

    id: str
    value: int
    whole: int | None
    change: int | None
    better: int


@dataclass(frozen=True)
class SmallChart:
    """One objective of the whole. `reached`, `pace`: parts of what is required, 0 to 1; `points`: values
    at the end of the last weeks."""

    header: Header
    cell: Cell | None
    reached: float | None
    pace: float | None
    points: list[int]


@dataclass(frozen=True)
class Needs:
    """A unit that needs help: the objectives it is behind in, the coldest first, and the reason that
    most of them have."""

    unit_id: str
    name: str
    objectives: list[Header]
    gap: float
    reason: str
    last_event: date | None


@dataclass(frozen=True)
class Week:
    """`day`: the last day that counts; `base`: the day compared with; `partly`: something could not be
    asked for, and is left out."""

    monday: date
    day: date
    base: date
    closed: Closing | None
    table: Table
    figures: list[Figure]
    charts: list[SmallChart]
    needs: list[Needs]
    record: Record
    partly: bool

    @property
    def week_end(self) -> date:
        """Its Sunday."""
        return self.monday + timedelta(days=6)


def monday_of(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())


async def week_of(state: State, plan: PlanVersion, unit: str | None, monday: date) -> Week:
    """The week that begins on `monday`; one that was closed as it was known on that day."""
    today = state.clock.today()
    day = min(today, monday + timedelta(days=6))
    base = monday - timedelta(days=8)
    record = await load_record(state, plan, monday - LOOKED_BACK, None, None)
    closed = record.closings.get(monday)
    known_at = closed.day if closed and closed.day < today else None
    if closed is not None:
        day = min(day, closed.day)
    table = await build(
        state, Question(plan.plan, unit, None, None if day == today else day, known_at)
    )
    before, points, needs, sums, sums_before = await asyncio.gather(
        _attempt(_table(state, plan, unit, base)),
        _attempt(weekly_values(state, plan, unit, table, day)),
        _needs(state, plan, table),
        _sums(state, plan, table, day, monday, known_at),
        _attempt(_sums(state, plan, table, base, monday - timedelta(days=7), None)),
    )
    figures = _figures(table, before, sums, sums_before)
    charts = _charts(plan, table, points or {}, day)
    partly = before is None or points is None
    return Week(monday, day, base, closed, table, figures, charts, needs, record, partly)


async def _attempt(asked: Any) -> Any:
    """The answer, or None where it cannot be had now (metrics away, a day before the plan)."""
    try:
        return await asked
    except Problem:
        return None


async def _table(state: State, plan: PlanVersion, unit: str | None, day: date) -> Table:
    return await build(state, Question(plan.plan, unit, None, day))


async def weekly_values(
    state: State, plan: PlanVersion, unit: str | None, table: Table, day: date
) -> dict[str, list[int]]:
    """Objective -> its values at the end of the last weeks, oldest first."""
    names = [o.id for o in table.objectives if o.state == "counted"]
    start = max(day - timedelta(weeks=WEEKS), date.fromisoformat(plan.document["period"]["start"]))
    told = await why.series(state, plan.plan, unit, names, start, day, "week", None)
    found: dict[str, list[int]] = {}
    for point in told["points"]:
        for cell in point["cells"]:
            if cell["unit_id"] == table.unit_id and cell["value"] is not None:
                found.setdefault(cell.get("objective", ""), []).append(cell["value"])
    return found


@dataclass(frozen=True)
class _Sums:
    """What the tables do not say: silent units, events of the week before, overdue reports and tasks."""

    silent: int
    reports: int
    tasks: int


async def _sums(
    state: State, plan: PlanVersion, table: Table, day: date, monday: date, known_at: date | None
) -> _Sums:
    """As of a day; silence is that of the whole week before `monday`."""
    first, last = monday - timedelta(days=7), monday - timedelta(days=1)
    types = counted_types(plan)
    ids = [row.unit_id for row in table.rows]
    below = {id: [id, *(u.unit_id for u in state.tree.descendants(id))] for id in ids}
    come, nil = await reported(state, below, types, first, last)
    spoke = {unit for unit, _ in come} | {unit for unit, _ in nil}
    start = date.fromisoformat(plan.document["period"]["start"])
    if day < start:
        return _Sums(sum(id not in spoke for id in ids), 0, 0)
    owed = await accounts(state, plan, day, known_at)
    reports = sum(e.state == "missing" for a in owed for f in a.periods for e in f.entries)
    ledger = await task_ledger(state, plan, day, known_at)
    tasks = sum(
        state_of_all([b.state for b in task.standings.values()]) == "overdue"
        for task in ledger.tasks
    )
    return _Sums(sum(id not in spoke for id in ids), reports, tasks)


def _figures(table: Table, before: Table | None, now: _Sums, then: _Sums | None) -> list[Figure]:
    def of(shown: Table) -> tuple[int, int, int]:
        """Objectives of the whole that are on pace; units that are late; cells that are late."""
        cells = shown.whole.cells.values() if shown.whole else []
        late = [sum(c.status in LATE for c in row.cells.values()) for row in shown.rows]
        return sum(c.status in GOOD for c in cells), sum(map(bool, late)), sum(late)

    good, units, cells = of(table)
    was = of(before) if before is not None else None
    names = ("silent", "reports", "tasks")
    gone = {n: getattr(now, n) - getattr(then, n) for n in names} if then is not None else {}
    many = sum(o.state != "not_counted" for o in table.objectives)
    return [
        Figure("on_pace", good, many, None if was is None else good - was[0], 1),
        Figure("late_units", units, len(table.rows), None if was is None else units - was[1], -1),
        Figure("late_cells", cells, many * len(table.rows), None if was is None else cells - was[2], -1),
        Figure("silent", now.silent, len(table.rows), gone.get('silent'), -1),
        Figure("reports", now.reports, None, gone.get('reports'), -1),
        Figure("tasks", now.tasks, None, gone.get('tasks'), -1),
    ]  # fmt: skip


def _charts(
    plan: PlanVersion, table: Table, points: dict[str, list[int]], day: date
) -> list[SmallChart]:
    """Of every objective that is counted, the late ones first."""
    documents = {o["id"]: o for o in plan.document["objectives"]}
    found = []
    for header in table.objectives:
        if header.state == "not_counted" or header.id not in documents:
            continue
        cell = table.whole.cells.get(header.id) if table.whole else None
        judged = cell.judged() if cell else None
        reached = pace = None
        if cell is not None and judged is not None and judged.required and judged.value is not None:
            reached = min(1.0, judged.value / judged.required)
            pace = float(elapsed(documents[header.id], day, cell.last_day))
        found.append(SmallChart(header, cell, reached, pace, points.get(header.id, [])))
    order = {"overdue": 0, "behind": 1, "on_track": 3, "met": 4}
    return sorted(found, key=lambda one: order.get(one.cell.status if one.cell else "", 2))


async def _needs(state: State, plan: PlanVersion, table: Table) -> list[Needs]:
    """The units behind pace over all objectives: most objectives first, then the largest gap."""
    headers = {o.id: o for o in table.objectives}
    spots: dict[str, list[tuple[Fraction, str, Any]]] = {}
    names: dict[str, str] = {}
    for one in await cold_spots(state, plan, table, None, None, EVERY_SPOT):
        for spot in one.top:
            names[spot.row.unit_id] = spot.row.name_vi
            spots.setdefault(spot.row.unit_id, []).append((spot.gap, one.objective["id"], spot))
    found = []
    for unit_id, listed in spots.items():
        listed.sort(key=lambda item: (-item[0], item[1]))
        reasons = Counter(spot.reason for _, _, spot in listed)
        days = [day for _, _, spot in listed if (day := spot.facts.get("last_event")) is not None]
        found.append(
            Needs(
                unit_id,
                names[unit_id],
                [headers[id] for _, id, _ in listed],
                float(sum(gap for gap, _, _ in listed)),
                reasons.most_common(1)[0][0],
                max(days, default=None),
            )
        )
    return sorted(found, key=lambda need: (-len(need.objectives), -need.gap, need.unit_id))
