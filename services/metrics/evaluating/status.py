"""Whether a cell is met, on track, behind, overdue or unknown, and what is needed per week. Pure."""

from datetime import date, timedelta
from fractions import Fraction

from services.metrics.counting.windows import on_pace, per_week
from services.metrics.evaluating.cell import Count
from shared.domain.objectives import Objective


def status_of(
    objective: Objective, count: Count, as_of: date, has_target: bool
) -> tuple[str, int | None]:
    """Status and required pace of a number that does not recur."""
    last = objective.last_day
    if not has_target:
        return "no_target", None
    if count.met is None:
        return "unknown", None
    if count.met:
        return "met", 0
    if last is None:
        return "behind", None
    if as_of > last:
        return "overdue", None
    required = count.required or 0
    first = objective.first_day or last
    if objective.target.most:
        return "behind", None  # more than may be: nothing per week mends that
    risen = objective.risen_from
    if risen is None:
        good = on_pace(count.value, required, first, last, as_of)
    else:
        # From the step before to this one; of a share of units that one says nothing.
        before = Fraction(str(risen[1])) / objective.target.exact()
        already = int(required * before) if objective.within is None else 0
        start = risen[0] + timedelta(days=1)
        good = on_pace(count.value - already, required - already, start, last, as_of)
    return "on_track" if good else "behind", per_week(required - count.value, last, as_of)
