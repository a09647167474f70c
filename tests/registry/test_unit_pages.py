"""Units change in a browser: rename, merge, split on a day; a file; each with its difference."""

import html
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest

from services.registry.web import rule_words
from tests.keys import browser
from tests.registry import fakes
from tests.registry.conftest import Running
from tests.registry.hamlets import OURS
from tests.registry.pages import address as address

ON = "2026-11-18"
COLUMNS = "code,name_vi,kind,parent\n"
CODE = Path(__file__).parents[2] / "services" / "registry" / "units"


@pytest.fixture
def administrator(registry: Running) -> Iterator[Running]:
    registry.client.cookies.set("hocvuso_session", fakes.SESSION)
    yield registry
    registry.client.cookies.clear()


async def send(registry: Running, code: str, *fields: tuple[str, str]) -> httpx.Response:
    body = urlencode([("on", ON), *fields])
    return await registry.client.post(f"/units/{code}/changes", content=body, headers=OURS)


async def confirm(registry: Running, code: str, shown: httpx.Response) -> str:
    """Send the form that stands under the difference; the page after it."""
    text = html.unescape(shown.text)
    assert (shown.status_code, "chưa ghi gì" in text) == (200, True), text
    form = shown.text[shown.text.index('<form method="post">') : shown.text.index('id="ghi"')]
    found = re.findall(r'name="([a-z_]+)" value="([^"]*)"', form)
    before = len(registry.activities.posted)
    body = urlencode([(name, html.unescape(value)) for name, value in found])
    answer = await registry.client.post(f"/units/{code}/changes", content=body, headers=OURS)
    assert answer.status_code == 303, answer.text
    assert len(registry.activities.posted) > before
    return html.unescape((await registry.client.get(answer.headers["location"])).text)


async def test_rename_merge_split(administrator: Running) -> None:
    children = (await administrator.client.get("/v1/units/75/children")).json()["units"]
    one, two, three = (u["code"] for u in children[10:13])
    start = html.unescape((await administrator.client.get(f"/units/{one}/changes")).text)
    assert f'value="{two}@2025"' in start and "Chia tách" in start
    shown = await send(
        administrator, one, ("what", "rename"), ("name", "Phường Trang Mới"), ("kind", "ward"),
        ("source_ref", "12/NQ-UBTVQH"),
    )  # fmt: skip
    assert f"Phường Trang Mới (phường)</td><td>18/11/2026</td>" in html.unescape(shown.text)  # noqa: F541
    page = await confirm(administrator, one, shown)
    assert "Đã ghi 1 thay đổi" in page and "Từ 18/11/2026: Phường Trang Mới (phường)" in page
    assert administrator.activities.posted[-1]["data"]["source_ref"] == "12/NQ-UBTVQH"
    again = await send(
        administrator, one, ("what", "rename"), ("name", "Phường Trang Mới"), ("kind", "ward")
    )
    assert "Không có gì thay đổi" in again.text and 'id="ghi"' not in again.text

    shown = await send(
        administrator, one, ("what", "merge"), ("units", f"{two}@2025"), ("into", "new"),
        ("code", "99921"), ("name", "Xã Hợp Một"), ("kind", "commune"),
    )  # fmt: skip
    text = html.unescape(shown.text)
    assert "Thành lập" in text and text.count("nhập vào Xã Hợp Một (99921@2025)") == 2
    page = await confirm(administrator, one, shown)
    assert "Đã ghi 3 thay đổi" in page and "99921@2025" in page

    shown = await send(
        administrator, three, ("what", "split"),
        ("part", "99922"), ("part_name", "Xã Đông"), ("part_kind", "commune"),
        ("part", "99921"), ("part_name", ""), ("part_kind", "commune"),
        ("part", ""), ("part_name", ""), ("part_kind", "commune"),
    )  # fmt: skip
    text = html.unescape(shown.text)
    assert "chia vào Xã Hợp Một (99921@2025); Xã Đông (99922@2025)" in text
    assert "Đã ghi 2 thay đổi" in await confirm(administrator, three, shown)


