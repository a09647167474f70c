"""The data of an event against its type: schema, newest version, pseudonyms, plausibility.

No value that a partner sent is ever echoed: refusals name the rule (`broken_rules.py`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import jsonschema_rs
import msgspec

from services.activities.ingest.broken_rules import explain
from services.activities.log.plans import problem as refused_definition
from services.activities.privacy import Noticed, Pseudonyms
from shared.contracts.definitions import Catalogue
from shared.contracts.model import EventType, FieldSpec, Identity
from shared.contracts.upcast import upcast
from shared.domain.definitions import PUBLISHED, Definitions
from shared.domain.judging import DefinitionRefused, check_document
from shared.identity.leaks import may_leak
from shared.in_clear import refuse_in_clear
from shared.problems import Problem

_encode = msgspec.json.Encoder().encode
Json = dict[str, Any]


class Validator:
    """Checks and rewrites data; compiled once, and again what the instance has added to."""

    def __init__(self, catalogue: Catalogue, pseudonyms: Pseudonyms) -> None:
        self._catalogue = catalogue
        self._pseudonyms = pseudonyms
        self._made_of = catalogue.now
        self._schemas: dict[tuple[str, str], Any] = {}
        self._learn(catalogue.now)
        for name, kind in catalogue.items():
            for version in kind.versions:
                self._schema(name, version)

    def _learn(self, catalogue: Catalogue) -> None:
        """Take another catalogue: schemas of types that it says as before stay compiled."""
        before, self._made_of = self._made_of, catalogue
        self._definitions = Definitions(catalogue)
        self._schemas = {
            (name, version): schema
            for (name, version), schema in self._schemas.items()
            if before[name] is catalogue[name]
        }
        self._identities = {i.name: i for kind in catalogue.values() for i in kind.identities}
        self._plausible = {
            name: [spec for spec in kind.fields.values() if spec.warn]
            for name, kind in catalogue.items()
        }
        self._periods = {
            name: Period.of(kind) for name, kind in catalogue.items() if "to" in kind.fields
        }

    def _schema(self, name: str, version: str) -> Any:
        """The compiled schema of a version, made when it is first asked for."""
        found = self._schemas.get((name, version))
        if found is None:
            schema = self._made_of.data_schema(name, version)
            found = jsonschema_rs.validator_for(schema, validate_formats=True)
            self._schemas[name, version] = found
        return found

    def stored(
        self, kind: EventType, version: str, data: Json, noticed: Noticed
    ) -> tuple[Json, Problem | None]:
        """The data as the log keeps it: valid, newest version, pseudonymised; and why it is refused
        unless the log holds it already: it fulfils an older version only.

        `noticed` learns what only this step sees of persons. Raises Problem at the first fault, with a pointer into the event as posted.
        """
        if self._made_of is not self._catalogue.now:
            self._learn(self._catalogue.now)
        outdated = None
        if not self._schema(kind.type, version).is_valid(data):
            outdated = self._broken(kind, version, data)
            older = kind.versions[: kind.versions.index(version)]
            fulfilled = [v for v in older if self._schema(kind.type, v).is_valid(data)]
            if not fulfilled:
                raise outdated
            version = fulfilled[-1]
        if version != kind.latest:
            data = upcast(self._made_of, kind.type, version, data)
            if outdated is None and not self._schema(kind.type, kind.latest).is_valid(data):
                outdated = self._broken(kind, kind.latest, data)
        if kind.identities:
            data = self._pseudonymised(kind.identities, data, noticed)
        if kind.type == "event.corrected":
            data = self._corrected(data, "/data", noticed)
        if may_leak(_encode(data).decode()):
            refuse_in_clear(data, "/data", numbers=True)
        if kind.type == PUBLISHED:
            try:
                check_document(data, self._definitions)
            except DefinitionRefused as refused:
                raise refused_definition(refused, "/data") from None
        return data, outdated

    def _broken(self, kind: EventType, version: str, data: Json) -> Problem:
        """Why the data is not of this version."""
        errors = self._schema(kind.type, version).iter_errors(data)
        return explain(kind, version, errors, self._made_of.data_schema(kind.type, version))

    def warnings(self, kind: EventType, data: Json, day: str) -> tuple[str, ...]:
        """What looks wrong in stored data and yet is taken; names fields, repeats no value.
        `day`: the Vietnamese day of `time`."""
        found: list[str] = []
        period = self._periods.get(kind.type)
        if period is not None and "to" in data:
            found += period.warnings(data, data.get(kind.day or "", day))
        if kind.day is not None and data.get(kind.day, day) != day:
            found.append(
                f"/data/{kind.day} is not the Vietnamese day of time; it counts on {kind.day}"
            )
        for spec in self._plausible[kind.type]:
            value = data.get(spec.name)
            if isinstance(value, int) and not isinstance(value, bool):
                found += _implausible(spec, value)
        return tuple(found)

    def _pseudonymised(self, identities: Iterable[Identity], data: Json, noticed: Noticed) -> Json:
        kept = dict(data)
        for identity in identities:
            posted = kept.pop(identity.name, None)
            if posted is not None:
                where = f"/data/{identity.name}"
                kept[identity.stored] = self._pseudonyms.stored(identity, posted, where, noticed)
        return kept

    def _corrected(self, data: Json, at: str, noticed: Noticed) -> Json:
        """A correction's merge patch speaks of stored data: references become pseudonyms in it.

        The correction of a correction patches a patch, at any depth.
        """
        changes = data.get("changes")
        patch = changes.get("data") if isinstance(changes, dict) else None
        if not isinstance(patch, dict):
            return data
        at += "/changes/data"
        changed = self._corrected(dict(patch), at, noticed)
        for name, identity in self._identities.items():
            if identity.stored in changed:
                raise Problem(
                    "field-unknown",
                    "Stored references cannot be named.",
                    pointer=at,
                    hint=f"Correct {name} by giving it whole, with scheme and value.",
                )
            if name not in changed:
                continue
            posted = changed.pop(name)
            if posted is None:
                changed[identity.stored] = None
                continue
            if (
                not isinstance(posted, dict)
                or posted.keys() != {"scheme", "value"}
                or not all(isinstance(v, str) for v in posted.values())
            ):
                raise Problem(
                    "reference-malformed",
                    "A corrected reference must be given whole.",
                    pointer=f"{at}/{name}",
                    hint='Write {"scheme": ..., "value": ...}.',
                )
            changed[identity.stored] = self._pseudonyms.stored(
                identity, posted, f"{at}/{name}", noticed
            )
        return {**data, "changes": {**data["changes"], "data": changed}}


@dataclass(frozen=True)
class Period:
    """Which days an event with `to` speaks of: from the field `start`, else from the event's own
    day where it says how long something lasts."""

    start: str | None
    lasts: bool

    @classmethod
    def of(cls, kind: EventType) -> "Period":
        """As the type declares it."""
        start = kind.state.start if kind.state is not None else "from"
        return cls(start, kind.state is not None)

    def warnings(self, data: Json, day: str) -> list[str]:
        """Told when no day is left; days are written alike, so that text compares as they do."""
        if self.start is not None and self.start in data:
            first, what = data[self.start], f"/data/{self.start}"
        elif self.lasts:
            first, what = day, "the day of time"
        else:
            return []
        return [f"/data/to is before {what}; was it meant?"] if data["to"] < first else []


def _implausible(spec: FieldSpec, value: int) -> list[str]:
    low, high = spec.warn.get("minimum"), spec.warn.get("maximum")
    if low is not None and value < low:
        return [f"/data/{spec.name} is unusually small (below {low}); was it meant?"]
    if high is not None and value > high:
        return [f"/data/{spec.name} is unusually large (above {high}); was it meant?"]
    return []
