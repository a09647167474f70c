"""What the tables have to say, counted the plainest way. Shares no code with the product.

A person counts once, where the events say; an event that was revoked says nothing. Events whose post was
never answered may be in the log or not: between what is certain and what is possible lies every right answer.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass
class Event:
    """One event that was posted. `position`: from the answer; None: it was never answered."""

    id: str
    unit: str
    person: str
    position: int | None = None
    revokes: str | None = None


@dataclass
class Ledger:
    """Every event that was ever posted, by id."""

    events: dict[str, Event] = field(default_factory=dict)

    def posted(self, event: Event) -> None:
        """It is about to be posted, or posted again."""
        self.events.setdefault(event.id, event)

    def acknowledged(self, id: str, position: int) -> None:
        """The service said where it is. It must never say anything else."""
        known = self.events[id]
        if known.position is not None and known.position != position:
            raise AssertionError(f"{id} was at {known.position}, now at {position}")
        known.position = position

    def bounds(self, position: int) -> dict[str, tuple[int, int]]:
        """Per unit, the least and the most that a table complete up to `position` may say."""
        sure = [
            e for e in self.events.values() if e.position is not None and e.position <= position
        ]
        doubtful = [e for e in self.events.values() if e.position is None]
        found = {}
        for unit in {event.unit for event in self.events.values()}:
            certain = _persons(sure, unit, [*sure, *doubtful])
            possible = _persons([*sure, *doubtful], unit, sure)
            found[unit] = (len(certain), len(possible))
        return found

    def exact(self) -> dict[str, int]:
        """Per unit, the number of persons, once every event was answered."""
        unanswered = [event.id for event in self.events.values() if event.position is None]
        if unanswered:
            raise AssertionError(f"{len(unanswered)} events were never answered: {unanswered[:3]}")
        every = list(self.events.values())
        return {unit: len(_persons(every, unit, every)) for unit in {e.unit for e in every}}


def _persons(events: Iterable[Event], unit: str, revoking: Iterable[Event]) -> set[str]:
    """Persons whom `events` put into a unit, without what `revoking` takes back."""
    gone = {event.revokes for event in revoking if event.revokes is not None}
    return {
        event.person
        for event in events
        if event.unit == unit and event.revokes is None and event.id not in gone
    }
