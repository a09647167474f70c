"""The data of an event against its type: schema, newest version, pseudonyms, plausibility.

Refusals are made from the rule that was broken, never from the validator's message, since that
repeats values; so no value that a partner sent is ever echoed.
"""

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Any

import jsonschema_rs
import msgspec

from services.activities.ingest.leaks import leaks, may_leak
from services.activities.ingest.problems import in_clear
from services.activities.privacy import Pseudonyms
from shared.contracts.definitions import Catalogue
from shared.contracts.model import EventType, FieldSpec, Identity
from shared.contracts.plan_document import why_refused
from shared.contracts.upcast import upcast
from shared.problems import Problem

_encode = msgspec.json.Encoder().encode
Json = dict[str, Any]


class Validator:
    """Checks and rewrites data; compiled once from the catalogue."""

    def __init__(self, catalogue: Catalogue, pseudonyms: Pseudonyms) -> None:
        self._catalogue = catalogue
        self._pseudonyms = pseudonyms
        self._schemas: dict[tuple[str, str], Any] = {}
        for name, kind in catalogue.items():
            for version in kind.versions:
                schema = catalogue.data_schema(name, version)
                self._schemas[name, version] = jsonschema_rs.validator_for(
                    schema, validate_formats=True
                )
        self._identities = {i.name: i for kind in catalogue.values() for i in kind.identities}
        self._plausible = {
            name: [spec for spec in kind.fields.values() if spec.warn or spec.same_day]
            for name, kind in catalogue.items()
        }

    def stored(self, kind: EventType, version: str, data: Json) -> Json:
        """The data as the log keeps it: valid, newest version, pseudonymised.

        Raises Problem at the first fault, with a pointer into the event as posted.
        """
        schema = self._schemas[kind.type, version]
        if not schema.is_valid(data):
            raise self._explain(kind, version, schema.iter_errors(data))
        if kind.type == "plan.published":
            _check_document(data)
        if version != kind.latest:
            data = upcast(self._catalogue, kind.type, version, data)
        if kind.identities:
            data = self._pseudonymised(kind.identities, data, "/data")
        if kind.type == "event.corrected":
            data = self._corrected(data)
        if may_leak(_encode(data).decode()):
            _refuse_leaks(data, "/data")
        return data

    def warnings(self, kind: EventType, data: Json, day: str) -> tuple[str, ...]:
        """What looks wrong in stored data and yet is taken; names fields, repeats no value."""
        specs = self._plausible[kind.type]
        if not specs:
            return ()
        found = []
        for spec in specs:
            value = data.get(spec.name)
            if value is None:
                continue
            if spec.same_day and value != day:
                found.append(
                    f"/data/{spec.name} is not the Vietnamese day of time; it is time that counts"
                )
            elif spec.warn and isinstance(value, int) and not isinstance(value, bool):
                found += _implausible(spec, value)
        return tuple(found)

    def _pseudonymised(self, identities: Iterable[Identity], data: Json, pointer: str) -> Json:
        kept = dict(data)
        for identity in identities:
            posted = kept.pop(identity.name, None)
            if posted is not None:
                where = f"{pointer}/{identity.name}"
                kept[identity.stored] = self._pseudonyms.stored(identity, posted, where)
        return kept

    def _corrected(self, data: Json) -> Json:
        """A correction's merge patch speaks of stored data: references become pseudonyms in it."""
        patch = data["changes"].get("data")
        if not isinstance(patch, dict):
            return data
        changed = dict(patch)
        for name, identity in self._identities.items():
            if identity.stored in changed:
                raise Problem(
                    "field-unknown",
                    "Stored references cannot be named.",
                    pointer="/data/changes/data",
                    hint=f"Correct {name} by giving it whole, with scheme and value.",
                )
            if name not in changed:
                continue
            posted = changed.pop(name)
            where = f"/data/changes/data/{name}"
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
                    pointer=where,
                    hint='Write {"scheme": ..., "value": ...}.',
                )
            changed[identity.stored] = self._pseudonyms.stored(identity, posted, where)
        return {**data, "changes": {**data["changes"], "data": changed}}

    def _explain(self, kind: EventType, version: str, errors: Iterable[Any]) -> Problem:
        # The deepest error says most; of several, a missing or unknown field before a wrong value.
        ranked = sorted(errors, key=lambda e: _RANK.get(type(e.kind).__name__, 5))
        problem = _problem(kind, ranked[0], self._catalogue.data_schema(kind.type, version))
        more = len(ranked) - 1
        if more:
            problem.extra["more_errors"] = more
        problem.hint = f"{problem.hint} See GET /v1/schemas/{kind.type}/{version}."
        return problem


def _check_document(data: Json) -> None:
    """A plan that is none would be in nobody's table: its poster learns that at once."""
    refused = why_refused(data["plan"], data["document"])
    if refused is not None:
        raise Problem(
            "plan-document-invalid",
            refused.detail,
            pointer=f"/data/document{refused.pointer}",
            hint=f"{refused.hint} `hocvuso plans validate` checks a whole plan, with its lines.",
        )


def _implausible(spec: FieldSpec, value: int) -> list[str]:
    low, high = spec.warn.get("minimum"), spec.warn.get("maximum")
    if low is not None and value < low:
        return [f"/data/{spec.name} is unusually small (below {low}); was it meant?"]
    if high is not None and value > high:
        return [f"/data/{spec.name} is unusually large (above {high}); was it meant?"]
    return []


