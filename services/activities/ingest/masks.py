"""Refused events without their identity numbers: masked to be kept, shown, mended, posted again.

What is kept has the form in which it was posted, but for two marks that no posted event can forge
(names that begin with `$` never survive `Masks.mask`):

* `{"$masked": true}`: a value that is gone, since it could not be told from a personal one;
* `{"scheme": "cccd", "$ref": "cccd:BASE32"}`: a reference, as the log would store it. It is never
  shown and counts as the value when the event is replayed.

Kept in clear are only: attributes of CloudEvents and fields that some event type knows, where they
hold no identity or phone number, no e-mail address and no number of nine digits or more, written
as a text, in groups or not (dates are none): old identity numbers (CMND) have nine. Pure.
"""

import re
from collections.abc import Iterator
from typing import Any

from services.activities.ingest.broken_rules import escape
from services.activities.ingest.envelope import ATTRIBUTES, EXTENSIONS
from services.activities.privacy import Pseudonyms
from shared.contracts.definitions import Catalogue
from shared.contracts.topics import EVENT_TYPE_PREFIX
from shared.identity.leaks import holds_a_long_number, leaks
from shared.identity.numbers import SCHEMES
from shared.problems import Problem

MASKED: dict[str, Any] = {"$masked": True}
SHOWN = "***"
LONGEST_KEPT_NUMBER = 99_999_999
DEEPEST = 64
NAMES_OF_EVENTS = frozenset({"source", "id"})
_NAMES = NAMES_OF_EVENTS | {"traceparent"}
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}", re.ASCII)


class Masks:
    """Masks events with what the catalogue knows of fields; compiled once for each catalogue."""

    def __init__(self, catalogue: Catalogue, pseudonyms: Pseudonyms) -> None:
        self._catalogue = catalogue
        self._pseudonyms = pseudonyms
        self._learn(catalogue.now)

    def _learn(self, catalogue: Catalogue) -> None:
        self._made_of = catalogue
        self._names = {"scheme", "value"}
        for name, kind in catalogue.items():
            for version in kind.versions:
                self._names |= _properties(catalogue.data_schema(name, version))
        self._identities = {i.name: i for kind in catalogue.values() for i in kind.identities}
        self._own = {name: {i.name: i for i in k.identities} for name, k in catalogue.items()}

    def type_of(self, event: dict[str, Any]) -> str:
        """The short name of the event's type; "" where there is no such type."""
        name = event.get("type")
        if not isinstance(name, str) or not name.startswith(EVENT_TYPE_PREFIX):
            return ""
        short = name.removeprefix(EVENT_TYPE_PREFIX)
        return short if short in self._catalogue else ""

    def mask(self, event: dict[str, Any]) -> dict[str, Any]:
        """The event to keep. Never fails, whatever is in it."""
        if self._made_of is not self._catalogue.now:
            self._learn(self._catalogue.now)
        own = self._own.get(self.type_of(event), {})
        kept: dict[str, Any] = {}
        for name, value in event.items():
            if name == "data":
                kept[name] = self._value(value, own, 0)
            elif name in ATTRIBUTES or name in EXTENSIONS:
                kept[name] = _attribute(name, value)
            else:
                kept[_name(name, kept)] = _unknown(value)
        return kept

    def _value(self, value: Any, own: dict[str, Any], depth: int) -> Any:
        if depth > DEEPEST:
            return MASKED
        if isinstance(value, list):
            return [self._value(item, own, depth + 1) for item in value]
        if not isinstance(value, dict):
            return _scalar(value)
        if "scheme" in value and "value" in value:
            return self._reference(None, value, own)
        if value.keys() == NAMES_OF_EVENTS:
            return {name: _attribute(name, item) for name, item in value.items()}
        kept: dict[str, Any] = {}
        for name, item in value.items():
            if name in self._identities:
                kept[name] = self._identity(name, item, own)
            elif name in self._names:
                kept[name] = self._value(item, own, depth + 1)
            else:
                kept[_name(name, kept)] = _unknown(item)
        return kept

    def _identity(self, name: str, value: Any, own: dict[str, Any]) -> Any:
        if isinstance(value, list):
            return [self._identity(name, item, own) for item in value]
        if isinstance(value, dict):
            return self._reference(name, value, own)
        return value if value is None else MASKED

    def _reference(self, name: str | None, value: dict[str, Any], own: dict[str, Any]) -> Any:
        """A `{"scheme", "value"}`: its reference if it is one, whatever else stands in it gone."""
        kept: dict[str, Any] = {}
        scheme, posted = value.get("scheme"), value.get("value")
        for other, item in value.items():
            if other == "scheme":
                known = isinstance(item, str) and item in SCHEMES
                kept[other] = item if known else _unknown(item)
            elif other != "value":
                kept[_name(other, kept)] = _unknown(item)
        if "value" not in value:
            return kept
        if not isinstance(scheme, str) or scheme not in SCHEMES or not isinstance(posted, str):
            return {**kept, "value": MASKED}
        identity = own.get(name or "") or self._identities.get(name or "")
        if identity is not None and scheme in identity.schemes and not identity.is_secret(scheme):
            return {**kept, "value": _scalar(posted)}
        reference = self._pseudonyms.reference(scheme, posted)
        return {**kept, "value": MASKED} if reference is None else {**kept, "$ref": reference}

    def open(self, kept: Any, pointer: str = "") -> Any:
        """The event to judge again: references as tokens that only `Pseudonyms.stored` reads.

        Raises Problem at the first value that is gone.
        """
        if kept == MASKED:
            raise Problem(
                "masked-value-needed",
                "The value was masked when the event was refused, and is gone.",
                pointer=pointer,
                hint="Give it in `changes`, or null to leave it out.",
            )
        if isinstance(kept, list):
            return [self.open(item, f"{pointer}/{index}") for index, item in enumerate(kept)]
        if not isinstance(kept, dict):
            return kept
        found = {
            name: self.open(item, f"{pointer}/{escape(name)}")
            for name, item in kept.items()
            if name != "$ref"
        }
        if "$ref" in kept:
            found["value"] = self._pseudonyms.token(kept["$ref"])
        return found


