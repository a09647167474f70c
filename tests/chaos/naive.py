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
        """Per unit, the least and the most that a table complete up to `position` may say.

        Complete, not cut: lanes that are further ahead may show more than that already.
        """
        every = list(self.events.values())
        sure = [e for e in every if e.position is not None and e.position <= position]
        certain, possible = _persons(sure, every), _persons(every, sure)
        units = {event.unit for event in self.events.values()}
        return {u: (len(certain.get(u, ())), len(possible.get(u, ()))) for u in units}

    def exact(self) -> dict[str, int]:
        """Per unit, the number of persons, once every event was answered."""
        unanswered = [event.id for event in self.events.values() if event.position is None]
        if unanswered:
            raise AssertionError(f"{len(unanswered)} events were never answered: {unanswered[:3]}")
        every = list(self.events.values())
        return {unit: len(persons) for unit, persons in _persons(every, every).items()}


def _persons(events: Iterable[Event], revoking: Iterable[Event]) -> dict[str, set[str]]:
    """Per unit, the persons whom `events` put there, without what `revoking` takes back."""
    gone = {event.revokes for event in revoking if event.revokes is not None}
    found: dict[str, set[str]] = {}
    for event in events:
        if event.revokes is None and event.id not in gone:
            found.setdefault(event.unit, set()).add(event.person)
    return found