def _refuse_leaks(value: Any, pointer: str) -> None:
    if isinstance(value, str):
        if leaks(value):
            raise in_clear(pointer)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _refuse_leaks(item, f"{pointer}/{index}")
    elif isinstance(value, dict):
        for name, item in value.items():
            if leaks(name):
                raise in_clear(pointer, "The name of a member")
            _refuse_leaks(item, f"{pointer}/{escape(name)}")


def escape(name: str) -> str:
    """A member name as part of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


_RANK = {"AdditionalProperties": 0, "Required": 1, "Type": 2, "Enum": 3, "AnyOf": 6}
_TYPES = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
}


def _problem(kind: EventType, error: Any, schema: Json) -> Problem:
    """One broken rule as a problem."""
    pointer = "/data" + "".join(f"/{escape(str(part))}" for part in error.instance_path)
    name = type(error.kind).__name__
    make = _RULES.get(name)
    if make is None:
        rule = str(error.schema_path[-1]) if error.schema_path else "schema"
        return Problem(
            "data-invalid", f"The rule {rule} does not hold.", pointer=pointer, hint="Mend it."
        )
    return make(kind, error, pointer, schema)


def _unknown_field(kind: EventType, error: Any, pointer: str, schema: Json) -> Problem:
    name = str(error.kind.unexpected[0])
    node = schema["properties"] if not error.instance_path else {}
    near = get_close_matches(name, node, 1, 0.6)
    meant = f"Did you mean {near[0]}?" if near else "Leave it out."
    if len(name) > 64 or leaks(name):
        return Problem(
            "field-unknown", f"{kind.type} has no such field.", pointer=pointer, hint=meant
        )
    return Problem(
        "field-unknown",
        f"{kind.type} has no such field.",
        pointer=f"{pointer}/{escape(name)}",
        hint=meant,
    )


def _missing_field(kind: EventType, error: Any, pointer: str, _: Json) -> Problem:
    name = error.kind.property
    return Problem(
        "field-missing",
        f"{kind.type} needs the field {name}.",
        pointer=f"{pointer}/{escape(name)}",
        hint=f"Add {name}.",
    )


def _any_of(kind: EventType, _: Any, pointer: str, schema: Json) -> Problem:
    names = sorted({name for choice in schema.get("anyOf", []) for name in choice["required"]})
    return Problem(
        "field-missing",
        f"{kind.type} needs at least one of: {', '.join(names)}.",
        pointer=pointer,
        hint="Add one of them.",
    )


def _enum(_: EventType, error: Any, pointer: str, __: Json) -> Problem:
    options = [str(option) for option in error.kind.options]
    near = []
    if isinstance(error.instance, str):
        near = get_close_matches(error.instance, options, 1, 0.6)
    meant = f"Did you mean {near[0]}? " if near else ""
    return Problem(
        "value-not-allowed",
        "The value is not in the list of this field.",
        pointer=pointer,
        hint=f"{meant}Allowed: {', '.join(options)}.",
        extra={"allowed": options},
    )


def _type(_: EventType, error: Any, pointer: str, __: Json) -> Problem:
    wanted = " or ".join(_TYPES.get(str(t), str(t)) for t in error.kind.types)
    return Problem(
        "value-of-wrong-type",
        f"The value must be {wanted}.",
        pointer=pointer,
        hint='Codes are texts ("00123"), counts are numbers (25).',
    )


def _limit(code: str, words: str) -> Callable[[EventType, Any, str, Json], Problem]:
    def make(_: EventType, error: Any, pointer: str, __: Json) -> Problem:
        limit = getattr(error.kind, "limit", None)
        rule = words if limit is None else f"{words} {limit}"
        return Problem(code, f"The value {rule}.", pointer=pointer, hint="Mend the value.")

    return make


def _pattern(_: EventType, error: Any, pointer: str, __: Json) -> Problem:
    return Problem(
        "value-malformed",
        f"The value does not have the form {error.kind.pattern}",
        pointer=pointer,
        hint="Mend the value.",
    )


def _format(_: EventType, error: Any, pointer: str, __: Json) -> Problem:
    return Problem(
        "value-malformed", f"The value is not a {error.kind.format}.", pointer=pointer,
        hint="Dates are written 2026-06-30, times 2026-06-30T09:12:00+07:00.",
    )  # fmt: skip


_RULES: dict[str, Callable[[EventType, Any, str, Json], Problem]] = {
    "AdditionalProperties": _unknown_field,
    "Required": _missing_field,
    "AnyOf": _any_of,
    "Enum": _enum,
    "Type": _type,
    "Minimum": _limit("value-out-of-range", "must be at least"),
    "ExclusiveMinimum": _limit("value-out-of-range", "must be more than"),
    "Maximum": _limit("value-out-of-range", "must be at most"),
    "MinLength": _limit("value-too-short", "must have a length of at least"),
    "MaxLength": _limit("value-too-long", "must have a length of at most"),
    "MinItems": _limit("value-too-short", "must have at least this many entries:"),
    "MaxItems": _limit("value-too-long", "must have at most this many entries:"),
    "MinProperties": _limit("value-too-short", "must have at least this many members:"),
    "UniqueItems": _limit("value-repeated", "names the same entry twice"),
    "Pattern": _pattern,
    "Format": _format,
}
