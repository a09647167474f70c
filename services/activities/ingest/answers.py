"""What a partner is told: one shape for one event, one result per index for a batch. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from services.activities.ingest.intake import Judged
from services.activities.log.model import Outcome, Status
from shared.problems import Problem

encode = msgspec.json.Encoder().encode


@dataclass(slots=True)
class Result:
    """The answer for one event."""

    source: str | None
    id: str | None
    status: Status
    position: int | None
    problem: Problem | None = None
    warnings: tuple[str, ...] = ()

    def body(self) -> dict[str, Any]:
        """As JSON, without an index."""
        members: dict[str, Any] = {
            "source": self.source,
            "id": self.id,
            "status": self.status.value,
            "position": self.position,
        }
        if self.warnings:
            members["warnings"] = list(self.warnings)
        return members


def result(judged: Judged, outcome: Outcome | None) -> Result:
    """The answer for an event, from what the front door or (if it got there) the log said."""
    if outcome is None:
        return Result(judged.source, judged.id, Status.REJECTED, None, judged.problem)
    return Result(
        judged.source,
        judged.id,
        outcome.status,
        outcome.position,
        outcome.problem,
        outcome.warnings,
    )


def batch_body(results: Sequence[Result]) -> bytes:
    """The answer to a batch: counts, and one result per input index in input order."""
    counts = dict.fromkeys(Status, 0)
    listed = []
    for index, one in enumerate(results):
        counts[one.status] += 1
        members = {"index": index, **one.body()}
        if one.problem is not None:
            members["problem"] = {**one.problem.body(), "index": index}
        listed.append(members)
    return encode(
        {
            "accepted": counts[Status.ACCEPTED],
            "duplicates": counts[Status.DUPLICATE],
            "rejected": counts[Status.REJECTED],
            "results": listed,
        }
    )
