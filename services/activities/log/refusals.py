"""What the append answers where it wrote nothing: conflicts, undone batches, units unknown."""

from dataclasses import replace

from services.activities.log.model import Outcome, Status
from shared.domain.units import UnknownUnit
from shared.problems import Problem


def conflict() -> Problem:
    """The problem of an id that the log holds with other content."""
    return Problem(
        "event-conflict",
        "An event with this source and id is in the log with other content.",
        status=409,
        pointer="/id",
        hint="Give a new event a new id. To change what was posted, post event.corrected or"
        " event.revoked that names it.",
    )


def undone(outcome: Outcome, *, dry_run: bool) -> Outcome:
    """What to say of an event whose submission was rolled back."""
    if dry_run:
        return replace(outcome, position=None)
    if outcome.status is not Status.ACCEPTED:
        return outcome
    return Outcome(
        Status.REJECTED,
        None,
        Problem(
            "atomic-batch-refused",
            "Nothing of this batch was written, because another event of it was refused.",
            hint="Mend the refused events and send the whole batch again.",
        ),
    )


def unit_problem(unknown: UnknownUnit) -> Problem:
    """The problem of a subject that names no single unit."""
    extra = {"candidates": unknown.candidates} if unknown.candidates else {}
    return Problem(unknown.code, unknown.detail, pointer="/subject", hint=unknown.hint, extra=extra)
