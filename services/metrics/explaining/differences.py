"""Why a number is another one than on another day, or than was known on another day.

The difference of a cell's count is split into what changed definitions do (another tree, another
target's window or filter) and what single events do; all effects add up to the difference.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import date

from services.metrics.counting.states import Place
from services.metrics.counting.windows import Window
from services.metrics.evaluating.cell import Cell
from services.metrics.evaluating.joined import mates_of_either
from services.metrics.evaluating.moments import Moment, Moments
from services.metrics.evaluating.versions import (
    VERSIONS,
    Version,
    fact_units,
    load_versions,
    past_units,
    serving,
    units_of,
)
from services.metrics.explaining.cursors import read_cursor
from services.metrics.explaining.defined import changed, defining
from services.metrics.explaining.difference_answers import Difference, Effect, Side
from services.metrics.explaining.difference_questions import days_of, earlier, forward
from services.metrics.explaining.log_rows import read_rows
from services.metrics.explaining.parts import Part, counted_part, window_of
from services.metrics.explaining.stepping import Between, CellCount, Step, steps
from services.metrics.projecting.store import Combinations, Subject
from shared.db import Connection
from shared.domain.compile import Objective
from shared.domain.knowledge import Until
from shared.domain.places import Places, Sums
from shared.lane_consumer import LogReader
from shared.problems import Problem

MOST = 500
MOST_SUBJECTS = 50_000
ANY_POSITION = 2**62


class Differences:
    """Answers why numbers differ."""

    def __init__(self, moments: Moments, reader: Callable[[], LogReader]) -> None:
        self._moments = moments
        self._reader = reader

    async def ask(
        self,
        *,
        plan: str,
        objective: str,
        unit: str | None,
        before: tuple[date | None, Until],
        after: tuple[date | None, Until],
        tree: str,
        part: str,
        cursor: str | None,
        limit: int,
    ) -> Difference:
        """Compare (as_of, what was known) `before` with `after`."""
        forward(before[1], after[1])
        start = read_cursor(cursor, 9)
        reader = self._reader()
        days = await days_of(reader, [until for _, until in (before, after)])
        async with self._moments.snapshot() as connection:
            last = await self._at(connection, plan, after, days, tree)
            try:
                first = await self._at(connection, plan, before, days, tree)
            except Problem as problem:
                raise earlier(problem, before[1]) from None
            unit_id = last.resolve(unit)
            compared = _Compared(connection, first, last, objective, part, unit_id)
            found = await compared.compare()
        found.next = str(start + limit) if found.total_events > start + limit else None
        found.events = found.events[start : start + limit]
        await _name(found.events, reader, last.position)
        return found

    async def _at(
        self,
        connection: Connection,
        plan: str,
        asked: tuple[date | None, Until],
        days: Mapping[int, date],
        tree: str,
    ) -> Moment:
        as_of, until = asked
        through = until if isinstance(until, int) else None
        known_at = days.get(until) if isinstance(until, int) else until
        return await self._moments.at(connection, plan, as_of, known_at, tree, through)


class _Compared:
    """The two moments of one cell."""

    def __init__(
        self,
        connection: Connection,
        first: Moment,
        last: Moment,
        objective: str,
        part: str,
        unit_id: str,
    ) -> None:
        self._connection = connection
        self._first, self._last, self._unit = first, last, unit_id
        self._was = first.others.get(objective)
        self._is = last.objective(objective)
        self._part = counted_part(last, self._is, part)

    async def compare(self) -> Difference:
        """Everything but the page."""
        first, last, unit_id = self._first, self._last, self._unit
        was = self._was or self._is
        (cell_before,) = await first.cells(self._connection, [was], [unit_id])
        (cell_after,) = await last.cells(self._connection, [self._is], [unit_id])
        old_part = self._old_part(was)
        old_sums: Sums = {}
        new_tree: Sums = {}
        mid_sums: Sums = {}
        window = window_of(first.on(first.as_of, first.places), self._is)
        if not first.early:
            if old_part is not None:
                old_sums = await self._sums(old_part, window_of(first, was), first)
                new_tree = await self._sums(old_part, window_of(first, was), first, last.places)
            mid_sums = await self._sums(self._part, window, first, last.places)
        before = retreed = 0
        if old_part is not None:
            before = CellCount(first, was, old_part, unit_id, old_sums).value
            retreed = CellCount(last, was, old_part, unit_id, new_tree).value
        count = CellCount(last, self._is, self._part, unit_id, mid_sums)
        redefined = count.value
        effects = []
        for step in await self._steps(window):
            effect = count.apply(step.deltas)
            if effect:
                effects.append(
                    Effect(position=step.position, origin=step.origin, how=step.how, effect=effect)
                )
        end_sums = (
            {} if last.early else await self._sums(self._part, window_of(last, self._is), last)
        )
        after = CellCount(last, self._is, self._part, unit_id, end_sums).value
        by_events = sum(effect.effect for effect in effects)
        return Difference(
            plan=last.plan,
            objective=self._is.id,
            part=self._part.name,
            figure=self._part.figure,
            unit_id=unit_id,
            position=last.position,
            before=_side(first, before, cell_before),
            after=_side(last, after, cell_after),
            change=after - before,
            by_definitions=redefined - before,
            by_events=by_events,
            unexplained=after - redefined - by_events,
            definitions=changed(
                first, last, was, self._is, unit_id, (retreed - before, redefined - retreed)
            ),
            definition_events=await defining(self._connection, first, last, self._is, unit_id),
            events=effects,
            total_events=len(effects),
            next=None,
        )

    def _old_part(self, was: Objective) -> Part | None:
        """The same part as it was counted before; None where it was not."""
        if self._was is None:
            return None
        try:
            return counted_part(self._first, was, self._part.name)
        except Problem:
            return None

    async def _sums(
        self, part: Part, window: Window, moment: Moment, places: Places | None = None
    ) -> Sums:
        """`places`: in another tree than the moment's."""
        slot = (part.number, window)
        joined = None
        if places is not None:
            joined = await moment.joins(self._connection, [part.number], places)
        return (await moment.sums(self._connection, [slot], joined))[slot]

    async def _steps(self, window: Window) -> list[Step]:
        last = window_of(self._last, self._is)
        between = Between(window, last, self._first.until, self._last.until, self._first.early)
        combinations = Combinations()
        joined = await self._last.joins(self._connection, [self._part.number])
        before = joined
        if not self._first.early:
            before = await self._first.joins(
                self._connection, [self._part.number], self._last.places
            )
        mates = mates_of_either(before, joined)
        subjects = await self._subjects(between, combinations, list(mates))
        found: list[Step] = []
        alone = [subject for subject in subjects if subject not in mates]
        for at in range(0, len(alone), 5_000):
            versions = await load_versions(self._connection, alone[at : at + 5_000], combinations)
            found += await asyncio.to_thread(self._steps_of, list(versions.values()), between, None)
        groups = {mates[subject] for subject in subjects if subject in mates}
        if groups:
            wanted = [subject for group in groups for subject in group]
            versions = await load_versions(self._connection, wanted, combinations)
            several = [
                sorted(
                    (v for s in group for v in versions[s] if joined.keeps(v.evidence)),
                    key=lambda v: v.position,
                )
                for group in groups
            ]
            place = self._last.places.lies_in
            found += await asyncio.to_thread(self._steps_of, several, between, place)
        return sorted(found, key=lambda step: step.order)

    def _steps_of(
        self, subjects: list[list[Version]], between: Between, place: Place | None
    ) -> list[Step]:
        part = self._part
        return [
            step
            for rows in subjects
            for step in steps(part.measure, part.number, rows, between, place)
        ]

    async def _subjects(
        self, between: Between, combinations: Combinations, joined: list[Subject]
    ) -> list[Subject]:
        """The subjects of this cell of which anything began, ended or became known between.

        `joined`: what the tree joins may count where none of it was ever counted alone.
        """
        if self._last.early:
            return []
        number = self._part.number
        moments = (self._first, self._last)
        served = await serving(self._connection, combinations, number)
        named = set(await fact_units(self._connection, number))
        if between.by_position:
            named |= set(await past_units(self._connection, served))
        named |= await units_of(self._connection, joined)
        units = [
            name
            for name in sorted(named)
            if any(m.places.covers(self._unit, name, m.root) for m in moments)
        ]
        days = sorted((between.first.end, between.last.end))
        from_day, from_row = _split(between.known_from)
        if between.nothing:
            from_day, from_row = (None, 0) if between.by_position else (date.min, None)
        to_day, to_row = _split(between.known_to)
        rows = await self._connection.fetch(
            f"""
            SELECT DISTINCT lane, subject FROM {VERSIONS} v
            WHERE combination = ANY($1::int[]) AND (
              (since > $2 AND since <= $3) OR (until >= $2 AND until < $3)
              OR ($4::date IS NOT NULL AND recorded > $4 AND recorded <= $5)
              OR ($4::date IS NOT NULL AND replaced > $4 AND replaced <= $5)
              OR ($6::date IS NOT NULL AND since >= $6 AND since <= $2)
              OR ($9::bigint IS NOT NULL AND position > $9 AND position <= $10)
              OR ($9::bigint IS NOT NULL AND replaced_by > $9 AND replaced_by <= $10)
            )
            AND EXISTS (
              SELECT FROM {VERSIONS} i
              WHERE i.lane = v.lane AND i.subject = v.subject
                AND i.unit_id = ANY($7::text[]) AND i.combination = ANY($1::int[])
            )
            ORDER BY 1, 2 LIMIT $8
            """,
            served,
            days[0],
            days[1],
            from_day,
            to_day or date.max,
            _earliest_start(between),
            units,
            MOST_SUBJECTS + 1,
            from_row,
            to_row if to_row is not None else ANY_POSITION,
        )
        if len(rows) > MOST_SUBJECTS:
            raise Problem(
                "differences-too-many",
                f"More than {MOST_SUBJECTS:,} persons, things or reporters changed between.",
                hint="Ask for days closer together, or unit by unit.",
                pointer="/unit",
            )
        return [(row["lane"], row["subject"]) for row in rows]


def _split(until: Until) -> tuple[date | None, int | None]:
    return (None, until) if isinstance(until, int) else (until, None)


def _earliest_start(between: Between) -> date | None:
    """Where the windows begin differently (weeks, months), the earlier beginning."""
    if between.first.start == between.last.start:
        return None
    return min(window.start or date.min for window in (between.first, between.last))


def _side(moment: Moment, count: int, cell: Cell) -> Side:
    return Side(
        as_of=moment.as_of,
        known_at=moment.known_at,
        position=moment.through,
        tree=moment.places.day,
        not_in_operation=moment.early,
        count=count,
        cell=cell,
    )


async def _name(effects: Iterable[Effect], reader: LogReader, through: int) -> None:
    """Add what only the log knows."""
    shown = list(effects)
    if not shown:
        return
    rows = await read_rows(reader, sorted({e.position for e in shown}), through)
    for effect in shown:
        row, first = rows.get(effect.position), rows.get(effect.origin)
        if row is not None:
            said = row.effective_content() or row
            effect.source, effect.id, effect.type = row.source, row.id, row.short_type
            effect.unit_id, effect.occurred = said.unitid, said.occurred
            effect.recorded = row.recorded
        if first is not None and effect.origin != effect.position:
            effect.about = first.short_type
