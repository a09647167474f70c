"""Finds identity and phone numbers and e-mail addresses where none may be: ids, URLs, free text.

Rules, tuned so that the ids people really use pass (every case is in tests/activities/leaks_cases.py):

* An identity number (CCCD) has 12 digits: one of the 63 codes of the provinces of birth, a digit
  0-3 for sex and century, two digits of the year of birth (2041 and later is nobody yet), six more.
* A mobile number is 0, 84 or +84 and a network's prefix, ten digits in all; a landline is 02 and
  nine more digits.
* Digits may be full-width or any other Unicode digits, and be grouped by spaces, dots, dashes or
  invisible characters. A number is a whole run of groups between other characters or a part of
  one that starts and ends at group borders; never the middle of a longer run of digits.
* Taken out before: dates (2026-06-30, 30/06/2026, 2026-06, 06/2026), UUIDs, hexadecimal ids of 16 or more.
* After the words CMND, CCCD, căn cước, chứng minh also any 9 or 12 digits.
* An e-mail address is something@domain.letters, also with %40 for the @. A unit (24133@2025), a
  version (name@1.2.3) and a handle after a slash (/@name) are none.
"""

import re
import unicodedata

_PROVINCES = (
    "001|002|004|006|008|010|011|012|014|015|017|019|020|022|024|025|026|027|030|031|033|034|035|036"
    "|037|038|040|042|044|045|046|048|049|051|052|054|056|058|060|062|064|066|067|068|070|072|074"
    "|075|077|079|080|082|083|084|086|087|089|091|092|093|094|095|096"
)
_IDENTITY = re.compile(rf"(?:{_PROVINCES})(?:[01][0-9]{{2}}|[23](?:[0-3][0-9]|40))[0-9]{{6}}")
_MOBILE = re.compile(r"(?:0|84)(?:3[2-9]|5[25689]|7[06-9]|8[1-9]|9[0-46-9])[0-9]{7}")
_LANDLINE = re.compile(r"(?:0|84)2[0-9]{9}")
_SHAPES = (_IDENTITY, _MOBILE, _LANDLINE)
_LENGTHS = frozenset({10, 11, 12})

_FEWEST_DIGITS = 9
# Nine digits with at most three characters between neighbours: only then is a closer look worth it.
_MAYBE = re.compile(r"(?:\d[^\w\",:\[\]{}]{0,3}){9}")
_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]")
_YEAR, _MONTH, _DAY = r"(?:19|20)\d\d", r"(?:0[1-9]|1[0-2])", r"(?:0[1-9]|[12]\d|3[01])"
_HARMLESS = re.compile(
    r"(?<![0-9a-z])[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![0-9a-z])"
    r"|(?<![0-9a-z])(?=[0-9]*[a-f])[0-9a-f]{16,}(?![0-9a-z])"
    rf"|(?<!\d){_YEAR}([-./_]){_MONTH}(?:\1{_DAY})?(?!\d)"
    rf"|(?<!\d)(?:{_DAY}([-./_]){_MONTH}\2|{_MONTH}[-./_]){_YEAR}(?!\d)",
    re.IGNORECASE,
)
_RUN = re.compile(r"\d+(?:(?: ?[-.)] ?| {1,2})\d+)*")
_DIGITS = re.compile(r"\d+")
# Of the part before the @ one character is enough, so that no text takes more than one pass.
_MAIL = re.compile(r"[^\s@/\\:,;<>()\[\]=?&](?:@|%40)(?:[\w-]+\.)+[^\W\d_]{2}", re.IGNORECASE)
_NAMED = re.compile(
    r"(?:cmnd|cmtnd|cccd|căn cước|chứng minh)\D{0,24}?(\d(?:[ .-]?\d){7,11})(?!\d)", re.IGNORECASE
)


def may_leak(text: str) -> bool:
    """Whether a text (also one of many fields as JSON) needs the closer look of `leaks`."""
    if not text.isascii():
        text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    if len(text) >= _FEWEST_DIGITS and _MAYBE.search(text) is not None:
        return True
    return _mailed(text)


def leaks(text: str) -> bool:
    """Whether a text holds an identity or phone number or an e-mail address in clear."""
    if not text.isascii():
        text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
        text = "".join(
            str(unicodedata.decimal(c)) if not c.isascii() and c.isdecimal() else c for c in text
        )
    if _mailed(text):
        return True
    for named in _NAMED.finditer(text):
        if len(re.sub(r"\D", "", named[1])) in (9, 12):
            return True
    text = _HARMLESS.sub("|", text)
    return any(_run_leaks(run[0]) for run in _RUN.finditer(text))


def _mailed(text: str) -> bool:
    return ("@" in text or "%40" in text) and _MAIL.search(text) is not None


def _run_leaks(run: str) -> bool:
    if len(run) < 10:
        return False
    groups = _DIGITS.findall(run)
    for first in range(len(groups)):
        digits = ""
        for group in groups[first:]:
            digits += group
            if len(digits) > 12:
                break
            if len(digits) in _LENGTHS and any(shape.fullmatch(digits) for shape in _SHAPES):
                return True
    return False
