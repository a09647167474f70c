"""Which count of an objective is meant: what it counts, what it divides by, what stands beside."""

from typing import NamedTuple

from services.metrics.counting.windows import Window
from services.metrics.evaluating.moments import Moment
from shared.domain.compile import Objective
from shared.domain.measures import Measure
from shared.problems import Problem


class Part(NamedTuple):
    """One counted part of a cell. `figure`: n (subjects) or total (the sum of their figures)."""

    name: str
    measure: Measure
    figure: str
    number: int


def counted_part(moment: Moment, objective: Objective, name: str = "value") -> Part:
    """A part by name: `value`, `denominator`, or the id of what stands beside.

    Problems: part-unknown (it is not counted), measure-building (409, ask again).
    """
    parts: dict[str, tuple[Measure | None, str]] = {
        beside.id: (beside.measure, beside.figure) for beside in objective.beside
    }
    parts["value"] = (objective.measure, objective.figure)
    parts["denominator"] = (objective.over, objective.over_figure)
    measure, figure = parts.get(name, (None, "n"))
    if measure is None:
        raise Problem(
            "part-unknown",
            f"The objective {objective.id} counts no such part.",
            status=404,
            hint=f"It counts: {', '.join(sorted(n for n, (m, _) in parts.items() if m))}.",
            pointer="/part",
        )
    fingerprint = measure.fingerprint()
    number = moment.numbers.get(fingerprint)
    if number is None or fingerprint in moment.waiting:
        raise Problem(
            "measure-building",
            f"The objective {objective.id} is still being counted from the log.",
            status=409,
            hint="Ask again when its cells no longer say `building`.",
            retryable=True,
            retry_after=5,
        )
    return Part(name, measure, figure, number)


def window_of(moment: Moment, objective: Objective) -> Window:
    """The days that the objective counts on the moment's day."""
    return moment.evaluator(lambda *_: {}).window(objective, moment.as_of)
