"""Two made-up persons' numbers in many spellings, and a naive finder of them in any text.

The finder shares no code with the search for leaks: it undoes encodings and then looks at digits
alone, so that a spelling that the search has missed is found whatever stands between its digits.
"""

import html
import re
import unicodedata
from urllib.parse import unquote

from tests.identity.leaks_cases import HOLDS

CCCD, PHONE = "066099001234", "0912345678"
NUMBERS = (CCCD[1:], PHONE[1:], "101099001234", "1681234567", "24382512", "2623812345")


def digits(text: str) -> str:
    """The digits of a text in their order, whatever their script, encoding or separators."""
    for _ in range(4):
        text = html.unescape(unquote(text))
    text = re.sub(r"\\+u\{?([0-9a-fA-F]{4})\}?", lambda m: chr(int(m[1], 16)), text)
    text = re.sub(r"\\+x([0-9a-fA-F]{2})", lambda m: chr(int(m[1], 16)), text)
    found = (unicodedata.digit(c, None) for c in unicodedata.normalize("NFKC", text))
    return "".join(str(digit) for digit in found if digit is not None)


def canaries_in(text: str) -> set[str]:
    """Which of the numbers stand in a text."""
    bare = digits(text)
    return {number for number in NUMBERS if number in bare}


SPELLINGS = {name: text for name, text in HOLDS.items() if canaries_in(text)}
"""Every spelling whose digits are one of the numbers."""

FEW = {
    name: SPELLINGS[name]
    for name in (
        "plain", "groups of three", "en dashes", "lines", "percent-encoded", "full-width",
        "HTML entities", "mobile", "mobile, +84-(0)-", "mobile, 0084", "mobile of before 2018",
        "the chip card's first line", "word joiners", "landline",
    )
}  # fmt: skip
