"""The receipt of an event: how far it has come."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hocvuso_client.errors import BadAnswer, NotCounted, ProblemError, problem_error

POLL_FIRST, POLL_LONGEST = 0.2, 5.0


@dataclass(frozen=True, slots=True)
class Receipt:
    """`status` is accepted, published, counted, visible, parked or (with `problem`) rejected.

    `reason` is the service's code for why an event does not count (yet), `objectives` what it
    changed; `raw` is the whole answer.
    """

    source: str
    id: str
    status: str
    position: int | None
    reason: str | None = None
    objectives: tuple[Mapping[str, Any], ...] = ()
    problem: ProblemError | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def counted(self) -> bool:
        """Whether every number that it touches contains it."""
        return self.status in ("counted", "visible")


def read(body: Any) -> Receipt:
    """A receipt from the answer's JSON. Raises BadAnswer."""
    try:
        problem = body.get("problem")
        return Receipt(
            body["source"],
            body["id"],
            body["status"],
            body.get("position"),
            body.get("reason"),
            tuple(body.get("objectives", ())),
            problem_error(problem, int(problem.get("status", 422))) if problem else None,
            body,
        )
    except (KeyError, TypeError, AttributeError):
        raise BadAnswer("an answer that is no receipt; is a proxy in between?") from None


def check(receipt: Receipt) -> None:
    """Raise NotCounted for an event that will not count before somebody acts."""
    if receipt.status == "parked":
        raise NotCounted(
            f"The event at position {receipt.position} is parked: the operators have to look at"
            " it before it counts.",
            receipt,
        )
    if receipt.status == "rejected":
        raise NotCounted(f"The event was refused. {receipt.problem or ''}".rstrip(), receipt)


def too_late(timeout: float, receipt: Receipt | None) -> NotCounted:
    """The error when the time is over."""
    seen = f"it is {receipt.status}" if receipt else "the service does not know it"
    return NotCounted(f"After {timeout:g} s the event is not counted; {seen}.", receipt)
