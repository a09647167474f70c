# A copy of shared/identity, made by `make generate`; do not edit.
"""Texts as people, spreadsheets and chat programs write them, in one spelling. Pure."""

import unicodedata

_DASHES = frozenset("\u2212\u2043\u00af\u02d7")
_VARIATION = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0), range(0x180B, 0x1810))
_FILLERS = frozenset({0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0})


class _Characters(dict[int, str]):
    """What stands for each character; learnt one by one, since there are a million of them."""

    def __missing__(self, code: int) -> str:
        found = self[code] = _standing_for(chr(code))
        return found


def _standing_for(character: str) -> str:
    code, category = ord(character), unicodedata.category(character)
    if is_invisible(code, category):
        return ""
    digit = unicodedata.digit(character, None)
    if digit is not None:
        return str(digit)
    if category == "Pd" or character in _DASHES:
        return "-"
    if category[0] == "Z" or category == "Cc":
        return " "
    return character


def is_invisible(code: int, category: str) -> bool:
    """Whether a character shows nothing: format characters, variation selectors, fillers."""
    if category == "Cf" or code in _FILLERS:
        return True
    return any(code in selectors for selectors in _VARIATION)


_PLAIN = _Characters()


def plain(text: str) -> str:
    """A text with ASCII digits, hyphens and spaces, whatever stood for them, nothing invisible."""
    if text.isascii() and text.isprintable():
        return text
    return unicodedata.normalize("NFKC", text).translate(_PLAIN)


class _Visible(dict[int, int | None]):
    def __missing__(self, code: int) -> int | None:
        found = self[code] = None if is_invisible(code, unicodedata.category(chr(code))) else code
        return found


_VISIBLE = _Visible()


def visible(text: str) -> str:
    """A text composed (NFC), without invisible characters, with single spaces between words."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text.translate(_VISIBLE))
    return " ".join(text.split())
