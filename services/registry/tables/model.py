"""The shapes of a table. Counts are exact integers; ratios are for display only."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import msgspec


class Cell(msgspec.Struct, omit_defaults=True, gc=False):
    """One objective in one unit, as the evaluator of metrics says.

    `target` is what applies to this very unit: of `at least 5 in every commune` a commune has 5
    (count), the province 100 (percent of units). `beside`: other counts shown with it.
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


Cells = dict[str, dict[str, Cell]]
"""unit_id -> objective -> cell."""


class Header(msgspec.Struct):
    """One column."""

    id: str
    name_vi: str
    target: dict[str, Any]
    deadline: date | None
    state: str
    reason: str | None


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


@dataclass(frozen=True)
class Counted:
    """Cells, complete up to a position."""

    cells: Cells
    position: int
    as_of: date
    refreshed_at: datetime | None = None
    epoch: str | None = None
