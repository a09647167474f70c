"""From the draft to what was submitted, over the API: edited, confirmed by one of two, signed, submitted,
returned, superseded; every file comes back as it was stored."""

import asyncio
import hashlib
import io
from typing import Any

import asyncpg
import pytest
from docx import Document

from services.registry.documents import word
from tests.documents.pdfs import signed_pdf
from tests.registry import fakes
from tests.registry.conftest import Running
from tests.registry.past import past as past

BASE = "/v1/plans/gia-lai-2026/documents/quarterly-report"
Q3, Q4 = f"{BASE}/2026-Q3", f"{BASE}/2026-Q4"
WHO = {"unit": "23563"}
AUTH = {"Authorization": f"Bearer {fakes.KEY}"}
OTHER = "hv_11111111_other"
KEY = "opening.days"


async def step(registry: Running, address: str, step: str, who: Any = None, **more: Any) -> Any:
    body = (who or WHO) | {"step": step, **more}
    return await registry.client.post(f"{address}/steps", json=body, headers=AUTH)


async def life(registry: Running, address: str, who: Any = None) -> dict[str, Any]:
    answer = await registry.client.get(f"{address}/life", params=who or WHO, headers=AUTH)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def put(registry: Running, address: str, content: bytes, name: str, who: Any = None) -> Any:
    return await registry.client.put(
        f"{address}/signed", params=(who or WHO) | {"name": name}, content=content, headers=AUTH
    )


async def through(registry: Running, address: str, who: Any, content: bytes, number: str) -> None:
    """Confirmed, numbered, signed and submitted."""
    for name, more in (
        ("confirmed", {}),
        ("numbered", {"number": number, "document_date": "2026-09-15"}),
    ):
        answer = await step(registry, address, name, who, **more)
        assert answer.status_code == 200, answer.text
    answer = await put(registry, address, content, "bao-cao.pdf", who)
    assert answer.status_code == 200, answer.text
    answer = await step(registry, address, "submitted", who)
    assert answer.status_code == 200, answer.text


