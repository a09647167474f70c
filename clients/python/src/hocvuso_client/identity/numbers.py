# A copy of shared/identity, made by `make generate`; do not edit.
"""Numbers of persons: which are possible, their one spelling, and how they were spelt before. Pure.

`normal` gives the text that stands for a person, whoever wrote it and however. Its VERSION is part
of what the log knows of an event: a later version may spell a person otherwise, and `former.py`
says how the versions before did, so that what is stored stays the same person's.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from hocvuso_client.identity import tables
from hocvuso_client.identity.text import plain, visible

VERSION = 2
"""1: digits as they were written; 2: the conversions of 2017 and 2018, nothing impossible."""

_SEPARATORS = re.compile(r"[\s.\-_]+")
_BRACKETS = re.compile(r"[\s.\-_()\[\]/]+")
_PHONE = re.compile(r"(?:(?:\+|00)?840?|0)([1-9][0-9]{8,9})")
_KNOWN = frozenset().union(*(codes for _, codes in tables.BIRTHPLACES))
_RUN = "01234567890123456789012"
_PLACEHOLDERS = frozenset(
    [digit * 12 for digit in "0123456789"]
    + [_RUN[start : start + 12] for start in range(10)]
    + [_RUN[start : start + 12][::-1] for start in range(10)]
)


class Impossible(ValueError):
    """No such number is given to anybody. `rule`: the name of the rule; the text never repeats it."""

    def __init__(self, rule: str, why: str, fix: str) -> None:
        super().__init__(f"{why} {fix}")
        self.rule, self.why, self.fix = rule, why, fix


@dataclass(frozen=True, slots=True)
class Normal:
    """The one spelling of a value; `doubts`: what looks wrong in it and yet may be right."""

    value: str
    doubts: tuple[str, ...] = ()


def identity_number(text: str, this_year: int) -> Normal:
    """A citizen identity number (CCCD): 12 digits. Raises Impossible."""
    digits = _digits(text)
    if digits is None or len(digits) != 12:
        raise Impossible(
            "digits",
            "An identity number (CCCD) has 12 digits.",
            "Leading zeros belong to it.",
        )
    if digits in _PLACEHOLDERS:
        raise Impossible(
            "placeholder",
            "The value is a placeholder, not a person's identity number.",
            "Leave the person out, or give the number of the card.",
        )
    if digits[:3] in tables.IMPOSSIBLE_BIRTHPLACES:
        raise Impossible(
            "birthplace",
            "No identity number begins with these three digits: they name where the birth was registered.",
            "Copy the number from the card.",
        )
    if tables.CENTURIES[int(digits[3])] + int(digits[4:6]) > this_year:
        raise Impossible(
            "birth-in-future",
            "The fourth to sixth digits of an identity number are sex, century and year of birth;"
            " this year has not begun.",
            "Copy the number from the card.",
        )
    if digits[:3] not in _KNOWN:
        return Normal(
            digits,
            (
                "the first three digits are of no province or country of birth registration known"
                " here; was it meant?",
            ),
        )
    return Normal(digits)


def phone(text: str) -> Normal:
    """A Vietnamese phone number as +84 and nine (mobile) or ten digits. Raises Impossible.

    Old prefixes of mobile networks and old area codes become those of today.
    """
    found = _PHONE.fullmatch(_BRACKETS.sub("", plain(text)))
    if found is None:
        raise Impossible(
            "digits",
            "A Vietnamese phone number is 0 or +84, then 9 digits (mobile) or 10 (landline, 02...).",
            "Write it like 09xx xxx xxx or +84 9xx xxx xxx, with all digits.",
        )
    digits = found[1]
    today = _of_today(digits)
    if today is None:
        raise Impossible(
            "length",
            "The phone number has too many or too few digits for its prefix.",
            "Mobile numbers have 10 digits with the leading 0 (01xx became 03, 05, 07, 08 in 2018),"
            " landlines 11 (02...).",
        )
    doubts = []
    if len(today) == 9 and today[:2] not in tables.MOBILE:
        doubts.append("the prefix is of no mobile network known here; was it meant?")
    elif len(today) == 10 and today[:2] not in ("24", "28") and today[:3] not in tables.AREAS:
        doubts.append("the area code is of no province known here; was it meant?")
    if len(set(today[2:])) == 1:
        doubts.append("the digits are all the same; was it meant?")
    return Normal(f"+84{today}", tuple(doubts))


def _of_today(digits: str) -> str | None:
    """The national digits (without 0) as they are dialled today; None for a wrong length."""
    if len(digits) == 10:
        if digits[:3] in tables.MOBILE_SINCE_2018:
            return tables.MOBILE_SINCE_2018[digits[:3]] + digits[3:]
        if digits[:3] in tables.LANDLINE_SINCE_2017:
            return tables.LANDLINE_SINCE_2017[digits[:3]] + digits[3:]
        return digits if digits[0] == "2" else None
    for length in (1, 2):
        area = tables.LANDLINE_SINCE_2017.get(digits[:length])
        if area is not None:
            return area + digits[length:]
    return digits if digits[0] in "35789" else None


def account(text: str) -> Normal:
    """A name of an account, a student's or staff number: without case and needless spaces."""
    folded = visible(visible(text).casefold())
    if not folded:
        raise Impossible("blank", "The value is blank.", "Give a text.")
    return Normal(folded)


def _of_length(*lengths: int) -> Callable[[str], Normal]:
    shown = ", ".join(map(str, lengths))

    def normal(text: str) -> Normal:
        digits = _digits(text)
        if digits is None or len(digits) not in lengths:
            raise Impossible(
                "digits",
                f"The value has {shown} digits in this scheme.",
                "Leading zeros belong to it.",
            )
        return Normal(digits)

    return normal


_OTHERS: dict[str, Callable[[str], Normal]] = {
    "cmnd": _of_length(9),
    "phone": phone,
    "tax": _of_length(10, 12, 13),
    "imei": _of_length(14, 15, 16),
    **dict.fromkeys(("account", "vneid", "student", "staff", "household", "device"), account),
}
EXACT = frozenset({"unit", "code", "learner"})
"""Schemes whose values are kept letter by letter."""

SCHEMES = frozenset({"cccd", *_OTHERS, *EXACT})
"""Every scheme whose values can become references."""


def normal(scheme: str, text: str, this_year: int) -> Normal:
    """The one spelling of a value of a scheme. Raises Impossible."""
    if scheme == "cccd":
        return identity_number(text, this_year)
    if scheme in _OTHERS:
        return _OTHERS[scheme](text)
    exact = unicodedata.normalize("NFC", text).strip()
    if not exact:
        raise Impossible("blank", "The value is blank.", "Give a text.")
    return Normal(exact)


def _digits(text: str) -> str | None:
    """The ASCII digits of `text` without separators; None when anything else is in it."""
    if text.isascii() and text.isdigit():
        return text
    bare = _SEPARATORS.sub("", plain(text))
    return bare if bare.isascii() and bare.isdigit() else None
