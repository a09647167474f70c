"""Count keys: who or what an event counts, and so in which lane it travels. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.contracts.model import EventType
from shared.contracts.record import DEFINITION_LANE, Content, lane_of
from shared.contracts.subjects import subjects


@dataclass(frozen=True, slots=True)
class Subject:
    """One thing that an event counts: which of the type's keys, kind, key (16 bytes), lane."""

    index: int
    kind: str
    key: bytes
    lane: int


def subjects_of(
    event_type: EventType, content: Content, source: str, id: str, canonical: Mapping[str, str]
) -> list[Subject]:
    """The subjects an event serves; at least itself.

    A person's ref is replaced by the canonical ref of the person. Definitions share one lane, so
    that they keep their order; there the key is the event.
    """
    if event_type.lane == "definition":
        key, _ = lane_of("definition", [source, id])
        return [Subject(0, "definition", key, DEFINITION_LANE)]
    found = []
    for subject in subjects(
        event_type, content.data, unit_id=content.unitid, source=source, event_id=id
    ):
        values = [canonical.get(value, value) for value in subject.values]
        key, lane = lane_of(subject.kind, values)
        found.append(Subject(subject.index, subject.kind, key, lane))
    if not found:
        key, lane = lane_of("event", [source, id])
        found.append(Subject(0, "event", key, lane))
    # Two keys of one event may turn out to be one subject (a link between two refs of a person).
    return list({(s.kind, s.key): s for s in reversed(found)}.values())[::-1]
