"""Word templates of offices: what is refused, and that what people typed is shown as they typed it."""

import io
import zipfile
from datetime import date

import pytest
from docx import Document

from services.registry.documents import docx_template
from services.registry.documents.compose import compose
from services.registry.documents.docx_template import FIELDS, check_template
from services.registry.documents.word import shipped, to_docx
from shared.problems import Problem
from tests.documents.scenes import Scene, material

BAD = Scene("gia-lai-2026", "quarterly-report", "2026-Q2", "23563@2025", date(2026, 6, 14), "bad")
EMPTY = Scene(
    "gia-lai-2026", "quarterly-report", "2026-Q2", "23563@2025", date(2026, 6, 14), "empty"
)


def template(*lines: str) -> bytes:
    document = Document()
    for line in ("{{ co_quan }}", "{{ trich_yeu }}", "{{ noi_dung }}", *lines):
        document.add_paragraph(line)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def with_part(name: str, content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(template())) as old, zipfile.ZipFile(out, "w") as new:
        for item in old.namelist():
            new.writestr(item, old.read(item))
        new.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "template-no-docx"),
        (b"%PDF-1.7 not Word", "template-no-docx"),
        (b"PK\x03\x04broken", "template-no-docx"),
        (template("{{ mat_khau }}"), "template-field-unknown"),
        (template("{% for x in range(9) %}x{% endfor %}"), "template-with-code"),
        (template("{{ ().__class__ }}"), "template-with-code"),
        (template("{{ co_quan | upper }}"), "template-with-code"),
        (template("{{ co_quan"), "template-broken"),
        (with_part("word/vbaProject.bin", b"macro"), "template-with-macros"),
        (with_part("word/embeddings/oleObject1.bin", b"x"), "template-with-macros"),
        (with_part("word/_rels/settings.xml.rels", b'<Relationships><Relationship Id="r1" Type="x/attachedTemplate" Target="https://else.example/t.dotx" TargetMode="External"/></Relationships>'), "template-with-links"),
        (b"x" * (docx_template.LARGEST + 1), "template-too-large"),
    ],
)  # fmt: skip
def test_a_template_that_is_none_is_refused_by_name(content: bytes, code: str) -> None:
    with pytest.raises(Problem) as refused:
        check_template(content)
    assert refused.value.code == code and refused.value.hint


def test_a_template_that_unpacks_to_very_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docx_template, "UNPACKED", 1000)
    with pytest.raises(Problem) as refused:
        check_template(template())
    assert refused.value.code == "template-too-large"


def test_a_template_needs_the_fields_that_every_report_has() -> None:
    document, out = Document(), io.BytesIO()
    document.add_paragraph("{{ co_quan }}")
    document.save(out)
    with pytest.raises(Problem) as refused:
        check_template(out.getvalue())
    assert refused.value.code == "template-field-missing" and "noi_dung" in refused.value.detail


@pytest.mark.parametrize("party", [False, True])
def test_the_templates_that_ship_are_sound(party: bool) -> None:
    assert set(check_template(shipped(party=party))) == set(FIELDS)


def test_an_offices_own_template_is_used() -> None:
    content = to_docx(compose(material(EMPTY)), template=template("Mẫu của phường"))
    texts = [p.text for p in Document(io.BytesIO(content)).paragraphs]
    assert texts[0] == "ỦY BAN NHÂN DÂN PHƯỜNG DIÊN HỒNG" and "Mẫu của phường" in texts
    assert any(t.startswith("I. Tình hình") for t in texts)


def test_quotes_commas_and_signs_stay_as_they_were_typed() -> None:
    draft = compose(material(BAD))
    edits = {"opening.days": 'Ông "A", <b>bà</b> & {{ co_quan }}\nDòng hai'}
    texts = [p.text for p in Document(io.BytesIO(to_docx(draft, edits=edits))).paragraphs]
    assert 'Ông "A", <b>bà</b> & {{ co_quan }}' in texts and "Dòng hai" in texts
    assert any('gọi lớp là "lớp chữ số", ít tự tin' in text for text in texts)
    assert not any("Số liệu trong kỳ tính từ" in text for text in texts)


def test_an_edit_that_is_empty_takes_the_sentence_out() -> None:
    draft = compose(material(EMPTY))
    text = "\n".join(p.text for p in Document(io.BytesIO(to_docx(draft, edits={"results.nothing": ""}))).paragraphs)  # fmt: skip
    assert "chưa có căn cứ để đánh giá" not in text


def test_a_confirmed_document_is_no_draft_any_more() -> None:
    draft = compose(material(EMPTY))
    first = Document(io.BytesIO(to_docx(draft))).sections[0].first_page_header
    assert first.paragraphs[0].text == "DỰ THẢO"
    last = Document(io.BytesIO(to_docx(draft, confirmed=True))).sections[0].first_page_header
    assert last.paragraphs[0].text == ""