async def test_a_report_from_its_first_edit_to_the_one_that_takes_its_place(
    registry: Running,
) -> None:
    assert (await life(registry, Q3))["state"] == "draft"
    answer = await step(registry, Q3, "edited", edits={KEY: 'Câu của "chúng tôi", sửa tay.'})
    assert answer.status_code == 200, answer.text
    draft = (await registry.client.get(Q3, params=WHO)).json()
    (said,) = [s for s in draft["opening"] if s["key"] == KEY]
    assert said["edited"] and said["text"] == 'Câu của "chúng tôi", sửa tay.'
    assert said["composed"] != said["text"]
    await step(registry, Q3, "reviewed", remark="Đồng ý")
    found = await life(registry, Q3)
    assert (found["state"], found["history"][0]["by"]) == ("reviewed", "tester")

    answer = await step(registry, Q3, "submitted")
    assert (answer.status_code, answer.json()["code"]) == (409, "report-not-confirmed")
    pdf, _ = signed_pdf()
    await through(registry, Q3, None, pdf, "15/BC-UBND")
    found = await life(registry, Q3)
    (one,) = found["rounds"]
    assert one["state"] == "submitted" and not one["superseded"]
    assert (one["confirmed"]["as_of"], one["confirmed"]["known_at"]) == ("2026-09-14", "2026-11-21")
    assert [s["step"] for s in found["history"]] == [
        "edited", "reviewed", "confirmed", "numbered", "signed", "submitted",
    ]  # fmt: skip
    (signature,) = one["signed"]["checks"]["signatures"]
    assert signature["signer"] == "Nguyễn Văn Mẫu"
    assert signature["verdict"] == "valid-unknown-signer"

    # What was confirmed is what was written, and all of it comes back by its hash.
    for name in ("file_sha256", "appendix_sha256", "figures_sha256"):
        digest = one["confirmed"][name]
        answer = await registry.client.get(f"{Q3}/files/{digest}", params=WHO, headers=AUTH)
        assert hashlib.sha256(answer.content).hexdigest() == digest
        if name == "file_sha256":
            text = "\n".join(p.text for p in Document(io.BytesIO(answer.content)).paragraphs)
            assert 'Câu của "chúng tôi", sửa tay.' in text and "DỰ THẢO" not in text
    # The number and the date stand in a file of its own; the confirmed one stays without.
    assert [h["by"] for h in found["history"]] == ["tester"] * 5 + ["Phường Diên Hồng"]
    digest = one["numbered"]["file_sha256"]
    assert digest != one["confirmed"]["file_sha256"]
    for name, given in (("confirmed", False), ("numbered", True)):
        answer = await registry.client.get(f"{Q3}/files/{one[name]['file_sha256']}", params=WHO, headers=AUTH)  # fmt: skip
        head = Document(io.BytesIO(answer.content)).tables[0]
        lines = [p.text for cell in head.rows[0].cells for p in cell.paragraphs]
        assert ("Số: 15/BC-UBND" in lines) is given
        assert ("Diên Hồng, ngày 15 tháng 9 năm 2026" in lines) is given
    digest = one["signed"]["file_sha256"]
    answer = await registry.client.get(f"{Q3}/files/{digest}", params=WHO, headers=AUTH)
    assert answer.content == pdf

    period = "/v1/plans/gia-lai-2026/reports/quarterly-report/2026-Q3"
    entries = (await registry.client.get(period)).json()["entries"]
    (entry,) = [e for e in entries if e.get("unit_id") == "23563@2025"]
    assert entry["report"]["file_sha256"] == digest and entry["report"]["figures"]
    assert entry["report"]["number"] == "15/BC-UBND"

    # The superior sends it back; a second one takes its place, the first stays what it was.
    answer = await registry.client.post(
        f"{period}/returns", json=WHO | {"remark": "Thiếu số liệu"}, headers=AUTH
    )
    assert answer.status_code == 200, answer.text
    await registry.settle()
    assert (await life(registry, Q3))["state"] == "returned"
    again, _ = signed_pdf("Lần hai")
    await through(registry, Q3, None, again, "19/BC-UBND")
    found = await life(registry, Q3)
    assert [r["superseded"] for r in found["rounds"]] == [True, False]
    assert found["rounds"][0]["returned"]["remark"] == "Thiếu số liệu"
    answer = await registry.client.get(f"{Q3}/files/{digest}", params=WHO, headers=AUTH)
    assert answer.content == pdf


async def test_of_two_who_confirm_at_once_one_does(registry: Running) -> None:
    who = {"unit": "21553"}
    answers = await asyncio.gather(*(step(registry, Q3, "confirmed", who) for _ in range(2)))
    assert sorted(a.status_code for a in answers) == [200, 409]
    refused = next(a for a in answers if a.status_code == 409).json()
    assert refused["code"] in ("report-confirmed", "report-busy")
    found = await life(registry, Q3, who)
    assert [s["step"] for s in found["history"]] == ["confirmed"]
    answer = await step(registry, Q3, "edited", who, edits={KEY: "x"})
    assert (answer.status_code, answer.json()["code"]) == (409, "report-confirmed")
    # The journal may lag: the claim still holds.
    await registry.database.execute(
        "DELETE FROM registry.journal WHERE type = 'report.progressed' AND unit_id LIKE $1",
        f"{who['unit']}@%",
    )
    answer = await step(registry, Q3, "confirmed", who)
    assert (answer.status_code, answer.json()["code"]) == (409, "report-confirmed")


async def test_provisional_figures_are_not_confirmed(registry: Running) -> None:
    answer = await step(registry, Q4, "confirmed")
    assert (answer.status_code, answer.json()["code"]) == (409, "figures-provisional")
    assert "2026-12-14" in answer.json()["detail"]


async def test_who_writes_the_same_sentence_later_is_told(registry: Running) -> None:
    seen = (await life(registry, Q4))["edited_through"]
    await step(registry, Q4, "edited", edits={KEY: "của người thứ nhất"}, after=seen)
    answer = await step(registry, Q4, "edited", edits={KEY: "của người thứ hai"}, after=seen)
    assert (answer.status_code, answer.json()["code"]) == (409, "report-changed")
    assert answer.json()["theirs"] == {KEY: "của người thứ nhất"}
    answer = await step(registry, Q4, "edited", edits={"opening.plan": "câu khác"}, after=seen)
    assert answer.status_code == 200
    answer = await step(registry, Q4, "edited", edits={KEY: None})
    assert KEY not in (await life(registry, Q4))["edits"]


