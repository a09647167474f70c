"""Sums of tallies over squares of days: occurred x recorded, 4 x 4 days, 16 x 16, and so on.

What a recorded day says is final as soon as every lane has counted a row of a later day, since
recorded days never go back in the log. From then on it is summed here, in the background: counting
itself writes nothing more. Any question (occurred from, to; recorded until) is then a few squares and
the single days around them, in exact integers.

Two things write tallies of recorded days long past: a rebuild and the retry of a parked subject.
They call `forget`; then the tallies of these measures are read themselves until they are summed anew.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import date, timedelta
from typing import NamedTuple

from services.metrics.counting.windows import Window
from shared.contracts.record import FACT_LANES
from shared.db import Connection

SIZES = (4, 16, 64, 256, 1024)
"""Days on each side of the squares of level 1, 2 ...; each a multiple of the one before."""

STRETCH = 64
"""Recorded days summed in one transaction; one of `SIZES`."""

LOCK = "hocvuso-metrics-spans"

FIRST, END = date.min, date.max
"""From ever; to ever, excluded."""


class Rectangle(NamedTuple):
    """A part of a question, read from the squares of a level (0: from tallies). Days from, to
    (excluded); `by_recorded`: few recorded days of many occurred ones, else the other way round."""

    level: int
    by_recorded: bool
    occurred: tuple[date, date]
    recorded: tuple[date, date]


def _down(day: date, size: int) -> date:
    return date.fromordinal((day.toordinal() - 1) // size * size + 1)


def _up(day: date, size: int) -> date:
    return day if day == _down(day, size) else _down(day, size) + timedelta(days=size)


def cover(window: Window, known_at: date | None, summed: date | None) -> list[Rectangle]:
    """Rectangles that hold every day of a question exactly once. `summed`: squares hold what was
    recorded before; None: there are none."""
    begin, end = window.start or FIRST, window.end + timedelta(days=1)
    until = END if known_at is None else known_at + timedelta(days=1)
    if begin >= end:
        return []
    found: list[Rectangle] = []
    for level in range(len(SIZES) + 1):
        if summed is None or level == len(SIZES):
            break
        size = SIZES[level]
        inner = _up(begin, size), _down(end, size)
        inside = _down(min(until, summed), size)
        if inner[0] >= inner[1] or inside <= FIRST:
            break
        found += [
            Rectangle(level, False, (begin, inner[0]), (FIRST, until)),
            Rectangle(level, False, (inner[1], end), (FIRST, until)),
            Rectangle(level, True, inner, (inside, until)),
        ]
        (begin, end), until = inner, inside
    found.append(Rectangle(level, False, (begin, end), (FIRST, until)))
    return [
        one
        for one in found
        if one.occurred[0] < one.occurred[1] and one.recorded[0] < one.recorded[1]
    ]


async def states(connection: Connection) -> dict[int, date]:
    """Up to which recorded day (excluded) the squares of measures hold everything. To be read in
    the snapshot in which the squares are."""
    rows = await connection.fetch("SELECT measure, recorded FROM span_state")
    return {row["measure"]: row["recorded"] for row in rows}


async def forget(connection: Connection, measures: Iterable[int]) -> None:
    """Tallies of these measures are about to change on recorded days of the past: in the caller's
    transaction. Waits for a stretch that is being summed, seconds at most."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtext($1))", LOCK)
    await connection.execute(
        "DELETE FROM span_state WHERE measure = ANY($1::smallint[])", sorted(set(measures))
    )


# -- summing -------------------------------------------------------------------------------------

_CLOSED = """
WITH counted AS MATERIALIZED (SELECT min(through) AS until FROM progress WHERE lane < $1)
SELECT recorded FROM evidence
WHERE origin <= (SELECT until FROM counted) AND position <= (SELECT until FROM counted)
ORDER BY origin DESC LIMIT 1
"""
"""A recorded day that some counted row has, with every row before it counted too: nothing that live
counting still adds was recorded earlier."""


def _sums(source: str, level: int, size: int, where: str) -> str:
    """Squares of a level from what it is made of; $1 measures, $2, $3 recorded from, to."""
    occurred, recorded = (
        f"DATE '0001-01-01' + (({name} - DATE '0001-01-01') / {size} * {size})"
        for name in ("occurred", "recorded")
    )
    return f"""
    INSERT INTO tally_span (level, measure, occurred, recorded, unit_id, n, total)
    SELECT {level}, measure, {occurred}, {recorded}, unit_id, sum(n), sum(total)
    FROM {source}
    WHERE measure = ANY($1::smallint[]) AND recorded >= $2 AND recorded < $3 {where}
    GROUP BY 2, 3, 4, 5 HAVING sum(n) <> 0 OR sum(total) <> 0
    ORDER BY 4, 2, 3, 5
    """


async def sum_up(connection: Connection) -> bool:
    """Sum one more stretch of recorded days; False when there is none yet."""
    async with connection.transaction():
        if not await connection.fetchval("SELECT pg_try_advisory_xact_lock(hashtext($1))", LOCK):
            return False
        closed: date | None = await connection.fetchval(_CLOSED, FACT_LANES)
        first: date | None = await connection.fetchval("SELECT recorded FROM first_day")
        if closed is None or first is None:
            return False
        closed = _down(closed, SIZES[0])
        known = await states(connection)
        live = [
            r["id"] for r in await connection.fetch("SELECT id FROM measure WHERE state = 'live'")
        ]
        begin, chosen = _behind(live, known, _down(first, SIZES[-1]))
        end = min(_down(begin, STRETCH) + timedelta(days=STRETCH), closed)
        if not chosen or end <= begin:
            return False
        if any(measure not in known for measure in chosen):
            await connection.execute(
                "DELETE FROM tally_span WHERE measure = ANY($1::smallint[])", chosen
            )
        await connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")
        await connection.execute(_sums("tally", 1, SIZES[0], ""), chosen, begin, end)
        for level, size in enumerate(SIZES[1:], 2):
            low, high = _down(begin, size), _down(end, size)
            if low < high:
                where = f"AND level = {level - 1}"
                await connection.execute(_sums("tally_span", level, size, where), chosen, low, high)
        await connection.execute(
            "INSERT INTO span_state SELECT *, $2 FROM unnest($1::smallint[]) ON CONFLICT (measure)"
            " DO UPDATE SET recorded = excluded.recorded",
            chosen,
            end,
        )
    return True


def _behind(
    live: Collection[int], known: Mapping[int, date], start: date
) -> tuple[date, list[int]]:
    """Where to go on, and with which measures: those that are the furthest behind."""
    begin = min((known.get(measure, start) for measure in live), default=start)
    chosen = [m for m in live if known.get(m, start) == begin]
    return begin, sorted(chosen)
