"""What `GET /v1/differences` answers."""

from datetime import date

import msgspec

from services.metrics.evaluating.cell import Cell
from services.metrics.explaining.defined import DefinitionChange, DefinitionEvent


class Effect(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What one event does to the cell's count.

    `how`: happened, ended, passed (the days went on); recorded, corrected, revoked (it became
    known). `position`: of the row that does it; `origin`: of the event that it is about. `type`:
    of the row at `position`. `unit_id`, `occurred`, `recorded`: as that row says.
    """

    position: int
    origin: int
    how: str
    effect: int
    source: str | None = None
    id: str | None = None
    type: str | None = None
    about: str | None = None
    unit_id: str | None = None
    occurred: date | None = None
    recorded: date | None = None


class Side(msgspec.Struct, kw_only=True):
    """One of the two cells. `count`: the count that is compared. `position`: as known after this
    row of the log, which was recorded on `known_at`; None: at the end of `known_at`, or now."""

    as_of: date
    known_at: date | None
    position: int | None = None
    tree: date
    not_in_operation: bool
    count: int
    cell: Cell


class Difference(msgspec.Struct, kw_only=True):
    """What `GET /v1/differences` says. `change` = `by_definitions` + `by_events`, always, but for
    `unexplained`, which is 0 unless evidence is missing (then rebuild). `events`: of this page."""

    plan: str
    objective: str
    part: str
    figure: str
    unit_id: str
    position: int
    before: Side
    after: Side
    change: int
    by_definitions: int
    by_events: int
    unexplained: int
    definitions: list[DefinitionChange]
    definition_events: list[DefinitionEvent]
    events: list[Effect]
    total_events: int
    next: str | None
