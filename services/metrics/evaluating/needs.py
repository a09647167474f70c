"""Which sums the cells of an objective read on a day. Pure."""

from datetime import date

from services.metrics.counting.windows import Window, bucket_of, last_whole, read_window
from shared.domain.measures import Measure
from shared.domain.objectives import Objective


def window_at(objective: Objective, end: date) -> Window:
    """The days that count for an objective at the end of a day."""
    if objective.bucket is not None:
        start = bucket_of(end, objective.bucket).start
        bounds = [day for day in (start, objective.window_start) if day is not None]
        return Window(max(bounds), end)
    return Window(objective.window_start, end)


def judged_days(objective: Objective) -> tuple[date | None, date | None]:
    """The first and last day on which a week or month must lie wholly to be judged."""
    starts = [day for day in (objective.first_day, objective.window_start) if day is not None]
    return max(starts, default=None), objective.final_day


def judged_bucket(objective: Objective, as_of: date) -> Window | None:
    """The last week or month that is over and whole; None: none is yet, or nothing recurs."""
    if objective.bucket is None:
        return None
    return last_whole(as_of, objective.bucket, *judged_days(objective))


def needed(objective: Objective, as_of: date) -> list[tuple[Measure, Window]]:
    """Measures and windows: of the day, of the deadline, and of the last whole week or month."""
    windows = [window_at(objective, as_of)]
    if objective.last_day is not None and as_of > objective.last_day:
        windows.append(window_at(objective, objective.last_day))
    judged = judged_bucket(objective, as_of)
    if judged is not None:
        windows.append(window_at(objective, judged.end))
    found = [(m, read_window(m.since, w)) for m in objective.all_measures() for w in windows]
    for other in (*objective.earlier, *(variant for _, variant in objective.variants)):
        found += needed(other, as_of)
    return found
