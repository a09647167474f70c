"""What is to be written for a batch, and which subjects cannot be counted."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date

from services.metrics.counting.contribute import THING, Evidence
from services.metrics.counting.fold import Deltas
from services.metrics.counting.groups import Groups
from services.metrics.projecting.store import Replaced, Subject
from shared.contracts.record import LogRecord


@dataclass
class Poison:
    """A subject that cannot be counted from one of its rows on, and why."""

    subject: Subject
    position: int
    problem: str


@dataclass
class Counted:
    """The effect of a batch. `ones`: (group of measures, unit_id, occurred, recorded) -> how often
    each measure of the group gets one more; `single`: all other deltas."""

    groups: Groups
    ones: dict[tuple[int, str, date, date], int] = field(default_factory=lambda: defaultdict(int))
    single: Deltas = field(default_factory=dict)
    written: list[tuple[LogRecord, Evidence]] = field(default_factory=list)
    replaced: list[Replaced] = field(default_factory=list)
    past: list[tuple[LogRecord, Evidence, LogRecord]] = field(default_factory=list)
    ended: list[Evidence] = field(default_factory=list)
    poison: list[Poison] = field(default_factory=list)
    now: dict[Subject, dict[int, Evidence]] = field(default_factory=dict)
    """The evidence, after this batch, of subjects that were folded; to that of others is added."""

    @property
    def deltas(self) -> Deltas:
        """All of them by measure."""
        found = {key: list(sums) for key, sums in self.single.items()}
        for (group, unit_id, since, recorded), times in self.ones.items():
            for number in self.groups.members[group]:
                sums = found.setdefault((number, unit_id, since, recorded), [0, 0])
                sums[0] += times
        return {key: sums for key, sums in found.items() if sums[0] or sums[1]}

    def pairs(self) -> set[tuple[int, str]]:
        """Which measures changed in which units."""
        found = {(number, unit_id) for number, unit_id, _, _ in self.single}
        for group, unit_id in {key[:2] for key in self.ones}:
            found.update((number, unit_id) for number in self.groups.members[group])
        # What is distinct per unit may matter with that of another unit, though it adds nothing here.
        for evidence in [*self.ended, *(evidence for _, evidence in self.written)]:
            if evidence.detail is not None and THING in evidence.detail:
                found.update((number, evidence.unit_id) for number in evidence.marks[::2])
        return found
