"""Bytes to JSON values, strictly: whatever two parsers could read differently is refused.

The quick path is one msgspec decode and one encode; that nothing was lost between them is seen
from two counts (see `_has_duplicate_keys`). Only what fails is looked at closely, by `diagnose`.
"""

import json
import re
import threading
import unicodedata
from collections.abc import Iterator
from typing import Any

import msgspec
import rfc8785

from shared.problems import Problem

MAX_DEPTH = 64
MAX_INTEGER = 2**53 - 1

_INFINITE = (float("inf"), float("-inf"))
_BIG_INTEGER = re.compile(rb"[:,\[]-?[0-9]{16}")
_BEYOND_BMP = re.compile("[\U00010000-\U0010ffff]")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class _Floats(threading.local):
    """Notes that a document holds floats: those are rare and take the exact, slower path.

    1.0 and 1e3 are the whole numbers 1 and 1000: what is an integer to a schema is one to whoever
    reads what was stored. So 1e300 is a whole number, too, and too large to be kept exactly.
    """

    def __init__(self) -> None:
        self.seen = False
        self.out_of_range = False

    def __call__(self, literal: str) -> float | int:
        self.seen = True
        value = float(literal)
        if value in _INFINITE:
            self.out_of_range = True
            return value
        if not value.is_integer():
            return value
        if abs(value) <= MAX_INTEGER:
            return int(value)
        self.out_of_range = True
        return value


_floats = _Floats()
_decode = msgspec.json.Decoder(float_hook=_floats).decode
_encode = msgspec.json.Encoder(order="sorted").encode


def read(raw: bytes) -> tuple[Any, bytes, bool]:
    """A JSON document as (value with NFC strings, its sorted JSON, whether floats are in it).

    Raises Problem (400) with a code of its own for every way in which it is not strict JSON.
    """
    _floats.seen = _floats.out_of_range = False
    try:
        value = _decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise diagnose(raw, error) from None
    floats = _floats.seen
    text = _encode(value)
    if (
        _floats.out_of_range
        or raw.count(b"{") + raw.count(b"[") > MAX_DEPTH
        or b"\\u0000" in text
        or _BIG_INTEGER.search(text)
    ):
        for problem in _faults(value, "", 1):
            raise problem
    if _has_duplicate_keys(raw, text):
        raise _duplicate()
    if not text.isascii() and not unicodedata.is_normalized("NFC", text.decode()):
        value = _nfc(value)
        text = _encode(value)
    return value, text, floats


def canonical(value: Any, text: bytes, floats: bool) -> bytes:
    """RFC 8785 of a value whose sorted JSON is `text`.

    The two agree but for the form of floats, and the order of keys outside the basic plane.
    """
    if floats or (not text.isascii() and _BEYOND_BMP.search(text.decode())):
        return rfc8785.dumps(value)
    return text


def sorted_json(value: Any) -> bytes:
    """Sorted JSON, as `read` gives it."""
    return _encode(value)


def _has_duplicate_keys(raw: bytes, text: bytes) -> bool:
    """Whether decoding dropped a member: then `text` lacks at least its colon.

    Colons inside strings are in both. Only an escaped one (\\u003a) would add a colon.
    """
    if raw.count(b":") != text.count(b":") or b"\\u003" in raw:
        try:
            json.loads(raw, object_pairs_hook=_no_duplicates)
        except _Duplicate:
            return True
    return False


class _Duplicate(ValueError):
    pass


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Duplicate
    return found


def _nfc(value: Any) -> Any:
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, list):
        return [_nfc(item) for item in value]
    if isinstance(value, dict):
        found = {unicodedata.normalize("NFC", k): _nfc(v) for k, v in value.items()}
        if len(found) != len(value):
            raise _duplicate()
        return found
    return value


