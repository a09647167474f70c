"""One batch of rows into the tables: pure preparation, then few statements, sorted.

`prepare` and `count` need no database; `write` needs one transaction that the caller opened and in
which it advances the lanes. The same code serves live counting, rebuilds and the retry of parked
subjects.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from services.metrics import store
from services.metrics.contribute import Contributor, Evidence, Marks
from services.metrics.fold import Change, Deltas, add_one, first, fold
from services.metrics.measures import Measure
from services.metrics.store import Replaced, Stored, Subject, Tables
from shared.contracts.record import LogRecord
from shared.db import Connection


@dataclass
class Poison:
    """A subject that cannot be counted from one of its rows on, and why."""

    subject: Subject
    position: int
    problem: str


@dataclass
class Batch:
    """What a batch of rows says, by subject; nothing is looked up yet."""

    changes: dict[Subject, list[tuple[Change, LogRecord]]] = field(default_factory=dict)
    lookups: list[Subject] = field(default_factory=list)
    poison: list[Poison] = field(default_factory=list)
    marks: set[Marks] = field(default_factory=set)


@dataclass
class Counted:
    """What is to be written for a batch."""

    deltas: Deltas = field(default_factory=dict)
    written: list[tuple[LogRecord, Evidence]] = field(default_factory=list)
    replaced: list[Replaced] = field(default_factory=list)
    past: list[tuple[LogRecord, Evidence, LogRecord]] = field(default_factory=list)
    poison: list[Poison] = field(default_factory=list)


class BatchCounter:
    """Counts batches for a fixed set of measures."""

    def __init__(self, contributor: Contributor) -> None:
        self.contributor = contributor
        self.measures: Mapping[int, Measure] = contributor.measures
        self.combinations = store.Combinations()
        self._plain: dict[Marks, bool] = {}
        self._fast: dict[Marks, tuple[int, ...] | None] = {}

    def prepare(self, records: Iterable[LogRecord]) -> Batch:
        """Sort out a batch. Rows that revise, and evidence that depends on the subject's other
        evidence, need the subject's old evidence; a subject that cannot be read is poison."""
        batch = Batch()
        evidence_of = self.contributor.evidence
        plain = self._plain
        lookups: set[Subject] = set()
        poisoned: set[Subject] = set()
        for record in records:
            subject = (record.lane, record.key)
            if subject in poisoned:
                continue
            try:
                evidence = evidence_of(record)
            except Exception as error:
                # Whatever it is: this subject waits for a person, the others go on.
                poisoned.add(subject)
                problem = f"{type(error).__name__}: {error}"
                batch.poison.append(Poison(subject, record.position, problem))
                continue
            if evidence is None:
                if not record.revision:
                    continue
                lookups.add(subject)
            else:
                marks = evidence.marks
                batch.marks.add(marks)
                is_plain = plain.get(marks)
                if is_plain is None:
                    is_plain = plain[marks] = all(
                        self.measures[number].kind in ("events", "add") for number in marks[::2]
                    )
                if record.revision or not is_plain:
                    lookups.add(subject)
            change = Change(record.origin, record.recorded, evidence)
            known = batch.changes.get(subject)
            if known is None:
                batch.changes[subject] = [(change, record)]
            else:
                known.append((change, record))
        batch.lookups = sorted(lookups)
        return batch

    def count(self, batch: Batch, old: Mapping[Subject, dict[int, Evidence]]) -> Counted:
        """Fold the batch over the old evidence of its subjects."""
        counted = Counted(poison=list(batch.poison))
        bulk: Counter[tuple[Marks, str, date, date]] = Counter()
        for subject, changes in batch.changes.items():
            known = old.get(subject)
            if known is None and len(changes) == 1:
                change, record = changes[0]
                evidence = change.evidence
                if evidence is None:
                    continue
                if evidence.until is None:
                    fast = self._fast_marks(evidence.marks)
                    if fast is not None:
                        bulk[evidence.marks, evidence.unit_id, evidence.since, change.recorded] += 1
                        counted.written.append((record, evidence))
                        continue
            self._fold(subject, changes, known or {}, counted)
        for (marks, unit_id, since, recorded), times in bulk.items():
            for number in self._fast_marks(marks) or ():
                sums = counted.deltas.setdefault((number, unit_id, since, recorded), [0, 0])
                sums[0] += times
        return counted

    def _fast_marks(self, marks: Marks) -> tuple[int, ...] | None:
        """The measures to which a subject's first and only evidence adds one; None when the
        evidence says more than that (figures, things)."""
        if marks in self._fast:
            return self._fast[marks]
        adds: list[int] | None = []
        for at in range(0, len(marks), 2):
            measure = self.measures[marks[at]]
            if measure.kind not in ("events", "distinct"):
                adds = None
                break
            if adds is not None and (not measure.need or measure.need == marks[at + 1]):
                adds.append(marks[at])
        found = self._fast[marks] = None if adds is None else tuple(adds)
        return found

    def _fold(
        self,
        subject: Subject,
        changes: list[tuple[Change, LogRecord]],
        known: dict[int, Evidence],
        counted: Counted,
    ) -> None:
        deltas: Deltas = {}
        try:
            change = changes[0][0]
            if len(changes) == 1 and change.evidence is not None and change.origin not in known:
                if known:
                    add_one(self.measures, known, change.evidence, change.recorded, deltas)
                else:
                    self._first(change, deltas)
                now = {change.origin: change.evidence}
            else:
                now = fold(self.measures, known, [change for change, _ in changes], deltas)
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
            counted.poison.append(Poison(subject, changes[0][1].position, problem))
            return
        for key, (n, total) in deltas.items():
            sums = counted.deltas.setdefault(key, [0, 0])
            sums[0] += n
            sums[1] += total
        last: dict[int, tuple[Change, LogRecord]] = {}
        for change, record in changes:
            before = last.get(change.origin)
            if before is not None:
                evidence = before[0].evidence
                if evidence is not None:
                    counted.past.append((before[1], evidence, record))
            elif change.origin in known:
                counted.replaced.append(
                    Replaced(*subject, change.origin, record.recorded, record.position)
                )
            last[change.origin] = (change, record)
        for origin, (_, record) in last.items():
            evidence = now.get(origin)
            if evidence is not None:
                counted.written.append((record, evidence))

    def _first(self, change: Change, deltas: Deltas) -> None:
        evidence = change.evidence
        assert evidence is not None  # noqa: S101 - for the type checker; the caller looked
        marks = evidence.marks
        for at in range(0, len(marks), 2):
            number = marks[at]
            weights = first(self.measures[number], number, marks[at + 1], evidence)
            for (unit_id, day), (n, total) in weights.items():
                deltas[number, unit_id, day, change.recorded] = [n, total]

    async def write(self, connection: Connection, tables: Tables, batch: Batch) -> Counted:
        """Count and write a batch inside the caller's transaction; combinations must be known."""
        old = await store.load_evidence(connection, tables, batch.lookups, self.combinations)
        counted = self.count(batch, old)
        await store.retire_evidence(connection, tables, counted.replaced)
        rows = [self._stored(record, evidence) for record, evidence in counted.written]
        await store.insert_evidence(connection, tables, rows)
        past = [
            (self._stored(record, evidence), by.recorded, by.position)
            for record, evidence, by in counted.past
        ]
        await store.insert_past(connection, tables, past)
        await store.add_tallies(connection, tables, counted.deltas)
        return counted

    def _stored(self, record: LogRecord, evidence: Evidence) -> Stored:
        return Stored(
            record.origin,
            record.position,
            record.recorded,
            evidence.since,
            evidence.until,
            self.combinations.number[evidence.marks],
            record.revision,
            record.lane,
            record.key,
            evidence.unit_id,
            evidence.detail,
        )
