"""The two Word templates that ship: `python -m services.registry.documents.template_files` writes them.

State form: Nghị định 30/2020/NĐ-CP, Phụ lục I. Party form: Hướng dẫn 36-HD/VPTW of 3/4/2018. An office
may edit them in Word: move fields, change styles, add a logo. What stands in double braces is filled.
"""

from pathlib import Path
from typing import Any

from docx import Document
from docx.enum.section import WD_ORIENT
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Cm, Pt

FOLDER = Path(__file__).parent / "templates"
FONT = "Times New Roman"
CENTRE, RIGHT = WD_ALIGN_PARAGRAPH.CENTER, WD_ALIGN_PARAGRAPH.RIGHT
WIDTH = (Cm(6.2), Cm(10.3))


def build(*, party: bool) -> Any:
    """One of the two templates as a python-docx document."""
    document = Document()
    _styles(document)
    _page(document)
    (_party_head if party else _state_head)(document)
    size = 16 if party else 14
    _line(document, "BÁO CÁO", size=size, bold=True, before=18, after=0)
    _line(document, "{{ trich_yeu }}", size=15 if party else 14, bold=True, after=0)
    _rule(_line(document, "", size=6, after=12), Cm(6))
    document.add_paragraph("{{ noi_dung }}", style="Normal")
    _foot(document, party=party)
    return document


def _styles(document: Any) -> None:
    normal = document.styles["Normal"]
    _font(normal, 14)
    form = normal.paragraph_format
    form.alignment = WD_ALIGN_PARAGRAPH.JUSTIFY
    form.first_line_indent = Cm(1.27)
    form.space_before, form.space_after = Pt(0), Pt(6)
    form.line_spacing_rule = WD_LINE_SPACING.SINGLE
    for name in ("Heading 1", "Heading 2"):
        style = document.styles[name]
        _font(style, 14)
        style.font.bold, style.font.italic = True, False
        style.font.color.rgb = None
        for colour in style.element.rPr.findall(qn("w:color")):
            style.element.rPr.remove(colour)
        style.paragraph_format.space_before, style.paragraph_format.space_after = Pt(6), Pt(6)
        style.paragraph_format.keep_with_next = True


def _font(style: Any, size: int) -> None:
    style.font.name, style.font.size = FONT, Pt(size)
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for name in ("ascii", "hAnsi", "eastAsia", "cs"):
        fonts.set(qn(f"w:{name}"), FONT)
    for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
        fonts.attrib.pop(qn(f"w:{theme}"), None)


def _page(document: Any) -> None:
    section = document.sections[0]
    section.orientation = WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.top_margin = section.bottom_margin = Cm(2)
    section.left_margin, section.right_margin = Cm(3), Cm(1.5)
    section.header_distance = Cm(1)
    section.different_first_page_header_footer = True
    first = section.first_page_header.paragraphs[0]
    _text(first, "{{ tam_tinh }}", size=12, bold=True)
    first.alignment, first.paragraph_format.first_line_indent = RIGHT, Cm(0)
    number = section.header.paragraphs[0]
    number.alignment, number.paragraph_format.first_line_indent = CENTRE, Cm(0)
    number.paragraph_format.space_after = Pt(0)
    _field(number, "PAGE", size=13)
    marked = section.header.add_paragraph()
    _text(marked, "{{ tam_tinh }}", size=12, bold=True)
    marked.alignment, marked.paragraph_format.first_line_indent = RIGHT, Cm(0)


def _field(paragraph: Any, name: str, *, size: int) -> None:
    run = paragraph.add_run()
    run.font.size = Pt(size)
    for kind, text in (("begin", None), (None, name), ("end", None)):
        if kind is not None:
            char = OxmlElement("w:fldChar")
            char.set(qn("w:fldCharType"), kind)
        else:
            char = OxmlElement("w:instrText")
            char.text = text
        run._r.append(char)


def _text(
    paragraph: Any, text: str, *, size: float, bold: bool = False, italic: bool = False
) -> None:
    run = paragraph.add_run(text)
    run.font.size, run.font.bold, run.font.italic = Pt(size), bold, italic


