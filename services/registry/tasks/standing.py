"""Where a task stands: for one lead body and one occurrence, and summed up. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from services.registry.tasks.occurrences import Occurrence
from services.registry.tasks.statements import Statement
from shared.domain.closing import Proof

STATES = ("not_started", "in_progress", "blocked", "overdue", "done_late", "done")
"""`blocked`: the lead body says so, newer than all else it said. `overdue`: past its last day and not
done, blocked or not. `done_late`: all that closes it held only after the last day."""

CLOSED = frozenset({"done", "done_late"})


@dataclass(frozen=True)
class Condition:
    """One thing that must hold. `kind`: objective, tasks_led, proof or statement.

    `since`: the day since when it holds (None: it does not, or nobody knows the day). `late`: it holds, but only since
    after the last day. `have`/`need`: how much there is of how much is enough, where that is a number; of
    `communes` if so many of them must each have enough.
    """

    kind: str
    name: str
    holds: bool
    since: date | None = None
    late: bool = False
    have: int | None = None
    need: int | None = None
    communes: bool = False
    proof: Proof | None = None

    @property
    def begun(self) -> bool:
        """Whether anything at all speaks for it."""
        return self.holds or bool(self.have)


@dataclass(frozen=True)
class OccurrenceStanding:
    """One occurrence of a task at one lead body."""

    occurrence: Occurrence
    state: str
    conditions: Sequence[Condition]
    statement: Statement | None = None
    done_on: date | None = None

    @property
    def late(self) -> bool:
        """Whether its last day has passed without its being done."""
        return self.state == "overdue"


@dataclass(frozen=True)
class BodyStanding:
    """A task at one lead body: all its occurrences, and the state that sums them up."""

    state: str
    current: OccurrenceStanding
    occurrences: Sequence[OccurrenceStanding]

    def counts(self) -> dict[str, int]:
        """How many judged occurrences are in which state; those that have begun."""
        return dict(Counter(o.state for o in self.occurrences if o.occurrence.judged))


def stand(
    occurrence: Occurrence,
    conditions: Sequence[Condition],
    statement: Statement | None,
    on: date,
) -> OccurrenceStanding:
    """The state of one occurrence on a day."""
    due = occurrence.last_day
    if all(condition.holds for condition in conditions):
        days = [c.since for c in conditions if c.since is not None]
        done_on = max(days, default=None)
        late = due is not None and (
            any(c.late for c in conditions) or (done_on is not None and done_on > due)
        )
        state = "done_late" if late else "done"
        return OccurrenceStanding(occurrence, state, conditions, statement, done_on)
    said = statement.status if statement is not None and statement.returned is None else None
    if due is not None and due < on and occurrence.judged:
        state = "overdue"
    elif said == "blocked":
        state = "blocked"
    elif said in ("in_progress", "done") or any(c.begun for c in conditions):
        state = "in_progress"
    else:
        state = "not_started"
    return OccurrenceStanding(occurrence, state, conditions, statement)


def sum_up(found: Sequence[OccurrenceStanding], on: date, end: date) -> BodyStanding:
    """A task at one body. What recurs is done only when its last occurrence is over."""
    begun = [o for o in found if o.occurrence.start <= on] or [found[0]]
    current = begun[-1]
    if len(found) == 1:
        return BodyStanding(current.state, current, found)
    judged = [o for o in begun if o.occurrence.judged]
    states = {o.state for o in judged}
    if "overdue" in states:
        state = "overdue"
    elif current.state == "blocked":
        state = "blocked"
    elif on >= end and states and states <= CLOSED:
        state = "done_late" if "done_late" in states else "done"
    elif states - {"not_started"}:
        state = "in_progress"
    else:
        state = "not_started"
    return BodyStanding(state, current, begun)


def state_of_all(states: Sequence[str]) -> str:
    """The state of a task over all its lead bodies: the worst that needs somebody."""
    found = set(states)
    for worst in ("overdue", "blocked"):
        if worst in found:
            return worst
    if found <= CLOSED:
        return "done_late" if "done_late" in found else "done"
    return "in_progress" if found - {"not_started"} else "not_started"
