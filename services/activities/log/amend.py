"""What an event says after its corrections and revocations. Pure (design, section 4).

Effective content = the original plus every standing correction's patch in position order; void
while a standing revocation names it. A correction or revocation is an event too: it stands unless
a standing revocation names it, and its own patch may have been corrected.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from shared.merge_patch import merge_patch

CORRECTED = "event.corrected"
REVOKED = "event.revoked"
AMENDMENTS = frozenset({CORRECTED, REVOKED})


@dataclass(frozen=True)
class Amendment:
    """One correction or revocation: its first position, what it names, and its data."""

    position: int
    target: int
    type: str
    data: dict[str, Any]


@dataclass(frozen=True)
class Statement:
    """The part of an event that a correction may change."""

    subject: str
    time: str
    data: dict[str, Any]


def stands(position: int, amendments: Iterable[Amendment]) -> bool:
    """Whether the event at a position is not revoked by a revocation that stands itself."""
    known = list(amendments)
    return not any(
        a.target == position and a.type == REVOKED and stands(a.position, known) for a in known
    )


def effective(root: int, original: Statement, amendments: Iterable[Amendment]) -> Statement | None:
    """What the event at position `root` says now; None when it is void."""
    by_target: dict[int, list[Amendment]] = defaultdict(list)
    for amendment in sorted(amendments, key=lambda a: a.position):
        by_target[amendment.target].append(amendment)

    def standing(position: int) -> list[Amendment]:
        """Amendments of `position` that are not themselves revoked."""
        return [a for a in by_target.get(position, []) if not revoked(a.position)]

    def revoked(position: int) -> bool:
        return any(a.type == REVOKED for a in standing(position))

    def now(position: int, said: dict[str, Any]) -> dict[str, Any]:
        for correction in standing(position):
            if correction.type == CORRECTED:
                changes = now(correction.position, {"data": correction.data})["data"]["changes"]
                said = merge_patch(said, changes)
        return said

    if revoked(root):
        return None
    said = now(root, {"subject": original.subject, "time": original.time, "data": original.data})
    return Statement(said["subject"], said["time"], said["data"])
