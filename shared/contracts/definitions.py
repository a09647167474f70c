"""The catalogue of event types, loaded from the files beside this module.

One file per type says its fields, count keys, posters and versions. Typed code, published schemas,
API documents, forms, spreadsheet templates and the fields that plan filters may name all come from
here, so that they cannot disagree. Loading is explicit (`Catalogue.load()`) and cached; importing
this module reads nothing.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import msgspec
import yaml

from shared.contracts import schemas
from shared.contracts.model import (
    STORED_SUFFIX,
    CountKey,
    EventType,
    FieldSpec,
    Figures,
    Group,
    Identity,
    KeyField,
    Lane,
    State,
    Vocabulary,
)
from shared.contracts.schemas import Json

VIRTUAL_FIELDS = frozenset({"$unit_id", "$commune_id", "$source", "$id", "$type", "$reporter"})
"""Key parts that come from the envelope; `$reporter` is data.reporter, else the source."""


Implied = Mapping[str, tuple[str, ...]]
"""By target group those whose members its members are, too."""


class DefinitionError(ValueError):
    """A definition file contradicts itself or the vocabularies; names the file."""


class _Key(msgspec.Struct, forbid_unknown_fields=True):
    kind: str
    fields: list[str]
    needs: list[str] = []


class _Version(msgspec.Struct, forbid_unknown_fields=True):
    """`extends`: the data is that of the version before, with these members added or replaced."""

    data: Json
    extends: bool = False


class _File(msgspec.Struct, forbid_unknown_fields=True):
    """A definition file as written."""

    type: str
    title: str
    title_vi: str
    group: Group
    lane: Lane
    posters: list[str]
    figures: Figures
    count_keys: list[list[_Key]]
    versions: dict[str, _Version]
    examples: list[Json]
    note: str | None = None
    sum_field: str | None = None
    state: State | None = None
    day: str | None = None
    references: dict[str, str] = {}
    thing: str | None = None
    common_fields: bool = True
    posters_of_kind: dict[str, list[str]] = {}
    partial: bool | Json = False


class Catalogue(Mapping[str, EventType]):
    """All event types by short name, with their vocabularies and schemas. It never changes; what an
    instance adds makes another one of it (`grown`)."""

    def __init__(self, types: dict[str, EventType], words: Vocabulary, bodies: "_Bodies") -> None:
        self._types = types
        self._bodies = bodies
        self._words = words

    def __eq__(self, other: object) -> bool:
        """A catalogue is itself: what is made of one is kept by it."""
        return self is other

    def __hash__(self) -> int:
        return id(self)

    @property
    def words(self) -> Vocabulary:
        return self._words

    @property
    def now(self) -> "Catalogue":
        """The catalogue that holds now: itself, but for one that follows (`LiveCatalogue`)."""
        return self

    @property
    def shipped(self) -> "Catalogue":
        """The catalogue as it ships, which definitions of an instance add to."""
        return self

    def grown(self, lists: Mapping[str, Mapping[str, str]], implied: Implied) -> "Catalogue":
        """This one with more words: by list the Vietnamese title of each new value, by target group
        those that it implies. What ships already stays as it ships."""
        enums = {name: dict(titles) for name, titles in self._words.enums.items()}
        own: dict[str, frozenset[str]] = {}
        for name, titles in lists.items():
            own[name] = frozenset(titles) - enums[name].keys()
            enums[name] |= {value: titles[value] for value in titles if value in own[name]}
        changed = {name for name, values in own.items() if values}
        words = msgspec.structs.replace(
            self._words, enums=enums, own=own, implied={**implied, **self._words.implied}
        )
        defs = dict(self._bodies.defs)
        defs |= {name: schemas.enum_definition(enums[name]) for name in changed}
        types = {
            name: _with_words(kind, self._bodies.bodies[name], defs, changed)
            for name, kind in self._types.items()
        }
        return Catalogue(types, words, msgspec.structs.replace(self._bodies, defs=defs))

    @classmethod
    def load(cls, root: Path | None = None) -> "Catalogue":
        """Read and check the files under `root` (default: those of this package); cached."""
        return _load(root or Path(__file__).parent)

    def __getitem__(self, type_name: str) -> EventType:
        return self._types[type_name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._types)

    def __len__(self) -> int:
        return len(self._types)

    def filterable(self, type_name: str) -> dict[str, FieldSpec]:
        """The fields (of the latest version) that a plan filter may name."""
        fields = self._types[type_name].fields
        return {name: spec for name, spec in fields.items() if spec.filterable}

    def data_schema(self, type_name: str, version: str | None = None) -> Json:
        """The published schema of an event's `data`, as a partner posts it."""
        kind = self._types[type_name]
        return self._publish(kind, version or kind.latest, stored=False)

    def stored_schema(self, type_name: str, version: str | None = None) -> Json:
        """The same after pseudonymisation, as the log and every consumer have it."""
        kind = self._types[type_name]
        return self._publish(kind, version or kind.latest, stored=True)

    def definitions(self) -> Json:
        """The `$defs` that the schemas share."""
        return self._bodies.defs

    def _publish(self, kind: EventType, version: str, *, stored: bool) -> Json:
        body = self._bodies.bodies[kind.type][version]
        head: Json = {"title": kind.title, "x-title-vi": kind.title_vi}
        if stored:
            found = schemas.identities(body["properties"], self._bodies.defs)
            body = schemas.stored_body(body, found)
        elif version == kind.latest:
            head["examples"] = list(kind.examples)
        suffix = "/stored" if stored else ""
        return schemas.publish(kind.type, version + suffix, head, body, self._bodies.defs)


