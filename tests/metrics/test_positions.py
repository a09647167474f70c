"""Differences between two rows of the log, also within one day, against what was shown there."""

import itertools
import random
from datetime import timedelta

import asyncpg
import pytest

from services.metrics import rebuild
from services.metrics.evaluating import positions
from services.metrics.explaining.difference_answers import Difference
from services.metrics.explaining.differences import Differences
from shared.contracts.definitions import Catalogue
from shared.problems import Problem
from tests.metrics.histories import BASE
from tests.metrics.memory_log import MemoryLog
from tests.metrics.province import ROOT, A, follow, moments, random_history
from tests.metrics.why import PARTS, TODAY, UNITS, cell, difference

Shown = dict[int, dict[tuple[str, str, str], int]]
"""The count of each (objective, part, unit) after a position."""


def until(log: MemoryLog, catalogue: Catalogue, position: int) -> MemoryLog:
    """The log as it was when it ended at a position."""
    found = MemoryLog(catalogue)
    found.rows = log.rows[:position]
    return found


async def watch(
    pool: asyncpg.Pool, catalogue: Catalogue, log: MemoryLog, stops: list[int]
) -> Shown:
    """Count the log with stops and write down what was shown at each of them."""
    shown: Shown = {}
    for stop in stops:
        await follow(pool, catalogue, until(log, catalogue, stop))
        all_moments = moments(pool, catalogue, TODAY)
        shown[stop] = {}
        for (name, part), unit in itertools.product(PARTS, UNITS):
            found = await cell(all_moments, name, unit, TODAY, None)
            value = found.value if part == "value" else found.denominator
            shown[stop][name, part, unit] = value or 0
    return shown


def stops_of(log: MemoryLog, dice: random.Random) -> list[int]:
    """Some positions, the end, and at least one in the middle of a day and of an event's rows."""
    defined = next(row.position for row in log.rows if row.lane < 64)
    inside = [
        row.position
        for row, after in itertools.pairwise(log.rows)
        if row.position > defined and row.recorded == after.recorded
    ]
    return sorted({*dice.sample(inside, min(12, len(inside))), len(log.rows)})


@pytest.mark.parametrize("nearer_end", [True, False])
@pytest.mark.parametrize("seed", range(4))
async def test_what_was_shown_after_a_row_is_told_exactly_later(
    pool: asyncpg.Pool,
    catalogue: Catalogue,
    seed: int,
    nearer_end: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log, _ = random_history(catalogue, seed, 90)
    dice = random.Random(seed)
    shown = await watch(pool, catalogue, log, stops_of(log, dice))
    if not nearer_end:
        _only_from_the_days_beginning(monkeypatch)
    pages = Differences(moments(pool, catalogue, TODAY), lambda: log)  # type: ignore[arg-type,return-value]
    pairs = list(itertools.combinations([*shown, None], 2))
    moved = 0
    for (name, part), unit in itertools.product(PARTS, UNITS):
        first, last = dice.choice(pairs)
        assert first is not None
        expected = [shown[first], shown[last if last is not None else len(log.rows)]]
        found, events = await difference(pages, name, unit, (TODAY, first), (TODAY, last), part)
        case = (name, part, unit, first, last)
        values = [one[name, part, unit] for one in expected]
        assert [found.before.count, found.after.count] == values, case
        assert found.unexplained == 0 and found.by_definitions == 0, case
        assert found.change == sum(event.effect for event in events), case
        assert found.before.position == first
        for event in events:
            assert first < event.position <= (last or len(log.rows)), case
            assert event.how in ("recorded", "corrected", "revoked"), case
        moved += len(events)
    assert moved > 5


def _only_from_the_days_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    touched = positions._touched

    async def only(*args: object, after: bool) -> object:
        return None if after else await touched(*args, after=after)  # type: ignore[arg-type]

    monkeypatch.setattr(positions, "_touched", only)


async def test_one_step_back_and_forth_within_a_day_is_told(
    pool: asyncpg.Pool, catalogue: Catalogue
) -> None:
    """Recorded, corrected and revoked on the same day: by day nothing, by position each step."""
    log, _ = random_history(catalogue, 1, 1)
    before = len(log.rows)
    day = log.rows[-1].recorded + timedelta(days=1)
    data = {"target_groups": ["adult"], "person_ref": f"cccd:{7:032X}"}
    origin = log.post("citizen.certified", A, BASE, day, data)
    log.revise(origin, day, None)
    await follow(pool, catalogue, log)
    pages = Differences(moments(pool, catalogue, TODAY), lambda: log)  # type: ignore[arg-type,return-value]

    async def ask(first: object, last: object) -> tuple[Difference, list[tuple[str, int]]]:
        found, events = await difference(pages, "persons", ROOT, (TODAY, first), (TODAY, last))
        return found, [(event.how, event.effect) for event in events]

    found, events = await ask(before, None)
    assert (found.change, events) == (0, [("recorded", 1), ("revoked", -1)])
    found, events = await ask(before, origin)
    assert (found.change, events) == (1, [("recorded", 1)])
    found, events = await ask(origin, origin + 1)
    assert (found.change, events) == (-1, [("revoked", -1)])
    found, events = await ask(day - timedelta(days=1), day)
    assert (found.change, events) == (0, [])


async def test_what_cannot_be_told_exactly_is_refused(
    pool: asyncpg.Pool, catalogue: Catalogue
) -> None:
    log, _ = random_history(catalogue, 1, 20)
    await follow(pool, catalogue, log)
    pages = Differences(moments(pool, catalogue, TODAY), lambda: log)  # type: ignore[arg-type,return-value]
    end = len(log.rows)

    async def refusal(first: object, last: object) -> str:
        with pytest.raises(Problem) as refused:
            await difference(pages, "persons", ROOT, (TODAY, first), (TODAY, last))
        return refused.value.code

    assert await refusal(end, end - 1) == "differences-backwards"
    assert await refusal(end - 1, BASE) == "differences-mixed"
    assert await refusal(end, end + 1) == "position-not-counted"
    await pool.execute("UPDATE progress SET through = $1 WHERE lane = 3", end - 1)
    assert await refusal(end - 1, end) == "position-not-counted"
    await pool.execute("UPDATE progress SET through = $1 WHERE lane = 3", end)
    # Counted before same-day versions were kept: refused until everything is rebuilt.
    await pool.execute("UPDATE projection SET whole_from = $1", end)
    assert await refusal(end - 1, end) == "position-too-early"
    await rebuild.rebuild(pool, log, catalogue)  # type: ignore[arg-type]
    found, _ = await difference(pages, "persons", ROOT, (TODAY, end - 1), (TODAY, end))
    assert found.unexplained == 0


async def test_from_before_the_first_row_everything_is_new(
    pool: asyncpg.Pool, catalogue: Catalogue
) -> None:
    log, _ = random_history(catalogue, 2, 40)
    await follow(pool, catalogue, log)
    pages = Differences(moments(pool, catalogue, TODAY), lambda: log)  # type: ignore[arg-type,return-value]
    for name in ("persons", "events", "both"):
        found, events = await difference(pages, name, ROOT, (TODAY, 0), (TODAY, None))
        assert found.before.not_in_operation and found.before.count == 0
        assert found.change == found.after.count == sum(event.effect for event in events)
