"""The rule that makes a projection exact whatever the bus does (design, section 5).

Pure: no I/O. A lane is a chain of positions, each row naming the one before (`prev`). Whoever
follows the chain sees a lost, doubled or reordered message; a marker (`Through`) shows a lost tail.
"""

from dataclasses import dataclass
from enum import Enum

from shared.contracts.record import LogRecord, Through


class Verdict(Enum):
    """What to do with a row that arrived."""

    APPLY = "apply"
    RESEND = "resend"
    HOLE = "hole"


@dataclass
class Lane:
    """Where a projection is in one lane.

    `last`: the last row applied. `through`: the lane is known complete up to here (>= last).
    """

    last: int = 0
    through: int = 0

    def offer(self, record: LogRecord) -> Verdict:
        """Judge a row; on APPLY the lane has moved to it."""
        position = record.position
        if position <= self.last:
            return Verdict.RESEND
        if record.prev > self.last:
            return Verdict.HOLE
        self.last = position
        # The chain proves that nothing of this lane lies between `prev` and this row.
        if position > self.through:
            self.through = position
        return Verdict.APPLY

    def mark(self, through: int, lane_last: int) -> bool:
        """Take a marker: the lane's last row <= `through` is `lane_last`.

        True when the lane is complete up to there; False when rows are missing and must be read
        from the log. A marker never moves `last`: letting an idle lane jump loses events for good.
        """
        if self.last < lane_last:
            return False
        self.through = max(self.through, through)
        return True


def behind(lanes: dict[int, Lane], marker: Through) -> list[int]:
    """Take a marker for every lane held; the lanes that must be read from the log."""
    return [
        number
        for number, last in marker.last.items()
        if number in lanes and not lanes[number].mark(marker.through, last)
    ]


def watermark(lanes: dict[int, Lane]) -> int:
    """The position up to which all of these lanes are complete."""
    return min((lane.through for lane in lanes.values()), default=0)
