"""Batches of events and their exact sums."""

import itertools
from datetime import date

from services.metrics.counting.contribute import Contributor, Evidence
from services.metrics.counting.fold import Deltas
from services.metrics.projecting.apply import BatchCounter
from services.metrics.projecting.store import Subject
from shared.contracts.definitions import Catalogue
from shared.contracts.record import LogRecord
from tests.metrics.histories import MEASURES
from tests.metrics.memory_log import MemoryLog
from tests.metrics.naive import Values

CATALOGUE = Catalogue.load()


def batches(rows: list[LogRecord], cuts: list[int]) -> list[list[LogRecord]]:
    edges = sorted({0, len(rows), *(cut % (len(rows) + 1) for cut in cuts)})
    return [rows[a:b] for a, b in itertools.pairwise(edges)]


def fold_all(log: MemoryLog, cuts: list[int]) -> Deltas:
    counter = BatchCounter(Contributor(MEASURES, CATALOGUE))
    tallies: Deltas = {}
    stored: dict[Subject, dict[int, Evidence]] = {}
    for batch_rows in batches(log.rows, cuts):
        batch = counter.prepare(batch_rows)
        old = {s: dict(stored[s]) for s in batch.lookups if stored.get(s)}
        counted = counter.count(batch, old)
        assert not counted.poison
        for row in counted.replaced:
            del stored[row.lane, row.subject][row.origin]
        for record, evidence in counted.written:
            rows = stored.setdefault((record.lane, record.key), {})
            assert record.origin not in rows
            rows[record.origin] = evidence
        for at, (n, total) in counted.deltas.items():
            sums = tallies.setdefault(at, [0, 0])
            sums[0] += n
            sums[1] += total
    return tallies


def summed(tallies: Deltas, number: int, as_of: date, known_at: date) -> Values:
    found: dict[str, list[int]] = {}
    for (measure, unit, occurred, recorded), (n, total) in tallies.items():
        if measure == number and occurred <= as_of and recorded <= known_at:
            sums = found.setdefault(unit, [0, 0])
            sums[0] += n
            sums[1] += total
    return {unit: (n, total) for unit, (n, total) in found.items() if n or total}
