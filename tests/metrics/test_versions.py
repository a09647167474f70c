"""Evidence of the past against the naive oracle: any history, any batch borders. What counts at any
(as_of, known_at) is named, and steps lead exactly from any of them to any later one."""

from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from services.metrics.counting.contribute import Contributor, Evidence
from services.metrics.counting.states import counted_in
from services.metrics.counting.windows import Window
from services.metrics.evaluating.versions import Version, known_evidence
from services.metrics.explaining.stepping import Between, steps
from services.metrics.projecting.apply import BatchCounter
from services.metrics.projecting.store import Subject
from shared.contracts.record import LogRecord
from tests.metrics.exact import CATALOGUE, batches
from tests.metrics.histories import MEASURES, OPS, Op, last_days, play
from tests.metrics.memory_log import MemoryLog
from tests.metrics.naive import Values, values


def versions_of(log: MemoryLog, cuts: list[int]) -> dict[Subject, list[Version]]:
    """What the tables of evidence hold after these batches."""
    counter = BatchCounter(Contributor(MEASURES, CATALOGUE))
    stored: dict[Subject, dict[int, tuple[LogRecord, Evidence]]] = {}
    past: list[tuple[Subject, Version]] = []
    for batch_rows in batches(log.rows, cuts):
        batch = counter.prepare(batch_rows)
        old = {
            s: {origin: evidence for origin, (_, evidence) in stored[s].items()}
            for s in batch.lookups
            if stored.get(s)
        }
        counted = counter.count(batch, old)
        for row in counted.replaced:
            record, evidence = stored[row.lane, row.subject].pop(row.origin)
            if record.recorded < row.on:
                version = Version(evidence, record.position, record.recorded, row.on, row.by)
                past.append(((row.lane, row.subject), version))
        for record, evidence, by in counted.past:
            version = Version(evidence, record.position, record.recorded, by.recorded, by.position)
            past.append(((record.lane, record.key), version))
        for record, evidence in counted.written:
            stored.setdefault((record.lane, record.key), {})[record.origin] = (record, evidence)
    found: dict[Subject, list[Version]] = {}
    for subject, version in past:
        found.setdefault(subject, []).append(version)
    for subject, rows in stored.items():
        found.setdefault(subject, []).extend(
            Version(evidence, record.position, record.recorded, None, None)
            for record, evidence in rows.values()
        )
    return {s: sorted(rows, key=lambda v: v.position) for s, rows in found.items()}


def totals(parts: list[tuple[str, int, int]]) -> Values:
    sums: dict[str, tuple[int, int]] = {}
    for unit, n, total in parts:
        before = sums.get(unit, (0, 0))
        sums[unit] = (before[0] + n, before[1] + total)
    return {unit: pair for unit, pair in sums.items() if pair != (0, 0)}


def minus(after: Values, before: Values) -> Values:
    negative = [(unit, -n, -total) for unit, (n, total) in before.items()]
    return totals([*((unit, n, total) for unit, (n, total) in after.items()), *negative])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(OPS, max_size=14),
    st.lists(st.integers(0, 40), max_size=6) | st.just(list(range(100))),
    st.data(),
)
def test_who_counts_and_what_leads_there(
    ops: list[Op], cuts: list[int], data: st.DataObject
) -> None:
    log, told = play(ops, CATALOGUE)
    versions = versions_of(log, cuts)
    days, known = last_days(ops)

    def counted(number: int, as_of: date, known_at: date) -> Values:
        window = Window(None, as_of)
        found = [
            (one.unit_id, one.n, one.total)
            for rows in versions.values()
            for one in counted_in(MEASURES[number], number, known_evidence(rows, known_at), window)
        ]
        return totals(found)

    for known_at in known:
        for as_of in days[::3]:
            for number, measure in MEASURES.items():
                assert counted(number, as_of, known_at) == values(measure, told, as_of, known_at)
    day = st.sampled_from(days)
    for _ in range(4):
        first, last = data.draw(day), data.draw(day)
        two = sorted((data.draw(st.sampled_from(known)), data.draw(st.sampled_from(known))))
        between = Between(Window(None, first), Window(None, last), two[0], two[1], False)
        for number, measure in MEASURES.items():
            taken = [
                delta
                for rows in versions.values()
                for step in steps(measure, number, rows, between)
                for delta in step.deltas
            ]
            expected = minus(
                values(measure, told, last, two[1]), values(measure, told, first, two[0])
            )
            assert totals(taken) == expected, (measure, first, last, two)
