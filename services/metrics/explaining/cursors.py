"""The cursor of a page: a number that the page before gave as `next`."""

from shared.problems import Problem


def read_cursor(cursor: str | None, digits: int) -> int:
    """Where a page begins, a number of at most so many digits; Problem cursor-invalid."""
    if cursor is None:
        return 0
    if not cursor.isdecimal() or len(cursor) > digits:
        raise Problem(
            "cursor-invalid",
            "The cursor is none that this address gave.",
            hint="Take `next` of the page before.",
            pointer="/cursor",
        )
    return int(cursor)
