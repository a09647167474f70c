"""What of a refused event may lie around: no person, and nothing that may hold one."""

import re
import uuid
from collections.abc import Mapping
from typing import Any

MASK = "***"
_WORD = re.compile(r"[a-z][a-z_.]{0,40}")
_UNIT_OR_DAY = re.compile(r"[0-9]{2,5}(?:@[0-9]{4})?|[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9:.+Z-]*)?")
_DIGITS = re.compile(r"\+?[0-9](?:[ .\-]?[0-9]){8,}")
_ENVELOPE = ("specversion", "id", "source", "type", "subject", "time", "dataschema")
_IDENTITY = frozenset({"value"})
_LARGEST = 10_000_000


def hide_numbers(text: str) -> str:
    """A text whose runs of nine digits and more are masked; a UUID stays."""
    try:
        uuid.UUID(text)
    except ValueError:
        return _DIGITS.sub(MASK, text)
    return text


def masked(event: Mapping[str, Any]) -> dict[str, Any]:
    """The envelope as it is and the shape of the data: codes, days, small numbers, yes and no."""
    kept = {
        name: event[name] if name == "time" else hide_numbers(event[name])
        for name in _ENVELOPE
        if isinstance(event.get(name), str)
    }
    return {**kept, "data": _mask(event.get("data"))}


def _mask(value: Any, name: str = "") -> Any:
    if isinstance(value, Mapping):
        return {hide_numbers(str(key)): _mask(item, str(key)) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_mask(item, name) for item in value]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        return value if abs(value) < _LARGEST and name not in _IDENTITY else MASK
    text = str(value)
    plain = _WORD.fullmatch(text) or _UNIT_OR_DAY.fullmatch(text)
    return text if plain and name not in _IDENTITY else MASK
