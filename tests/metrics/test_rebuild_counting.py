"""What a rebuild makes of a log, without a database: the short way says what `Contributor` says, and
what is summed up subject by subject is what live counting adds up batch by batch."""

import itertools
import random
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from services.metrics.counting.contribute import Contributor
from services.metrics.rebuild import binary
from services.metrics.rebuild.counting import Counting, Effects, Row
from services.metrics.rebuild.reading import Reading
from shared.binary_copy import day_of
from shared.contracts.definitions import Catalogue
from shared.contracts.record import FACT_LANES, LogRecord, encode
from tests.metrics import binary_rows
from tests.metrics.exact import fold_all
from tests.metrics.histories import MEASURES, OPS, Op, play
from tests.metrics.memory_log import MemoryLog
from tests.metrics.worlds import history

CATALOGUE = Catalogue.load()
NOTHING = dict.fromkeys(range(FACT_LANES), 0)
EVERYTHING = dict.fromkeys(range(FACT_LANES), 10**9)


def unpacked(data: bytes) -> list[dict[str, bytes | None]]:
    return [dict(zip(binary.SAID_COLUMNS, row, strict=True)) for row in binary_rows.read(data)]


def number(value: bytes | None) -> int:
    assert value is not None
    return int.from_bytes(value, "big", signed=True)


def day(value: bytes | None) -> date | None:
    return None if value is None else date.fromordinal(number(value) + date(2000, 1, 1).toordinal())


def read(log: MemoryLog, cuts: list[int]) -> tuple[Reading, list[dict[str, bytes | None]]]:
    reading = Reading(Contributor(MEASURES, CATALOGUE))
    rows = [row for row in log.rows if row.lane < FACT_LANES]
    edges = sorted({0, len(rows), *(cut % (len(rows) + 1) for cut in cuts)})
    data = b"".join(
        reading.page(b"\n".join(map(encode, rows[a:b])), NOTHING, EVERYTHING, frozenset())
        for a, b in itertools.pairwise(edges)
    )
    return reading, unpacked(data)


def check_said(log: MemoryLog, reading: Reading, said: list[dict[str, bytes | None]]) -> None:
    """Each row says what live counting reads out of it."""
    contributor = Contributor(MEASURES, CATALOGUE)
    marks, units = list(reading.combinations), list(reading.units)
    by_position = {number(row["position"]): row for row in said}
    for record in log.rows:
        evidence = contributor.evidence(record)
        row = by_position.pop(record.position, None)
        if evidence is None and not record.revision:
            assert row is None
            continue
        assert row is not None
        assert row["subject"] == record.key and number(row["lane"]) == record.lane
        assert number(row["origin"]) == record.origin
        assert number(row["revision"]) == record.revision
        assert day(row["recorded"]) == record.recorded
        if evidence is None:
            assert number(row["combination"]) == 0
            continue
        assert (day(row["since"]), day(row["until"])) == (evidence.since, evidence.until)
        assert marks[number(row["combination"]) - 1] == evidence.marks
        assert units[number(row["unit"]) - 1] == evidence.unit_id
        assert (row["detail"] is None) == (evidence.detail is None)
    assert not by_position


def summed(
    reading: Reading, said: list[dict[str, bytes | None]], records: list[LogRecord], pieces: int
) -> tuple[dict[tuple[int, str, date, date], tuple[int, int]], set[tuple[int, date, int]]]:
    """As a rebuild counts: plain subjects in one stream, the others one by one."""
    counting = Counting(MEASURES, Effects())
    counting.learn(reading.combinations, reading.units)
    hard = {row["subject"] for row in said if row["hard"] == b"\x01"}
    names = ("position", "origin", "since", "recorded", "unit", "combination")
    plain = sorted(
        (row["subject"] or b"", *(number(row[name]) for name in names))
        for row in said
        if row["subject"] not in hard
    )
    for at in range(0, len(plain), pieces):
        counting.rows(plain[at : at + pieces])  # type: ignore[arg-type]
    counting.finish()
    evidence_of = Contributor(MEASURES, CATALOGUE).evidence
    by_position = {record.position: record for record in records}
    for subject in sorted(filter(None, hard)):
        rows = [by_position[number(row["position"])] for row in said if row["subject"] == subject]
        counting.subject(
            [
                Row(row.position, row.recorded, row.origin, evidence_of(row), True)
                for row in sorted(rows, key=lambda row: row.position)
            ]
        )
    members = {effect: measures for measures, effect in counting.effects.number.items()}
    units = list(reading.units)
    found: dict[tuple[int, str, date, date], tuple[int, int]] = {}
    for (effect, unit, occurred, recorded), n, total in counting.take():
        for measure in members[effect]:
            key = (measure, units[unit - 1], day_of(occurred), day_of(recorded))
            before = found.get(key, (0, 0))
            found[key] = (before[0] + n, before[1] + total)
    ended = {(at, day_of(on), by) for at, on, by in counting.take_ended()}
    return {key: sums for key, sums in found.items() if sums != (0, 0)}, ended