def _line(
    place: Any,
    text: str,
    *,
    size: float,
    bold: bool = False,
    italic: bool = False,
    align: Any = CENTRE,
    before: float = 0,
    after: float = 0,
) -> Any:
    paragraph = place.add_paragraph()
    paragraph.alignment = align
    form = paragraph.paragraph_format
    form.first_line_indent, form.space_before, form.space_after = Cm(0), Pt(before), Pt(after)
    form.keep_together = True
    if text:
        _text(paragraph, text, size=size, bold=bold, italic=italic)
    else:
        mark = OxmlElement("w:rPr")
        for name in ("w:sz", "w:szCs"):
            half = OxmlElement(name)
            half.set(qn("w:val"), str(int(size * 2)))
            mark.append(half)
        paragraph._p.get_or_add_pPr().append(mark)
    return paragraph


def _rule(paragraph: Any, width: Any, whole: Any = None) -> None:
    """A line of `width` in the middle, drawn as a paragraph's upper border between indents."""
    room = (whole or Cm(16.5)) - width
    paragraph.paragraph_format.left_indent = paragraph.paragraph_format.right_indent = room // 2
    paragraph.paragraph_format.line_spacing = Pt(4)
    border = '<w:pBdr %s><w:top w:val="single" w:sz="6" w:space="1" w:color="000000"/></w:pBdr>'
    properties = paragraph._p.get_or_add_pPr()
    spacing = properties.find(qn("w:spacing"))
    spacing.addprevious(parse_xml(border % nsdecls("w")))


def _two(document: Any) -> tuple[Any, Any]:
    table = document.add_table(rows=1, cols=2)
    table.alignment, table.autofit = WD_TABLE_ALIGNMENT.CENTER, False
    for column, cell, width in zip(table.columns, table.rows[0].cells, WIDTH, strict=True):
        column.width = cell.width = width
    # A signature never stands on a page without its office, nor is its room cut in two.
    table.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
    left, right = table.rows[0].cells
    return left, right


def _first(cell: Any) -> None:
    """A cell begins with a paragraph of its own; lines are added, so that one goes."""
    cell._tc.remove(cell.paragraphs[0]._p)


def _state_head(document: Any) -> None:
    left, right = _two(document)
    _line(left, "{{ co_quan_cap_tren }}", size=13)
    _line(left, "{{ co_quan }}", size=13, bold=True)
    _rule(_line(left, "", size=6, before=2), Cm(2.4), WIDTH[0])
    _line(left, "Số:      /{{ ky_hieu }}", size=13, before=6)
    _line(right, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", size=13, bold=True)
    _line(right, "Độc lập - Tự do - Hạnh phúc", size=14, bold=True)
    _rule(_line(right, "", size=6, before=2), Cm(5.9), WIDTH[1])
    _line(right, "{{ dia_danh_ngay }}", size=14, italic=True, before=6)
    _first(left)
    _first(right)


def _party_head(document: Any) -> None:
    left, right = _two(document)
    _line(left, "{{ co_quan_cap_tren }}", size=14)
    _line(left, "{{ co_quan }}", size=14, bold=True)
    _line(left, "*", size=14)
    _line(left, "Số       -{{ ky_hieu }}", size=14)
    _line(right, "ĐẢNG CỘNG SẢN VIỆT NAM", size=15, bold=True)
    _rule(_line(right, "", size=6, before=2), Cm(7.4), WIDTH[1])
    _line(right, "{{ dia_danh_ngay }}", size=14, italic=True, before=6)
    _first(left)
    _first(right)


def _foot(document: Any, *, party: bool) -> None:
    _line(document, "", size=6).paragraph_format.keep_with_next = True
    left, right = _two(document)
    start = WD_ALIGN_PARAGRAPH.LEFT
    if party:
        title = _line(left, "", size=14, align=start)
        run = title.add_run("Nơi nhận:")
        run.font.size, run.font.underline = Pt(14), True
        _line(left, "{{ noi_nhan }}", size=12, align=start)
    else:
        _line(left, "Nơi nhận:", size=12, bold=True, italic=True, align=start)
        _line(left, "{{ noi_nhan }}", size=11, align=start)
    _line(right, "{{ quyen_han }}", size=14, bold=True)
    _line(right, "{{ chuc_vu }}", size=14, bold=True)
    for _ in range(4):
        _line(right, "", size=14)
    _line(right, "{{ nguoi_ky }}", size=14, bold=True)
    _first(left)
    _first(right)
    # Word wants a paragraph after a table: it must not open a page of its own.
    last = _line(document, "", size=1)
    last.paragraph_format.line_spacing = Pt(1)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    build(party=False).save(FOLDER / "state.docx")
    build(party=True).save(FOLDER / "party.docx")
