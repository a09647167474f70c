"""Broken schema rules as problems: which rule says most, where, and what would mend it.

Made from the rule that was broken, never from the validator's message, since that repeats values;
so no value that a partner sent is ever echoed.
"""

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Any

from shared.contracts.model import EventType
from shared.identity.leaks import leaks
from shared.problems import Problem

Json = dict[str, Any]


def escape(name: str) -> str:
    """A member name as part of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


def explain(kind: EventType, version: str, errors: Iterable[Any], schema: Json) -> Problem:
    """The problem that says most of the broken rules of a type's version."""
    # The deepest error says most; of several, a missing or unknown field before a wrong value.
    ranked = sorted(errors, key=lambda e: _RANK.get(type(e.kind).__name__, 5))
    problem = _problem(kind, ranked[0], schema)
    more = len(ranked) - 1
    if more:
        problem.extra["more_errors"] = more
    problem.hint = f"{problem.hint} See GET /v1/schemas/{kind.type}/{version}."
    return problem


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
