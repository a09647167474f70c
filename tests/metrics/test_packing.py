"""Packed rows are, column by column, what was counted; PostgreSQL reads them so."""

from datetime import date

import asyncpg
from hypothesis import given, settings
from hypothesis import strategies as st

from services.metrics.counting.contribute import Evidence
from services.metrics.counting.groups import Groups
from services.metrics.projecting import store
from services.metrics.projecting.counted import Counted
from services.metrics.projecting.packing import Packing
from shared.contracts.record import LogRecord
from shared.domain.measures import Measure, Part
from tests.metrics import binary_rows

DAYS = st.dates(date(1900, 1, 1), date(2199, 12, 31))
UNITS = st.sampled_from(["24133@2025", "24133@2025.h07", "Đắk Lắk", "x" * 300])
NUMBERS = {(1, 1): 7, (1, 1, 2, 3): 8}
DETAILS = st.none() | st.dictionaries(st.text(max_size=5), st.integers(0, 9) | st.text(max_size=5))
BIG = 2**63 - 1

EVIDENCE = st.builds(
    Evidence,
    since=DAYS,
    origin=st.integers(1, BIG),
    until=st.none() | DAYS,
    unit_id=UNITS,
    marks=st.sampled_from(sorted(NUMBERS)),
    detail=DETAILS,
)
RECORDS = st.tuples(st.integers(0, 63), st.binary(min_size=16, max_size=16) | st.binary(max_size=5))


def record(lane: int, key: bytes, evidence: Evidence, at: int, recorded: date) -> LogRecord:
    """The parts of a row that evidence keeps."""
    return LogRecord(
        id="e", source="s", type="vn.hocvuso.class.held", subject="x", time="t", epoch="e",
        position=at, prev=0, lane=lane, recorded=recorded, occurred=evidence.since, unitid="u",
        origin=evidence.origin, revision=at % 3, keykind="event", key=key, data={},
    )  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(RECORDS, EVIDENCE, DAYS), max_size=8, unique_by=lambda x: x[1].origin))
def test_rows_of_evidence_are_sorted_by_their_key(
    said: list[tuple[tuple[int, bytes], Evidence, date]],
) -> None:
    written = [
        (record(lane, key, evidence, at, recorded), evidence)
        for at, ((lane, key), evidence, recorded) in enumerate(said, 1)
    ]
    rows = binary_rows.read(Packing(NUMBERS).evidence(written))
    keys = [tuple(column or b"" for column in row[:3]) for row in rows]
    assert keys == sorted(keys) and len(keys) == len(written)


async def test_postgresql_reads_evidence_as_it_was_written(pool: asyncpg.Pool) -> None:
    day, last = date(1999, 12, 31), date(2026, 2, 28)
    full = Evidence(day, 5, last, "Đắk Lắk", (1, 1, 2, 3), {"$figure": 12, "topics": ["vneid"]})
    bare = Evidence(last, BIG, None, "24133@2025", (1, 1), None)
    written = [
        (record(63, b"k" * 16, full, 3, last), full),
        (record(0, b"short", bare, BIG, day), bare),
    ]
    async with pool.acquire() as connection:
        rows = Packing(NUMBERS).evidence(written)
        await store.insert_evidence(connection, store.LIVE, rows)
    names = ", ".join(store.Stored._fields)
    found = await pool.fetch(f"SELECT {names} FROM evidence ORDER BY lane")
    assert [tuple(row) for row in found] == [
        (0, b"short", BIG, BIG, BIG % 3, day, last, None, 7, "24133@2025", None),
        (63, b"k" * 16, 5, 3, 0, last, day, last, 8, "Đắk Lắk", full.detail),
    ]


async def test_postgresql_reads_the_same_sums(pool: asyncpg.Pool) -> None:
    """Groups are taken apart into their measures; what adds up to nothing is not written."""
    day, next_day = date(1999, 12, 31), date(2026, 3, 1)
    measures = {
        number: Measure(kind="events", parts=(Part(("class.held",)),), keys=("event",))
        for number in (1, 2, 300)
    }
    groups = Groups(measures)
    both = groups.first((1, 1, 300, 1)).ones
    one = groups.first((2, 1)).ones
    counted = Counted(groups)
    counted.ones[both, "a", day, next_day] += 2
    counted.ones[both, "b", day, day] += 1
    counted.ones[one, "a", day, day] += 5_000
    counted.single[1, "a", day, next_day] = [-1, -70]
    counted.single[2, "b", next_day, next_day] = [0, 0]
    counted.single[300, "Đắk", next_day, next_day] = [0, -BIG]
    async with pool.acquire() as connection:
        await store.add_tallies(connection, store.LIVE, Packing({}).tallies(counted))
    found = await pool.fetch(
        "SELECT measure, unit_id, occurred, recorded, sum(n)::bigint AS n, sum(total)::bigint AS total,"
        " count(*) AS rows FROM tally GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"
    )
    assert [tuple(row) for row in found] == [
        (1, "a", day, next_day, 1, -70, 2),
        (1, "b", day, day, 1, 0, 1),
        (2, "a", day, day, 5_000, 0, 1),
        (300, "a", day, next_day, 2, 0, 1),
        (300, "b", day, day, 1, 0, 1),
        (300, "Đắk", next_day, next_day, 0, -BIG, 1),
    ]
    deltas = {key: tuple(sums) for key, sums in counted.deltas.items()}
    assert deltas == {tuple(row[:4]): (row[4], row[5]) for row in found}
