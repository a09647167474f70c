"""What a kept statement becomes: an event for the front door, or the reason why it is not counted.

Pure. It reads only what is kept of a statement (masking.py), so that a statement that waited for an
entry of the mapping becomes the same event as one that came after it.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from services.activities.keys.model import Key
from services.activities.xapi import formats
from services.activities.xapi.mapping import Constant, Entry, Mapping
from shared.contracts.topics import EVENT_TYPE_PREFIX

Json = dict[str, Any]
REASONS = {
    "no-mapping": "no entry of the mapping has this verb and activity type",
    "condition-not-met": "an entry has them, but the result or the parent is another",
    "actor-is-group": "the actor is a group; events are about one person",
    "object-not-activity": "the object is no activity",
    "unit-missing": "neither an extension, the platform's setting nor the key names the unit",
    "target-groups-missing": "neither an extension nor the platform's setting names target groups",
    "platform-missing": "the event needs the platform, and nothing names it",
    "programme-missing": "the event needs the programme, and no extension names it",
    "field-missing": "the event needs a field that the statement does not fill",
    "timestamp-without-zone": "the timestamp names no zone, so its day is not known",
    "voided": "another statement voids it",
    "reference-unusable": "the account name cannot be one of the scheme that the platform's setting names",
    "voids-nothing": "it voids a statement that is not here, was not counted, or voids itself",
}
"""Reasons of our own; any other is an error code of the event (docs/errors.md)."""

VOID_REASON = "Voided by an xAPI statement"
_NOT_IN_CODE = re.compile(r"[^A-Za-z0-9À-ỹ._:/@-]+")
_LONGEST_CODE = 100


@dataclass(frozen=True, slots=True)
class Platform:
    """What a partner has said of a platform: the defaults of its statements."""

    subject: str | None = None
    target_groups: tuple[str, ...] | None = None
    platform: str | None = None
    scheme: str = "account"


@dataclass(frozen=True, slots=True)
class Becomes:
    """The event (as the front door takes it) that an entry of the mapping made."""

    entry: str
    event: Json


class NotCounted(Exception):
    """Carries the reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def source_of(key: Key) -> str:
    """The source of the events of a key's statements, within the sources the key may post for."""
    if not key.sources:
        slug = re.sub(r"[^A-Za-z0-9.-]+", "-", key.name).strip("-") or "partner"
        return f"urn:hocvuso:xapi:{slug}"
    base = key.sources[0].rstrip("/:#?")
    return f"{base}:xapi" if base.lower().startswith("urn:") else f"{base}/xapi"


def become(
    kept: Json, person: Json | None, mapping: Mapping, platform: Platform, key: Key
) -> Becomes:
    """The event of a kept statement; raises NotCounted."""
    target = kept["object"]
    if target.get("objectType", "Activity") != "Activity":
        raise NotCounted("object-not-activity")
    kind = target.get("definition", {}).get("type")
    entries = mapping.entries_for(kept["verb"]["id"], kind)
    if not entries:
        raise NotCounted("no-mapping")
    entry = next((e for e in entries if _fits(e, kept, mapping)), None)
    if entry is None:
        raise NotCounted("condition-not-met")
    if person is None:
        raise NotCounted("actor-is-group")
    found = formats.to_time(kept["timestamp"])
    if found is None or not found[1]:
        raise NotCounted("timestamp-without-zone")
    given = _Given(kept, person, mapping, platform, key, entry)
    return Becomes(
        entry.id,
        {
            "specversion": "1.0",
            "id": kept["id"],
            "source": source_of(key),
            "type": EVENT_TYPE_PREFIX + entry.type,
            "subject": given.unit(),
            "time": _time(found[0]),
            "data": given.data(),
        },
    )


def revocation(kept: Json, source: str, event_id: str, key: Key) -> Becomes:
    """The event by which a voiding statement takes back what another has become."""
    found = formats.to_time(kept["timestamp"])
    instant = found[0] if found else None
    return Becomes(
        "voided",
        {
            "specversion": "1.0",
            "id": kept["id"],
            "source": source_of(key),
            "type": EVENT_TYPE_PREFIX + "event.revoked",
            "time": _time(instant) if instant else kept["stored"],
            "data": {"revokes": {"source": source, "id": event_id}, "reason": VOID_REASON},
        },
    )


