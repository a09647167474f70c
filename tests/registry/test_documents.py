"""Drafts of reports over the API: what is composed is what the table of that day says."""

import io
from typing import Any

import httpx
import pytest
from docx import Document
from openpyxl import load_workbook

from services.registry.documents import pdf
from tests.registry import fakes
from tests.registry.conftest import Running
from tests.registry.past import past as past

GIA_LAI = "/v1/plans/gia-lai-2026"
QUARTER = f"{GIA_LAI}/documents/quarterly-consolidation/2026-Q3"
AUTH = {"Authorization": f"Bearer {fakes.KEY}"}


async def draft(registry: Running, address: str, **params: str) -> dict[str, Any]:
    answer = await registry.client.get(address, params=params)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def file(registry: Running, address: str, format: str, **params: str) -> bytes:
    answer = await registry.client.get(address, params={"format": format, **params})
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    return answer.content


async def table_of_that_day(registry: Running) -> dict[str, Any]:
    found = await draft(registry, f"{GIA_LAI}/table", as_of="2026-09-14", level="commune")
    return {r["unit"]: r for r in [found["whole"], *found["rows"]]}


async def test_a_draft_has_figures_behind_every_sentence(registry: Running) -> None:
    found = await draft(registry, QUARTER)
    assert (found["as_of"], found["provisional"], found["form"]) == ("2026-09-14", False, "state")
    assert found["compared_with"] == "2026-06-14"
    assert found["head"]["body"] == "SỞ KHOA HỌC VÀ CÔNG NGHỆ"
    sentences = [*found["opening"]]
    for section in found["sections"]:
        sentences += section["sentences"]
        sentences += [s for part in section["parts"] for s in part["sentences"]]
    assert all(key in found["figures"] for s in sentences for key in s["figures"])
    assert len({s["key"] for s in sentences}) == len(sentences)


async def test_figures_read_back_from_word_and_workbook_are_those_of_the_table(
    registry: Running,
) -> None:
    table = await table_of_that_day(registry)
    book = load_workbook(io.BytesIO(await file(registry, QUARTER, "xlsx")))
    appendix = (await draft(registry, QUARTER))["appendix"]
    objectives = appendix["objectives"]
    compared = 0
    for number, sheet in enumerate(s for s in book if s.title.startswith("Phụ lục I.")):
        group = objectives[number * 5 : number * 5 + 5]
        assert sheet.page_setup.orientation == "landscape" and sheet.print_title_rows
        assert sheet.print_area and sheet.merged_cells.ranges
        for row in sheet.iter_rows(min_row=7, values_only=True):
            cells = table[row[1]]["cells"]
            for index, objective in enumerate(group):
                value, base = row[3 + 3 * index], row[4 + 3 * index]
                shown = judged(cells[objective])
                if shown is None:
                    assert value in (None, "–")
                    continue
                assert (value, base or None) == (shown[0], shown[1] or None), (row[1], objective)
                compared += 1
    assert compared > 1000
    document = Document(io.BytesIO(await file(registry, QUARTER, "docx")))
    texts = 0
    for grid in (t for t in document.tables if t.rows[0].cells[0].text == "TT" and len(t.columns) > 7):  # fmt: skip
        heads = [c.text for c in grid.rows[0].cells]
        names = [o for o in objectives if any(h.startswith(short(table, o)) for h in heads)]
        assert len(names) == len({*heads[2:]})
        for line in grid.rows[2:12]:
            said = [c.text for c in line.cells]
            unit = next(r for r in table.values() if r["name_vi"] == said[1])
            for index, objective in enumerate(names):
                shown = judged(unit["cells"][objective])
                if shown is not None and shown[1]:
                    assert said[2 + 2 * index] == f"{dotted(shown[0])}/{dotted(shown[1])}"
                    texts += 1
    assert texts > 50


def judged(cell: dict[str, Any]) -> tuple[int, int | None] | None:
    one = cell["status_bucket"] if cell.get("bucket") else cell
    if one is None or one["value"] is None:
        return None
    if cell["value"] == 0 and "nothing_reported" in cell["flags"]:
        return None
    return one["value"], one["denominator"]


def short(table: dict[str, Any], objective: str) -> str:
    from services.registry.documents.wording import cut
    from tests.documents.scenes import defined

    plan = defined()[1]["gia-lai-2026"]
    found = next(o for o in plan["objectives"] if o["id"] == objective)
    return found.get("short_vi") or cut(found["text_vi"], 70)


def dotted(value: int) -> str:
    return f"{value:,}".replace(",", ".")


async def test_a_document_names_its_font_and_says_what_it_is(registry: Running) -> None:
    content = await file(registry, f"{GIA_LAI}/documents/quarterly-report/2026-Q4", "docx", unit="23563")  # fmt: skip
    document = Document(io.BytesIO(content))
    assert document.styles["Normal"].font.name == "Times New Roman"
    text = "\n".join(p.text for p in document.paragraphs)
    assert "số liệu chính thức chốt vào ngày 14/12/2026" in text and text.count("./.") == 1
    assert "TẠM TÍNH" in document.sections[0].header.paragraphs[1].text
    assert "{{" not in text and "\ue000" not in text
    head = document.tables[0]
    assert "ỦY BAN NHÂN DÂN PHƯỜNG DIÊN HỒNG" in head.cell(0, 0).text
    assert "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM" in head.cell(0, 1).text
    party = "/v1/plans/yen-bai-2025-2026/documents/party-office-monthly/2026-10"
    document = Document(io.BytesIO(await file(registry, party, "docx")))
    assert "ĐẢNG CỘNG SẢN VIỆT NAM" in document.tables[0].cell(0, 1).text
    assert "-BC/VPTU" in document.tables[0].cell(0, 0).text


