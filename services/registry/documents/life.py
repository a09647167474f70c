"""The life of one report, folded from its events. Pure.

A round begins with the first draft, with a return, or when a submitted report is opened again. In a
round sentences are edited, the text is reviewed, figures are confirmed (once), the document gets its
number, the signed file comes, and the report is submitted. What an earlier round submitted is
superseded when a later one is; its files stay.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from services.registry.journal.store import Fact
from services.registry.plans.bodies import Body
from services.registry.reports.answering import REPORTS, RETURNED
from services.registry.reports.ledger import submitted_on

PROGRESSED = "report.progressed"
TYPES = [PROGRESSED, *REPORTS, RETURNED]
STATES = ("draft", "edited", "reviewed", "confirmed", "numbered", "signed", "submitted", "returned")
"""The state of the newest round."""
SUPERIOR = "Cấp trên"
"""Who sends a report back, where the event names nobody."""


@dataclass(frozen=True)
class Step:
    """One event of a report's life: what, when, by whom. `at`: position in the log."""

    step: str
    on: date
    recorded: date
    at: int
    by: str
    round: int
    data: dict[str, Any]


@dataclass
class Round:
    """What stands in one round; None where it has not happened."""

    number: int
    edited: Step | None = None
    reviewed: Step | None = None
    confirmed: Step | None = None
    numbered: Step | None = None
    signed: Step | None = None
    submitted: Step | None = None
    returned: Step | None = None

    @property
    def state(self) -> str:
        """Where it has come to."""
        for name in ("returned", "submitted"):
            if getattr(self, name) is not None:
                return name
        if self.confirmed is not None:
            return "signed" if self.signed else "numbered" if self.numbered else "confirmed"
        return "reviewed" if self.reviewed else "edited" if self.edited else "draft"


@dataclass
class Life:
    """All rounds of a report, its hand edits and its history, oldest first.

    `edits`: sentences by key as people wrote them; they go on from round to round. `edited_at`: the
    position at which each key was written last, also those that were taken back.
    """

    rounds: list[Round] = field(default_factory=lambda: [Round(1)])
    edits: dict[str, str] = field(default_factory=dict)
    edited_at: dict[str, int] = field(default_factory=dict)
    history: list[Step] = field(default_factory=list)

    @property
    def now(self) -> Round:
        """The newest round."""
        return self.rounds[-1]

    @property
    def state(self) -> str:
        """Where the report stands."""
        return self.now.state

    @property
    def open(self) -> bool:
        """Whether its text may be changed: until the figures are confirmed, and after a return."""
        fixed = self.now.confirmed is not None or self.now.submitted is not None
        return not fixed or self.state == "returned"

    @property
    def standing(self) -> Round | None:
        """The newest round that was submitted and not returned."""
        return next((r for r in reversed(self.rounds) if r.submitted and not r.returned), None)

    def superseded(self, one: Round) -> bool:
        """Whether a later submission has taken the place of a submitted round."""
        later = (r for r in self.rounds if r.number > one.number)
        return one.submitted is not None and any(r.submitted for r in later)


def fold(facts: Iterable[Fact], body: Body | None = None) -> Life:
    """The life of one report from its events, in the order of the log; `body`: whose report it is."""
    life = Life()
    for fact in sorted(facts, key=lambda f: f.origin):
        _take(life, fact, body)
    return life


def _take(life: Life, fact: Fact, body: Body | None) -> None:
    data = fact.data
    name = _name(fact)
    begins = name == "reopened" or (name not in ("submitted", "returned") and life.state == "returned")  # fmt: skip
    again = name == "submitted" and life.now.submitted is not None
    if begins or again:
        life.rounds.append(Round(life.now.number + 1))
    by = _by(fact, name, body)
    on = submitted_on(fact) if name == "submitted" else fact.occurred
    step = Step(name, on, fact.recorded, fact.position, by, life.now.number, data)
    life.history.append(step)
    if name == "edited":
        _edit(life, step)
    if name == "reopened":
        return
    if name == "confirmed" and life.now.confirmed is not None:
        return  # one confirmation a round: the first one holds
    if name in ("edited", "reviewed") and life.now.confirmed is not None:
        return
    setattr(life.now, name, step)


def _by(fact: Fact, name: str, body: Body | None) -> str:
    """Who took a step, by name: as the event says, else the body itself; no address of a system."""
    data = fact.data
    said = data.get("by") or data.get("from_unit") or data.get("reporter")
    if body is not None and said in (None, "", body.id):
        return SUPERIOR if name == "returned" else body.name_vi
    return str(said or fact.source)


def _edit(life: Life, step: Step) -> None:
    """A text that changes after a review must be reviewed again."""
    if life.now.confirmed is not None:
        return
    life.now.reviewed = None
    for key, text in (step.data.get("edits") or {}).items():
        life.edited_at[key] = step.at
        if isinstance(text, str):
            life.edits[key] = text
        else:
            life.edits.pop(key, None)


def _name(fact: Fact) -> str:
    if fact.type == RETURNED:
        return "returned"
    return str(fact.data["step"]) if fact.type == PROGRESSED else "submitted"