async def test_a_stored_file_is_neither_changed_nor_deleted(registry: Running) -> None:
    for sql in ("UPDATE registry.report_file SET content = ''", "DELETE FROM registry.report_file"):
        with pytest.raises(asyncpg.PostgresError, match="neither changed nor deleted"):
            await registry.database.execute(sql)
    # Whoever goes around that is found out: the bytes have another hash.
    digest = await registry.database.fetchval("SELECT sha256 FROM registry.report_file LIMIT 1")
    found = await life(registry, Q3)
    digest = found["rounds"][0]["signed"]["file_sha256"]
    await registry.database.execute("ALTER TABLE registry.report_file DISABLE TRIGGER USER")
    try:
        kept = await registry.database.fetchval("SELECT content FROM registry.report_file WHERE sha256 = $1", digest)  # fmt: skip
        await registry.database.execute("UPDATE registry.report_file SET content = content || 'x'::bytea WHERE sha256 = $1", digest)  # fmt: skip
        answer = await registry.client.get(f"{Q3}/files/{digest}", params=WHO, headers=AUTH)
        assert (answer.status_code, answer.json()["code"]) == (500, "file-damaged")
        await registry.database.execute("UPDATE registry.report_file SET content = $2 WHERE sha256 = $1", digest, kept)  # fmt: skip
    finally:
        await registry.database.execute("ALTER TABLE registry.report_file ENABLE TRIGGER USER")


async def test_a_file_of_another_report_is_not_handed_out(registry: Running) -> None:
    digest = (await life(registry, Q3))["rounds"][0]["signed"]["file_sha256"]
    answer = await registry.client.get(f"{Q3}/files/{digest}", params={"unit": "21583"}, headers=AUTH)  # fmt: skip
    assert (answer.status_code, answer.json()["code"]) == (404, "file-unknown")


async def test_what_was_confirmed_is_compared_as_it_was_stored(registry: Running) -> None:
    """A figure that is corrected after submission shows, with what changed it."""
    same = (await registry.client.get(f"{Q3}/comparison", params=WHO)).json()
    assert (same["stored"], same["same"]) == (True, True)
    asked: list[dict[str, str]] = []
    cells = registry.metrics["answer"]

    def corrected(request: Any) -> Any:
        if request.url.path == "/v1/differences":
            asked.append(dict(request.url.params))
            return fakes.httpx.Response(200, json={"change": 1, "by_definitions": 0, "by_events": 1, "events": [{"how": "corrected", "effect": 1}], "total_events": 1})  # fmt: skip
        answer = cells(request)
        found = answer.json()
        for cell in found["cells"]:
            if cell["unit_id"] == "23563@2025" and cell["value"] is not None:
                cell["value"] += 1
                break
        return fakes.httpx.Response(200, json=found)

    registry.metrics["answer"] = corrected
    try:
        changed = (await registry.client.get(f"{Q3}/comparison", params=WHO)).json()
    finally:
        registry.metrics["answer"] = cells
    (cell,) = changed["changed"]
    assert cell["now"]["value"] == cell["then"]["value"] + 1
    assert cell["reasons"]["events"] == {"corrected": 1}
    assert asked[0]["from_position"] == str(changed["known_to"])


async def test_an_offices_own_template(registry: Running) -> None:
    address = "/v1/plans/gia-lai-2026/template"
    who = {"unit": "21583"}
    document = Document(io.BytesIO(word.shipped(party=False)))
    document.add_paragraph("Mẫu riêng của phường")
    out = io.BytesIO()
    document.save(out)
    answer = await registry.client.put(
        address, params=who | {"name": "mau.docx"}, content=out.getvalue(), headers=AUTH
    )
    assert answer.status_code == 200, answer.text
    shown = (await registry.client.get(address, params=who, headers=AUTH)).json()
    assert (shown["name"], shown["set_by"]) == ("mau.docx", "tester")
    answer = await registry.client.get(f"{address}/file", params=who, headers=AUTH)
    assert answer.content == out.getvalue()
    answer = await registry.client.get(Q3, params=who | {"format": "docx"})
    text = [p.text for p in Document(io.BytesIO(answer.content)).paragraphs]
    assert "Mẫu riêng của phường" in text

    document.add_paragraph("{{ ten_chu_tich }}")
    out = io.BytesIO()
    document.save(out)
    answer = await registry.client.put(
        address, params=who | {"name": "x.docx"}, content=out.getvalue(), headers=AUTH
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "template-field-unknown")
    large = AUTH | {"Content-Length": str(200 * 1024 * 1024)}
    answer = await registry.client.put(
        address, params=who | {"name": "x.docx"}, content=b"x", headers=large
    )
    assert answer.json()["code"] == "template-too-large"


