"""Cells at the end of every day, week or month: one reading of the tallies for all of them."""

import asyncio
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Literal

import msgspec

from services.metrics.counting.windows import Bucket, Window, bucket_of
from services.metrics.evaluating.cell import Cell
from services.metrics.evaluating.joined import Joined
from services.metrics.evaluating.moments import Moment, Moments
from services.metrics.evaluating.needs import needed
from services.metrics.evaluating.sums import load
from services.metrics.evaluating.versions import fact_units
from shared.db import Connection
from shared.domain.measures import Measure
from shared.domain.places import Places, Sums
from shared.problems import Problem

MOST_POINTS = 800
MOST_CELLS = 200_000


class Point(msgspec.Struct, kw_only=True):
    """The cells at the end of a day; the last one of its week or month, if there is one."""

    as_of: date
    cells: list[Cell]


class Series(msgspec.Struct, kw_only=True):
    """What `GET /v1/series` says: points from `start` to `end`, the last on `end` itself."""

    plan: str
    plan_version: int
    unit_id: str
    level: str | None
    objectives: list[str]
    start: date
    end: date
    every: str
    known_at: date | None
    position: int
    not_in_operation: bool
    points: list[Point]
    next: date | None = None


def ends(start: date, end: date, every: Literal["day"] | Bucket) -> list[date]:
    """The last days of the weeks or months between two days, and the last of these days."""
    found = []
    day = start
    while day <= end:
        last = day if every == "day" else bucket_of(day, every).end
        found.append(min(last, end))
        day = last + timedelta(days=1)
    return found


PAGE_CELLS = 400
"""A cell may take 20 ms where a unit is a province: more of them come in pages."""


class _Daily:
    """n and total of a measure by unit and day, and any sums of them."""

    def __init__(self, rows: Iterable[tuple[date, str, int, int]]) -> None:
        self._rows = sorted(rows)
        self._days = [row[0] for row in self._rows]
        self._running: dict[date | None, tuple[int, dict[str, tuple[int, int]]]] = {}
        self._past: dict[Window, dict[str, tuple[int, int]]] = {}

    def sums(self, window: Window) -> Sums:
        """The sums of a window; quick when windows of one start come in order."""
        if window in self._past:
            return self._past[window]
        first = 0 if window.start is None else bisect_left(self._days, window.start)
        last = bisect_right(self._days, window.end)
        at, known = self._running.get(window.start, (first, {}))
        back = at > last
        if back:
            at, known = first, {}
        sums = dict(known)
        for _, unit_id, n, total in self._rows[at:last]:
            before = sums.get(unit_id, (0, 0))
            sums[unit_id] = (before[0] + n, before[1] + total)
        if back:
            self._past[window] = sums  # the days until a deadline are asked for again and again
        else:
            self._running[window.start] = (last, sums)
        return sums


