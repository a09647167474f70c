"""What a definition file of an event type says, typed. Data only; see `definitions.Catalogue`."""

from typing import Any, Literal

import msgspec

Figures = Literal["none", "latest", "add"]
Lane = Literal["fact", "definition"]
Group = Literal[
    "person", "organisation", "activity", "structure", "governance", "definition", "meta"
]
FieldKind = Literal[
    "enum",
    "enum_list",
    "code",
    "code_list",
    "boolean",
    "integer",
    "number",
    "date",
    "identity",
    "text",
    "list",
    "object",
]

STORED_SUFFIX = "_ref"
"""A person-like property `person` is stored as `person_ref`, a string "scheme:digest"."""


class KeyField(msgspec.Struct, frozen=True):
    """One part of a count key: a data field, or a virtual one ($unit_id $source $id $reporter; $commune_id:
    the commune of a hamlet, any other unit itself).

    An `optional` part (written `name?`) is the empty string where it is absent; the alternative
    holds only if all other parts are present. A `reference` part (written `name#`) names a thing as
    `REF` or `SOURCE#REF`; its value is the latter, so that both spellings are one key.
    """

    name: str
    stored: str
    optional: bool = False
    reference: bool = False

    @property
    def virtual(self) -> bool:
        return self.name.startswith("$")


class CountKey(msgspec.Struct, frozen=True):
    """One alternative of a count key. `needs` must be present too, without being part of it."""

    kind: str
    fields: tuple[KeyField, ...]
    needs: tuple[str, ...] = ()


class Identity(msgspec.Struct, frozen=True):
    """A property that names a person-like thing and is pseudonymised before anything is stored."""

    name: str
    stored: str
    kind: str
    schemes: tuple[str, ...]
    secret_schemes: tuple[str, ...]

    def is_secret(self, scheme: str) -> bool:
        """Whether values of this scheme are identity numbers (a tax number of a household
        business is one) and must become a keyed digest; others are stored as they are."""
        return scheme in self.secret_schemes


class FieldSpec(msgspec.Struct, frozen=True):
    """One property of an event's data, by its stored name."""

    name: str
    kind: FieldKind
    title: str
    title_vi: str
    required: bool
    filterable: bool
    enum: tuple[str, ...] = ()
    enum_titles_vi: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    free_text: bool = False
    warn: dict[str, Any] = {}


class State(msgspec.Struct, frozen=True, rename={"start": "from", "end": "to"}):
    """The data fields that bound a state. `start` None, or absent in the data = the event's day;
    `end` absent in the data = it lasts. Both days belong to the state."""

    start: str | None
    end: str | None


class EventType(msgspec.Struct, frozen=True):
    """One event type. Field names in `count_keys` are given as posted and as stored.

    `day`: the data field that, where given, says on which day it happened; else the day of `time`.
    `one_of`: sets of fields, as posted, of which one at least must be there.

    `posters_of_kind`: roles that may post it besides, but only about units of these kinds within
    the subtree of their own key. `partial`: which of its figures are about a named school or
    enterprise (a filter; true: all), and so never stand for the whole of their unit.
    """

    type: str
    title: str
    title_vi: str
    group: Group
    lane: Lane
    posters: tuple[str, ...]
    figures: Figures
    count_keys: tuple[tuple[CountKey, ...], ...]
    versions: tuple[str, ...]
    examples: tuple[dict[str, Any], ...]
    fields: dict[str, FieldSpec]
    identities: tuple[Identity, ...]
    sum_field: str | None = None
    state: State | None = None
    day: str | None = None
    one_of: tuple[tuple[str, ...], ...] = ()
    references: dict[str, str] = {}
    thing: str | None = None
    note: str | None = None
    posters_of_kind: dict[str, tuple[str, ...]] = {}
    partial: bool | dict[str, Any] = False

    @property
    def latest(self) -> str:
        """The version that an event without `dataschema` is taken to have."""
        return self.versions[-1]

    @property
    def free_text(self) -> tuple[str, ...]:
        """Fields in which people type, where identity and phone numbers must be looked for."""
        return tuple(name for name, spec in self.fields.items() if spec.free_text)

    def may_be_posted_by(self, roles: frozenset[str] | set[str]) -> bool:
        """Whether a key with these roles may post it at all; the administrator may post anything."""
        return self.kinds_for(roles) is None or bool(self.kinds_for(roles))

    def kinds_for(self, roles: frozenset[str] | set[str]) -> frozenset[str] | None:
        """The kinds of units about which these roles may post it, in their key's subtree; None:
        about all."""
        if "administrator" in roles or "any" in self.posters or not roles.isdisjoint(self.posters):
            return None
        return frozenset(kind for role in roles for kind in self.posters_of_kind.get(role, ()))

    def posters_in_words(self) -> list[str]:
        """Who may post it, as people read it."""
        return [
            *self.posters,
            *(
                f"{role} ({', '.join(kinds)} of its own only)"
                for role, kinds in self.posters_of_kind.items()
            ),
        ]

    def figure_keys(self) -> frozenset[str]:
        """The kinds of subjects whose figures are summed: events add; of a reporter, else of the
        thing that the first key names (a team, a squad, a market), the latest figure counts."""
        if self.figures == "none":
            return frozenset()
        wanted = "event" if self.figures == "add" else "report"
        if wanted in self.key_kinds():
            return frozenset({wanted})
        if self.figures == "add":
            return frozenset()
        return frozenset(alternative.kind for alternative in self.count_keys[0])

    def key_kinds(self) -> frozenset[str]:
        """Every kind of subject that an event of this type can serve."""
        return frozenset(alt.kind for alternatives in self.count_keys for alt in alternatives)


class Vocabulary(msgspec.Struct, frozen=True):
    """The shared word lists beside the types."""

    roles: dict[str, dict[str, str]]
    key_kinds: dict[str, dict[str, str]]
    enums: dict[str, dict[str, str]]
    implied: dict[str, tuple[str, ...]]
    own: dict[str, frozenset[str]] = {}
    """By list, the values that the instance has added."""

    def groups_that_are(self, group: str) -> frozenset[str]:
        """The target groups whose members are in `group`: itself and all that imply it."""
        found = {group}
        while True:
            more = {g for g, implied in self.implied.items() if not found.isdisjoint(implied)}
            if more <= found:
                return frozenset(found)
            found |= more
