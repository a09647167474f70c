"""The shapes of a table. Counts are exact integers; ratios are for display only."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import msgspec


class Bucket(msgspec.Struct, gc=False):
    """The count of one week (Monday to Sunday) or month, `start` and `end` included. `judged`: it
    lies wholly in the plan's days; else it is shown and nothing is said of it (`met` null)."""

    kind: str
    start: date
    end: date
    value: int | None
    denominator: int | None
    required: int | None
    met: bool | None
    judged: bool


class Cell(msgspec.Struct, omit_defaults=True, gc=False):
    """One objective in one unit, as the evaluator of metrics says.

    `target`, `comparator` and `last_day` are what applies to this very unit, as amended for it: of
    `at least 5 in every commune` a commune has 5 (count), the province 100 (percent of units).
    `required`: the least count that meets it. `beside`: other counts shown with it. Of a rhythm
    `value` and `met` speak of `bucket`, `status` of `status_bucket`, the last one that is over.
    `deadlines`: every one that came due and the one that holds, where it was given another one
    after it; `met_on_time` is then that of the first.
    """

    value: int | None
    denominator: int | None
    ratio: float | None
    met: bool | None
    met_on_time: bool | None
    status: str
    basis: str
    required_per_week: int | None
    flags: list[str]
    target: float | None = None
    target_unit: str | None = None
    not_attributable: int | None = None
    beside: list[dict[str, Any]] = msgspec.field(default_factory=list)
    comparator: str | None = None
    required: int | None = None
    last_day: date | None = None
    bucket: Bucket | None = None
    status_bucket: Bucket | None = None
    deadlines: list[dict[str, Any]] = msgspec.field(default_factory=list)

    def judged(self) -> "Cell | Bucket | None":
        """What `status` speaks of: the cell itself, or a week or month; None: nothing is over yet."""
        return self if self.bucket is None else self.status_bucket


Cells = dict[str, dict[str, Cell]]
"""unit_id -> objective -> cell."""


class Header(msgspec.Struct):
    """One column. `recurrence`: weekly, monthly ... as the plan says; None for what does not recur.
    `short_vi`: at most 25 characters for the head of the column, where the plan has them."""

    id: str
    name_vi: str
    target: dict[str, Any]
    deadline: date | None
    state: str
    reason: str | None
    recurrence: str | None = None
    short_vi: str | None = None


class Row(msgspec.Struct):
    """One unit; an objective that is not counted has no cell."""

    unit: str
    unit_id: str
    name_vi: str
    cells: dict[str, Cell]


class Table(msgspec.Struct, kw_only=True):
    """What every format shows. `whole` is the unit itself, `rows` the units of the level.

    `total` rows there are; `next` is the cursor of those that follow, where a page was asked for.
    `reported`: position of the newest event that the flags about silence know of.
    `definitions_pending`: a unit, plan or number of people was defined behind `position`, of which
    neither cells nor rows nor headers know yet.
    """

    plan: str
    plan_version: int
    plan_title_vi: str
    unit: str
    unit_id: str
    unit_name_vi: str
    level: str
    as_of: date
    known_at: date | None
    tree: date
    position: int
    reported: int
    refreshed_at: datetime | None
    sandbox: bool
    objectives: list[Header]
    whole: Row | None
    rows: list[Row]
    total: int = 0
    next: str | None = None
    definitions_pending: bool = False


@dataclass(frozen=True)
class Counted:
    """Cells, complete up to a position; `definitions`: of the last definition that they know."""

    cells: Cells
    position: int
    as_of: date
    refreshed_at: datetime | None = None
    epoch: str | None = None
    definitions: int = 0
