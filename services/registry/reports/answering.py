"""Which events answer a reporting obligation. Pure.

A report answers the obligation that it names. Other obligations are met by the events that the plan
names (a closing conference, a yearly review), matched by the obligation's filter as a task's proofs
are; without one a review must be of the obligation's own rhythm.
"""

from typing import Any

from services.registry.journal.store import Fact
from shared.contracts.filters import compile_filter
from shared.contracts.live import of_process

REPORTS = ("report.submitted", "report.consolidated")
RETURNED = "report.returned"
RHYTHMS = frozenset({"weekly", "monthly", "quarterly", "yearly"})


class Answers:
    """What answers one obligation of one plan."""

    def __init__(self, obligation: dict[str, Any], plan: str) -> None:
        self._obligation = obligation
        self._plan = plan
        event = obligation["event"]
        filter = obligation.get("filter")
        self._filter = compile_filter(filter, (event,), of_process()) if filter else None

    def answers(self, fact: Fact) -> bool:
        """Whether an event meets the obligation, for whoever it is of."""
        if (fact.data.get("plan") or fact.data.get("plan_hint")) not in (None, self._plan):
            return False
        if fact.type in REPORTS:
            return bool(fact.data.get("obligation") == self._obligation["id"])
        if fact.type != self._obligation["event"]:
            return False
        if self._filter is not None:
            return self._filter.matches(fact.data, fact.type)
        kind, cadence = fact.data.get("kind"), self._obligation["cadence"]
        return not (fact.type == "review.held" and {kind, cadence} <= RHYTHMS and kind != cadence)

    def returns(self, fact: Fact) -> bool:
        """Whether an event sends a report under the obligation back."""
        return (
            fact.type == RETURNED
            and fact.data["plan"] == self._plan
            and fact.data["obligation"] == self._obligation["id"]
        )
