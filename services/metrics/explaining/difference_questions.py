"""Which two states of knowledge are compared, and whether that can be."""

from datetime import date

from services.metrics.explaining.log_rows import read_rows
from shared.domain.knowledge import Until
from shared.lane_consumer import LogReader
from shared.problems import Problem


async def days_of(reader: LogReader, untils: list[Until]) -> dict[int, date]:
    """On which days the rows at these positions were recorded; Problem position-not-counted when
    the log has no such row."""
    wanted = sorted({until for until in untils if isinstance(until, int) and until})
    if not wanted:
        return {}
    rows = await read_rows(reader, wanted, wanted[-1])
    for position in wanted:
        if position not in rows:
            raise Problem(
                "position-not-counted",
                f"The log has no row {position} yet.",
                status=409,
                hint="Take the position of a receipt or of /v1/watermark.",
                pointer="/to_position",
                retryable=True,
                retry_after=1,
            )
    return {position: rows[position].recorded for position in wanted}


def forward(before: Until, after: Until) -> None:
    """Refuse what goes backwards or compares a day with a position: differences-mixed,
    differences-backwards."""
    if (
        before is not None
        and after is not None
        and isinstance(before, int) != isinstance(after, int)
    ):
        raise Problem(
            "differences-mixed",
            "A day on one side and a position on the other cannot be compared.",
            hint="Give both sides by position or both by known_at, or leave the later one out.",
            pointer="/from_position",
        )
    if before is None:
        backwards = after is not None
    elif after is None:
        backwards = False
    elif isinstance(before, int) and isinstance(after, int):
        backwards = before > after
    else:
        backwards = str(before) > str(after)  # both are days
    if backwards:
        raise Problem(
            "differences-backwards",
            "What was known before must not be known later than what was known after.",
            hint="Let from_known_at (or from_position) be the earlier one; leave the other out for now.",
            pointer="/from_known_at",
        )


def earlier(problem: Problem, before: Until) -> Problem:
    """The problem of the earlier side. A plan that only the later side knows is no unknown plan: it
    is the earlier side that goes too far back."""
    if problem.code != "plan-unknown":
        return problem
    name, when = "from_known_at", f"at the end of {before}"
    if isinstance(before, int):
        name, when = "from_position", f"after row {before} of the log"
    return Problem(
        "plan-not-yet-known",
        f"The plan was not known yet {when}, so there is nothing to compare with.",
        status=404,
        hint=f"Let {name} be at or after the plan's first publication.",
        pointer=f"/{name}",
    )
