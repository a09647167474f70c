"""What the evidence and the plans say of one event. No I/O: `explain.py` gathers, this judges."""

from collections.abc import Iterable, Mapping
from datetime import date

import msgspec

from services.metrics.counting.contribute import Evidence, since_for
from services.metrics.evaluating.joined import Joined
from services.metrics.explaining.mattering import mattering
from services.metrics.explaining.reasons import REASONS, Reasons, Why, current_rows
from services.metrics.projecting.store import Subject
from shared.contracts.definitions import Catalogue
from shared.contracts.record import LogRecord
from shared.domain.compile import Objective
from shared.domain.definitions import Definitions
from shared.domain.measures import Measure
from shared.domain.places import Places


class Served(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One objective that an event serves. `counts` False: `decided_by` these events instead."""

    plan: str
    objective: str
    plan_unit: str
    unit_id: str
    since: date
    until: date | None = None
    counts: bool = True
    reason: str | None = None
    decided_by: list[int] = []


class Explanation(msgspec.Struct, kw_only=True):
    """What became of the event to which the row at `position` belongs.

    `state`: counted, counted_by_another_event, not_counted, parked, dismissed, definition or
    not_yet; `code` and `reason` say why it is not counted.
    """

    position: int
    state: str
    code: str | None = None
    reason: str | None = None
    objectives: list[Served] = []
    record: LogRecord | None = None


class Plans:
    """How today's plans use the measures; made anew when definitions, measures or the day change."""

    def __init__(
        self,
        definitions: Definitions,
        live: dict[int, Measure],
        today: date,
        catalogue: Catalogue,
    ) -> None:
        places = self.places = Places(definitions.tree, today)
        numbers = {measure.fingerprint(): number for number, measure in live.items()}
        self.live = live
        self.users: dict[int, list[tuple[Objective, str]]] = {}
        self.beside: dict[int, set[str]] = {}
        self.within: dict[str, frozenset[str]] = {}
        every: list[tuple[Objective, str]] = []
        for plan in definitions.plan_ids():
            found = definitions.plan(plan, today)
            if found is None:
                continue
            root = found.document["unit"]
            self.within[root] = places.within(root)
            for objective in found.objectives:
                every.append((objective, root))
                for measure in objective.measures():
                    number = numbers.get(measure.fingerprint())
                    if number is not None:
                        self.users.setdefault(number, []).append((objective, root))
                for beside in objective.beside:
                    number = numbers.get(beside.measure.fingerprint())
                    if number is not None:
                        self.beside.setdefault(number, set()).add(root)
        self.reasons = Reasons(every, catalogue)


class Known(msgspec.Struct, kw_only=True):
    """What the tables say of the positions asked for, at one instant."""

    watermark: int
    parked: dict[int, str]
    dismissed: dict[int, str]
    subjects: dict[int, set[Subject]]


class Judge:
    """Says of each event what the evidence and the plans say. No I/O."""

    def __init__(
        self,
        plans: Plans,
        known: Known,
        evidence: Mapping[Subject, dict[int, Evidence]],
        joins: Mapping[str, Joined],
    ) -> None:
        """`joins`: what today's tree joins, by the unit of a plan."""
        self._joins = joins
        self._plans = plans
        self._known = known
        self._evidence = evidence
        self._mattering: dict[tuple[Subject, int, str], frozenset[int]] = {}

    def explain(
        self, position: int, record: LogRecord | None, rows: list[LogRecord]
    ) -> Explanation | None:
        """`record`: the row at the position, `rows`: the rows of its event, where they were read.
        None: it cannot be said without them."""
        known = self._known
        if position > known.watermark:
            return _not_counted(position, "not_yet", Why.of("not_yet"))
        if position in known.parked:
            return _not_counted(position, "parked", Why("parked", known.parked[position]))
        if position in known.dismissed:
            return _not_counted(position, "dismissed", Why("dismissed", known.dismissed[position]))
        served, elsewhere = self._served(position if record is None else record.origin)
        if served:
            if any(entry.counts for entry in served):
                found = Explanation(position=position, state="counted")
            else:
                why = Why.of("decided_by_another_event")
                found = _not_counted(position, "counted_by_another_event", why)
            found.objectives, found.record = served, record
            return found
        if self._stands_beside(position if record is None else record.origin):
            found = _not_counted(position, "not_counted", Why.of("shown_beside"))
        elif elsewhere:
            found = _not_counted(position, "not_counted", Why.of("other_units_plan"))
        elif record is not None:
            found = self._not_served(position, rows)
        elif known.subjects.get(position):
            return None
        else:
            found = _not_counted(position, "not_counted", Why.of("position_unknown"))
        found.record = record
        return found

    def _not_served(self, position: int, rows: list[LogRecord]) -> Explanation:
        for row in current_rows(rows):
            for word, waiting in (
                ("parked", self._known.parked),
                ("dismissed", self._known.dismissed),
            ):
                if row.position in waiting:
                    return _not_counted(position, word, Why(word, waiting[row.position]))
        why = self._plans.reasons.why_not(rows, self._plans.within)
        states = {"definition": "definition", "plan_refused": "definition", "building": "not_yet"}
        state = states.get(why.code, "not_counted")
        return _not_counted(position, state, why)

    def _stands_beside(self, origin: int) -> bool:
        """Whether it is counted beside the number of some objective of its place."""
        for subject in self._known.subjects.get(origin, ()):
            mine = self._evidence.get(subject, {}).get(origin)
            for number in mine.marks[::2] if mine is not None else ():
                for root in self._plans.beside.get(number, ()):
                    if mine is not None and mine.unit_id in self._plans.within[root]:
                        return True
        return False

    def _served(self, origin: int) -> tuple[list[Served], bool]:
        """The objectives of its place that the event serves; whether it serves some elsewhere."""
        found: dict[tuple[str, str], Served] = {}
        elsewhere = False
        for subject in sorted(self._known.subjects.get(origin, ())):
            mine = self._evidence.get(subject, {}).get(origin)
            for number in mine.marks[::2] if mine is not None else ():
                for objective, root in self._plans.users.get(number, ()):
                    assert mine is not None  # noqa: S101 - there are marks
                    # A measure is shared by all plans that word it alike.
                    if mine.unit_id not in self._plans.within[root]:
                        elsewhere = True
                        continue
                    entry = self._entry(subject, number, mine, objective, root)
                    known = found.get((entry.plan, entry.objective))
                    if known is None or (entry.counts and not known.counts):
                        found[entry.plan, entry.objective] = entry
        return list(found.values()), elsewhere

    def _entry(
        self, subject: Subject, number: int, mine: Evidence, objective: Objective, root: str
    ) -> Served:
        matter = self._matter(subject, number, root)
        entry = Served(
            plan=objective.plan,
            objective=objective.id,
            plan_unit=root,
            unit_id=mine.unit_id,
            since=since_for(self._plans.live[number], mine),
            until=mine.until,
            counts=mine.origin in matter,
        )
        if not entry.counts:
            entry.reason = REASONS["decided_by_another_event"]
            entry.decided_by = sorted(matter)[:10]
        return entry

    def _matter(self, subject: Subject, number: int, root: str) -> frozenset[int]:
        measure = self._plans.live[number]
        joined = self._joins.get(root) if measure.placed else None
        mates = joined.mates.get(subject) if joined is not None else None
        key = (subject, number, root if mates else "")
        known = self._mattering.get(key)
        if known is None:
            rows: Iterable[Evidence] = self._evidence[subject].values()
            place = None
            if joined is not None and mates is not None:
                every = (row for mate in mates for row in self._evidence[mate].values())
                rows, place = filter(joined.keeps, every), joined.places.lies_in
            known = self._mattering[key] = mattering(measure, number, rows, place)
        return known


def _not_counted(position: int, state: str, why: Why) -> Explanation:
    return Explanation(position=position, state=state, code=why.code, reason=why.reason)
