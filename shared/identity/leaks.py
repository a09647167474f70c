"""Finds identity and phone numbers and e-mail addresses where none may be: ids, URLs, free text.

A text is brought to one form first: percent-encoding, HTML entities and escapes undone, full-width
and other digits made ASCII, invisible characters and marks left out, dashes and spaces alike. Then
(every case is in tests/identity/leaks_cases.py):

* An identity number (CCCD) has 12 digits: a province of birth, a digit 0-3 for sex and century, two
  digits of the year of birth (2041 and later is nobody yet), six more. Of births abroad only after
  a word that names such a number. On the chip card's lines it follows IDVNM.
* A mobile number is 0, 84, +84, 0084 or +84 (0) and a network's prefix, of today or of before 2018;
  a landline is 02 and nine more digits.
* Digits may be in groups. A number is a whole run of groups or a part of one that starts and ends
  at group borders; never the middle of a longer run of digits. Between groups stand spaces, dashes,
  dots, brackets; or anything else without letters, where the groups then are not a list of small
  numbers, nor a year among them.
* Taken out before: dates, times of day, money, UUIDs, hexadecimal ids of 16 or more.
* After words like CMND, CCCD, căn cước also any 9 or 12 digits; after words for a telephone any 9.
* An e-mail address is something@domain.letters. A unit (24133@2025), a version (name@1.2.3) and a
  handle after a slash (/@name) are none.
"""

import html
import re
import unicodedata
from urllib.parse import unquote

from shared.identity import tables
from shared.identity.text import plain

_IDENTITY = re.compile(
    rf"(?:{'|'.join(tables.PROVINCES.split())})(?:[01][0-9]{{2}}|[23](?:[0-3][0-9]|40))[0-9]{{6}}"
)
_PREFIXES = "|".join(sorted(tables.MOBILE | {"92"}))
_OLD = "|".join(tables.MOBILE_SINCE_2018)
_PHONE = re.compile(
    rf"(?:0|(?:00)?840?)(?:(?:{_PREFIXES})[0-9]{{7}}|(?:{_OLD})[0-9]{{7}}|2[0-9]{{9}})"
)
_LENGTHS = range(10, 16)

_FEWEST_DIGITS = 9
# Nine digits with little and no letters between them: worth a closer look.
_MAYBE = re.compile(r"[0-9](?:[^0-9A-Za-z\"]{0,8}[0-9oO]){8}")
_ENCODED = re.compile(r"%(?:25)*[0-9a-f]{2}|&#|&[a-z]+;", re.IGNORECASE)
_ESCAPE = re.compile(
    r"(?:\\|%)u(?:\{0*([0-9a-f]{1,6})\}|([0-9a-f]{4}))|\\x([0-9a-f]{2})", re.IGNORECASE
)
_BREAKS = re.compile("[\t-\r\x1c-\x1f\x85\u2028\u2029]")
_BETWEEN = re.compile(r"(?<=[\do])o(?=[\do])|(?<![\w])o(?=[\do]{9})|(?<=\d)o(?![\w])")

_YEAR, _MONTH, _DAY = r"(?:19|20)\d\d", r"(?:0?[1-9]|1[0-2])", r"(?:0?[1-9]|[12]\d|3[01])"
_HARMLESS = re.compile(
    r"(?<![0-9a-z])[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![0-9a-z])"
    r"|(?<![0-9a-z])(?=[0-9]*[a-f])[0-9a-f]{16,}(?![0-9a-z])"
    rf"|(?<!\d){_YEAR}([-./_]){_MONTH}(?:\1{_DAY})?(?!\d)"
    rf"|(?<!\d)(?:{_DAY}([-./_]){_MONTH}\2|{_MONTH}[-./_]){_YEAR}(?!\d)"
    r"|(?<![\d:])(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?(?![\d:])"
    r"|(?<![\d.,])[1-9]\d{0,2}(?:([.,])\d{3})(?:\3\d{3})*(?: ?(?:dong|vnd|d|usd|trieu|ti|ty)\b)"
    r"|(?<![\d.,])[1-9]\d{0,2}\.\d{3}\.\d{3}\.\d{3}\.\d{3}(?![\d.,])"
)
_BREAK = "\x00"
_RUN = re.compile(r"\d+(?:[^\da-z\x00]{1,8}\d+)*")
_GROUP = re.compile(r"(\d+)([^\d]*)")
_CLOSE = re.compile(r"[ \-._()\[\]+]{1,6}")
_LIST = re.compile(r"[ ,;|]*")
_A_YEAR = re.compile(_YEAR)
# Of the part before the @ one character is enough, so that no text takes more than one pass.
_MAIL = re.compile(r"[^\s@/\\:,;<>()\[\]=?&]@(?:[\w-]+\.)+[^\W\d_]{2}")
_AT = re.compile(r" ?[(\[]at[)\]] ?", re.IGNORECASE)
_APART = re.compile(
    r"(?<=\w) {1,3}@ {0,3}(?=[^\W\d][\w-]*\.\w)|(?<=\w)@ {1,3}(?=[^\W\d][\w-]*\.\w)"
)
"""An address with spaces around its @, as people type it."""