class _Bodies(msgspec.Struct, frozen=True):
    """Raw schema bodies by type and version, and the shared `$defs`."""

    bodies: dict[str, dict[str, Json]]
    defs: Json


def _read(path: Path) -> Any:
    with path.open("rb") as file:
        return yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506


@lru_cache(maxsize=4)
def _load(root: Path) -> Catalogue:
    words = Vocabulary(
        roles=_read(root / "roles.yaml"),
        key_kinds=_read(root / "keys.yaml"),
        enums=_read(root / "enums.yaml"),
        implied={group: tuple(more) for group, more in _read(root / "implied.yaml").items()},
    )
    defs: Json = {name: schemas.enum_definition(titles) for name, titles in words.enums.items()}
    defs.update(_read(root / "defs.yaml"))
    common: Json = _read(root / "common.yaml")
    types: dict[str, EventType] = {}
    bodies: dict[str, dict[str, Json]] = {}
    for path in sorted((root / "types").glob("*.yaml")):
        try:
            file = msgspec.convert(_read(path), _File)
            if file.type != path.stem:
                raise DefinitionError(f"type {file.type!r} in a file of another name")
            bodies[file.type] = _bodies(file, common)
            types[file.type] = _event_type(file, bodies[file.type], defs)
            _check(types[file.type], words)
        except (DefinitionError, msgspec.ValidationError, KeyError) as error:
            raise DefinitionError(f"{path.name}: {error}") from error
    for kind in types.values():
        _check_references(kind, types)
    return Catalogue(types, words, _Bodies(bodies=bodies, defs=defs))


def _bodies(file: _File, common: Json) -> dict[str, Json]:
    """The schema body of each version, common fields added (a type's own field wins)."""
    if list(file.versions) != [str(n) for n in range(1, len(file.versions) + 1)]:
        raise DefinitionError("versions must be '1', '2', ... without gaps")
    shared = common if file.common_fields else {}
    bodies: dict[str, Json] = {}
    before: Json = {}
    for version, said in file.versions.items():
        body = said.data
        if said.extends:
            properties = {**before["properties"], **body.get("properties", {})}
            body = {**before, **body, "properties": properties}
        before = body
        bodies[version] = {**body, "properties": {**body["properties"], **_new(shared, body)}}
    return bodies


def _new(shared: Json, body: Json) -> Json:
    return {name: prop for name, prop in shared.items() if name not in body["properties"]}


def _with_words(
    kind: EventType, bodies: dict[str, Json], defs: Json, changed: set[str]
) -> EventType:
    """A type with the lists of today; itself where none of its lists has changed."""
    if all(changed.isdisjoint(schemas.used_definitions(body, defs)) for body in bodies.values()):
        return kind
    fields = _fields(bodies[kind.latest], kind.identities, defs)
    return msgspec.structs.replace(kind, fields=fields)