def shown(kept: Any) -> Any:
    """What is kept as a partner may see it: `***` in place of what is masked."""
    if kept == MASKED:
        return SHOWN
    if isinstance(kept, list):
        return [shown(item) for item in kept]
    if isinstance(kept, dict):
        found = {name: shown(item) for name, item in kept.items() if name != "$ref"}
        return {**found, "value": SHOWN} if "$ref" in kept else found
    return kept


def masked(kept: Any, pointer: str = "") -> Iterator[tuple[str, bool]]:
    """(pointer, whether a replay keeps it without being told the value) of what is masked."""
    if kept == MASKED:
        yield pointer, False
    elif isinstance(kept, list):
        for index, item in enumerate(kept):
            yield from masked(item, f"{pointer}/{index}")
    elif isinstance(kept, dict):
        for name, item in kept.items():
            if name == "$ref":
                yield f"{pointer}/value", True
            else:
                yield from masked(item, f"{pointer}/{escape(name)}")


def merged(kept: Any, changes: Any) -> Any:
    """What is kept with a JSON merge patch (RFC 7396) applied; a new value ends a reference.

    Raises Problem when the patch names what begins with `$`.
    """
    if not isinstance(changes, dict):
        return changes
    found = dict(kept) if isinstance(kept, dict) and kept != MASKED else {}
    if "scheme" in changes or "value" in changes:
        found.pop("$ref", None)
    for name, change in changes.items():
        if name.startswith("$"):
            raise Problem(
                "changes-malformed",
                "A member of changes has a name that begins with $.",
                pointer="/changes",
                hint="Name fields as you post them; give references with scheme and value.",
            )
        if change is None:
            found.pop(name, None)
        else:
            found[name] = merged(found.get(name), change)
    return found


def _attribute(name: str, value: Any) -> Any:
    """An attribute of CloudEvents. `source` and `id` name the event to its partner, and stand in
    clear in every event that is taken, so that long numbers in them are kept."""
    if isinstance(value, dict | list):
        return MASKED
    if name in _NAMES and isinstance(value, str):
        return MASKED if leaks(value) else value
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if isinstance(value, str):
        told = leaks(value) or holds_a_long_number(value) or _EMAIL.search(value)
        return MASKED if told else value
    if isinstance(value, int | float) and abs(value) > LONGEST_KEPT_NUMBER:
        return MASKED
    return value


def _unknown(value: Any) -> Any:
    """Of a field that no type knows nothing is kept but that it is there."""
    return value if value is None or isinstance(value, bool) else MASKED


def _name(name: str, taken: dict[str, Any]) -> str:
    """The name of an unknown member, or a running one where it might be personal."""
    if _NAME.fullmatch(name) and not leaks(name):
        return name
    return f"masked-{len(taken)}"


def _properties(schema: Any) -> set[str]:
    """Every property that a schema names, at any depth."""
    found: set[str] = set()
    if isinstance(schema, dict):
        properties = schema.get("properties")
        if isinstance(properties, dict):
            found |= properties.keys()
        for part in schema.values():
            found |= _properties(part)
    elif isinstance(schema, list):
        for part in schema:
            found |= _properties(part)
    return found
