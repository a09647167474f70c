"""What was known: at the end of a day, after a row of the log, or now. Pure."""

from datetime import date

Until = date | int | None
"""The end of a day; a position of the log, it included; None: everything."""


def told(recorded: date, position: int, until: Until) -> bool:
    """Whether a row of the log, by its day and position, was known."""
    if until is None:
        return True
    if isinstance(until, int):
        return position <= until
    return recorded <= until
