"""Comparing what people type: letters and digits only, without case and Vietnamese marks."""

import unicodedata

_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad"


def nfc(text: str) -> str:
    """Composed letters, without spaces around (of no width, too): Macs write Vietnamese decomposed."""
    return unicodedata.normalize("NFC", text).strip().strip(_INVISIBLE).strip()


def fold(text: str) -> str:
    """`Nhóm đối tượng` and `NHOM DOI TUONG` are the same: "nhom doi tuong"."""
    plain = unicodedata.normalize("NFKD", text.casefold().replace("đ", "d"))
    letters = (c if c.isalnum() else " " for c in plain if not unicodedata.combining(c))
    return " ".join("".join(letters).split())
