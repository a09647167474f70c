"""Sums read from squares of days equal the sums of the tallies themselves, for every pair of days."""

import asyncio
from collections.abc import Iterator
from datetime import date, timedelta

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.metrics.counting.windows import Window
from services.metrics.evaluating import sums
from services.metrics.projecting import spans
from tests.metrics.conftest import EMPTY

START = date(2026, 3, 1)
DAYS = 40
UNITS = ("24133@2025", "24121@2025")
Row = tuple[int, str, int, int, int, int]
"""measure, unit, occurred, recorded (days after START), n, total."""

ROWS = st.lists(
    st.tuples(
        st.sampled_from((1, 2)),
        st.sampled_from(UNITS),
        st.integers(-5, DAYS),
        st.integers(0, DAYS),
        st.integers(-3, 9),
        st.integers(-50, 99),
    ),
    max_size=60,
)
WINDOWS = st.tuples(st.one_of(st.none(), st.integers(-6, DAYS)), st.integers(-6, DAYS + 3))


def day(number: int) -> date:
    return START + timedelta(days=number)


@pytest.fixture
def small_squares(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Squares of which a few weeks fill all levels."""
    monkeypatch.setattr(spans, "SIZES", (2, 4, 8, 16))
    monkeypatch.setattr(spans, "STRETCH", 8)
    yield


@settings(max_examples=300, deadline=None)
@given(
    WINDOWS, st.one_of(st.none(), st.integers(-2, 700)), st.one_of(st.none(), st.integers(0, 170))
)
def test_every_day_of_a_question_lies_in_exactly_one_rectangle(
    asked: tuple[int | None, int], known: int | None, summed: int | None
) -> None:
    start, end = asked
    window = Window(None if start is None else day(start), day(end))
    known_at = None if known is None else day(known)
    edge = None if summed is None else spans._down(day(summed), spans.SIZES[0])
    found = spans.cover(window, known_at, edge)
    for one in found:
        if one.level:
            size = spans.SIZES[one.level - 1]
            assert all(spans._down(border, size) == border for border in one.occurred)
            assert all(spans._down(border, size) == border for border in one.recorded)
            assert edge is not None and one.recorded[1] <= edge
    for occurred in range(-8, DAYS + 5):
        for recorded in (*range(-3, DAYS + 3), 150, 690, 710):
            o, r = day(occurred), day(recorded)
            wanted = (start is None or start <= occurred) and occurred <= end
            wanted = wanted and (known is None or recorded <= known)
            times = sum(
                one.occurred[0] <= o < one.occurred[1] and one.recorded[0] <= r < one.recorded[1]
                for one in found
            )
            assert times == wanted, (occurred, recorded, found)


def naive(rows: list[Row], measure: int, window: Window, known_at: date | None) -> object:
    found: dict[str, tuple[int, int]] = {}
    for number, unit, occurred, recorded, n, total in rows:
        if number != measure or (known_at is not None and day(recorded) > known_at):
            continue
        if (window.start is not None and day(occurred) < window.start) or day(
            occurred
        ) > window.end:
            continue
        before = found.get(unit, (0, 0))
        found[unit] = before[0] + n, before[1] + total
    return {unit: both for unit, both in found.items() if both != (0, 0)}


async def add(connection: asyncpg.Connection, rows: list[Row]) -> None:
    """As counting does: a day's rows may come in several parts."""
    for measure, unit, occurred, recorded, n, total in rows:
        changed = await connection.execute(
            "UPDATE tally SET n = n + $5, total = total + $6 WHERE ctid = (SELECT ctid FROM tally"
            " WHERE (measure, unit_id, occurred, recorded) = ($1, $2, $3, $4) LIMIT 1)",
            measure, unit, day(occurred), day(recorded), n, total,
        )  # fmt: skip
        if changed == "UPDATE 0":
            await connection.execute(
                "INSERT INTO tally VALUES ($1, $2, $3, $4, $5, $6)",
                measure, unit, day(occurred), day(recorded), n, total,
            )  # fmt: skip


async def counted_until(connection: asyncpg.Connection, number: int) -> None:
    """Every lane has counted a row of this day."""
    position = number + 10
    await connection.execute(
        "INSERT INTO first_day (recorded) VALUES ($1) ON CONFLICT DO NOTHING", day(0)
    )
    await connection.execute(
        "INSERT INTO evidence VALUES ($1, $1, $2, $2, NULL, 1, 0, 1, $3, 'u', NULL)"
        " ON CONFLICT DO NOTHING",
        position, day(number), str(number).encode(),
    )  # fmt: skip
    await connection.execute("UPDATE progress SET through = $1", position)


async def check(connection: asyncpg.Connection, rows: list[Row]) -> None:
    windows = [Window(None, day(end)) for end in range(-6, DAYS + 3, 3)]
    windows += [Window(day(end - 9), day(end)) for end in range(-3, DAYS + 3, 4)]
    slots = [(measure, window) for measure in (1, 2) for window in windows]
    for known in (None, *range(-1, DAYS + 1)):
        known_at = None if known is None else day(known)
        async with connection.transaction(isolation="repeatable_read"):
            found = await sums.load(connection, slots, known_at=known_at)
            some = await sums.load(
                connection, slots, known_at=known_at, units={1: [UNITS[0]], 2: [UNITS[0]]}
            )
        for slot in slots:
            wanted = naive(rows, slot[0], slot[1], known_at)
            assert {u: both for u, both in found[slot].items() if both != (0, 0)} == wanted
            assert isinstance(wanted, dict)
            assert some[slot].get(UNITS[0], (0, 0)) == wanted.get(UNITS[0], (0, 0))


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(ROWS, ROWS, st.lists(st.integers(1, DAYS), min_size=1, max_size=4), st.booleans())
def test_squares_say_what_tallies_say(
    database: str,
    small_squares: None,
    rows: list[Row],
    late: list[Row],
    stops: list[int],
    new: bool,
) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(database, server_settings={"search_path": "metrics"})
        try:
            await connection.execute(EMPTY)
            await connection.execute(
                "INSERT INTO measure (id, fingerprint, definition, state) OVERRIDING SYSTEM VALUE"
                " SELECT i, i::text, '{}', 'live' FROM generate_series(1, $1) i",
                1 if new else 2,
            )
            done = -1
            for stop in sorted({*stops, DAYS}):
                # What live counting adds is recorded on the day that it has come to.
                await add(connection, [row for row in rows if done < row[3] <= stop])
                done = stop
                await counted_until(connection, stop)
                while await spans.sum_up(connection):
                    pass
            await check(connection, rows)
            # A rebuild, or the retry of what was parked, adds to days of the past.
            async with connection.transaction():
                await add(connection, late)
                await spans.forget(connection, {row[0] for row in late})
            if new:
                await connection.execute(
                    "INSERT INTO measure (id, fingerprint, definition, state)"
                    " OVERRIDING SYSTEM VALUE VALUES (2, '2', '{}', 'live')"
                )
            await check(connection, rows + late)
            steps = 0
            while await spans.sum_up(connection):
                steps += 1
                if steps == 2:
                    await check(connection, rows + late)
            await check(connection, rows + late)
            states = await connection.fetch("SELECT recorded FROM span_state")
            assert {row[0] for row in states} == {spans._down(day(DAYS), 2)}
        finally:
            await connection.close()

    asyncio.run(run())
