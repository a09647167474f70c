"""References between events: which thing an event is, and which things it refers to. Pure.

A class that is cancelled voids its attendances, whichever arrives first. A reference is written
`REF`, meaning a thing of the same source, or `SOURCE#REF` for a thing another source has posted.
"""

from collections.abc import Mapping
from typing import Any

from services.activities.log.store import Thing
from shared.contracts.model import EventType
from shared.contracts.subjects import thing_named


class Things:
    """Knows from their definitions which types are things and which refer to them."""

    def is_thing(self, event_type: EventType) -> bool:
        """Whether other events may refer to events of this type."""
        return event_type.thing is not None

    def itself(self, event_type: EventType, source: str, data: Mapping[str, Any]) -> Thing | None:
        """The thing that an event brings into being, if it names itself."""
        field = event_type.thing
        ref = data.get(field) if field else None
        return (event_type.type, source, str(ref)) if ref is not None else None

    def referred(self, event_type: EventType, source: str, data: Mapping[str, Any]) -> list[Thing]:
        """The things that an event refers to."""
        found: list[Thing] = []
        for field, target in event_type.references.items():
            ref = data.get(field)
            if ref is None or target == event_type.type:
                continue
            found.append((target, *thing_named(str(ref), source)))
        return found