class SeriesMaker:
    """Answers questions about the course of cells."""

    def __init__(self, moments: Moments) -> None:
        self._moments = moments

    async def ask(
        self,
        *,
        plan: str,
        unit: str | None,
        objectives: list[str],
        level: str | None,
        start: date | None,
        end: date | None,
        every: Literal["day"] | Bucket,
        known_at: date | None,
        tree: str,
    ) -> Series:
        """The series of a unit, and of the units of a level in it; default: from the plan's first
        day to today, of all objectives."""
        async with self._moments.snapshot() as connection:
            last = await self._moments.at(connection, plan, end, known_at, tree)
            first_day = start or date.fromisoformat(last.document["period"]["start"])
            first_day = first_day if start else min(first_day, last.as_of)
            days = ends(first_day, last.as_of, every)
            if start is not None and start > last.as_of:
                raise Problem(
                    "series-invalid",
                    "The series would begin after it ends.",
                    hint="`from` is the first day, `to` the last; without `to`, today.",
                    pointer="/from",
                )
            unit_id = last.resolve(unit)
            chosen = [last.objective(name) for name in objectives] or last.objectives
            wide = len(last.units(unit_id, level)) if level else 1
            if len(days) > MOST_POINTS or len(days) * wide * len(chosen) > MOST_CELLS:
                raise Problem(
                    "series-too-long",
                    f"A series has at most {MOST_POINTS} points and {MOST_CELLS:,} cells.",
                    hint="Ask by week or month, for fewer days, or one objective at a time.",
                    pointer="/every",
                )
            at_once = max(1, PAGE_CELLS // (wide * len(chosen) or 1))
            rest = days[at_once:]
            days = days[:at_once]
            found = Series(
                plan=plan,
                plan_version=last.version,
                unit_id=unit_id,
                level=level,
                objectives=[objective.id for objective in chosen],
                start=first_day,
                end=last.as_of,
                every=every,
                known_at=known_at,
                position=last.position,
                not_in_operation=last.early,
                points=[],
                next=days[-1] + timedelta(days=1) if rest else None,
            )
            moments = _moments(last, days, follow=tree == "as_of")
            daily = await _load(connection, moments, {o.id for o in chosen}, unit_id)
            joins = await _joins(connection, moments, {o.id for o in chosen})
        # Seconds of work for a long series: beside the event loop, and without the connection.
        found.points = await asyncio.to_thread(
            _points, moments, found.objectives, unit_id, level, daily, joins
        )
        return found


def _points(
    moments: list[Moment],
    objectives: list[str],
    unit_id: str,
    level: str | None,
    daily: dict[str, _Daily],
    joins: dict[int, Joined],
) -> list[Point]:
    points = []
    for moment in moments:
        units = moment.units(unit_id, level) if level else [unit_id]
        points.append(
            Point(as_of=moment.as_of, cells=_cells(moment, objectives, units, daily, joins))
        )
    return points


def _moments(last: Moment, days: list[date], *, follow: bool) -> list[Moment]:
    """The last moment's state of knowledge on each day; places are made once for all the days
    between two changes of the tree."""
    tree = last.definitions.tree
    changes = sorted(
        {day for unit in tree.units() for day in (unit.valid_from, unit.valid_to) if day}
    )
    places: dict[int, Places] = {bisect_right(changes, last.places.day): last.places}
    found = []
    for day in days:
        at = bisect_right(changes, day if follow else last.places.day)
        if at not in places:
            places[at] = Places(tree, day)
        found.append(last.on(day, places[at]))
    return found


async def _load(
    connection: Connection, moments: list[Moment], wanted: set[str], unit_id: str
) -> dict[str, _Daily]:
    """The tallies of all measures that the objectives use on any of the days, by fingerprint."""
    if moments[-1].early:
        return {}
    last = moments[-1]
    numbers = last.numbers
    since: dict[str, date] = {}
    for moment in moments:
        for objective in moment.objectives:
            if objective.id in wanted:
                for measure, window in needed(objective, moment.as_of):
                    low = window.start or window.end + timedelta(days=1)
                    fingerprint = measure.fingerprint()
                    since[fingerprint] = min(since.get(fingerprint, low), low)
    # No window begins between ever and `since`, and none ends before: one sum stands for all of it.
    before = {
        fingerprint: (numbers[fingerprint], Window(None, day - timedelta(days=1)))
        for fingerprint, day in since.items()
        if fingerprint in numbers
    }
    sums = await load(connection, set(before.values()), known_at=last.known_at)
    places = {id(moment.places): moment for moment in moments}.values()
    daily = {}
    for fingerprint, (number, window) in sorted(before.items()):
        units = [
            name
            for name in await fact_units(connection, number)
            if any(m.places.covers(unit_id, name, m.root) for m in places)
        ]
        rows = await connection.fetch(
            """
            SELECT occurred, unit_id, sum(n)::bigint, sum(total)::bigint FROM tally
            WHERE measure = $1 AND unit_id = ANY($2::text[]) AND occurred <= $3 AND occurred > $5
              AND ($4::date IS NULL OR recorded <= $4)
            GROUP BY 1, 2
            """,
            number,
            units,
            last.as_of,
            last.known_at,
            window.end,
        )
        until = sums[number, window]
        known = [(date.min, name, *until[name]) for name in units if name in until]
        single = [(row[0], row[1], row[2], row[3]) for row in rows]
        daily[fingerprint] = await asyncio.to_thread(_Daily, known + single)
    return daily


async def _joins(
    connection: Connection, moments: list[Moment], wanted: set[str]
) -> dict[int, Joined]:
    """What each tree joins, by the identity of its places."""
    last = moments[-1]
    if last.early:
        return {}
    prints = {
        measure.fingerprint()
        for moment in moments
        for objective in moment.objectives
        if objective.id in wanted
        for measure in objective.all_measures()
    }
    numbers = [number for name, number in last.numbers.items() if name in prints]
    places = {id(moment.places): moment.places for moment in moments}
    return {key: await last.joins(connection, numbers, one) for key, one in places.items()}


def _cells(
    moment: Moment,
    wanted: list[str],
    units: list[str],
    daily: dict[str, _Daily],
    joins: dict[int, Joined],
) -> list[Cell]:
    objectives = [o for o in moment.objectives if o.id in wanted]
    if moment.early:
        return moment.not_yet(objectives, units)

    def sums(measure: Measure, window: Window, _: str) -> Sums:
        known = daily.get(measure.fingerprint())
        if known is None:
            return {}
        joined = joins.get(id(moment.places))
        number = moment.numbers.get(measure.fingerprint())
        found = known.sums(window)
        return found if joined is None or number is None else joined.add_to(found, number, window)

    evaluator, others = moment.evaluator(sums), moment.others
    return [c for o in objectives for c in evaluator.cells(o, moment.root, units, others)]