def check(ops: list[Op], cuts: list[int], pieces: int) -> None:
    log, _ = play(ops, CATALOGUE)
    reading, said = read(log, cuts)
    check_said(log, reading, said)
    assert (reading.said, reading.rows) == (len(said), len(log.rows))
    assert reading.hard == sum(row["hard"] == b"\x01" for row in said)
    found, ended = summed(reading, said, log.rows, pieces)
    live = {key: tuple(sums) for key, sums in fold_all(log, cuts).items() if sums != [0, 0]}
    assert found == live
    evidence_of = Contributor(MEASURES, CATALOGUE).evidence
    replaced = set()
    for row in log.rows:
        later = [r for r in log.rows if (r.origin, r.key) == (row.origin, row.key)]
        after = [r for r in later if r.position > row.position]
        if after and evidence_of(row) is not None:
            replaced.add((row.position, after[0].recorded, after[0].position))
    assert ended == replaced


@settings(max_examples=200, deadline=None)
@given(st.lists(OPS, max_size=30), st.lists(st.integers(0, 60), max_size=5), st.integers(1, 7))
def test_a_rebuild_counts_as_live_counting_does(
    ops: list[Op], cuts: list[int], pieces: int
) -> None:
    check(ops, cuts, pieces)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(OPS.filter(lambda op: op.what == "post"), max_size=40),
    st.lists(st.integers(0, 60), max_size=5),
    st.integers(1, 7),
)
def test_so_it_does_where_nothing_is_corrected(ops: list[Op], cuts: list[int], pieces: int) -> None:
    """Most subjects are plain here: their short way is what is tried."""
    check(ops, cuts, pieces)


def test_long_histories_with_many_rows_per_subject() -> None:
    for seed in range(10):
        check(history(random.Random(seed), 400), [50, 100, 333], 64)


def test_pages_that_cannot_be_decoded_at_once_are_read_row_by_row() -> None:
    log, _ = play(history(random.Random(1), 50), CATALOGUE)
    rows = [row for row in log.rows if row.lane < FACT_LANES]
    body = b"\n".join(map(encode, rows))
    plain, odd = (
        Reading(Contributor(MEASURES, CATALOGUE)),
        Reading(Contributor(MEASURES, CATALOGUE)),
    )
    # `origin` that is no number cannot be read by the short way's shape; it stands in no rule.
    odd._decoder = type(odd._decoder)(int)  # type: ignore[assignment,arg-type]
    first = unpacked(plain.page(body, NOTHING, EVERYTHING, frozenset()))
    second = unpacked(odd.page(body, NOTHING, EVERYTHING, frozenset()))
    excluded = frozenset({rows[3].position, rows[7].position})
    fewer = unpacked(plain.page(body, NOTHING, EVERYTHING, excluded))
    names = [name for name in binary.SAID_COLUMNS if name not in ("combination", "unit", "hard")]
    assert [[r[n] for n in names] for r in first] == [[r[n] for n in names] for r in second]
    assert [r["position"] for r in fewer] == [
        r["position"] for r in first if number(r["position"]) not in excluded
    ]


def test_each_lane_is_read_from_and_up_to_its_own_row() -> None:
    log, _ = play(history(random.Random(2), 80), CATALOGUE)
    rows = [row for row in log.rows if row.lane < FACT_LANES]
    body = b"\n".join(map(encode, rows))
    after = {lane: 20 if lane % 2 else 0 for lane in range(FACT_LANES)}
    ends = {lane: 60 if lane % 3 else 40 for lane in range(FACT_LANES)}
    reading = Reading(Contributor(MEASURES, CATALOGUE))
    found = {number(r["position"]) for r in unpacked(reading.page(body, after, ends, frozenset()))}
    whole = Reading(Contributor(MEASURES, CATALOGUE))
    all_rows = unpacked(whole.page(body, NOTHING, EVERYTHING, frozenset()))
    lanes = {number(r["position"]): number(r["lane"]) for r in all_rows}
    assert found == {at for at, lane in lanes.items() if after[lane] < at <= ends[lane]}
