"""Deadlines that came due before the one that holds. Pure."""

from collections.abc import Callable
from datetime import date

from services.metrics.evaluating.cell import Cell, Count, Deadline, blank
from shared.domain.objectives import Objective

CountOn = Callable[[Objective, date, Cell], Count]
"""The count by the end of a day; fills the target of a cell as it applies then."""


def judge_earlier(
    objective: Objective, cell: Cell, building: frozenset[str], count_on: CountOn
) -> None:
    """List them in the cell, and the one that holds. What was in force at the first of them decides
    whether the unit was on time: an extension does not make it so afterwards. The steps of a target
    that rises are deadlines of their own."""
    for then in objective.earlier:
        last = then.last_day
        prints = {measure.fingerprint() for measure in then.measures()}
        if last is None or not prints or prints & building:
            continue
        about = blank(cell.as_of)
        count = count_on(then, last, about)
        cell.deadlines.append(
            Deadline(
                last_day=last,
                value=count.value,
                target=about.target,
                target_unit=about.target_unit,
                met=count.met,
            )
        )
    if not cell.deadlines:
        return
    holds = Deadline(
        last_day=objective.last_day,
        value=cell.value,
        target=cell.target,
        target_unit=cell.target_unit,
        met=cell.met_on_time,
    )
    if objective.risen_from is None:
        cell.met_on_time = cell.deadlines[0].met
    cell.deadlines.append(holds)
