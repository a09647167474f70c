"""Comparing what people type: letters and digits only, without case and Vietnamese marks."""

import unicodedata


def nfc(text: str) -> str:
    """Composed letters, without spaces around: Macs write Vietnamese decomposed."""
    return unicodedata.normalize("NFC", text).strip()


def fold(text: str) -> str:
    """`Nhóm đối tượng` and `NHOM DOI TUONG` are the same: "nhom doi tuong"."""
    plain = unicodedata.normalize("NFKD", text.casefold().replace("đ", "d"))
    letters = (c if c.isalnum() else " " for c in plain if not unicodedata.combining(c))
    return " ".join("".join(letters).split())
