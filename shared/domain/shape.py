"""The parts of an objective that metrics reads, and whether they have the types they must have. Pure.

`plans/plan.schema.json` says more and is checked before a plan is posted; an event may carry any
document. What is wrong is said with its place: "Expected `int`, got `str` - at `$.target.value`".
"""

from datetime import date
from typing import Annotated, Any, Literal

import msgspec

Json = dict[str, Any]

Number = Annotated[float, msgspec.Meta(gt=0, le=1_000_000_000_000)]
Positive = Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000_000)]
Percent = Annotated[int, msgspec.Meta(ge=1, le=100)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=100, pattern="^[A-Za-z0-9._-]+$")]
Level = Literal["province", "commune", "hamlet"]
Sign = Literal[">", ">=", "<="]
OrTarget = Positive | Literal["target"]


class _Step(msgspec.Struct):
    by: date
    value: Number


class _Target(msgspec.Struct):
    value: Number
    unit: Literal["percent", "count", "percent_of_units", "percent_of_target"]
    comparator: Sign
    units_required_percent: Percent = 100
    course: list[_Step] = []
    shares: dict[str, Positive] = {}


class _Part(msgspec.Struct):
    types: Annotated[list[str], msgspec.Meta(min_length=1)]
    filter: Json | None = None


class _Within(msgspec.Struct):
    per: Level
    threshold: OrTarget
    comparator: Sign = ">="
    own: bool = False


class _Inside(msgspec.Struct):
    distinct: str
    threshold: OrTarget
    comparator: Sign = ">="
    among: list[str] = []


class _Over(msgspec.Struct):
    population: Name | None = None
    measure: "_Tally | None" = None
    units: Level | None = None
    attribute: Name | None = None
    target_of: Name | None = None


class _Tally(msgspec.Struct):
    count: Literal[
        "events", "distinct_persons", "distinct_organisations", "distinct_things", "sum", "reported"
    ]
    of: list[_Part] = []
    key: str | None = None
    match: Literal["any", "all"] = "any"
    bucket: Literal["week", "month"] | None = None
    within_unit: _Within | None = None
    inside: _Inside | None = None
    over: _Over | None = None


class _Beside(msgspec.Struct):
    id: Name
    measure: _Tally


class _Period(msgspec.Struct):
    start: date
    end: date | None = None


class _Extension(msgspec.Struct):
    last_day: date


class _Relative(msgspec.Struct):
    document: str
    within_days: Annotated[int, msgspec.Meta(ge=0, le=10_000)]


class _Deadline(msgspec.Struct):
    relative: _Relative | None = None


class _Objective(msgspec.Struct):
    target: _Target
    counts_from: Literal["ever", "date", "period", "state"]
    measure: _Tally
    period: _Period | None = None
    from_date: date | None = None
    last_day: date | None = None
    deadline: str | _Deadline | None = None
    extension: _Extension | msgspec.UnsetType = msgspec.UNSET
    beside: list[_Beside] = []
    encouraged: bool = False


def check_shape(raw: Json) -> None:
    """Raise `msgspec.ValidationError` (its text names the place) if an objective's parts cannot be
    read, and ValueError for a target that nothing or nobody can reach."""
    found = msgspec.convert(raw, _Objective)
    target = found.target
    if target.unit in ("percent", "percent_of_units"):
        reachable = 99 if target.comparator == ">" else 100
        if target.value > reachable:
            raise ValueError(
                f"target.value: {target.comparator} {target.value} % of a whole is impossible; "
                f"at most {reachable} can be asked for"
            )
    tally = found.measure
    if tally.count != "reported" and not tally.of:
        raise ValueError("measure.of: says nothing to count; name the event types")
