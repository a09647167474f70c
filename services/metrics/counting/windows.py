"""Days: which tallies a cell adds up, weeks and months, pace. Pure."""

from datetime import date, timedelta
from typing import Literal, NamedTuple

Bucket = Literal["week", "month"]


class Window(NamedTuple):
    """Days from `start` (None: from ever) to `end`, both included."""

    start: date | None
    end: date


def bucket_start(day: date, bucket: Bucket) -> date:
    """The Monday of the week, or the first of the month, that holds the day."""
    if bucket == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1)


def bucket_of(day: date, bucket: Bucket) -> Window:
    """The whole week (Monday to Sunday) or month that holds the day."""
    start = bucket_start(day, bucket)
    if bucket == "week":
        return Window(start, start + timedelta(days=6))
    return Window(start, bucket_start(start + timedelta(days=31), "month") - timedelta(days=1))


def last_complete(day: date, bucket: Bucket) -> Window:
    """The last week or month that is over by the end of the day."""
    this = bucket_of(day, bucket)
    if this.end == day or this.start is None:
        return this
    return bucket_of(this.start - timedelta(days=1), bucket)


def is_whole(bucket: Window, first: date | None, final: date | None) -> bool:
    """Whether a week or month lies wholly in the days from `first` to `final` (None: no bound)."""
    assert bucket.start is not None  # noqa: S101 - a bucket has a first day
    return (first is None or first <= bucket.start) and (final is None or bucket.end <= final)


def last_whole(day: date, bucket: Bucket, first: date | None, final: date | None) -> Window | None:
    """The last week or month that is over by the end of the day and lies wholly in these days."""
    end = day if final is None else min(day, final)
    found = last_complete(end, bucket)
    return found if is_whole(found, first, final) else None


def on_pace(value: int, required: int, first: date, last: date, day: date) -> bool:
    """Whether `value` is at least the required share for the days gone, in exact integers."""
    whole = (last - first).days + 1
    gone = min(max((day - first).days + 1, 0), whole)
    return value * whole >= required * gone


def per_week(missing: int, last: date, day: date) -> int | None:
    """What must be reached per week from tomorrow to the last day, rounded up."""
    days = (last - day).days
    if days <= 0:
        return None
    return -(-missing * 7 // days)


def read_window(since: date | None, window: Window) -> Window:
    """The same sums in fewer windows: what counts from a day on has no tallies before."""
    if since is not None and window.start == since:
        return Window(None, window.end)
    return window
