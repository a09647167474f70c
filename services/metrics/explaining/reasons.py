"""Why an event counts for nothing: stable codes, and the rules that find them. Pure.

The rules go by what the log says of the event and what the plans say today; the furthest step that
any objective of the event's place reached is the reason.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from typing import NamedTuple

from services.metrics.counting.contribute import rows_for
from shared.contracts.definitions import Catalogue
from shared.contracts.filters import Filter, compile_filter
from shared.contracts.record import DEFINITION_LANE, Content, LogRecord
from shared.contracts.subjects import days
from shared.domain.compile import FIGURE_REPORTED, Objective
from shared.domain.measures import Measure
from shared.domain.plan_files.document import why_plan_refused

REASONS = {
    "decided_by_another_event": "Other events of the same subject decide its count already.",
    "parked": "The event waits for an operator: it could not be counted.",
    "dismissed": "An operator gave the event up, with a reason.",
    "definition": "It defines units, plans or populations; it is not counted itself.",
    "plan_refused": "Its document cannot be a plan; the version before stays in force.",
    "not_yet": "The projection has not reached this position yet.",
    "position_unknown": "The log has no such position.",
    "building": "Its objectives are being counted from the log right now.",
    "revoked": "The event was revoked.",
    "superseded": "A correction changed the event, and as corrected it does not count.",
    "shown_beside": "It is shown beside the number of an objective, not counted in it.",
    "plan_not_named": "It reports a total but names no plan, so it is shown nowhere: correct it"
    " (event.corrected) with the field `plan`.",
    "total_unknown": "It reports a total of an objective or a plan that does not exist.",
    "no_objective_for_type": "No plan counts events of this type.",
    "other_units_plan": "No plan of the event's unit counts it, only plans of others.",
    "no_filter_matches": "No objective's filter matches this event.",
    "no_subject": "The event names nobody and nothing that the objectives count.",
    "outside_period": "It happened before the day from which the objectives count.",
}
"""Every code that an explanation can have, with its text."""


SHOWN = 5
"""Objectives that cannot be counted and are named to the poster of a plan."""


class Step(IntEnum):
    """How far an event came with one objective."""

    OTHER_TYPE = 0
    ELSEWHERE = 1
    FILTER = 2
    SUBJECT = 3
    PERIOD = 4
    COUNTED = 5


_CODES = {
    Step.OTHER_TYPE: "no_objective_for_type",
    Step.ELSEWHERE: "other_units_plan",
    Step.FILTER: "no_filter_matches",
    Step.SUBJECT: "no_subject",
    Step.PERIOD: "outside_period",
    Step.COUNTED: "building",
}


@dataclass(frozen=True)
class Why:
    """A code of `REASONS` and, where there is more to say, its own text."""

    code: str
    reason: str

    @classmethod
    def of(cls, code: str, more: str = "") -> "Why":
        return cls(code, f"{REASONS[code]} {more}".strip())


class _Candidate(NamedTuple):
    """A measure that takes a type: the units of the plans that use it, its filters for the type."""

    measure: Measure
    roots: set[str]
    filters: list[Filter]


class Reasons:
    """The rules for the objectives of today's plans."""

    def __init__(self, objectives: Iterable[tuple[Objective, str]], catalogue: Catalogue) -> None:
        """`objectives`: each with the unit of its plan."""
        self._catalogue = catalogue
        self._by_type: dict[str, dict[str, _Candidate]] = {}
        self._not_counted: dict[str, list[str]] = {}
        for objective, root in objectives:
            if objective.reason is not None:
                said = f"{objective.id}: {objective.reason}"
                self._not_counted.setdefault(objective.plan, []).append(said)
            for measure in objective.measures():
                compiled = [
                    (p, compile_filter(p.filter, p.types, catalogue)) for p in measure.parts
                ]
                for name in measure.types():
                    known = self._by_type.setdefault(name, {})
                    filters = [filter for part, filter in compiled if name in part.types]
                    fresh = _Candidate(measure, set(), filters)
                    known.setdefault(measure.fingerprint(), fresh).roots.add(root)

    def why_not(self, rows: Sequence[LogRecord], within: Mapping[str, frozenset[str]]) -> Why:
        """Why the event of these rows (all of its current ones, and its first) serves nothing.

        `within`: the units that each plan's unit covers.
        """
        if any(row.lane == DEFINITION_LANE for row in rows):
            return self._definition(current_rows(rows))
        current = current_rows(rows)
        if not current:
            return Why.of("revoked")
        if _content(current[0]).type == FIGURE_REPORTED:
            named = "plan" in _content(current[0]).data
            return Why.of("total_unknown" if named else "plan_not_named")
        step, starts = self._furthest(current, within)
        first = [row for row in rows if not row.revision and not row.void]
        if (
            step is not Step.COUNTED
            and first
            and any(row.revision for row in current)
            and self._furthest(first, within)[0] is Step.COUNTED
        ):
            return Why.of("superseded", REASONS[_CODES[step]])
        if step is Step.PERIOD:
            return Why.of("outside_period", f"They count from {min(starts).isoformat()} on.")
        if step in (Step.OTHER_TYPE, Step.FILTER):
            return Why.of(_CODES[step], f"Its type is {_content(current[0]).type}.")
        return Why.of(_CODES[step])

    def _definition(self, current: Sequence[LogRecord]) -> Why:
        """Of a plan also what of it cannot be counted: its poster should learn that."""
        if not current:
            return Why.of("revoked")
        content = _content(current[0])
        data = content.data
        if content.type == "plan.published":
            refused = why_plan_refused(data["plan"], data["document"], self._catalogue)
            if refused is not None:
                return Why.of("plan_refused", str(refused))
        wrong = self._not_counted.get(str(data.get("plan")), [])
        if not wrong:
            return Why.of("definition")
        more = f" and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        return Why.of("definition", f"Not counted: {'; '.join(wrong[:SHOWN])}{more}.")

    def _furthest(
        self, rows: Sequence[LogRecord], within: Mapping[str, frozenset[str]]
    ) -> tuple[Step, set[date]]:
        """The furthest step with any objective, and the days from which those there count."""
        furthest, starts = Step.OTHER_TYPE, set[date]()
        content = _content(rows[0])
        kind = self._catalogue[content.type]
        since, _ = days(kind, content.data, content.occurred)
        served = {(content.type, row.keykind, row.keyindex) for row in rows}
        for measure, roots, filters in self._by_type.get(content.type, {}).values():
            if not any(content.unitid in within[root] for root in roots):
                step = Step.ELSEWHERE
            elif not any(filter.matches(content.data, content.type) for filter in filters):
                step = Step.FILTER
            elif served.isdisjoint(rows_for(measure, kind)):
                step = Step.SUBJECT
            elif measure.since is not None and since < measure.since:
                step = Step.PERIOD
                starts.add(measure.since)
            else:
                step = Step.COUNTED
            furthest = max(furthest, step)
        return furthest, starts


def current_rows(rows: Iterable[LogRecord]) -> list[LogRecord]:
    """Of each (origin, key) the highest revision, without void ones, by position."""
    newest: dict[tuple[int, bytes], LogRecord] = {}
    for row in rows:
        known = newest.get((row.origin, row.key))
        if known is None or known.revision < row.revision:
            newest[row.origin, row.key] = row
    return sorted((r for r in newest.values() if not r.void), key=lambda r: r.position)


def _content(row: LogRecord) -> Content:
    content = row.effective_content()
    assert content is not None  # noqa: S101 - void rows were sorted out
    return content
