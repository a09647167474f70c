"""Whom an event counts for, and on which days: pure readings of its definition."""

import hashlib
from collections.abc import Mapping
from datetime import date
from typing import Any

import msgspec

from shared.contracts.model import CountKey, EventType
from shared.contracts.places import commune_of


class Subject(msgspec.Struct, frozen=True):
    """A count key with its values; `index` says which of the type's keys it is (0: the primary,
    whose row stands for the event itself when events are counted)."""

    index: int
    kind: str
    values: tuple[str, ...]


def subjects(
    kind: EventType, stored: Mapping[str, Any], *, unit_id: str, source: str, event_id: str
) -> list[Subject]:
    """The subjects that an event serves: of each key the first alternative that is present.

    `stored` is the pseudonymised data, in the latest version.
    """
    virtual = {
        "$unit_id": unit_id,
        "$commune_id": commune_of(unit_id),
        "$source": source,
        "$id": event_id,
        "$type": kind.type,
        "$reporter": stored.get("reporter") or source,
    }
    found = []
    for index, alternatives in enumerate(kind.count_keys):
        for alternative in alternatives:
            values = _values(alternative, stored, virtual)
            if values is not None:
                found.append(Subject(index, alternative.kind, values))
                break
    return found


def thing_of(kind: EventType, index: int, stored: Mapping[str, Any]) -> str:
    """What the count key of an event names besides its unit: the unit's level (`commune`, `unit`)
    and a digest of the rest. Empty where the key names no unit.

    So posts of one address by two communes, two subjects, can be known as one when these merge.
    """
    for alternative in kind.count_keys[index]:
        values = _values(alternative, stored, _NO_ENVELOPE)
        if values is None:
            continue
        level = next((_LEVELS[f.name] for f in alternative.fields if f.name in _LEVELS), None)
        if level is None:
            return ""
        rest = [
            value
            for field, value in zip(alternative.fields, values, strict=True)
            if field.name not in _LEVELS
        ]
        text = "\x1f".join((alternative.kind, *rest))
        return f"{level}:{hashlib.sha256(text.encode()).hexdigest()[:24]}"
    return ""


_LEVELS = {"$commune_id": "commune", "$unit_id": "unit"}
_NO_ENVELOPE = dict.fromkeys(
    ("$unit_id", "$commune_id", "$source", "$id", "$type", "$reporter"), ""
)


def _values(
    alternative: CountKey, stored: Mapping[str, Any], virtual: Mapping[str, str]
) -> tuple[str, ...] | None:
    for name in alternative.needs:
        if stored.get(name) in (None, []):
            return None
    values = []
    for part in alternative.fields:
        value = virtual[part.name] if part.virtual else stored.get(part.stored)
        if value is None and not part.optional:
            return None
        if part.reference:
            value = "#".join(thing_named(str(value), virtual["$source"]))
        values.append(_text(value))
    return tuple(values)


def thing_named(reference: str, source: str) -> tuple[str, str]:
    """Whose thing a reference names, and its name: `REF` is one of the same source, `SOURCE#REF`
    one that another source has posted."""
    owner, separator, name = reference.rpartition("#")
    return (owner if separator else source), name


def _text(value: Any) -> str:
    """One spelling per value: a list is a set here, so its order must not make another subject."""
    if value is None:
        return ""
    if isinstance(value, list):
        return ",".join(sorted(str(item) for item in value))
    return str(value)


def day_field(kind: EventType, stored: Mapping[str, Any]) -> date | None:
    """The day on which the event says it happened, if its type has a field for it and it is given."""
    said = stored.get(kind.day) if kind.day is not None else None
    return date.fromisoformat(said) if said is not None else None


def days(kind: EventType, stored: Mapping[str, Any], occurred: date) -> tuple[date, date | None]:
    """First and last day on which the event holds; no last day = it goes on holding.

    For a type without a state: from the day it occurred, for good.
    """
    if kind.state is None:
        return occurred, None
    start = stored.get(kind.state.start) if kind.state.start else None
    end = stored.get(kind.state.end) if kind.state.end else None
    return (
        date.fromisoformat(start) if start else occurred,
        date.fromisoformat(end) if end else None,
    )
