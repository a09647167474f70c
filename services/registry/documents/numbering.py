"""The number and the date of a document, written into what was confirmed. Pure.

A document is confirmed before it has a number; nothing but its number and its date is filled in later,
so its figures and its words stay those that were confirmed.
"""

import io
import re
from collections.abc import Iterator
from datetime import date
from typing import Any
from unicodedata import normalize

from docx import Document
from docx.oxml.ns import qn
from docx.text.paragraph import Paragraph

from services.registry.documents.docx_body import set_text
from services.registry.documents.wording import day, long_day

_OPEN = r"[\s._…]*"
"""What offices leave open: spaces, dots, a line."""
_DAY = re.compile(rf"ngày{_OPEN}tháng{_OPEN}năm{_OPEN}$")
_ATTACHED = re.compile(r"^(\(Kèm theo Báo cáo số)\s+ngày\s+(của )")


def written(number: str, sign: str, *, party: bool) -> str:
    """A document's number with its sign as its form wants it: `05/BC-UBND`, of the Party `5-BC/ĐU`."""
    number = "".join(c for c in number if c.isprintable()).strip()
    if number.isdigit():
        number = f"{number}-{sign}" if party else f"{number}/{sign}"
    return number if party else re.sub(r"^(\d)(?!\d)", r"0\1", number)


def numbered(content: bytes, number: str, on: date, sign: str, *, party: bool) -> bytes | None:
    """The document with its number and its date; None where it leaves no room for one of them, as an
    office's own template may: it stays as it was stored."""
    document, whole = Document(io.BytesIO(content)), written(number, sign, party=party)
    place = re.compile(rf"^(\s*[Ss][ốỐ](?:\s*:)?){_OPEN}[/-]\s*{re.escape(sign)}\s*$")
    numbers = days = 0
    for paragraph in _paragraphs(document):
        text = normalize("NFC", paragraph.text)
        if place.match(text):
            numbers += 1
            set_text(paragraph, place.sub(lambda m: f"{m[1]} {whole}", text))
        elif _DAY.search(text):
            days += 1
            set_text(paragraph, _DAY.sub(long_day(on), text))
        elif _ATTACHED.match(text):
            said = _ATTACHED.sub(lambda m: f"{m[1]} {whole} ngày {day(on)} {m[2]}", text)
            set_text(paragraph, said)
    if not numbers or not days:
        return None
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _paragraphs(document: Any) -> Iterator[Paragraph]:
    """All of the body, also those in tables."""
    for element in document.element.body.iter(qn("w:p")):
        yield Paragraph(element, document)
