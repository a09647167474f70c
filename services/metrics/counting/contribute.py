"""What one row of the log says: which measures it serves, from when to when, with which figures.

Pure. Everything that depends only on the type is computed once per set of measures, and every
filter once per distinct combination of the values it reads, so that a row costs a few look-ups.
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, NamedTuple

from shared.contracts.ages import old_enough_on
from shared.contracts.definitions import Catalogue
from shared.contracts.filters import compile_filter
from shared.contracts.model import EventType
from shared.contracts.record import Content, LogRecord
from shared.contracts.subjects import days, thing_of
from shared.contracts.topics import EVENT_TYPE_PREFIX
from shared.domain.measures import Measure

Marks = tuple[int, ...]
"""Measures served and which of their parts (as bits): measure, parts, measure, parts ..."""

FIGURE = "$figure"
"""Name under which the summed figure of any type is kept in `detail`."""

ABOUT = "$about"
"""There, in the `detail` of a report about a named school or enterprise."""
GROWS = "$grows"
"""Name under which `detail` says, by age as text, the day on which a person reaches it."""

THING = "$thing"
"""In the `detail` of evidence whose subject is to be counted once in every unit of any tree: level
and digest of what its count key names besides the unit (`commune:3f...`); empty where the key names
no unit."""

CACHE_LIMIT = 100_000


class Evidence(NamedTuple):
    """What an event says today about its subject. Sorted, the earliest comes first."""

    since: date
    origin: int
    until: date | None
    unit_id: str
    marks: Marks
    detail: dict[str, Any] | None


def comes_of_age(row: Evidence) -> bool:
    """Whether a person is too young at first for some measure that the evidence serves."""
    return row.detail is not None and GROWS in row.detail


def since_for(measure: Measure, row: Evidence) -> date:
    """The day from which the evidence counts for a measure."""
    if measure.of_age is None or row.detail is None or GROWS not in row.detail:
        return row.since
    day = row.detail[GROWS].get(str(measure.of_age))
    return max(row.since, date.fromisoformat(day)) if day is not None else row.since


def _grows(data: Mapping[str, Any], since: date, ages: tuple[int, ...]) -> dict[str, str]:
    """The days after `since` on which the person of an event reaches these ages, as far as it says."""
    age = data.get("age")
    found = {}
    for wanted in ages:
        if age is None or age < wanted:
            day = old_enough_on(data, wanted)
            if day is not None and day > since:
                found[str(wanted)] = day.isoformat()
    return found


_evidence = tuple.__new__
"""As calling `Evidence`, without the function that names the fields: one is made for each row."""

_Row = tuple[str, str, int]
"""Which rows: event type, kind of count key, index of the count key within the type."""


class _Rule(NamedTuple):
    measure: int
    bit: int
    matches: Any
    since: date | None


class _Program:
    """The rules for one sort of rows."""

    def __init__(
        self,
        kind: EventType,
        rules: list[_Rule],
        fields: frozenset[str],
        is_named: Callable[[Mapping[str, Any]], bool] | None,
    ) -> None:
        self.kind = kind
        self.is_named = is_named
        self.rules = rules
        self.fields = sorted(fields)
        self.starts = sorted({rule.since for rule in rules if rule.since is not None})
        self.cache: dict[tuple[Any, ...], Marks] = {}
        self.details: dict[Marks, tuple[tuple[str, str], ...]] = {}
        self.ages: dict[Marks, tuple[int, ...]] = {}

    def marks(self, data: Mapping[str, Any], since: date) -> Marks:
        values = map(data.get, self.fields)
        signature = (
            bisect_right(self.starts, since) if self.starts else 0,
            *[tuple(value) if type(value) is list else value for value in values],
        )
        found = self.cache.get(signature)
        if found is None:
            found = self._decide(data, since)
            if len(self.cache) >= CACHE_LIMIT:
                self.cache.clear()
            self.cache[signature] = found
        return found

    def _decide(self, data: Mapping[str, Any], since: date) -> Marks:
        parts: dict[int, int] = {}
        for rule in self.rules:
            if (rule.since is None or rule.since <= since) and rule.matches(data):
                parts[rule.measure] = parts.get(rule.measure, 0) | rule.bit
        return tuple(number for pair in sorted(parts.items()) for number in pair)


def rows_for(measure: Measure, kind: EventType) -> list[_Row]:
    """The rows of a type that a measure takes; an event itself stands in its primary key's row."""
    return [
        (kind.type, key_kind, index)
        for index, alternatives in enumerate(kind.count_keys)
        for key_kind in sorted({alternative.kind for alternative in alternatives})
        if key_kind in measure.keys and (index == 0 or measure.kind not in ("events", "add"))
    ]