def _time(instant: datetime) -> str:
    return instant.isoformat(timespec="milliseconds")


def _fits(entry: Entry, kept: Json, mapping: Mapping) -> bool:
    result = kept.get("result", {})
    for name, values in entry.when.items():
        if result.get(name, "absent") not in values:
            return False
    return entry.parent is None or _parent(entry, kept, mapping) is not None


def _parent(entry: Entry, kept: Json, mapping: Mapping) -> str | None:
    wanted = mapping.types_of(entry.parent or "")
    for one in kept.get("context", {}).get("contextActivities", {}).get("parent", ()):
        if one.get("definition", {}).get("type") in wanted:
            return str(one["id"])
    return None


def code(iri: str) -> str:
    """An IRI as a code of the catalogue: at most 100 of the characters that codes have."""
    text = re.sub(r"^https?://", "", iri)
    text = _NOT_IN_CODE.sub("_", text).lstrip("._:/@-")
    if len(text) > _LONGEST_CODE:
        text = f"{text[:83]}-{hashlib.sha256(iri.encode()).hexdigest()[:16]}"
    return text


def _score(score: Json) -> float | None:
    """A score as per cent, rounded to hundredths."""
    if "scaled" in score:
        return round(100 * float(score["scaled"]), 2)
    low, high, raw = score.get("min", 0), score.get("max"), score.get("raw")
    if raw is None or high is None or high <= low:
        return None
    return round(100 * float(raw - low) / float(high - low), 2)


class _Given:
    """What a statement, its platform and its key say for the fields of an event."""

    def __init__(
        self,
        kept: Json,
        person: Json,
        mapping: Mapping,
        platform: Platform,
        key: Key,
        entry: Entry,
    ) -> None:
        self._kept, self._mapping, self._entry = kept, mapping, entry
        self._person, self._platform, self._key = person, platform, key
        self._fill: dict[str, Callable[[], Any]] = {
            "person": lambda: self._person,
            "target_groups": self._target_groups,
            "platform": self._platform_name,
            "programme": lambda: self._extension("programme"),
            "object": lambda: code(kept["object"]["id"]),
            "object_ref": lambda: kept["object"]["id"],
            "assessment": lambda: code(_parent(entry, kept, mapping) or ""),
            "score": lambda: _score(kept.get("result", {}).get("score", {})),
        }

    def unit(self) -> str:
        """The subject: the statement's own unit, the platform's, the key's."""
        for found in (self._extension("unit"), self._platform.subject, self._key.subtree):
            if isinstance(found, str) and found:
                return found
        raise NotCounted("unit-missing")

    def data(self) -> Json:
        """The data of the event; optional fields that nothing fills are left out."""
        required = self._mapping.required[self._entry.id]
        data: Json = {}
        for field, source in self._entry.data.items():
            value = source.const if isinstance(source, Constant) else self._fill[source]()
            if value is not None:
                data[field] = value
            elif field in required:
                reason = f"{field.replace('_', '-')}-missing"
                raise NotCounted(reason if reason in REASONS else "field-missing")
        return data

    def _extension(self, name: str) -> Any:
        iri = self._mapping.extensions[name]
        context = self._kept.get("context", {}).get("extensions", {})
        definition = self._kept["object"].get("definition", {}).get("extensions", {})
        return context.get(iri, definition.get(iri))

    def _target_groups(self) -> list[Any] | None:
        found = self._extension("target_groups")
        if found is not None:
            return found if isinstance(found, list) else [found]
        groups = self._platform.target_groups
        return list(groups) if groups else None

    def _platform_name(self) -> Any:
        account = self._kept["actor"].get("account", {})
        host = urlsplit(account.get("homePage", "")).hostname or ""
        return (
            self._extension("platform") or self._platform.platform or self._mapping.hosts.get(host)
        )
