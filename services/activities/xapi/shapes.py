"""The small parts that the data rules are made of: types of values and shapes of objects. Pure.

Every function takes a value and where it stands (RFC 6901) and raises Problem `statement-invalid`.
"""

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from services.activities.ingest.broken_rules import escape
from services.activities.xapi import formats
from services.activities.xapi.problems import broken
from shared.identity.leaks import leaks

Check = Callable[[Any, str], None]
_SHOWN = 64


def shape(value: Any, at: str, allowed: Mapping[str, Check], required: Sequence[str] = ()) -> None:
    """An object with these members and no others (section 2.2)."""
    if not isinstance(value, dict):
        raise broken(at, "This must be an object.")
    for name in value:
        if name not in allowed:
            raise _unknown(name, at, allowed)
    for name in required:
        if name not in value:
            raise broken(f"{at}/{name}", f"{name} is required.")
    for name, item in value.items():
        allowed[name](item, f"{at}/{escape(name)}")


def _unknown(name: str, at: str, allowed: Mapping[str, Check]) -> Exception:
    near = get_close_matches(name, allowed, 1, 0.6)
    hint = f"Did you mean {near[0]}?" if near else f"Allowed: {', '.join(allowed)}."
    where = at if len(name) > _SHOWN or leaks(name) else f"{at}/{escape(name)}"
    return broken(where, "There is no such property here (section 2.2).", hint)


def text(value: Any, at: str) -> None:
    """A text that is not empty."""
    if not isinstance(value, str) or not value:
        raise broken(at, "This must be a text that is not empty.")


def wire_text(value: Any, at: str) -> None:
    """A text, which may be empty."""
    if not isinstance(value, str):
        raise broken(at, "This must be a text.")


def boolean(value: Any, at: str) -> None:
    """true or false, never as a text."""
    if not isinstance(value, bool):
        raise broken(at, "This must be true or false.")


def number(value: Any, at: str) -> None:
    """A number, never as a text."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise broken(at, "This must be a number.")


def whole_number(value: Any, at: str) -> None:
    """A whole number that is not negative."""
    number(value, at)
    if value != int(value) or value < 0:
        raise broken(at, "This must be a whole number that is not negative.")


def iri(value: Any, at: str) -> None:
    """An absolute IRI (section 4.3)."""
    if not isinstance(value, str) or not formats.is_iri(value):
        raise broken(at, "This must be an IRI with a scheme (sections 2.2 and 4.3).")


def uuid(value: Any, at: str) -> None:
    """A UUID (section 4.4)."""
    if not isinstance(value, str) or not formats.is_uuid(value):
        raise broken(at, "This must be a UUID in its standard form (section 4.4).")


def language(value: Any, at: str) -> None:
    """A language tag (RFC 5646)."""
    if not isinstance(value, str) or not formats.is_language(value):
        raise broken(at, "This must be a language tag of RFC 5646, like vi or en-US.")


def language_map(value: Any, at: str) -> None:
    """Texts by language tag (section 4.2)."""
    if not isinstance(value, dict):
        raise broken(at, "This must be an object of texts by language (section 4.2).")
    for tag, item in value.items():
        if not formats.is_language(tag):
            raise broken(at, "A key of a language map is a language tag of RFC 5646.")
        wire_text(item, f"{at}/{tag}")


def extensions(value: Any, at: str) -> None:
    """Any values by IRI (section 4.1)."""
    if not isinstance(value, dict):
        raise broken(at, "This must be an object (section 4.1).")
    for name in value:
        if not formats.is_iri(name):
            raise broken(at, "A key of extensions is an IRI (section 4.1).")


def list_of(check: Check) -> Check:
    """A list whose every entry passes `check`."""

    def of(value: Any, at: str) -> None:
        if not isinstance(value, list):
            raise broken(at, "This must be a list.")
        for index, item in enumerate(value):
            check(item, f"{at}/{index}")

    return of
