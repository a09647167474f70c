"""Names of places as people type Vietnamese: when two spellings are one name, when nearly. Pure.

One name are: composed and decomposed letters, `Hoà` and `Hòa`, `Ð` (eth) and `Đ`, capitals, spaces,
invisible characters, apostrophes, `TDP` and `Tổ dân phố`, `01` and `1`. Nearly one are names that
differ in diacritics, in `y` and `i`, or in the word for the kind only. Diacritics count, since
Buôn Tơng and Buôn Tong may be two; who adds one beside the other is asked.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from shared.identity.text import visible

_TONES = "\u0300\u0301\u0303\u0309\u0323"
_ETH = str.maketrans({"Ð": "đ", "ð": "đ", "Đ": "đ", "Ɖ": "đ", "ɖ": "đ"})
_SILENT = re.compile(r"['’‘`ʼ´\u02bb]")
_WORD = re.compile(r"[^\W\d_]+|\d+")
_SHORT = {
    "tdp": "tổ dân phố", "tổdp": "tổ dân phố", "kp": "khu phố", "kdc": "khu dân cư",
}  # fmt: skip
KINDS = (
    "to dan pho", "khu dan cu", "khu pho", "thi tran", "thi xa", "thanh pho", "dac khu", "phuong",
    "xa", "tinh", "quan", "huien", "thon", "buon", "bon", "plei", "lang", "ban", "ap", "khom",
    "khoi", "xom", "soc", "phum", "to", "khu",
)  # fmt: skip
"""Words for kinds of places, as `Word.plain` writes them."""
_KINDS = tuple(tuple(kind.split()) for kind in KINDS)
_ROMAN = {"i": "1", "ii": "2", "iii": "3", "iv": "4", "v": "5", "vi": "6", "vii": "7"}
_ROMAN |= {"viii": "8", "ix": "9", "x": "10"}


@dataclass(frozen=True)
class Word:
    """One syllable: its letters (with their own marks, as in ă, ơ), bare (y as i), and its tone."""

    letters: str
    plain: str
    tone: str


@lru_cache(maxsize=50_000)
def words(text: str) -> tuple[Word, ...]:
    """The syllables of a name."""
    lowered = visible(text.translate(_ETH)).casefold().translate(_ETH)
    return tuple(
        _word(found)
        for found in _WORD.findall(_SILENT.sub("", unicodedata.normalize("NFC", lowered)))
    )


@lru_cache(maxsize=20_000)
def _word(text: str) -> Word:
    apart = unicodedata.normalize("NFD", text)
    tone = "".join(c for c in apart if c in _TONES)
    letters = unicodedata.normalize("NFC", "".join(c for c in apart if c not in _TONES))
    bare = unicodedata.normalize("NFD", letters.replace("đ", "d"))
    plain = "".join(c for c in bare if not unicodedata.combining(c)).replace("y", "i")
    return Word(letters, plain, tone)


@lru_cache(maxsize=50_000)
def same(name: str) -> str:
    """The form in which names are compared: equal for spellings of one name."""
    written: list[Word] = []
    for word in words(name):
        written += words(_SHORT[word.letters]) if word.letters in _SHORT else (word,)
    return " ".join(_number(word.letters) + word.tone for word in written)


def near(name: str, other: str) -> bool:
    """Whether two names may be one in spite of `same`: somebody has to say whether they are."""
    kind, rest = _apart(name)
    other_kind, other_rest = _apart(other)
    if rest != other_rest:
        return False
    # Thôn 1 and Buôn 1 stand side by side in many communes.
    return not (kind and other_kind and kind != other_kind and rest.isdecimal())


@lru_cache(maxsize=50_000)
def _apart(name: str) -> tuple[str, str]:
    """(kind, rest) of a name, without diacritics; the rest without spaces."""
    bare = [word.plain for word in words(same(name))]
    kind: tuple[str, ...] = ()
    for one in _KINDS:
        if tuple(bare[: len(one)]) == one and len(bare) > len(one):
            kind = one
            break
    rest = bare[len(kind) :]
    if rest[:1] == ["so"] and len(rest) > 1:
        rest = rest[1:]
    if len(rest) == 1:
        rest = [_ROMAN.get(rest[0], rest[0])]
    return " ".join(kind), "".join(_number(word) for word in rest)


def _number(word: str) -> str:
    return word.lstrip("0") or "0" if word.isdecimal() else word
