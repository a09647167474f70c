"""Counts what the door answered, for the metrics: per partner, path and type; never by source."""

from collections import Counter
from collections.abc import Sequence

from services.activities.ingest.answers import Result
from services.activities.ingest.intake import Judged
from shared.instruments import EVENTS, REFUSALS

UNKNOWN = "unknown"


def count_one(path: str, partner: str, judged: Judged, result: Result) -> None:
    """Count one event that was answered."""
    kind = judged.candidate.type if judged.candidate is not None else UNKNOWN
    EVENTS.add(1, result.status.value, path, partner, kind)
    if result.problem is not None:
        REFUSALS.add(1, result.problem.code)


def count(path: str, partner: str, judged: Sequence[Judged], results: Sequence[Result]) -> None:
    """Count the events of one request; they were answered, so the log has dealt with them."""
    kinds = Counter(
        (r.status, j.candidate.type if j.candidate is not None else UNKNOWN)
        for j, r in zip(judged, results, strict=True)
    )
    for (status, kind), number in kinds.items():
        EVENTS.add(number, status.value, path, partner, kind)
    for code, number in Counter(r.problem.code for r in results if r.problem).items():
        REFUSALS.add(number, code)
