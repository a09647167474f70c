"""Tables of a Word document as XML: a thousand rows are written at once, not cell by cell. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls


@dataclass(frozen=True)
class Head:
    """A cell of a table's head: `across` columns and, if `down`, both rows of the head."""

    text: str
    across: int = 1
    down: bool = False


def table(
    heads: Sequence[Sequence[Head]],
    rows: Sequence[Sequence[str]],
    widths: Sequence[int],
    *,
    size: int,
    left: Sequence[int] = (1,),
) -> Any:
    """A bordered table; its head is repeated on every page and no row is cut by a page's end.

    `widths` in twentieths of a point, `size` in half points, `left`: columns set to the left.
    """
    grid = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
    lines = [_head(head, heads, widths, size, first=n == 0) for n, head in enumerate(heads)]
    lines += [_row(row, widths, size, frozenset(left)) for row in rows]
    edges = "".join(
        f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="000000"/>'
        for side in ("top", "left", "bottom", "right", "insideH", "insideV")
    )
    return parse_xml(
        f'<w:tbl {nsdecls("w")}><w:tblPr><w:tblW w:w="{sum(widths)}" w:type="dxa"/><w:jc w:val="center"/>'
        f'<w:tblBorders>{edges}</w:tblBorders><w:tblLayout w:type="fixed"/>'
        '<w:tblCellMar><w:left w:w="60" w:type="dxa"/><w:right w:w="60" w:type="dxa"/></w:tblCellMar></w:tblPr>'
        f"<w:tblGrid>{grid}</w:tblGrid>{''.join(lines)}</w:tbl>"
    )


def _head(
    cells: Sequence[Head],
    heads: Sequence[Sequence[Head]],
    widths: Sequence[int],
    size: int,
    *,
    first: bool,
) -> str:
    found, column = [], 0
    merged = {n for n, head in _columns(heads[0]) if head.down}
    queue = list(cells)
    while column < len(widths):
        if not first and column in merged:
            found.append(_cell("", widths[column], size, "center", merge="<w:vMerge/>", bold=True))
            column += 1
            continue
        head = queue.pop(0)
        span = f'<w:gridSpan w:val="{head.across}"/>' if head.across > 1 else ""
        merge = '<w:vMerge w:val="restart"/>' if head.down and len(heads) > 1 else ""
        width = sum(widths[column : column + head.across])
        found.append(_cell(head.text, width, size, "center", merge=span + merge, bold=True))
        column += head.across
    return f"<w:tr><w:trPr><w:cantSplit/><w:tblHeader/></w:trPr>{''.join(found)}</w:tr>"


def _columns(heads: Sequence[Head]) -> list[tuple[int, Head]]:
    found, column = [], 0
    for head in heads:
        found.append((column, head))
        column += head.across
    return found


def _row(texts: Sequence[str], widths: Sequence[int], size: int, left: frozenset[int]) -> str:
    cells = [
        _cell(text, widths[n], size, "left" if n in left else "center")
        for n, text in enumerate(texts)
    ]
    return f"<w:tr><w:trPr><w:cantSplit/></w:trPr>{''.join(cells)}</w:tr>"


def _cell(
    text: str, width: int, size: int, align: str, *, merge: str = "", bold: bool = False
) -> str:
    strong = "<w:b/>" if bold else ""
    return (
        f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{merge}<w:vAlign w:val="center"/></w:tcPr>'
        f'<w:p><w:pPr><w:spacing w:before="20" w:after="20"/><w:ind w:firstLine="0"/><w:jc w:val="{align}"/>'
        f'<w:rPr><w:sz w:val="{size}"/><w:szCs w:val="{size}"/></w:rPr></w:pPr>'
        f'<w:r><w:rPr>{strong}<w:sz w:val="{size}"/><w:szCs w:val="{size}"/></w:rPr>'
        f'<w:t xml:space="preserve">{escape(text)}</w:t></w:r></w:p></w:tc>'
    )
