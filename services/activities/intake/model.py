"""What the intake knows of a partner and its topics. Pure."""

from dataclasses import dataclass
from enum import Enum
from typing import Literal
from uuid import UUID

from services.activities.keys.model import Key
from shared.contracts import topics

Acks = Literal["all", "errors", "none"]

MAX_MESSAGE_BYTES = 1024 * 1024
"""More than an event may have, so that one too large gets an answer instead of a broken producer."""

RECEIPTS_RETENTION_HOURS = 7 * 24


class Kind(Enum):
    """What can go wrong with a topic."""

    RECREATED = "recreated"
    """Another topic of the same name: it is read from its beginning."""

    LOST = "lost"
    """Messages were gone before they were read (retention, deleted records, recreated topic)."""

    REMOVED = "removed"
    """Offsets are missing between messages: compaction has removed them."""

    COMPACTED = "compacted"
    """cleanup.policy says compact: messages with equal keys may vanish."""

    REWOUND = "rewound"
    """The topic ends before what was read: the broker lost messages. Read from its beginning."""

    MORE_PARTITIONS = "more-partitions"
    FEWER_PARTITIONS = "fewer-partitions"
    ACLS_REFUSED = "acls-refused"
    """The broker did not take the access rules."""


@dataclass(frozen=True, slots=True)
class Partner:
    """A partner's rights and settings, as stored; `version` changes with each of them."""

    name: str
    roles: frozenset[str]
    types: tuple[str, ...] | None
    sources: tuple[str, ...] | None
    subtree: str | None
    era: str | None
    acks: Acks
    partitions: int
    retention_hours: int
    principal: str | None
    apply_acls: bool
    version: int
    acls_version: int

    @property
    def intake(self) -> str:
        """The topic that it writes."""
        return topics.intake(self.name)

    @property
    def receipts(self) -> str:
        """The topic that it reads."""
        return topics.receipts(self.name)

    def key(self) -> Key:
        """Its rights as those of a key: messages carry none."""
        return Key(
            prefix=f"kafka-{self.name}",
            name=self.name,
            roles=self.roles,
            types=self.types,
            sources=self.sources,
            subtree=self.subtree,
            era=self.era,
        )

    def topic_configs(self) -> dict[str, dict[str, str]]:
        """Topic -> settings with which it is created."""
        hour = 3_600_000
        return {
            self.intake: {
                "cleanup.policy": "delete",
                "retention.ms": str(self.retention_hours * hour),
                # Raw identifiers must not outlive the retention in a segment that is never full.
                "segment.ms": str(max(1, self.retention_hours // 4) * hour),
                "max.message.bytes": str(MAX_MESSAGE_BYTES),
                # The broker unpacks what producers pack, and its limit then holds for the content:
                # no codec is needed here, and a small message cannot unfold into a huge one.
                "compression.type": "uncompressed",
                # The broker's own clock: lag in seconds does not depend on the partner's.
                "message.timestamp.type": "LogAppendTime",
            },
            self.receipts: {
                "cleanup.policy": "delete",
                "retention.ms": str(RECEIPTS_RETENTION_HOURS * hour),
            },
        }


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that operators must know; offsets `first` to `last`, both included."""

    kind: Kind
    detail: str
    partition: int | None = None
    first: int | None = None
    last: int | None = None


@dataclass(frozen=True, slots=True)
class Topic:
    """What the broker says of a topic: its incarnation and the leader of each partition."""

    id: UUID
    leaders: dict[int, int]


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it was read; `at` in milliseconds since 1970."""

    partition: int
    offset: int
    at: int
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    readable: bool = True


@dataclass(frozen=True, slots=True)
class Page:
    """What one fetch gave of one partition.

    `next` follows the last offset that the page speaks for, markers of transactions included;
    `first` and `high` are the borders of what the broker holds. `removed` are offsets that are
    missing without a reason, as (first, last).
    """

    partition: int
    start: int
    messages: tuple[Message, ...]
    next: int
    first: int
    high: int
    removed: tuple[tuple[int, int], ...] = ()
