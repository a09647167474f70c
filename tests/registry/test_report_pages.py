"""The pages that write a report, without script: edit, keep what was typed, confirm, upload, submit,
compare, and set the office's template."""

import re
from html import unescape
from typing import Any

import pytest

from tests.documents.pdfs import signed_pdf, with_script
from tests.keys.browser import CHROMIUM
from tests.registry import fakes
from tests.registry.conftest import Running
from tests.registry.pages import address as address
from tests.registry.past import past as past
from tests.registry.screens import chromium, findings, phone, picture

PLAN = "/plans/gia-lai-2026"
Q3 = f"{PLAN}/documents/quarterly-report/2026-Q3"
WHO = {"unit": "23563"}
AUTH = {"Authorization": f"Bearer {fakes.KEY}", "Accept": "text/html"}
OWN = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}
FIELD = re.compile(r'<textarea name="(s\.[^"]+)"[^>]*>\n?(.*?)</textarea></label><input type="hidden" name="(was\.[^"]+)" value="([^"]+)"', re.S)  # fmt: skip
AFTER = re.compile(r'name="after" value="(\d+)"')


async def page(registry: Running, where: str = Q3, **params: str) -> str:
    answer = await registry.client.get(where, params=WHO | params, headers=AUTH)
    assert answer.status_code == 200, answer.text
    return answer.text


async def form_of(registry: Running) -> dict[str, str]:
    text = await page(registry)
    found: dict[str, str] = {}
    for name, value, was, stamp in FIELD.findall(text):
        found |= {name: unescape(value).strip("\n").replace("\n", "\r\n"), was: stamp}
    after = AFTER.search(text)
    assert after is not None and len(found) > 10
    return found | {"after": after[1]}


async def send(registry: Running, form: dict[str, str], **more: Any) -> Any:
    return await registry.client.post(Q3, params=WHO, data=form, headers=AUTH, **more)


def files(content: bytes, name: str = "15-BC-UBND.pdf") -> dict[str, Any]:
    return {"file": (name, content)}


async def test_a_report_is_written_and_submitted_without_script(registry: Running) -> None:
    form = await form_of(registry)
    answer = await send(registry, form | {"step": "edited"})
    assert answer.headers["location"].endswith("&done=unchanged")
    first = next(name for name in form if name.startswith("s."))
    typed = 'Xã "Đông – Tây", <b>3 thôn</b> & 2 làng.\r\nĐoạn thêm.'
    answer = await send(registry, form | {first: typed, "step": "edited"})
    assert answer.status_code == 303 and answer.headers["location"].endswith("&done=edited")
    text = await page(registry)
    assert "Xã &#34;Đông – Tây&#34;, &lt;b&gt;3 thôn&lt;/b&gt; &amp; 2 làng." in text
    assert "Đã sửa tay" in text

    # Two people: whoever comes second sees what the first one wrote, and keeps their own text.
    answer = await send(registry, form | {first: "Của người sau", "step": "edited"})
    assert answer.status_code == 409 and "Của người sau" in answer.text
    assert "Người khác vừa viết" in answer.text and "Đoạn thêm." in answer.text

    for step, more in (
        ("reviewed", {"remark": "Được"}),
        ("confirmed", {}),
        ("numbered", {"number": "15/BC-UBND", "document_date": "2026-09-15"}),
    ):
        answer = await send(registry, {"step": step, **more})
        assert answer.status_code == 303, (step, answer.text)
    text = await page(registry)
    assert "văn bản Word có số, ngày" in text and "chưa có số và ngày" not in text
    for content, words in (
        (with_script(), "Tệp có macro, mã chạy"),
        (b"MZ", "không phải PDF hoặc Word"),
        (b"", "Chưa có nội dung"),
    ):
        answer = await registry.client.post(f"{Q3}/signed", params=WHO, files=files(content), headers=AUTH)  # fmt: skip
        assert answer.status_code in (413, 422), answer.text
        assert words in answer.text and 'aria-describedby="tep-sai"' in answer.text
    large = AUTH | {"Content-Length": str(200 * 1024 * 1024), "Content-Type": "multipart/form-data; boundary=x"}  # fmt: skip
    answer = await registry.client.post(f"{Q3}/signed", params=WHO, content=b"x", headers=large)
    assert answer.status_code == 413 and "Tệp lớn quá 15 MB" in answer.text
    answer = await registry.client.post(
        f"{Q3}/signed", params=WHO, files=files(signed_pdf()[0]), headers=AUTH
    )
    assert answer.status_code == 303, answer.text
    text = await page(registry)
    assert "Nguyễn Văn Mẫu" in text and "chưa xác minh được người ký" in text
    # A number that comes after the signed file stands in no signed file.
    answer = await send(registry, {"step": "numbered", "number": "16/BC-UBND", "document_date": "2026-09-16"})  # fmt: skip
    assert answer.status_code == 303, answer.text
    text = await page(registry)
    assert "Tệp đã ký được tải lên trước khi ghi số" in text
    answer = await send(registry, {"step": "submitted"})
    assert answer.status_code == 303, answer.text
    text = await page(registry)
    assert "Đã nộp" in text and "16/BC-UBND" in text
    text = await page(registry, f"{Q3}/comparison")
    assert "Mọi con số vẫn như khi báo cáo" in text


