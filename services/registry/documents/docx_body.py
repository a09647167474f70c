"""A report's text in a Word document: parts, sentences, the table of targets, appendices."""

from collections.abc import Sequence
from copy import deepcopy
from datetime import date
from typing import Any

from docx.enum.section import WD_ORIENT, WD_SECTION
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt
from docx.text.paragraph import Paragraph

from services.registry.documents.appendix import Appendix, Column, Shown
from services.registry.documents.compose import Draft, NameList
from services.registry.documents.docx_tables import Head, table
from services.registry.documents.figures import Section, Sentence
from services.registry.documents.results import Result
from services.registry.documents.wording import long_day, number, share

CM = 567
"""Twentieths of a point in a centimetre."""
ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII")
RESULT_WIDTHS = tuple(round(CM * w) for w in (1.1, 4.4, 2.3, 3.3, 1.6, 2.0, 1.8))
GROUP = 5
"""Objectives side by side on a landscape page."""
END = "./."
UNKNOWN = "–"
EXCESS = "Tỷ lệ trên 100%: số đếm lớn hơn số liệu nền, cần kiểm tra."
NOTE = "Dấu “–”: đơn vị chưa gửi số liệu. Ô tỷ lệ để trống: chưa có số liệu nền để tính."


class Writer:
    """Puts blocks before a paragraph of the template, which goes when all is written."""

    def __init__(self, document: Any, marker: Paragraph) -> None:
        self._document = document
        self._marker = marker

    def paragraph(self, text: str, style: str = "Normal", *, bold: bool = False) -> Paragraph:
        """A paragraph of the template's own style."""
        names = {s.name for s in self._document.styles}
        found: Paragraph = self._marker.insert_paragraph_before(
            text, style=style if style in names else None
        )
        if bold or style not in names:
            for run in found.runs:
                run.font.bold = bold or style.startswith("Heading")
        return found

    def table(self, element: Any) -> None:
        """A table, with a little room after it."""
        self._marker._p.addprevious(element)
        self.paragraph("").paragraph_format.space_after = Pt(0)

    def end(self) -> None:
        """Take the marker out."""
        self._marker._p.getparent().remove(self._marker._p)


def write_body(writer: Writer, draft: Draft, edits: dict[str, str]) -> None:
    """Every part; `edits`: what people wrote in place of a sentence, by its key; an empty text takes
    the sentence out."""
    for sentence in draft.opening:
        _sentence(writer, sentence, edits)
    last: Paragraph | None = None
    for index, section in enumerate(draft.sections):
        writer.paragraph(f"{ROMAN[index]}. {section.title}", "Heading 1")
        for sentence in section.sentences:
            last = _sentence(writer, sentence, edits) or last
        if section.id == "results" and draft.rows:
            writer.table(_results(draft.rows))
        for number_, part in enumerate(section.parts, 1):
            last = _part(writer, part, number_ if len(section.parts) > 1 else 0, edits) or last
    if last is not None and last.runs:
        # The end stands in place of the last full stop.
        last.runs[-1].text = last.runs[-1].text.rstrip().rstrip(".") + END
        last.paragraph_format.keep_with_next = True


def _part(writer: Writer, part: Section, index: int, edits: dict[str, str]) -> Paragraph | None:
    last = None
    writer.paragraph(f"{index}. {part.title}" if index else part.title, "Heading 2")
    for sentence in part.sentences:
        last = _sentence(writer, sentence, edits) or last
    return last


def _sentence(writer: Writer, sentence: Sentence, edits: dict[str, str]) -> Paragraph | None:
    text = edits.get(sentence.key, sentence.text)
    last = None
    for line in filter(None, (line.strip() for line in text.splitlines())):
        last = writer.paragraph(f"- {line}" if sentence.bullet else line)
    return last


def _results(rows: Sequence[Result]) -> Any:
    names = ("TT", "Chỉ tiêu", "Giao", "Thực hiện", "Tỷ lệ", "So với kỳ trước", "Đánh giá")
    cells = [
        (str(n), r.name_vi, r.target_vi, r.done_vi, r.ratio_vi or "–", r.change_vi or "–", r.judged_vi)
        for n, r in enumerate(rows, 1)
    ]  # fmt: skip
    return table([[Head(name) for name in names]], cells, RESULT_WIDTHS, size=22)


