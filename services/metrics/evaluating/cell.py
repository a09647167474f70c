"""What an evaluation gives: a cell, and the count behind it."""

from datetime import date
from typing import NamedTuple

import msgspec

from services.metrics.counting.windows import Bucket
from shared.domain.objectives import Threshold
from shared.domain.populations import Number


class BesideCount(msgspec.Struct, frozen=True, kw_only=True):
    """A count that stands beside a cell's own: `value` None while it is being built. `reporters`:
    how many have reported, for totals."""

    id: str
    basis: str
    value: int | None
    reporters: int | None = None


class BucketCount(msgspec.Struct, frozen=True, kw_only=True):
    """The count of one week (Monday to Sunday) or month, from `start` to `end`, both included.

    `judged` False: the plan's days begin or end in its middle, so its count is shown and nothing
    is said of it. `required`: the least count that meets the target.
    """

    kind: Bucket
    start: date
    end: date
    value: int | None
    denominator: int | None
    required: int | None
    met: bool | None
    judged: bool


class Deadline(msgspec.Struct, frozen=True, kw_only=True):
    """A deadline of an objective that was given another one after it: what it asked for, and whether
    that was met on its last day (`met` None: not over yet, or nobody can say). `value`: counted by
    then, or so far."""

    last_day: date | None
    value: int | None
    target: int | float | None
    target_unit: str | None
    met: bool | None


class Cell(msgspec.Struct, kw_only=True):
    """One objective for one unit. `ratio` is for show; `met` is exact.

    `target`, `comparator`, `last_day`: the unit's own, as amended for it; `required`: the least
    count that meets the target, None where that cannot be said. Of a rhythm `value` and `met` speak
    of `bucket`, the week or month of `as_of`; `status` of `status_bucket`, the last one that is over.
    `deadlines`: every one that came due, and the one that holds, where there is more than one;
    `met_on_time` is then that of the first.
    """

    plan: str
    plan_version: int
    objective: str
    unit_id: str
    value: int | None = None
    total: int | None = None
    denominator: int | None = None
    ratio: float | None = None
    target: int | float | None = None
    target_unit: str | None = None
    comparator: str | None = None
    required: int | None = None
    last_day: date | None = None
    met: bool | None = None
    met_on_time: bool | None = None
    status: str = "unknown"
    basis: str = "events"
    required_per_week: int | None = None
    flags: list[str] = msgspec.field(default_factory=list)
    as_of: date
    building: bool = False
    not_attributable: int | None = None
    beside: list[BesideCount] = msgspec.field(default_factory=list)
    bucket: BucketCount | None = None
    status_bucket: BucketCount | None = None
    deadlines: list[Deadline] = msgspec.field(default_factory=list)

    def set_target(self, target: Threshold, unit: str) -> None:
        """The target that applies here: `target` in percent, or (`unit` count) a plain number."""
        self.target, self.target_unit, self.comparator = target.value, unit, target.comparator


def blank(as_of: date) -> Cell:
    """Takes what the count of another day would say in a cell."""
    return Cell(plan="", plan_version=0, objective="", unit_id="", as_of=as_of)


class Count(NamedTuple):
    """A count at one time, over what, and whether that meets the target."""

    value: int
    whole: Number
    met: bool | None
    required: int | None
    ratio: float | None
