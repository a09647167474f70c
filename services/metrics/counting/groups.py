"""Which measures get one more from one more event, worked out once per sort of event.

Most events add one to some measures and nothing to others, and which ones depends only on the marks
of the event and on those of what the subject already has. So that is looked up, not computed: here
are the groups of measures that get one more, and the measures that have to be folded.

Holds for evidence without an end, of persons who are old enough on its day. Let M be a measure that it serves. Served by no older evidence of
the subject, M has just this evidence. If M counts events, each adds one, whatever else there is.
If M counts a subject once, nothing changes as long as older evidence stays the earliest; if M wants
all its parts, as long as this event does not bring the last one either.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from services.metrics.counting.contribute import CACHE_LIMIT, Marks
from shared.domain.measures import Measure


class Plan(NamedTuple):
    """What one more event does. `ones`: number of the group of measures that get one more.
    `first`: measures (with parts) that have only this evidence and must be weighed. `once`: for
    which nothing changes, if all older evidence is earlier. `fold`: all others."""

    ones: int
    first: tuple[tuple[int, int], ...]
    once: tuple[int, ...]
    fold: tuple[int, ...]


class Groups:
    """Plans and groups for a fixed set of measures; remembers what it has worked out."""

    def __init__(self, measures: Mapping[int, Measure]) -> None:
        self._measures = measures
        self.members: list[tuple[int, ...]] = []
        self.plain: dict[Marks, bool] = {}
        self.alone: dict[Marks, Plan] = {}
        self._numbers: dict[tuple[int, ...], int] = {}
        self._beside: dict[tuple[Marks, Marks], Plan] = {}
        self._together: dict[tuple[Marks, Marks], Marks] = {}

    def is_plain(self, marks: Marks) -> bool:
        """Whether such evidence counts whatever else its subject has."""
        found = self.plain[marks] = all(
            self._measures[number].kind in ("events", "add") for number in marks[::2]
        )
        return found

    def first(self, marks: Marks) -> Plan:
        """The plan for a subject's only evidence."""
        found = self.alone.get(marks)
        if found is None:
            found = self.alone[marks] = self._plan(marks, ())
        return found

    def beside(self, marks: Marks, known: Iterable[Marks]) -> Plan:
        """The plan for one more event of a subject with evidence of these marks."""
        key = (marks, self.merged(known))
        found = self._beside.get(key)
        if found is None:
            if len(self._beside) >= CACHE_LIMIT:
                self._beside.clear()
            found = self._beside[key] = self._plan(*key)
        return found

    def merged(self, several: Iterable[Marks]) -> Marks:
        """The measures that any of these serve, with all parts that any of them has."""
        found: Marks = ()
        for marks in several:
            if not found:
                found = marks
            elif marks != found:
                together = self._together.get((found, marks))
                if together is None:
                    together = self._merge(found, marks)
                found = together
        return found

    def _merge(self, one: Marks, other: Marks) -> Marks:
        parts = dict(zip(one[::2], one[1::2], strict=True))
        for number, more in zip(other[::2], other[1::2], strict=True):
            parts[number] = parts.get(number, 0) | more
        if len(self._together) >= CACHE_LIMIT:
            self._together.clear()
        found = tuple(value for pair in sorted(parts.items()) for value in pair)
        self._together[one, other] = found
        return found

    def _plan(self, marks: Marks, known: Marks) -> Plan:
        served = dict(zip(known[::2], known[1::2], strict=True))
        ones: list[int] = []
        first: list[tuple[int, int]] = []
        once: list[int] = []
        fold: list[int] = []
        for number, parts in zip(marks[::2], marks[1::2], strict=True):
            measure = self._measures[number]
            before = served.get(number)
            if measure.kind == "events":
                ones.append(number)
            elif before is None:
                if measure.kind != "distinct":
                    first.append((number, parts))
                elif not measure.need or measure.need == parts:
                    ones.append(number)
            elif measure.kind == "distinct" and not measure.grouped:
                completes = before != measure.need and before | parts == measure.need
                (fold if completes else once).append(number)
            else:
                fold.append(number)
        return Plan(self._number(tuple(ones)), tuple(first), tuple(once), tuple(fold))

    def _number(self, group: tuple[int, ...]) -> int:
        if group not in self._numbers:
            self._numbers[group] = len(self.members)
            self.members.append(group)
        return self._numbers[group]