async def test_every_duty_of_every_plan_can_be_drafted_today(registry: Running) -> None:
    drafted = 0
    for plan in ("dak-lak-2026", "dong-nai-2026", "gia-lai-2026", "yen-bai-2025-2026", "tan-lap-100-days-2025"):  # fmt: skip
        listed = (await draft(registry, f"/v1/plans/{plan}/documents"))["documents"]
        by_duty = {one["obligation"]: one for one in listed}
        duties = (await draft(registry, f"/v1/plans/{plan}"))["document"]["reporting"]
        calendar = (await draft(registry, f"/v1/plans/{plan}/calendar"))["obligations"]
        first = {o["id"]: o["periods"][0]["period"] for o in calendar if o["periods"]}
        for duty in duties:
            one = by_duty.get(duty["id"])
            period = one["period"] if one else first[duty["id"]]
            address = f"/v1/plans/{plan}/documents/{duty['id']}/{period}"
            who = {"unit": "24133"} if duty["who"][0] in ("ubnd-xa-phuong", "co-quan-don-vi") else {"organisation": duty["who"][0]}  # fmt: skip
            if one:
                writer = one["writers"][-1]
                who = {n: writer[n] for n in ("unit_id", "organisation") if n in writer}
                who = {"unit": who["unit_id"]} if "unit_id" in who else who
            found = await draft(registry, address, **who)
            assert found["sections"] and found["head"]["extract"]
            drafted += 1
    assert drafted == 36


@pytest.mark.parametrize(
    ("path", "params", "status", "code"),
    [
        ("quarterly-report/2026-Q2", {"unit": "24133"}, 422, "unit-outside-plan"),
        ("quarterly-report/2026-Q2", {}, 422, "debtor-missing"),
        ("quarterly-report/2026-Q9", {"unit": "23563"}, 404, "period-unknown"),
        ("quarterly-report/2026-Q2", {"organisation": "nobody"}, 404, "organisation-unknown"),
        ("quarterly-consolidation/2026-Q2", {"organisation": "so-gddt"}, 422, "not-owing"),
        ("adhoc-adjustment/2026-02-30", {}, 404, "period-unknown"),
        ("adhoc-adjustment/2027-01-01", {}, 404, "period-unknown"),
        ("nothing/2026-Q2", {}, 404, "obligation-unknown"),
        ("quarterly-consolidation/2026-Q2", {"format": "odt"}, 422, "format-unknown"),
        ("quarterly-consolidation/2026-Q2", {"known_at": "2099-01-01"}, 422, "known-at-in-future"),
    ],
)
async def test_a_bad_question_says_what_is_wrong(
    registry: Running, path: str, params: dict[str, str], status: int, code: str
) -> None:
    answer = await registry.client.get(f"{GIA_LAI}/documents/{path}", params=params)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


async def test_without_libreoffice_the_page_says_why(
    registry: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf, "converter", lambda: None)
    answer = await registry.client.get(QUARTER, params={"format": "pdf"})
    assert (answer.status_code, answer.json()["code"]) == (501, "pdf-not-available")


@pytest.mark.skipif(pdf.converter() is None, reason="LibreOffice (soffice) is not installed here")
async def test_libreoffice_opens_it(registry: Running) -> None:
    content = await file(registry, QUARTER, "pdf")
    assert content.startswith(b"%PDF-") and len(content) > 20_000


async def test_a_report_is_the_same_for_ever_and_its_changes_have_reasons(
    registry: Running,
) -> None:
    address = f"{QUARTER}/comparison"
    answer = registry.metrics["answer"]

    def corrected(request: httpx.Request) -> httpx.Response:
        """Since the report, one adult more came to light in one commune."""
        if request.url.path == "/v1/differences":
            event = {"position": 9, "origin": 9, "how": "recorded", "effect": 1}
            return httpx.Response(200, json={"change": 1, "by_definitions": 0, "by_events": 1, "events": [event], "total_events": 1})  # fmt: skip
        found = answer(request).json()
        if request.url.params.get("known_at") is None:
            for cell in found["cells"]:
                if (cell["unit_id"], cell["objective"]) == ("23563@2025", "adults-digital-skills"):
                    cell["value"] += 1
        return httpx.Response(200, json=found)

    first = await draft(registry, address, known_at="2026-11-20")
    assert first["same"] is True and first["changed"] == []
    registry.metrics["answer"] = corrected
    try:
        later = await draft(registry, address, known_at="2026-11-20")
    finally:
        registry.metrics["answer"] = answer
    assert later["figures_sha256"] == first["figures_sha256"]
    (cell,) = later["changed"]
    assert (cell["unit"], cell["objective"]) == ("23563", "adults-digital-skills")
    assert cell["now"]["value"] == cell["then"]["value"] + 1
    assert cell["reasons"]["events"] == {"recorded": 1}
    assert "from_known_at=2026-11-20" in cell["changes"]