def add_appendices(document: Any, draft: Draft, appendix: Appendix | None, body: str) -> None:
    """The appendices, each on pages of its own: by unit in landscape, then lists of names."""
    if appendix is not None and len(appendix.rows) > 1:
        _section(document, landscape=True)
        _title(document, "Phụ lục I", appendix.title_vi, body)
        _centred(document, note_of(appendix), italic=True, after=6)
        for number_, group in enumerate(appendix.groups(GROUP)):
            if number_:
                form = document.add_paragraph("").paragraph_format
                form.page_break_before, form.space_after = True, Pt(0)
            document.element.body.insert(-1, _by_unit(appendix, group))
    if draft.lists:
        _section(document, landscape=False)
        _title(document, "Phụ lục II", "Danh sách đơn vị nêu trong báo cáo", body)
        for number_, one in enumerate(draft.lists, 1):
            _names(document, number_, one)


def note_of(appendix: Appendix | None) -> str:
    """What an appendix's signs mean."""
    return f"{NOTE} {EXCESS}" if appendix is not None and appendix.doubtful else NOTE


def _section(document: Any, *, landscape: bool) -> None:
    section = document.add_section(WD_SECTION.NEW_PAGE)
    section.different_first_page_header_footer = False
    sides = sorted((section.page_width, section.page_height))
    section.orientation = WD_ORIENT.LANDSCAPE if landscape else WD_ORIENT.PORTRAIT
    section.page_height, section.page_width = sides if landscape else sides[::-1]


def _title(document: Any, name: str, title: str, body: str) -> None:
    _centred(document, name, bold=True)
    _centred(document, title.upper(), bold=True)
    _centred(document, f"(Kèm theo Báo cáo số       ngày      của {body})", italic=True, after=8)


def _centred(
    document: Any, text: str, *, bold: bool = False, italic: bool = False, after: float = 0
) -> None:
    paragraph = document.add_paragraph()
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    form = paragraph.paragraph_format
    form.first_line_indent, form.space_after = Cm(0), Pt(after)
    run = paragraph.add_run(text)
    run.font.bold, run.font.italic = bold, italic


def _by_unit(appendix: Appendix, group: Sequence[Column]) -> Any:
    first = [Head("TT", down=True), Head("Đơn vị", down=True)]
    second: list[Head] = []
    widths = [round(CM * 1.1), round(CM * 5)]
    room = round(CM * 19) // len(group)
    for column in group:
        first.append(Head(f"{column.name_vi} ({column.target_vi})" if column.target_vi else column.name_vi, across=2))  # fmt: skip
        second += [Head("Thực hiện"), Head("Tỷ lệ" if column.shares else "Đánh giá")]
        widths += [round(room * 0.6), room - round(room * 0.6)]
    rows = []
    for index, (_, name, cells) in enumerate(appendix.rows):
        texts = [str(index) if index else "", name]
        for column in group:
            texts += _pair(cells.get(column.id), shares=column.shares)
        rows.append(texts)
    return table([first, second], rows, widths, size=20)


def _pair(shown: Shown | None, *, shares: bool) -> tuple[str, str]:
    if shown is None:
        return "", ""
    if shown.value is None:
        return UNKNOWN, ""
    if not shown.denominator:
        return number(shown.value), "" if shares else shown.word
    text = f"{number(shown.value)}/{number(shown.denominator)}"
    return text, share(shown.value, shown.denominator)


def _names(document: Any, index: int, one: NameList) -> None:
    head = document.add_paragraph(style="Normal")
    run = head.add_run(f"{index}. {one.title_vi} ({number(len(one.names))})")
    run.font.bold = True
    head.paragraph_format.keep_with_next = True
    document.add_paragraph("; ".join(one.names) + ".", style="Normal")


def lines_at(paragraph: Paragraph, lines: Sequence[str]) -> None:
    """Several lines in place of a field that stands alone in its paragraph, in its own form."""
    for line in lines[:-1]:
        other = deepcopy(paragraph._p)
        paragraph._p.addprevious(other)
        set_text(Paragraph(other, paragraph._parent), line)
    set_text(paragraph, lines[-1] if lines else "")


def set_text(paragraph: Paragraph, text: str) -> None:
    """Another text in the form of the first one."""
    first, *rest = paragraph.runs
    first.text = text
    for run in rest:
        run._r.getparent().remove(run._r)


def place_and_day(place: str, day: date | None) -> str:
    """`Đắk Lắk, ngày 05 tháng 12 năm 2026`; the day is left open until it is signed."""
    return f"{place}, {long_day(day)}" if day else f"{place}, ngày      tháng      năm      "


def language(document: Any) -> None:
    """Say that the text is Vietnamese, so that Word marks no word as wrong."""
    properties = document.styles.element.find(qn("w:docDefaults")).find(qn("w:rPrDefault"))
    run = properties.find(qn("w:rPr"))
    known = run.find(qn("w:lang"))
    if known is None:
        known = OxmlElement("w:lang")
        run.append(known)
    for name in ("val", "eastAsia", "bidi"):
        known.set(qn(f"w:{name}"), "vi-VN")