@pytest.mark.parametrize(
    ("fields", "place", "rule"),
    [
        ({"what": "rename", "name": "Tỉnh", "kind": "province"}, "Loại", "level-changes"),
        ({"what": "merge", "into": "new", "code": "9992", "name": "Xã", "kind": "commune"},
         "Mã đơn vị mới", "code-digits"),
        ({"what": "merge", "into": "new", "code": "24121", "name": "Xã", "kind": "commune"},
         "Mã đơn vị mới", "code-taken"),
        ({"what": "merge", "into": "66"}, "Đơn vị nhận", "levels-differ"),
        ({"what": "merge", "units": "66@2025", "into": "24121"}, "Các đơn vị thôi tồn tại",
         "levels-differ"),
        ({"what": "rename", "name": "Xã", "on": "2024-01-01"}, "Từ ngày", "not-there"),
        ({"what": "merge", "into": "new", "name": "Xã", "kind": "commune"}, "Mã đơn vị mới", ""),
        ({"what": "split", "part": "24121", "part_name": "", "part_kind": ""}, "Đơn vị nhận", ""),
        ({"what": "rename", "name": "Xã", "on": ""}, "Từ ngày", ""),
        ({"what": "merge", "into": "00000"}, "Đơn vị nhận", ""),
    ],
)  # fmt: skip
async def test_what_is_refused_names_field_rule_and_fix(
    administrator: Running, fields: dict[str, str], place: str, rule: str
) -> None:
    body = urlencode({"on": ON} | fields)
    before = len(administrator.activities.posted)
    answer = await administrator.client.post("/units/24193/changes", content=body, headers=OURS)
    text = html.unescape(answer.text)
    assert answer.status_code in (404, 422) and len(administrator.activities.posted) == before
    assert f"<strong>{place}:</strong>" in text, text[text.index('role="alert"') :][:600]
    if rule:
        said, fix = rule_words.UNITS[rule]
        assert said in text and fix in text


async def test_import_from_a_file(administrator: Running) -> None:
    async def upload(text: str, **fields: str) -> httpx.Response:
        return await administrator.client.post(
            "/units/import", files={"file": ("units.csv", text.encode())}, data={"on": ON} | fields,
            headers={"Sec-Fetch-Site": "same-origin"},
        )  # fmt: skip

    wrong = "123,Xã,commune,66\n99931,Xã Một,commune,66\n99931,Xã Một,commune,66\n9,X,moon,66\n"
    answer = await upload(COLUMNS + wrong)
    text = html.unescape(answer.text)
    assert answer.status_code == 422
    for line, rule in ((2, "code-digits"), (4, "code-twice"), (5, "field-invalid")):
        said, fix = rule_words.UNITS[rule]
        assert re.search(rf'row">{line}</th>.*{re.escape(said)}</td><td>{re.escape(fix)}', text)
    good = COLUMNS + "99931,Xã Một,commune,75\n"
    text = html.unescape((await upload(good)).text)
    assert "Xã Một (xã), thuộc Thành phố Đồng Nai" in text and "mà tệp không nêu" in text
    packed = re.search(r'name="file-packed" value="([^"]+)"', text)
    assert packed is not None
    answer = await administrator.client.post(
        "/units/import", files={"none": ("", b"")}, headers={"Sec-Fetch-Site": "same-origin"},
        data={"on": ON, "write": "1", "file-packed": packed[1]},
    )  # fmt: skip
    assert answer.headers["location"] == "/units/import?done=1", answer.text
    assert (await administrator.client.get("/v1/units/99931")).json()["name_vi"] == "Xã Một"
    assert "Không có gì thay đổi" in (await upload(good)).text
    assert "file-invalid" in (await upload("a,b\n")).text


async def test_forms_are_for_those_who_may_change_units(registry: Running) -> None:
    for text, may in ((fakes.KEY, True), ("hv_unit_page_commune", False), (None, False)):
        registry.activities.keys["hv_unit_page_commune"] = {
            "name": "xa", "roles": ["commune"], "scopes": ["events:write", "tables:read"], "subtree": "24133@2025",
        }  # fmt: skip
        headers = {"Authorization": f"Bearer {text}"} if text else {}
        for page in ("/units/24133/changes", "/units/import"):
            found = (await registry.client.get(page, headers=headers)).text
            assert ('class="entry"' in found) is may, (text, page)
        unit = (await registry.client.get("/units/24133", headers=headers)).text
        assert ("/changes" in unit) is may
    assert (await send(registry, "24133", ("what", "rename"), ("name", "X"))).status_code == 401


def test_every_rule_has_vietnamese_words() -> None:
    said = {
        rule
        for file in CODE.glob("*.py")
        for rule in re.findall(r'(?:wrong|LineError)\(\s*"([a-z-]+)"', file.read_text())
    }
    assert len(said) > 12 and said <= set(rule_words.UNITS)


@pytest.mark.skipif(browser.CHROMIUM is None, reason="no chromium on this machine: pages not seen")
async def test_a_real_browser_renames_a_unit(
    administrator: Running, address: str, tmp_path: Path
) -> None:  # fmt: skip
    async with browser.browser(tmp_path) as page:
        await page.open(f"{address}/login?next=/units/24211/changes")
        await page.until("document.querySelector('[name=key]') !== null")
        await page.run("document.querySelector('[name=key]').focus()")
        await page.type(fakes.KEY)
        await page.press_enter()
        await page.until("document.querySelector('[name=name]') !== null")
        await page.run("document.querySelector('[name=name]').select()")
        await page.type("Xã Trong Trình Duyệt")
        await page.click(".entry button")
        await page.until("document.querySelector('#ghi') !== null")
        assert await page.run("document.documentElement.scrollWidth <= innerWidth")
        await page.click("#ghi")
        await page.until("document.querySelector('.done') !== null")
        assert "Xã Trong Trình Duyệt" in await page.run("document.body.innerText")
