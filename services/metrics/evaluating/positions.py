"""Sums of tallies as they were after a row of the log, in the middle of a day.

Tallies know days only. What was counted after the row, up to the end of its day, is therefore
taken off again, subject by subject, from what events said then (`versions.py`); or, when that is
more, what was counted from the beginning of the day up to the row is added. Exact either way.
"""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import date, timedelta

from services.metrics.counting.states import state
from services.metrics.evaluating import sums
from services.metrics.evaluating.sums import Slot
from services.metrics.evaluating.versions import VERSIONS, Version, known_evidence, load_versions
from services.metrics.projecting.store import Combinations, Subject
from shared.db import Connection
from shared.domain.knowledge import Until
from shared.domain.measures import Measure
from shared.problems import Problem

MOST_SUBJECTS = 50_000
PAGE = 5_000


def check_position(position: int, whole_from: int, counted: int) -> None:
    """Whether the state after this row can be told exactly; Problem if not."""
    if position > counted:
        raise Problem(
            "position-not-counted",
            f"The log is counted up to {counted}, not yet up to {position}.",
            status=409,
            hint="Ask again in a moment, or take an earlier position.",
            pointer="/to_position",
            retryable=True,
            retry_after=1,
        )
    if position and position < whole_from:
        raise Problem(
            "position-too-early",
            f"Before position {whole_from}, only the ends of days can be told exactly.",
            status=409,
            hint="Ask by days: from_known_at and to_known_at; or let all measures be rebuilt.",
            pointer="/from_position",
        )


async def load(
    connection: Connection,
    slots: Iterable[Slot],
    measures: Mapping[int, Measure],
    day: date,
    position: int,
) -> dict[Slot, dict[str, tuple[int, int]]]:
    """`sums.load` as known after the row at `position`, which was recorded on `day`.

    Problem differences-too-many: too many subjects changed on that day on either side of the row.
    """
    wanted = list(slots)
    combinations = Combinations()
    await combinations.reload(connection)
    numbers = {number for number, _ in wanted}
    serving = [n for n, marks in combinations.marks.items() if not numbers.isdisjoint(marks[::2])]
    base = day
    touched = await _touched(connection, serving, day, position, after=True)
    if touched is None:
        base = day - timedelta(days=1)
        touched = await _touched(connection, serving, day, position, after=False)
    if touched is None:
        raise Problem(
            "differences-too-many",
            f"More than {MOST_SUBJECTS:,} persons, things or reporters changed on that day before"
            " the position, and as many after it.",
            hint="Ask by days: from_known_at and to_known_at.",
            pointer="/from_position",
        )
    found = await sums.load(connection, wanted, known_at=base)
    for at in range(0, len(touched), PAGE):
        versions = await load_versions(connection, touched[at : at + PAGE], combinations)
        await asyncio.to_thread(_move_all, found, list(versions.values()), measures, base, position)
    return found


def _move_all(
    found: dict[Slot, dict[str, tuple[int, int]]],
    subjects: list[list[Version]],
    measures: Mapping[int, Measure],
    base: Until,
    position: int,
) -> None:
    for rows in subjects:
        for slot, into in found.items():
            _move(into, slot, measures[slot[0]], rows, base, position)


async def _touched(
    connection: Connection, serving: list[int], day: date, position: int, *, after: bool
) -> list[Subject] | None:
    """The subjects of which anything became known on the day after (or before) the position; None:
    too many."""
    sign = ">" if after else "<="
    rows = await connection.fetch(
        f"""
        SELECT DISTINCT lane, subject FROM {VERSIONS} v
        WHERE combination = ANY($1::int[]) AND (
          (recorded = $2 AND position {sign} $3) OR (replaced = $2 AND replaced_by {sign} $3)
        )
        ORDER BY 1, 2 LIMIT $4
        """,
        serving,
        day,
        position,
        MOST_SUBJECTS + 1,
    )
    return [(r["lane"], r["subject"]) for r in rows] if len(rows) <= MOST_SUBJECTS else None


def _move(
    into: dict[str, tuple[int, int]],
    slot: Slot,
    measure: Measure,
    rows: list[Version],
    base: Until,
    position: int,
) -> None:
    """One subject's sums, from the state of knowledge at `base` to that at `position`."""
    number, window = slot
    for sign, until in ((-1, base), (1, position)):
        counted = state(measure, number, known_evidence(rows, until))
        for (unit_id, day), (n, total) in counted.items():
            if (window.start is None or window.start <= day) and day <= window.end:
                before = into.get(unit_id, (0, 0))
                into[unit_id] = (before[0] + sign * n, before[1] + sign * total)
