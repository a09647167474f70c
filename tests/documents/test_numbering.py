"""The number and the date of a document, in the file that was confirmed and nowhere else."""

import io
from datetime import date

import pytest
from docx import Document
from docx.oxml.ns import qn

from services.registry.documents.compose import Draft, compose
from services.registry.documents.numbering import numbered, written
from services.registry.documents.word import to_docx
from tests.documents.scenes import Scene, material

STATE = Scene("gia-lai-2026", "quarterly-consolidation", "2026-Q2", "so-khcn", date(2026, 6, 14), "bad")  # fmt: skip
PARTY = Scene("yen-bai-2025-2026", "party-office-monthly", "2026-05", "van-phong-tinh-uy", date(2026, 5, 31), "bad")  # fmt: skip
DAY = date(2026, 2, 5)


def texts(content: bytes) -> list[str]:
    """Every paragraph, also those in tables."""
    body = Document(io.BytesIO(content)).element.body
    return ["".join(t.text or "" for t in p.iter(qn("w:t"))) for p in body.iter(qn("w:p"))]


def both(scene: Scene, number: str, template: bytes | None = None) -> tuple[Draft, bytes, bytes | None]:  # fmt: skip
    draft = compose(material(scene))
    before = to_docx(draft, template=template, confirmed=True)
    head = draft.head
    return draft, before, numbered(before, number, DAY, head.sign, party=head.party)


@pytest.mark.parametrize(
    ("scene", "line", "attached"),
    [
        (STATE, "Số: 05/BC-SKHCN", "(Kèm theo Báo cáo số 05/BC-SKHCN ngày 05/02/2026 của "),
        (PARTY, "Số 5-BC/VPTU", "(Kèm theo Báo cáo số 5-BC/VPTU ngày 05/02/2026 của "),
    ],
)
def test_only_the_number_and_the_date_are_written_in(scene: Scene, line: str, attached: str) -> None:  # fmt: skip
    draft, before, after = both(scene, "5")
    assert after is not None
    changed = [(a, b) for a, b in zip(texts(before), texts(after), strict=True) if a != b]
    new = [b for _, b in changed]
    assert new[:2] == [line, f"{draft.head.place}, ngày 05 tháng 02 năm 2026"]
    assert len(new) > 2 and all(text.startswith(attached) for text in new[2:])
    assert texts(before) != texts(after)
    # The form stays: the number in the letters of its place, the place and day in italics.
    cells = [c for t in Document(io.BytesIO(after)).tables for r in t.rows for c in r.cells]
    (shown,) = [p for c in cells for p in c.paragraphs if p.text == new[1]]
    assert [bool(run.font.italic) for run in shown.runs if run.text] == [True]


@pytest.mark.parametrize(
    ("typed", "party", "shown"),
    [
        ("15", False, "15/BC-UBND"),
        ("15/BC-UBND", False, "15/BC-UBND"),
        ("5/BC-UBND", False, "05/BC-UBND"),
        (" 105/BC-VP ", False, "105/BC-VP"),
        ("5", True, "5-BC-UBND"),
        ("5-BC/ĐU", True, "5-BC/ĐU"),
        ("1\x005\n", False, "15/BC-UBND"),
    ],
)
def test_a_number_as_its_form_wants_it(typed: str, party: bool, shown: str) -> None:
    assert written(typed, "BC-UBND", party=party) == shown


def template(*lines: str) -> bytes:
    document, out = Document(), io.BytesIO()
    for line in ("{{ co_quan }}", "{{ trich_yeu }}", *lines, "{{ noi_dung }}"):
        document.add_paragraph(line)
    document.save(out)
    return out.getvalue()


@pytest.mark.parametrize("line", ["Số: ...... /{{ ky_hieu }}", "SỐ ____/ {{ ky_hieu }}", "Số:/{{ ky_hieu }}"])  # fmt: skip
def test_the_ways_in_which_offices_leave_room(line: str) -> None:
    own = template(line, "{{ dia_danh_ngay }}")
    _, _, after = both(STATE, "15/BC-SKHCN", own)
    assert after is not None
    assert any(t.lower().startswith("số") and t.endswith(" 15/BC-SKHCN") for t in texts(after))


@pytest.mark.parametrize("lines", [(), ("Số:   /{{ ky_hieu }}",), ("{{ dia_danh_ngay }}",)])
def test_a_template_without_room_leaves_the_file_as_it_is(lines: tuple[str, ...]) -> None:
    assert both(STATE, "15", template(*lines))[2] is None


def test_what_was_typed_is_shown_as_it_was_typed() -> None:
    _, _, after = both(STATE, "15/<b>&\\1")
    assert after is not None and "Số: 15/<b>&\\1" in texts(after)
