"""A draft as a Word document, from the office's template or the one that ships."""

import io
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from docx.text.paragraph import Paragraph

from services.registry.documents.appendix import appendix_of
from services.registry.documents.compose import Draft
from services.registry.documents.docx_body import (
    Writer,
    add_appendices,
    language,
    lines_at,
    place_and_day,
    write_body,
)
from services.registry.documents.docx_template import fill, refuse
from services.registry.documents.occasion import full_name

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
PROVISIONAL = "DỰ THẢO – SỐ LIỆU TẠM TÍNH"
DRAFT = "DỰ THẢO"
SANDBOX = "DỮ LIỆU MÔ PHỎNG"
_TEMPLATES = Path(__file__).parent / "templates"
# What marks a paragraph that is replaced, or taken out, once the fields are filled.
_BODY, _RECIPIENTS, _EMPTY = "\ue000noi_dung\ue001", "\ue000noi_nhan\ue001", "\ue000\ue001"


@cache
def shipped(*, party: bool) -> bytes:
    """The template that ships: Party bodies have a form of their own."""
    return (_TEMPLATES / ("party.docx" if party else "state.docx")).read_bytes()


def to_docx(
    draft: Draft,
    *,
    edits: dict[str, str] | None = None,
    template: bytes | None = None,
    confirmed: bool = False,
) -> bytes:
    """The document. `edits`: sentences as people rewrote them, by key; `template`: the office's own,
    checked before; `confirmed`: without the mark of a draft."""
    head = draft.head
    values = {
        "co_quan_cap_tren": head.superior or _EMPTY,
        "co_quan": head.body,
        "ky_hieu": head.sign,
        "dia_danh_ngay": place_and_day(head.place, None),
        "trich_yeu": head.extract,
        "tam_tinh": mark_of(draft, confirmed=confirmed),
        "noi_dung": _BODY,
        "noi_nhan": _RECIPIENTS,
        "quyen_han": head.authority or _EMPTY,
        "chuc_vu": head.post,
        "nguoi_ky": "",
    }
    document = fill(template or shipped(party=head.party), values)
    body = _marker(document, _BODY)
    if body is None:
        raise refuse("template-field-missing", "The field noi_dung must stand alone in a paragraph.", "Put {{ noi_dung }} on a line of its own.")  # fmt: skip
    writer = Writer(document, body)
    write_body(writer, draft, edits or {})
    writer.end()
    recipients = _marker(document, _RECIPIENTS)
    if recipients is not None:
        kept = "- Lưu Văn phòng." if head.party else "- Lưu: VT."
        lines_at(recipients, [*(f"- {name};" for name in head.recipients), kept])
    for marker in iter(lambda: _marker(document, _EMPTY), None):
        marker._p.getparent().remove(marker._p)
    add_appendices(document, draft, appendix_of(draft), full_name(draft.material.author))
    language(document)
    _properties(document, draft)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def mark_of(draft: Draft, *, confirmed: bool) -> str:
    """What every page says of a document that is no final one; of simulated data always."""
    table = draft.material.table
    marks = [SANDBOX] if table is not None and table.sandbox else []
    if draft.material.provisional:
        marks.append(PROVISIONAL)
    elif not confirmed:
        marks.append(DRAFT)
    return " · ".join(marks)


def _marker(document: Any, text: str) -> Paragraph | None:
    """The paragraph that holds a marker alone, in the body or in a table of it."""
    places = [document, *(c for t in document.tables for row in t.rows for c in row.cells)]
    for place in places:
        for paragraph in place.paragraphs:
            if paragraph.text.strip() == text:
                found: Paragraph = paragraph
                return found
    return None


def _properties(document: Any, draft: Draft) -> None:
    """Nothing in the file's properties names a person or the hour: the same report is the same file."""
    known, day = document.core_properties, draft.material.as_of
    known.title, known.author = draft.head.extract[:250], full_name(draft.material.author)
    known.comments, known.last_modified_by, known.language = "", "", "vi-VN"
    known.created = known.modified = datetime(day.year, day.month, day.day)  # noqa: DTZ001
