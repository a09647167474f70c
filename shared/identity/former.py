"""How earlier versions spelt a number: references that are stored were made of these. Pure.

Computed from the one number at hand; nothing is enumerated.
"""

import re
import unicodedata
from collections.abc import Callable

from shared.identity import tables

_SEPARATORS = re.compile(r"[\s.\-_\u200b-\u200d\u2060\ufeff]+")
_OLD_MOBILE = {new: old for old, new in tables.MOBILE_SINCE_2018.items()}
_OLD_LANDLINE = {new: old for old, new in tables.LANDLINE_SINCE_2017.items()}


def former(scheme: str, text: str, value: str) -> tuple[str, ...]:
    """How earlier versions spelt what is now `value`, posted as `text`, where they did otherwise."""
    found = [] if text == value else [first(scheme, text)]
    if scheme == "phone":
        digits = value.removeprefix("+84")
        found += [
            f"+84{table[digits[:length]]}{digits[length:]}"
            for length in (2, 3)
            for table in (_OLD_MOBILE, _OLD_LANDLINE)
            if digits[:length] in table
        ]
    return tuple(dict.fromkeys(old for old in found if old and old != value))


def first(scheme: str, text: str) -> str | None:
    """The spelling of version 1; None for what it refused. Never changed: logs hold it."""
    return _FIRST.get(scheme, _exact)(text)


def _digits(text: str) -> str | None:
    bare = _SEPARATORS.sub("", unicodedata.normalize("NFKC", text))
    return bare if bare.isascii() and bare.isdigit() else None


def _of_length(*lengths: int) -> Callable[[str], str | None]:
    def spelt(text: str) -> str | None:
        bare = _digits(text)
        return bare if bare is not None and len(bare) in lengths else None

    return spelt


def _phone(text: str) -> str | None:
    bare = _SEPARATORS.sub("", unicodedata.normalize("NFKC", text)).replace("(", "")
    found = re.fullmatch(r"(?:\+?84|0)([1-9][0-9]{8,9})", bare.replace(")", ""))
    return f"+84{found[1]}" if found else None


def _folded(text: str) -> str | None:
    return " ".join(
        unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold()).split()
    )


def _exact(text: str) -> str | None:
    return unicodedata.normalize("NFC", text).strip()


_FIRST: dict[str, Callable[[str], str | None]] = {
    "cccd": _of_length(12),
    "cmnd": _of_length(9),
    "phone": _phone,
    "tax": _of_length(10, 12, 13),
    "imei": _of_length(14, 15, 16),
    **dict.fromkeys(("account", "vneid", "student", "staff", "household", "device"), _folded),
}