async def test_what_was_typed_survives_the_end_of_a_session(registry: Running) -> None:
    long = "Ấ" * 3900
    form = {f"s.key{n}": long for n in range(6)} | {"step": "edited", "after": "0"}
    answer = await registry.client.post(
        Q3, params=WHO, data=form, headers=OWN | {"Cookie": "hocvuso_session=hvs_ended"}
    )
    assert answer.status_code == 401
    assert answer.text.count(long) == 6 and f'action="{Q3}?unit=23563"' in answer.text


async def test_a_template_is_set_and_refused_beside_its_field(registry: Running) -> None:
    where = f"{PLAN}/template"
    answer = await registry.client.post(where, params=WHO, files=files(b"x"), headers=AUTH)
    assert answer.status_code == 422
    assert "không phải văn bản Word" in answer.text and 'aria-describedby="mau-sai"' in answer.text
    shipped = await registry.client.get(f"/v1{where}/file", params=WHO, headers=AUTH)
    answer = await registry.client.post(
        where,
        params=WHO,
        files=files(shipped.content),
        data={"name": "ủy ban.docx"},
        headers=AUTH,
    )
    assert answer.status_code == 303
    answer = await registry.client.get(answer.headers["location"], headers=AUTH)
    assert "ủy ban.docx" in answer.text and "Từ nay báo cáo được soạn" in answer.text


async def test_the_page_of_the_period_leads_there(registry: Running) -> None:
    text = (await registry.client.get(f"{PLAN}/reports/quarterly-report/2026-Q3", headers=AUTH)).text  # fmt: skip
    assert f'href="{Q3}?unit=23563%402025"' in text


async def test_the_pages_speak_english(registry: Running) -> None:
    pages = {
        f"{PLAN}/calendar": ("Report calendar", "Closing day"),
        f"{PLAN}/reports/quarterly-report/2026-Q3": ("Report for Q3 2026:", "Write, submit"),
        f"{PLAN}/documents/quarterly-report/2026-Q4": (", Q4 2026</h1>", "Confirm the figures"),
        f"{PLAN}/template": ("Fields of the template", "the issuing body"),
        f"{Q3}/comparison": ("SHA-256 of the figures:", "Back to the report"),
    }
    for where, told in pages.items():
        english = AUTH | {"Cookie": "hocvuso_language=en"}
        text = (await registry.client.get(where, params=WHO, headers=english)).text
        assert [words for words in told if words not in text] == [], where


@pytest.mark.parametrize("rest", ["", "/comparison"])
async def test_where_several_owe_it_one_is_chosen(registry: Running, rest: str) -> None:
    """Without a body the page leads to the period's, which leads to each one's; where that lists
    nobody, and to programs, it is said what is missing."""
    within = "/plans/tan-lap-100-days-2025"
    one = "front-supervision/2025-Q3"
    answer = await registry.client.get(f"{within}/documents/{one}{rest}", headers=AUTH)
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"] == f"{within}/reports/{one}"
    text = (await registry.client.get(f"{within}/reports/{one}", headers=AUTH)).text
    links = re.findall(rf'href="({within}/documents/{one}\?organisation=[\w-]+)"', text)
    assert len(links) > 1
    shown = await registry.client.get(unescape(links[0]), headers=AUTH)
    assert shown.status_code == 200, shown.text
    api = await registry.client.get(f"/v1{within}/documents/{one}{rest}", headers=AUTH)
    assert (api.status_code, api.json()["code"]) == (422, "debtor-missing")
    for other, status, said in (
        (f"{within}/documents/front-supervision/2031-Q3", 404, "Không có kỳ báo cáo này."),
        ("/plans/dong-nai-2026/documents/mooc-statistics/2026-11-01", 422, "Hãy ghi mã đơn vị nộp"),
    ):
        refused = await registry.client.get(other + rest, headers=AUTH)
        assert refused.status_code == status and said in refused.text, other


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: pages not seen")
async def test_the_pages_are_seen_on_a_phone_and_a_desk(
    registry: Running, address: str
) -> None:  # fmt: skip
    """axe finds nothing serious, nothing is wider than the window; a sentence is typed and saved."""
    open_one = f"{PLAN}/documents/quarterly-report/2026-Q4?unit=23563"
    pages = {
        "report-open": open_one,
        "report-submitted": f"{Q3}?unit=23563",
        "report-compare": f"{Q3}/comparison?unit=23563",
        "report-template": f"{PLAN}/template?unit=23563",
    }
    wrong: dict[str, Any] = {}
    async with chromium() as browser:
        for width in (390, 1280):
            context = await phone(browser, address, fakes.SESSION, width=width, script=True, bypass_csp=True)  # fmt: skip
            for name, path in pages.items():
                page = await context.new_page()
                answer = await page.goto(path)
                assert answer is not None and answer.status == 200, name
                await picture(page, name)
                found = await findings(page)
                if found:
                    wrong[f"{name} {width}"] = found
                await page.close()
        assert not wrong, wrong
        context = await phone(browser, address, fakes.SESSION)
        page = await context.new_page()
        await page.goto(open_one)
        await page.locator("textarea").first.fill("Câu gõ trên điện thoại.")
        await page.click("text=Lưu nội dung")
        assert "Đã lưu các câu sửa" in await page.locator(".done").inner_text()
        await picture(page, "report-edited")
        assert "Câu gõ trên điện thoại." in await page.locator("textarea").first.input_value()
