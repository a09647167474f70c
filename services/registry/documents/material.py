"""All that a report is composed from, gathered before anything is worded. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from services.registry.journal.store import Fact
from services.registry.reports.ledger import Filled
from services.registry.reports.periods import Period
from services.registry.tables.model import Table
from services.registry.tasks.evidence import Evidence
from services.registry.tasks.fold import TaskStanding

Json = dict[str, Any]


@dataclass(frozen=True)
class Author:
    """Who reports. `unit_id`: a unit of the tree; else an organisation that the plan names.

    `whole`: it answers for the whole plan, so all of the plan's units and tasks are its matter.
    `objectives`: the ids that it reports on, in the plan's order. `superior`: the body above it.
    """

    id: str
    name_vi: str
    unit_id: str | None
    party: bool
    whole: bool
    objectives: tuple[str, ...]
    place_vi: str
    superior: str | None = None


@dataclass(frozen=True)
class Late:
    """How many events of a unit came into the log more than a week after they happened."""

    unit_id: str
    name_vi: str
    events: int


@dataclass(frozen=True)
class Material:
    """What is known as of a day. `before`: the same table on the closing day of the report before
    this one, None for the first. `provisional`: the period's figures have not closed yet.
    `recipients`: the bodies that the report goes to, by name. `reports`: what subordinates handed in for
    the same period. `issues`: what was raised in the period or is open still."""

    document: Json
    version: int
    duty: Json
    period: Period
    author: Author
    as_of: date
    known_at: date | None
    provisional: bool
    recipients: Sequence[str] = ()
    table: Table | None = None
    before: Table | None = None
    before_day: date | None = None
    tasks: Sequence[TaskStanding] = ()
    evidence: Mapping[str, Sequence[Evidence]] = field(default_factory=dict)
    late: Sequence[Late] = ()
    issues: Sequence[Fact] = ()
    inspections: Sequence[Fact] = ()
    feedback: Sequence[Fact] = ()
    reports: Filled | None = None
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def objectives(self) -> list[Json]:
        """The plan's objectives that this report speaks of."""
        wanted = set(self.author.objectives)
        return [o for o in self.document["objectives"] if o["id"] in wanted]

    @property
    def since(self) -> date:
        """The first day of the period's figures: none lies before the plan's own first day."""
        start = date.fromisoformat(self.document["period"]["start"])
        return max(start, self.period.figures_from)

    def name_of(self, unit_id: str) -> str:
        """The unit's name on the day; its id where nobody knows it."""
        return self.names.get(unit_id, unit_id)