def _fields(body: Json, found: tuple[Identity, ...], defs: Json) -> dict[str, FieldSpec]:
    """The fields of a schema body, by their stored names."""
    stored = {identity.name: identity.stored for identity in found}
    fields = {}
    for name, prop in body["properties"].items():
        spec = schemas.field_spec(stored.get(name, name), prop, name in body["required"], defs)
        fields[spec.name] = spec
    return fields


def _event_type(file: _File, bodies: dict[str, Json], defs: Json) -> EventType:
    body = bodies[list(bodies)[-1]]
    found = schemas.identities(body["properties"], defs)
    stored = {identity.name: identity.stored for identity in found}
    return EventType(
        type=file.type,
        title=file.title,
        title_vi=file.title_vi,
        group=file.group,
        lane=file.lane,
        posters=tuple(file.posters),
        figures=file.figures,
        count_keys=tuple(
            tuple(_count_key(key, stored) for key in alternatives)
            for alternatives in file.count_keys
        ),
        versions=tuple(file.versions),
        examples=tuple(file.examples),
        fields=_fields(body, found, defs),
        identities=found,
        sum_field=file.sum_field,
        state=file.state,
        day=file.day,
        one_of=tuple(tuple(choice["required"]) for choice in body.get("anyOf", ())),
        references=file.references,
        thing=file.thing,
        note=file.note,
        posters_of_kind={role: tuple(kinds) for role, kinds in file.posters_of_kind.items()},
        partial=file.partial,
    )


def _count_key(key: _Key, stored: dict[str, str]) -> CountKey:
    parts = []
    for text in key.fields:
        name = text.rstrip("?#")
        parts.append(
            KeyField(
                name,
                stored.get(name, name),
                optional=text.endswith("?"),
                reference=text.endswith("#"),
            )
        )
    return CountKey(key.kind, tuple(parts), tuple(stored.get(name, name) for name in key.needs))


def _check(kind: EventType, words: Vocabulary) -> None:
    """What the schema of a definition file cannot say."""
    unknown = (set(kind.posters) | set(kind.posters_of_kind)) - set(words.roles)
    if unknown:
        raise DefinitionError(f"unknown posters {sorted(unknown)}; see roles.yaml")
    if kind.posters_of_kind:
        _check_field(kind, "unit_id", "posters_of_kind")
        if any(
            set(kinds) - set(words.enums["unit_kind"]) for kinds in kind.posters_of_kind.values()
        ):
            raise DefinitionError("posters_of_kind names an unknown kind of unit")
    if not kind.count_keys or not all(kind.count_keys):
        raise DefinitionError("every type serves at least one subject")
    for alternative in (alt for alternatives in kind.count_keys for alt in alternatives):
        if alternative.kind not in words.key_kinds:
            raise DefinitionError(f"unknown kind of key {alternative.kind!r}; see keys.yaml")
        for part in alternative.fields:
            _check_field(kind, part.stored, "count_keys", VIRTUAL_FIELDS)
        for name in alternative.needs:
            _check_field(kind, name, "count_keys.needs")
    if (kind.figures != "none") != (kind.sum_field is not None):
        raise DefinitionError("sum_field goes with figures, and figures with sum_field")
    if kind.partial and kind.figures != "latest":
        raise DefinitionError("partial goes with figures of which the latest counts")
    named: list[tuple[str | None, Literal["sum_field", "state", "thing", "day"]]] = [
        (kind.sum_field, "sum_field"),
        (kind.thing, "thing"),
        (kind.day, "day"),
    ]
    if kind.state is not None:
        named += [(kind.state.start, "state"), (kind.state.end, "state")]
    for maybe, where in named:
        if maybe is not None:
            _check_field(kind, maybe, where)
    if kind.day is not None and kind.fields[kind.day].kind != "date":
        raise DefinitionError(f"day names {kind.day!r}, which is no date")


def _check_field(
    kind: EventType, name: str, where: str, also: frozenset[str] = frozenset()
) -> None:
    if name not in kind.fields and name not in also:
        shown = name.removesuffix(STORED_SUFFIX)
        raise DefinitionError(f"{where} names {shown!r}, which the data lacks")


def _check_references(kind: EventType, types: dict[str, EventType]) -> None:
    for field, target in kind.references.items():
        _check_field(kind, field, "references")
        if target not in types or types[target].thing is None:
            raise DefinitionError(f"{kind.type}: {field} refers to {target}, which names no thing")
