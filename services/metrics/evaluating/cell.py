"""What an evaluation gives: a cell, and the count behind it."""

from datetime import date
from typing import NamedTuple

import msgspec

from shared.domain.populations import Number


class BesideCount(msgspec.Struct, frozen=True, kw_only=True):
    """A count that stands beside a cell's own: `value` None while it is being built. `reporters`:
    how many have reported, for totals."""

    id: str
    basis: str
    value: int | None
    reporters: int | None = None


class Cell(msgspec.Struct, kw_only=True):
    """One objective for one unit. `ratio` is for show; `met` is exact."""

    plan: str
    plan_version: int
    objective: str
    unit_id: str
    value: int | None = None
    total: int | None = None
    denominator: int | None = None
    ratio: float | None = None
    target: int | None = None
    target_unit: str | None = None
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
