"""What goes into the log and what comes out: the words of the append, without I/O."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Any

from shared.db import Connection
from shared.problems import Problem

Also = Callable[[Connection], Awaitable[None]]
"""What a path writes in the same transaction as its events, such as how far it has read.

It runs first. It may give the submission up (and it alone) by raising `GiveUp` or Problem, as long
as it has written nothing."""


class GiveUp(Exception):
    """Raised by `also`: nothing of this submission is to be written."""


class Status(Enum):
    """What became of one event."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Candidate:
    """An event that is valid in itself: checked, pseudonymised, not yet resolved or appended.

    `content_mac` is the HMAC of the partner's normalised input (RFC 8785, without tracing
    attributes): an equal one with an equal (source, id) is a duplicate at a glance; where it differs,
    what is stored decides (`log/content.py`), and other content is a conflict.
    `problem_if_new` refuses it unless the log holds it already: rules of time and of
    versions that came later, by which an event that was accepted once must not be judged again.
    `refusal` refuses it unless the log holds these very bytes: it was accepted when the rules were
    others. Nothing else of it was looked at, so only its name and `content_mac` mean anything.
    `former`: for references of persons, those under which earlier versions of the normalisation
    knew the same number.
    `occurred` is the day on which it happened, `sent` the Vietnamese day of `time`, whose unit codes
    it speaks (None: the same). `era` is the key's declared era for bare unit codes; `subtree` the unit_id that bounds what the
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
    sent: date | None = None
    warnings: tuple[str, ...] = ()
    problem_if_new: Problem | None = None
    refusal: Problem | None = None
    former: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


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


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a refused event: no identity number, nothing that could not be masked.

    `source`, `id` None and `type` "" where they are missing, unknown or must not be repeated;
    `event` None where it could not be read; `digest` is the MAC of its content, by which the same
    is known again; `size` in bytes.
    """

    source: str | None
    id: str | None
    type: str
    event: dict[str, Any] | None
    digest: bytes
    size: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a submission came in, and what of it was refused before it got to the log.

    `keep` makes what is kept of the candidate at an index, should the log refuse it; None: what is
    refused is counted and not kept (a replay: its original is kept already).
    """

    partner: str
    path: str
    traceparent: str | None = None
    refused: Sequence[tuple[Kept, Problem]] = ()
    keep: Callable[[int], Kept] | None = None


@dataclass(frozen=True, slots=True)
class Submission:
    """What one request posts: its events in order, and how they stand together."""

    candidates: Sequence[Candidate]
    atomic: bool = False
    dry_run: bool = False
    also: Also | None = None
    told: "Told | None" = None
    delivery: Delivery | None = None

    @property
    def size(self) -> int:
        """Elements, those refused before included."""
        return len(self.candidates) + (len(self.delivery.refused) if self.delivery else 0)

    @property
    def lost(self) -> bool:
        """Whether it is all or nothing and not all of it is good."""
        return self.atomic and self.delivery is not None and bool(self.delivery.refused)


Told = Callable[[Connection, Sequence[Outcome]], Awaitable[None]]
"""What a path writes once it knows what became of its events, in their order."""

Answers = list[list[Outcome] | GiveUp | Problem]
"""What became of each submission of a group."""


class InDoubt(Exception):
    """The commit was asked for and not answered: `committed` on `xid` tells whether it happened."""

    def __init__(self, xid: str, answers: Answers) -> None:
        super().__init__(f"transaction {xid} was not answered")
        self.xid = xid
        self.answers = answers
