"""One batch of rows into the tables: pure preparation, then few statements, sorted.

`prepare` and `count` need no database; `write` needs one transaction that the caller opened and in
which it advances the lanes. The same code serves live counting and the retry of parked subjects.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from services.metrics.counting.contribute import Contributor, Evidence, Marks, comes_of_age
from services.metrics.counting.fold import Change, Deltas, add_one, first, fold
from services.metrics.counting.groups import Groups
from services.metrics.projecting import store
from services.metrics.projecting.counted import Counted, Poison
from services.metrics.projecting.packing import Packed, Packing
from services.metrics.projecting.store import Replaced, Stored, Subject, Tables
from shared.contracts.record import LogRecord
from shared.db import Connection
from shared.domain.measures import Measure

Said = tuple[LogRecord, Evidence | None]
"""A row and what its event says since then; None: nothing any more."""

STRIDE = 128
"""After so many rows or subjects, `preparing` and `counting` let others run."""


@dataclass
class Batch:
    """What a batch of rows says, by subject; nothing is looked up yet."""

    single: dict[Subject, Said] = field(default_factory=dict)
    several: dict[Subject, list[Said]] = field(default_factory=dict)
    lookups: list[Subject] = field(default_factory=list)
    poison: list[Poison] = field(default_factory=list)
    marks: set[Marks] = field(default_factory=set)
    """Sets of marks that have no number yet."""


class BatchCounter:
    """Counts batches for a fixed set of measures."""

    def __init__(self, contributor: Contributor) -> None:
        self.contributor = contributor
        self.measures: Mapping[int, Measure] = contributor.measures
        self.combinations = store.Combinations()
        self.groups = Groups(self.measures)
        self.packing = Packing(self.combinations.number)

    def prepare(self, records: Sequence[LogRecord]) -> Batch:
        """Sort out a batch. Rows that revise, and evidence that depends on the subject's other
        evidence, need the subject's old evidence; a subject that cannot be read is poison."""
        batch = Batch()
        for _ in self.preparing(batch, records):
            pass
        return batch

    def preparing(self, batch: Batch, records: Sequence[LogRecord]) -> Iterator[None]:
        """As `prepare`, into an empty batch, a stride at a time."""
        lookups: set[Subject] = set()
        poisoned: set[Subject] = set()
        for at in range(0, len(records), STRIDE):
            self._prepare(batch, records[at : at + STRIDE], lookups, poisoned)
            yield
        batch.lookups = sorted(lookups)
        known = self.combinations.number
        batch.marks = {marks for marks in self.groups.plain if marks not in known}

    def _prepare(
        self,
        batch: Batch,
        records: Iterable[LogRecord],
        lookups: set[Subject],
        poisoned: set[Subject],
    ) -> None:
        evidence_of = self.contributor.evidence
        single, several = batch.single, batch.several
        plain_of = self.groups.plain
        for record in records:
            subject = (record.lane, record.key)
            if poisoned and subject in poisoned:
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
                plain = plain_of.get(evidence.marks)
                if plain is None:
                    plain = self.groups.is_plain(evidence.marks)
                if record.revision or not plain:
                    lookups.add(subject)
            said = (record, evidence)
            known = single.get(subject)
            if known is not None:
                del single[subject]
                several[subject] = [known, said]
            elif several and subject in several:
                several[subject].append(said)
            else:
                single[subject] = said

    def count(self, batch: Batch, old: Mapping[Subject, dict[int, Evidence]]) -> Counted:
        """Fold the batch over the old evidence of its subjects."""
        counted = Counted(self.groups, poison=list(batch.poison))
        for _ in self.counting(counted, batch, old):
            pass
        return counted

    def counting(
        self, counted: Counted, batch: Batch, old: Mapping[Subject, dict[int, Evidence]]
    ) -> Iterator[None]:
        """As `count`, a stride at a time."""
        alone, first = self.groups.alone, self.groups.first
        ones, written = counted.ones, counted.written
        left = STRIDE
        for subject, said in batch.single.items():
            record, evidence = said
            known = old.get(subject)
            if evidence is None or evidence.until is not None or comes_of_age(evidence):
                self._fold(subject, [said], known or {}, counted)
            elif known:
                self._one_more(subject, record, evidence, known, counted)
            else:
                plan = alone.get(evidence.marks) or first(evidence.marks)
                if not plan.first or self._weigh(subject, record, evidence, plan.first, counted):
                    ones[plan.ones, evidence.unit_id, evidence.since, record.recorded] += 1
                    written.append((record, evidence))
            left -= 1
            if not left:
                left = STRIDE
                yield
        for subject, several in batch.several.items():
            known = old.get(subject) or {}
            if not self._in_turn(several, known, counted):
                self._fold(subject, several, known, counted)
            left -= len(several)
            if left <= 0:
                left = STRIDE
                yield

    def _weigh(
        self,
        subject: Subject,
        record: LogRecord,
        evidence: Evidence,
        served: Iterable[tuple[int, int]],
        counted: Counted,
    ) -> bool:
        """Count a subject's first evidence for measures that weigh it; False if that is poison."""
        deltas: Deltas = {}
        try:
            self._first(served, evidence, record.recorded, deltas)
        except Exception as error:
            counted.poison.append(_poison(subject, record, error))
            return False
        _add(deltas, counted.single)
        return True

    def _one_more(
        self,
        subject: Subject,
        record: LogRecord,
        evidence: Evidence,
        known: dict[int, Evidence],
        counted: Counted,
    ) -> None:
        """Count one more event, without an end, of a subject that has evidence."""
        if record.origin in known:
            self._fold(subject, [(record, evidence)], known, counted)
            return
        rows = known.values()
        plan = self.groups.beside(evidence.marks, [row.marks for row in rows])
        again = plan.fold
        if plan.once:
            since, origin = evidence.since, record.origin
            for row in rows:
                late = row.until is not None or comes_of_age(row)
                if late or (row.since, row.origin) > (since, origin):
                    again = plan.once + plan.fold
                    break
        if again or plan.first:
            deltas: Deltas = {}
            try:
                self._first(plan.first, evidence, record.recorded, deltas)
                add_one(self.measures, again, known, evidence, record.recorded, deltas)
            except Exception as error:
                counted.poison.append(_poison(subject, record, error))
                return
            _add(deltas, counted.single)
        if self.groups.members[plan.ones]:
            counted.ones[plan.ones, evidence.unit_id, evidence.since, record.recorded] += 1
        counted.written.append((record, evidence))

    def _in_turn(
        self, several: list[Said], known: Mapping[int, Evidence], counted: Counted
    ) -> bool:
        """Count several events of a subject in the order in which they happened, if each of them
        does no more than add one to some measures; whether that is so."""
        seen = set(known)
        latest = (date.min, 0)
        for row in known.values():
            if row.until is not None or comes_of_age(row):
                return False
            latest = max(latest, (row.since, row.origin))
        served = self.groups.merged(row.marks for row in known.values())
        ones = []
        written = []
        for record, evidence in several:
            if evidence is None or evidence.until is not None or comes_of_age(evidence):
                return False
            if evidence.origin in seen:
                return False
            at = (evidence.since, evidence.origin)
            plan = self.groups.beside(evidence.marks, (served,))
            if at < latest or plan.first or plan.fold:
                return False
            latest, served = at, self.groups.merged((served, evidence.marks))
            seen.add(evidence.origin)
            written.append((record, evidence))
            if self.groups.members[plan.ones]:
                ones.append((plan.ones, evidence.unit_id, evidence.since, record.recorded))
        for key in ones:
            counted.ones[key] += 1
        counted.written += written
        return True

    def _fold(
        self,
        subject: Subject,
        said: list[Said],
        known: dict[int, Evidence],
        counted: Counted,
    ) -> None:
        deltas: Deltas = {}
        changes = [Change(record.origin, record.recorded, evidence) for record, evidence in said]
        try:
            now = fold(self.measures, known, changes, deltas)
        except Exception as error:
            counted.poison.append(_poison(subject, said[0][0], error))
            return
        _add(deltas, counted.single)
        last: dict[int, Said] = {}
        for record, evidence in said:
            before = last.get(record.origin)
            if before is not None:
                if before[1] is not None:
                    counted.past.append((before[0], before[1], record))
            elif record.origin in known:
                counted.ended.append(known[record.origin])
                counted.replaced.append(
                    Replaced(*subject, record.origin, record.recorded, record.position)
                )
            last[record.origin] = (record, evidence)
        for record, evidence in last.values():
            if evidence is not None:
                counted.written.append((record, evidence))
        counted.now[subject] = now

    def _first(
        self,
        served: Iterable[tuple[int, int]],
        evidence: Evidence,
        recorded: date,
        deltas: Deltas,
    ) -> None:
        for number, parts in served:
            weights = first(self.measures[number], number, parts, evidence)
            for (unit_id, day), (n, total) in weights.items():
                deltas[number, unit_id, day, recorded] = [n, total]

    async def write(self, connection: Connection, tables: Tables, batch: Batch) -> Counted:
        """Count and write a batch inside the caller's transaction; combinations must be known."""
        old = await store.load_evidence(connection, tables, batch.lookups, self.combinations)
        counted = self.count(batch, old)
        await self.keep(connection, tables, counted, self.packing.pack(counted))
        return counted

    async def keep(
        self, connection: Connection, tables: Tables, counted: Counted, rows: Packed
    ) -> None:
        """Write what was counted: evidence, past evidence and tallies."""
        await store.retire_evidence(connection, tables, counted.replaced)
        await store.insert_evidence(connection, tables, rows.evidence)
        past = [
            (self._stored(record, evidence), by.recorded, by.position)
            for record, evidence, by in counted.past
        ]
        await store.insert_past(connection, tables, past)
        await store.add_tallies(connection, tables, rows.tallies)

    def _stored(self, record: LogRecord, evidence: Evidence) -> Stored:
        return Stored(
            record.lane,
            record.key,
            evidence.origin,
            record.position,
            record.revision,
            record.recorded,
            evidence.since,
            evidence.until,
            self.combinations.number[evidence.marks],
            evidence.unit_id,
            evidence.detail,
        )


def _add(deltas: Deltas, to: Deltas) -> None:
    for key, (n, total) in deltas.items():
        sums = to.setdefault(key, [0, 0])
        sums[0] += n
        sums[1] += total


def _poison(subject: Subject, record: LogRecord, error: Exception) -> Poison:
    return Poison(subject, record.position, f"{type(error).__name__}: {error}")