def _faults(value: Any, pointer: str, depth: int) -> Iterator[Problem]:
    """What is legal JSON and yet cannot be kept exactly."""
    if depth > MAX_DEPTH:
        yield _bad(
            "json-too-deep", f"The JSON nests deeper than {MAX_DEPTH} levels.", "Flatten it."
        )
    elif isinstance(value, str):
        if "\x00" in value:
            yield _bad("json-nul", "A string holds the character U+0000.", "Leave it out.", pointer)
    elif isinstance(value, float):
        if abs(value) > MAX_INTEGER and (value.is_integer() or value in _INFINITE):
            yield _number(pointer)
    elif isinstance(value, int):
        if abs(value) > MAX_INTEGER:
            yield _number(pointer)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _faults(item, f"{pointer}/{index}", depth + 1)
    elif isinstance(value, dict):
        for name, item in value.items():
            if "\x00" in name:
                yield _bad("json-nul", "A name holds the character U+0000.", "Leave it out.")
            yield from _faults(item, f"{pointer}/{name}", depth + 1)


def _bad(code: str, detail: str, hint: str, pointer: str | None = None) -> Problem:
    return Problem(code, detail, status=400, hint=hint, pointer=pointer)


def _number(pointer: str | None = None) -> Problem:
    return _bad(
        "json-number-out-of-range",
        "A number is too large to be kept exactly (whole numbers up to 2^53 - 1).",
        "Send long numbers as strings.",
        pointer,
    )


def _duplicate() -> Problem:
    return _bad(
        "json-duplicate-key",
        "An object names the same member twice.",
        "Send each member once; readers disagree on which one holds.",
    )


def diagnose(raw: bytes, error: Exception) -> Problem:
    """Why these bytes are not strict JSON. The detail never repeats any of them."""
    if not raw.strip():
        return _bad("body-empty", "There is no JSON here.", "Send one JSON object.")
    if raw[:3] == b"\xef\xbb\xbf":
        return _bad(
            "json-bom", "The JSON starts with a byte order mark.", "Send UTF-8 without BOM."
        )
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in raw[:4]:
        return _bad("json-utf16", "The JSON is UTF-16 or UTF-32.", "Send UTF-8 without BOM.")
    try:
        text = raw.decode()
    except UnicodeDecodeError as wrong:
        return _bad(
            "json-invalid-utf8",
            f"Byte {wrong.start} is not valid UTF-8.",
            "Send UTF-8 without BOM.",
        )
    if isinstance(error, RecursionError):
        return _bad(
            "json-too-deep", f"The JSON nests deeper than {MAX_DEPTH} levels.", "Flatten it."
        )
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except _Constant:
        return _bad(
            "json-nan",
            "NaN and Infinity are not JSON.",
            "Leave the member out when there is no number.",
        )
    except json.JSONDecodeError as wrong:
        return _bad(
            "json-invalid",
            f"Line {wrong.lineno}, column {wrong.colno} (byte"
            f" {len(text[: wrong.pos].encode())}): {wrong.msg}.",
            "Check it with any JSON tool.",
        )
    except RecursionError:
        return _bad(
            "json-too-deep", f"The JSON nests deeper than {MAX_DEPTH} levels.", "Flatten it."
        )
    except ValueError:
        return _number()
    deep = next(_faults(value, "", 1), None)
    if deep is not None and deep.code == "json-too-deep":
        return deep  # first, since what follows descends to the bottom
    if _has_surrogate(value):
        return _bad(
            "json-lone-surrogate",
            "A string holds half of a surrogate pair, which is no character.",
            "Escape characters beyond U+FFFF as a pair, or send them as UTF-8.",
        )
    if deep is not None:
        return deep
    return _bad("json-invalid", "This is not strict JSON.", "Check it with any JSON tool.")


class _Constant(ValueError):
    pass


def _refuse_constant(_: str) -> None:
    raise _Constant


def _has_surrogate(value: Any) -> bool:
    if isinstance(value, str):
        return _LONE_SURROGATE.search(value) is not None
    if isinstance(value, list):
        return any(_has_surrogate(item) for item in value)
    if isinstance(value, dict):
        return any(_has_surrogate(k) or _has_surrogate(v) for k, v in value.items())
    return False