_TAG = re.compile(r"<[/a-z][^<>]{0,60}>", re.IGNORECASE)
"""Markup within a number or an address."""
_WORDS = re.compile(r"idvnm|c[cm]|can|chung|citizen|id card|s[od]|dt|di|zalo|tel|phone|mobile")
_CARD = re.compile(r"idvnm[<\W]{0,3}\d[\d ]{8}")
_GROUPED = r"(\d(?:[^\da-z\x00]{0,4}\d){7,11})(?!\d)"
_NAMED = re.compile(
    rf"(?:cmnd|cmtnd|cmt|cccd|can cuoc|chung minh|so dinh danh|citizen id|id card)\D{{0,24}}?{_GROUPED}"
)
_CALLED = re.compile(
    rf"(?:sdt|so dt|\bdt\b|dien thoai|di dong|zalo|\btel\b|phone|mobile)\D{{0,16}}?{_GROUPED}"
)


def may_leak(text: str) -> bool:
    """Whether a text (also one of many fields as JSON) needs the closer look of `leaks`."""
    if not text.isascii():
        text = plain(text)
    if _MAYBE.search(text) is not None or "\\" in text:
        return True
    if "@" in text and _MAIL.search(text) is not None:
        return True
    if "<" in text and _TAG.search(text) is not None:
        return True
    if "@" in text and _APART.search(text) is not None:
        return True
    if ("%" in text or "&" in text) and _ENCODED.search(text) is not None:
        return True
    return ("(" in text or "[" in text) and _AT.search(text) is not None


def leaks(text: str) -> bool:
    """Whether a text holds an identity or phone number or an e-mail address in clear."""
    text = _one_form(text)
    if "@" in text and _MAIL.search(text) is not None:
        return True
    if _MAYBE.search(text) is None:
        return False
    if _WORDS.search(text) is not None and _named(text):
        return True
    return any(_run_leaks(run[0]) for run in _RUN.finditer(_HARMLESS.sub(_BREAK, text)))


def _one_form(text: str) -> str:
    for _ in range(3):
        before = text
        if "%" in text or "\\" in text:
            text = _ESCAPE.sub(_character, unquote(text))
        if "&" in text:
            text = html.unescape(text)
        if text == before:
            break
    if "<" in text:
        text = _TAG.sub(" ", text)
    text = plain(_BREAKS.sub(";", text)).lower()
    if not text.isascii():
        apart = unicodedata.normalize("NFD", text.replace("đ", "d"))
        text = "".join(c for c in apart if unicodedata.category(c) not in ("Mn", "Me"))
    if "o" in text:
        text = _BETWEEN.sub("0", text)
    if "at" in text:
        text = _AT.sub("@", text)
    return _APART.sub("@", text) if "@" in text else text


def _character(escape: re.Match[str]) -> str:
    code = int(escape[1] or escape[2] or escape[3], 16)
    return chr(code) if code < 0x110000 else " "


def _digits(text: str) -> int:
    return sum(map(str.isdigit, text))


def _named(text: str) -> bool:
    """Whether a word before a number says whose it is."""
    if _CARD.search(text) or any(_digits(named[1]) in (9, 12) for named in _NAMED.finditer(text)):
        return True
    return any(_called(named[1]) for named in _CALLED.finditer(text))


def _called(text: str) -> bool:
    """Whether nine digits (a leading zero lost) may be a mobile number."""
    return _digits(text) == 9 and text[0] in "35789"


def _run_leaks(run: str) -> bool:
    parts = _GROUP.findall(run)
    groups, between = [part[0] for part in parts], [part[1] for part in parts]
    for first, group in enumerate(groups):
        if group[0] != "0" and not group.startswith("84"):
            continue
        digits = ""
        for last in range(first, len(groups)):
            digits += groups[last]
            if len(digits) >= _LENGTHS.stop:
                break
            if len(digits) not in _LENGTHS or not _is_number(digits):
                continue
            whole = first == 0 and last == len(groups) - 1
            if _is_one(groups[first : last + 1], between[first:last], whole):
                return True
    return False


def _is_number(digits: str) -> bool:
    return _IDENTITY.fullmatch(digits) is not None or _PHONE.fullmatch(digits) is not None


def _is_one(groups: list[str], between: list[str], whole: bool) -> bool:
    """Whether groups of digits are one number, and no list of several."""
    if all(_CLOSE.fullmatch(separator) for separator in between):
        return True
    if any(_A_YEAR.fullmatch(group) for group in groups):
        return False
    if all(len(group) >= 3 for group in groups[1:-1]) and len(groups[-1]) >= 2:
        return len(groups[0]) >= 3 or groups[0] == "84"
    single = all(len(group) == 1 for group in groups)
    alike = len(set(between)) == 1
    return whole and alike and (single or not _LIST.fullmatch(between[0]))


def number_leaks(value: object) -> bool:
    """Whether a number may be an identity or phone number that has lost its leading zeros."""
    if not isinstance(value, int | float) or not SHORTEST_NUMBER <= abs(value) < 10**15:
        return False
    digits = f"{abs(value):.0f}"
    return any(_is_number(digits.zfill(length)) for length in (10, 11, 12))


def holds_a_long_number(text: str) -> bool:
    """Whether nine digits or more stand in a text in a row or in groups, dates left out: an old
    identity number (CMND) looks like any other of its length."""
    text = _HARMLESS.sub(_BREAK, _one_form(text))
    return any(_digits(run[0]) >= _FEWEST_DIGITS for run in _ROW.finditer(text))


SHORTEST_NUMBER = 10**8
"""The smallest number of nine digits; as a number, a person's loses its leading zeros."""
_ROW = re.compile(r"\d+(?:[ .\-_/]{1,3}\d+)*")
