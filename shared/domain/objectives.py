"""An objective as data: how the tallies of measures become a cell. No objective has code of its own."""

from datetime import date
from fractions import Fraction
from typing import Literal

import msgspec

from shared.domain.measures import Measure


class Threshold(msgspec.Struct, frozen=True):
    """A number that must be reached (`strict`: exceeded; `most`: not be exceeded). It may have
    decimals, which are compared exactly as they are written."""

    value: int | float
    strict: bool = False
    most: bool = False

    @property
    def comparator(self) -> str:
        """As plans write it: `>`, `>=` or `<=`."""
        return "<=" if self.most else ">" if self.strict else ">="

    def met(self, count: int, whole: int = 1, parts: int = 1) -> bool:
        """Whether count / whole >= value / parts, exactly (`whole` > 0)."""
        exact = self.exact()
        left, right = count * parts * exact.denominator, exact.numerator * whole
        if self.most:
            return left <= right
        return left > right if self.strict else left >= right

    def required(self, whole: int = 1, parts: int = 1) -> int:
        """The smallest count that meets it; of a number not to be exceeded the greatest."""
        wanted = self.exact()
        exact, rest = divmod(wanted.numerator * whole, parts * wanted.denominator)
        if self.most:
            return exact
        return exact + 1 if self.strict or rest else exact

    def exact(self) -> Fraction:
        """The number as it is written: 80.5 is 161/2."""
        return Fraction(str(self.value))


class Within(msgspec.Struct, frozen=True):
    """A unit of this level counts when its count reaches the threshold; `own`: the count of what was
    posted for itself, without the units below it."""

    level: str
    threshold: Threshold
    attribute: str | None = None
    own: bool = False


class Beside(msgspec.Struct, frozen=True):
    """A count that stands beside an objective's own, in the same window; never added to it."""

    id: str
    measure: Measure
    figure: Literal["n", "total"]
    basis: str


class Objective(msgspec.Struct, frozen=True, kw_only=True):
    """How the tallies of one objective become a cell.

    `target` is in percent of what `population`, `over`, `target_of` or the units of `within` give,
    or (none of these) a plain count for the plan's own unit. `window_start`: first day that counts;
    `first_day`, `final_day`: those of its period.
    `latest_day`: the hard limit of any extension of `last_day`. `variants`: how it reads for single
    units; `asked` False: of these units (or this one) it asks nothing. `earlier`: how it read at
    deadlines that came due before the one that holds. `base`: the objective of `target_of` as it was
    valid on the last day, once that is over. `flags`: what to say of it in every cell;
    `own_target`: it was set for this very unit. `encouraged`: it is shown, never judged.
    `risen_from`: where its target rises in steps, the last day and value of the step before.
    """

    plan: str
    version: int
    id: str
    reason: str | None = None
    measure: Measure | None = None
    figure: Literal["n", "total"] = "n"
    basis: str = "events"
    target: Threshold = Threshold(0)
    target_unit: str = "count"
    window_start: date | None = None
    first_day: date | None = None
    last_day: date | None = None
    final_day: date | None = None
    bucket: Literal["week", "month"] | None = None
    within: Within | None = None
    population: str | None = None
    over: Measure | None = None
    over_figure: Literal["n", "total"] = "n"
    target_of: str | None = None
    base: "Objective | None" = None
    organisations: bool = False
    beside: tuple[Beside, ...] = ()
    latest_day: date | None = None
    variants: tuple[tuple[str, "Objective"], ...] = ()
    asked: bool = True
    earlier: tuple["Objective", ...] = ()
    flags: tuple[str, ...] = ()
    own_target: bool = False
    encouraged: bool = False
    risen_from: tuple[date, int | float] | None = None

    def measures(self) -> list[Measure]:
        """What must be counted for its number."""
        return [m for m in (self.measure, self.over) if m is not None]

    def all_measures(self) -> list[Measure]:
        """What must be counted for its number, for what stands beside it, and for its variants."""
        found = self.measures() + [beside.measure for beside in self.beside]
        for other in (*self.earlier, *(variant for _, variant in self.variants)):
            found += other.all_measures()
        return found

    def of(self, unit_id: str) -> "Objective":
        """How it reads for one unit, for which the plan may have been amended."""
        own = next((v for unit, v in self.variants if unit == unit_id), None)
        if own is None:
            return self
        # A plain number asked of the plan's unit is none of a unit below, unless one was set for it.
        set_for_it = own.own_target or own.target != self.target
        return msgspec.structs.replace(own, own_target=set_for_it)