class Contributor:
    """Says what rows contribute to a fixed set of measures."""

    def __init__(self, measures: Mapping[int, Measure], catalogue: Catalogue) -> None:
        self.measures = dict(measures)
        self._catalogue = catalogue
        self._programs: dict[_Row, _Program] = {}
        rules: dict[_Row, list[_Rule]] = {}
        fields: dict[_Row, frozenset[str]] = {}
        for number, measure in sorted(self.measures.items()):
            for index, part in enumerate(measure.parts):
                compiled = compile_filter(part.filter, part.types, catalogue)
                for name in part.types:
                    node = compiled.nodes[name]
                    for at in rows_for(measure, catalogue[name]):
                        rule = _Rule(number, 1 << index, node.matches, measure.since)
                        rules.setdefault(at, []).append(rule)
                        fields[at] = fields.get(at, frozenset()) | compiled.fields(name)
        for at, found in rules.items():
            program = _Program(catalogue[at[0]], found, fields[at], self._named(at[0]))
            self._programs[EVENT_TYPE_PREFIX + at[0], *at[1:]] = program

    @property
    def programs(self) -> Mapping[_Row, _Program]:
        """The rules by sort of rows, types with their prefix: for a reader that takes most rows on a shorter way."""
        return self._programs

    def _named(self, name: str) -> Callable[[Mapping[str, Any]], bool] | None:
        """Whether the data of a report of this type is about a named thing; None: it never is."""
        partial = self._catalogue[name].partial
        if not partial:
            return None
        wanted = {} if partial is True else partial
        return compile_filter(wanted, (name,), self._catalogue).nodes[name].matches

    def _details(self, kind: EventType, marks: Marks) -> tuple[tuple[str, str], ...]:
        """What the fold needs to know of an event with these marks: name and data field."""
        found = set()
        for number in marks[::2]:
            measure = self.measures[number]
            if measure.kind in ("latest", "add") and kind.sum_field is not None:
                found.add((FIGURE, kind.sum_field))
                if measure.named:
                    found.add((ABOUT, ABOUT))
            elif measure.field is not None:
                found.add((measure.field, measure.field))
            if measure.placed:
                found.add((THING, THING))
        return tuple(sorted(found))

    def serves(self, type_name: str) -> list[int]:
        """The measures that events of this type may serve."""
        return sorted(
            {
                rule.measure
                for row, program in self._programs.items()
                if row[0] == EVENT_TYPE_PREFIX + type_name
                for rule in program.rules
            }
        )

    def evidence(self, record: LogRecord) -> Evidence | None:
        """What the row's event says today; None when it is void or serves no measure.

        Raises whatever a malformed row makes it raise: the caller parks the row's subject.
        """
        if record.void:
            return None
        content: Content | LogRecord
        if record.effective is None:
            content, name = record, record.type
        else:
            content, name = record.effective, EVENT_TYPE_PREFIX + record.effective.type
        program = self._programs.get((name, record.keykind, record.keyindex))
        if program is None:
            return None
        data = content.data
        since, until = content.occurred, None
        if program.kind.state is not None:
            since, until = days(program.kind, data, since)
        marks = program.marks(data, since)
        if not marks:
            return None
        wanted = program.details.get(marks)
        if wanted is None:
            wanted = program.details[marks] = self._details(program.kind, marks)
            asked = {self.measures[number].of_age for number in marks[::2]}
            program.ages[marks] = tuple(sorted(age for age in asked if age is not None))
        detail: dict[str, Any] | None = None
        if wanted:
            detail = {name: data[at] for name, at in wanted if data.get(at) is not None} or None
            if detail and (ABOUT, ABOUT) in wanted and program.is_named and program.is_named(data):
                detail[ABOUT] = True
            if (THING, THING) in wanted:
                thing = thing_of(program.kind, record.keyindex, data)
                detail = (detail or {}) | {THING: thing}
        if program.ages[marks]:
            grows = _grows(data, since, program.ages[marks])
            if grows:
                detail = (detail or {}) | {GROWS: grows}
        return _evidence(Evidence, (since, record.origin, until, content.unitid, marks, detail))
