"""The published mapping: which statements become which events, read from mapping.yaml and checked.

Pure but for reading the file. `Mapping.load` raises MappingError when the file and the catalogue
disagree, so that a service with a wrong mapping does not start.
"""

from collections.abc import Mapping as Table
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import yaml

from shared.contracts.definitions import Catalogue

FILE = Path(__file__).with_name("mapping.yaml")
SOURCES = {
    "person": "the actor, by its account, address or OpenID",
    "target_groups": "the extension `target_groups`, else the partner's setting of the platform",
    "platform": "the extension `platform`, else the partner's setting, else the host's",
    "programme": "the extension `programme`",
    "object": "the id of the object, without http(s)://, other characters as _",
    "object_ref": "the id of the object",
    "assessment": "the id of the parent of the wanted type, written like `object`",
    "score": "result.score as per cent: scaled, else raw between min and max",
}
"""What a field may be filled from, and what that means."""

Json = dict[str, Any]


class MappingError(ValueError):
    """The mapping file contradicts itself or the catalogue; names the entry."""


class Constant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A value that is always the same."""

    const: str


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row: what a statement must be, and the event that it becomes."""

    id: str
    verbs: tuple[str, ...]
    activities: tuple[str, ...]
    type: str
    data: dict[str, str | Constant]
    when: dict[str, tuple[bool | str, ...]] = {}
    parent: str | None = None
    note: str | None = None


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    extensions: dict[str, str]
    hosts: dict[str, str]
    verbs: dict[str, tuple[str, ...]]
    activities: dict[str, tuple[str, ...]]
    person_activities: tuple[str, ...]
    entries: tuple[Entry, ...]


class Mapping:
    """The mapping, ready to be asked."""

    def __init__(self, file: _File, catalogue: Catalogue) -> None:
        self._file = file
        self._catalogue = catalogue
        self.extensions: Table[str, str] = file.extensions
        self.hosts: Table[str, str] = file.hosts
        self.entries = file.entries
        self.required = {e.id: _required(catalogue, e.type) for e in file.entries}
        self._by_pair: dict[tuple[str, str], list[Entry]] = {}
        for entry in file.entries:
            for verb in (v for name in entry.verbs for v in file.verbs[name]):
                for kind in (a for name in entry.activities for a in file.activities[name]):
                    self._by_pair.setdefault((verb, kind), []).append(entry)

    @classmethod
    def load(cls, catalogue: Catalogue, path: Path = FILE) -> "Mapping":
        """Read and check the file; raises MappingError."""
        try:
            file = msgspec.convert(yaml.safe_load(path.read_bytes()), _File)
        except msgspec.ValidationError as error:
            raise MappingError(f"{path.name}: {error}") from None
        for entry in file.entries:
            _check(file, entry, catalogue)
        return cls(file, catalogue)

    def entries_for(self, verb: str, activity: str | None) -> list[Entry]:
        """The entries of this verb and activity type, in the order of the file."""
        return self._by_pair.get((verb, activity or ""), [])

    @cached_property
    def pairs(self) -> tuple[str, ...]:
        """Every `VERB TYPE` that has an entry."""
        return tuple(sorted(f"{verb} {kind}" for verb, kind in self._by_pair))

    def types_of(self, name: str) -> tuple[str, ...]:
        """The activity types of a name of the file."""
        return self._file.activities[name]

    @cached_property
    def known_activities(self) -> frozenset[str]:
        """Every activity type that the file names as something that is learned."""
        return frozenset(a for kinds in self._file.activities.values() for a in kinds)

    @cached_property
    def person_activities(self) -> frozenset[str]:
        """Every activity type that is a person."""
        return frozenset(self._file.person_activities)

    @cached_property
    def known_extensions(self) -> frozenset[str]:
        """Every extension that the file reads."""
        return frozenset(self._file.extensions.values())

    def document(self) -> Json:
        """The mapping as GET /xapi/mapping answers it."""
        file = self._file
        entries = [
            {
                "id": e.id,
                "verbs": [v for name in e.verbs for v in file.verbs[name]],
                "activities": [a for name in e.activities for a in file.activities[name]],
                "parent": None if e.parent is None else list(file.activities[e.parent]),
                "when": {name: list(values) for name, values in e.when.items()},
                "type": e.type,
                "data": {
                    name: source if isinstance(source, str) else {"const": source.const}
                    for name, source in e.data.items()
                },
                "note": e.note,
            }
            for e in file.entries
        ]
        return {
            "extensions": dict(file.extensions),
            "hosts": dict(file.hosts),
            "sources": SOURCES,
            "entries": entries,
        }


def _required(catalogue: Catalogue, type_name: str) -> frozenset[str]:
    return frozenset(catalogue.data_schema(type_name).get("required", ()))


def _check(file: _File, entry: Entry, catalogue: Catalogue) -> None:
    def wrong(what: str) -> MappingError:
        return MappingError(f"mapping.yaml: entry {entry.id}: {what}")

    if sum(other.id == entry.id for other in file.entries) > 1:
        raise wrong("there are two entries of this id")
    for name in entry.verbs:
        if name not in file.verbs:
            raise wrong(f"no verbs are called {name}")
    for name in (*entry.activities, *((entry.parent,) if entry.parent else ())):
        if name not in file.activities:
            raise wrong(f"no activities are called {name}")
    for name, values in entry.when.items():
        if name not in ("success", "completion"):
            raise wrong(f"when speaks of {name}; it may speak of success and completion")
        if any(isinstance(v, str) and v != "absent" for v in values):
            raise wrong(f"when {name} lists true, false and absent")
    if entry.type not in catalogue:
        raise wrong(f"the catalogue has no type {entry.type}")
    schema = catalogue.data_schema(entry.type)
    for field, source in entry.data.items():
        if field not in schema["properties"]:
            raise wrong(f"{entry.type} has no field {field}")
        if isinstance(source, str) and source not in SOURCES:
            raise wrong(f"{field} is filled from {source}, which is nothing")
        if source == "assessment" and entry.parent is None:
            raise wrong(f"{field} is filled from the parent, and parent is missing")
        if isinstance(source, Constant):
            allowed = _enum(schema, schema["properties"][field])
            if allowed is not None and source.const not in allowed:
                raise wrong(f"{field} cannot be {source.const}")
    missing = set(schema.get("required", ())) - entry.data.keys()
    if missing:
        raise wrong(f"{entry.type} needs {', '.join(sorted(missing))}")


def _enum(schema: Json, node: Json) -> list[str] | None:
    """The values that a field may have, if it is a list of values."""
    if "$ref" in node:
        node = schema["$defs"][node["$ref"].rpartition("/")[2]]
    found = node.get("enum")
    return list(found) if found is not None else None