async def test_a_template_without_room_for_a_number_leaves_the_file_as_it_was_confirmed(
    registry: Running,
) -> None:
    who = {"organisation": "so-gddt"}
    document, out = Document(), io.BytesIO()
    for field in ("co_quan", "trich_yeu", "noi_dung"):
        document.add_paragraph(f"{{{{ {field} }}}}")
    document.save(out)
    address = "/v1/plans/gia-lai-2026/template"
    answer = await registry.client.put(address, params=who | {"name": "m.docx"}, content=out.getvalue(), headers=AUTH)  # fmt: skip
    assert answer.status_code == 200, answer.text
    await through(registry, Q3, who, signed_pdf("Sở")[0], "7/BC-SGDDT")
    found = await life(registry, Q3, who)
    (one,) = found["rounds"]
    assert (one["numbered"]["file_sha256"], one["numbered"]["document_ref"]) == (None, "7/BC-SGDDT")
    assert one["confirmed"]["file_sha256"] and one["submitted"]["by"] == "Sở Giáo dục và Đào tạo"
    page = Q3.removeprefix("/v1")
    answer = await registry.client.get(page, params=who, headers=AUTH)
    assert "Văn bản Word đã lưu khi chốt được giữ nguyên, chưa có số và ngày" in answer.text


async def test_a_file_of_200_mb_is_refused_before_it_is_read(registry: Running) -> None:
    headers = AUTH | {"Content-Length": str(200 * 1024 * 1024)}
    answer = await registry.client.put(
        f"{Q3}/signed", params=WHO | {"name": "x.pdf"}, content=b"x", headers=headers
    )
    said = answer.json()
    assert (answer.status_code, said["code"], said["pointer"]) == (413, "file-too-large", "/file")


async def test_a_due_day_that_moves_after_the_draft_and_a_unit_that_merges(
    registry: Running,
) -> None:
    """The report keeps its edits; the day is the new one. A unit that has ended keeps its report."""
    who = {"unit": "21583"}
    answer = await step(registry, Q4, "edited", who, edits={KEY: 'Xã "Đông, Tây"; sửa tay.'})
    assert answer.status_code == 200, answer.text
    before = (await registry.client.get(Q4, params=who)).json()
    moved = fakes.amendment(
        "due-moved", "52@2025", "2026-11-20", plan="gia-lai-2026", obligation="quarterly-report",
        changes={"due_dates": ["2026-03-15", "2026-06-15", "2026-09-15", "2026-12-28"]},
    )  # fmt: skip
    await registry.happen(moved)
    after = (await registry.client.get(Q4, params=who)).json()
    assert before["last_day"] != after["last_day"] == "2026-12-28"
    (said,) = [s for s in after["opening"] if s["key"] == KEY]
    assert said["text"] == 'Xã "Đông, Tây"; sửa tay.'
    merged: Any = {
        "id": "merged-1", "source": "https://tinh.example", "type": "vn.hocvuso.unit.dissolved",
        "subject": "21583@2025", "time": "2026-11-20T00:00:00+07:00",
        "data": {"unit_id": "21583@2025", "dissolved_on": "2026-11-20",
                 "successors": [{"unit_id": "21553@2025", "part": "whole"}]},
    }  # fmt: skip
    await registry.happen(merged)
    answer = await registry.client.get(f"{Q3}/life", params={"unit": "21583@2025"})
    assert answer.status_code == 200, answer.text
    answer = await registry.client.get(Q3, params={"unit": "21583@2025", "format": "docx"})
    assert answer.status_code == 200, answer.text
