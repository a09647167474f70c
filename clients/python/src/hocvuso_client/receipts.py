"""The receipt of an event: how far it has come."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hocvuso_client.errors import BadAnswer, NotCounted

POLL_FIRST, POLL_LONGEST = 0.2, 5.0


@dataclass(frozen=True, slots=True)
class Receipt:
    """`status` is accepted, published, counted, visible or parked; `raw` is the whole answer."""

    source: str
    id: str
    status: str
    position: int
    raw: Mapping[str, Any] = field(repr=False)

    @property
    def counted(self) -> bool:
        """Whether every number that it touches contains it."""
        return self.status in ("counted", "visible")


def read(body: Any) -> Receipt:
    """A receipt from the answer's JSON. Raises BadAnswer."""
    try:
        return Receipt(body["source"], body["id"], body["status"], body["position"], body)
    except (KeyError, TypeError):
        raise BadAnswer("an answer that is no receipt; is a proxy in between?") from None


def check_parked(receipt: Receipt) -> None:
    """Raise NotCounted for an event that the operators have to look at before it counts."""
    if receipt.status == "parked":
        raise NotCounted(
            f"The event at position {receipt.position} is parked: the operators have to look at"
            " it before it counts.",
            receipt,
        )


def too_late(timeout: float, receipt: Receipt | None) -> NotCounted:
    """The error when the time is over."""
    seen = f"it is {receipt.status}" if receipt else "the service does not know it"
    return NotCounted(f"After {timeout:g} s the event is not counted; {seen}.", receipt)
