"""What goes into the log and what comes out: the words of the append, without I/O."""

from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Any

from shared.problems import Problem


class Status(Enum):
    """What became of one event."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Candidate:
    """An event that is valid in itself: checked, pseudonymised, not yet resolved or appended.

    `content_mac` is the HMAC of the partner's normalised input (RFC 8785, without tracing
    attributes): equal content with an equal (source, id) is a duplicate, other content a conflict.
    `era` is the key's declared era for bare unit codes; `subtree` the unit_id that bounds what the
    key may post for (None: everywhere).
    """

    source: str
    id: str
    type: str
    subject: str
    time: str
    occurred: date
    data: dict[str, Any]
    content_mac: bytes
    partner: str
    roles: frozenset[str] = frozenset()
    traceparent: str | None = None
    era: str | None = None
    subtree: str | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer for one candidate, in input order.

    `position` is the event's first row (of the earlier one for a duplicate or conflict);
    `problem` is set exactly for REJECTED (a conflict is a problem with status 409).
    """

    status: Status
    position: int | None = None
    problem: Problem | None = None
    warnings: tuple[str, ...] = field(default=())
