"""A commune keeps its hamlets in a browser: paste, look, write; rename; merge. Units as pages."""

import html
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest

from tests.keys import browser
from tests.registry.conftest import Running
from tests.registry.hamlets import OURS
from tests.registry.pages import address as address

COMMUNE = "/units/24316/hamlets"
KEY = "hvs_24316_commune"
TODAY = "2026-11-21"


@pytest.fixture
def commune(registry: Running) -> Iterator[Running]:
    """Signed in as the staff of a commune."""
    registry.activities.keys[KEY] = {
        "name": "xa", "roles": ["commune"], "scopes": ["events:write", "tables:read"],
        "sources": ["https://xa.example"], "subtree": "24316@2025",
    }  # fmt: skip
    registry.client.cookies.set("hocvuso_session", KEY)
    yield registry
    registry.client.cookies.clear()


async def send(registry: Running, *fields: tuple[str, str], to: str = COMMUNE) -> httpx.Response:
    body = urlencode([("on", TODAY), *fields])
    return await registry.client.post(to, content=body, headers=OURS)


def hidden(text: str) -> list[tuple[str, str]]:
    """The fields of the form that confirms."""
    form = text[text.index('<form method="post">') : text.index('id="ghi"')]
    found = re.findall(r'name="([a-z]+)" value="([^"]*)"', form)
    return [(name, html.unescape(value)) for name, value in found]


async def confirm(registry: Running, shown: httpx.Response) -> str:
    assert shown.status_code == 200, shown.text
    assert "chưa ghi gì" in shown.text
    before = len(registry.activities.posted)
    body = urlencode(hidden(shown.text))
    answer = await registry.client.post(COMMUNE, content=body, headers=OURS)
    assert answer.status_code == 303, answer.text
    assert len(registry.activities.posted) > before
    return (await registry.client.get(answer.headers["location"])).text


async def test_paste_look_write_rename_merge(commune: Running) -> None:
    start = (await commune.client.get(COMMUNE)).text
    assert "Chưa có danh sách" in start and "<textarea" in start
    pasted = "TT\tTên thôn\tTrưởng thôn\n1\tThôn 1\tA\n2\tThôn 2\tB\n3\tThôn 2\tB\n4\tThôn 3\tC"
    before = len(commune.activities.posted)
    shown = await send(commune, ("what", "list"), ("names", pasted), ("complete", "no"))
    assert len(commune.activities.posted) == before
    assert "24316-003@2025" in shown.text and "Trùng tên" in shown.text
    page = await confirm(commune, shown)
    assert "Đã ghi 3 thay đổi" in page and "Danh sách chưa đủ" in page and "24316-003" in page
    names = [e["data"]["name_vi"] for e in commune.activities.posted[-3:]]
    assert names == ["Thôn 1", "Thôn 2", "Thôn 3"]

    missing = await send(
        commune, ("what", "list"), ("names", "Thôn 1\nThôn Mới"), ("complete", "yes")
    )
    assert missing.status_code == 422
    assert "hamlets-absent" in missing.text and "?rename=24316-002%402025#doi-ten" in missing.text
    shown = await send(
        commune, ("what", "rename"), ("unit", "24316-002@2025"), ("name", "Thôn Mới")
    )
    page = await confirm(commune, shown)
    assert "trước là Thôn 2" in page
    merge = [("what", "merge"), ("units", "24316-001@2025"), ("units", "24316-003@2025")]
    shown = await send(commune, *merge, ("into", "new"), ("name", "Thôn Hợp Nhất"))
    page = await confirm(commune, shown)
    assert "24316-004" in page and page.count("nhập vào") == 2
    shown = await send(
        commune, ("what", "list"), ("names", "thôn mới\nThôn hợp nhất"), ("complete", "yes")
    )
    page = await confirm(commune, shown)
    assert "Danh sách đủ" in page
    again = await send(
        commune, ("what", "list"), ("names", "thôn mới\nThôn hợp nhất"), ("complete", "yes")
    )
    assert "Không có gì thay đổi" in again.text and 'id="ghi"' not in again.text


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ([("what", "list"), ("names", "")], "hamlets-malformed"),
        ([("what", "rename"), ("unit", "24133-001@2025"), ("name", "x")], "hamlets-malformed"),
        ([("what", "rename"), ("unit", ""), ("name", "")], "hamlets-malformed"),
        ([("what", "merge"), ("into", "66@2025")], "hamlets-malformed"),
        ([("what", "nonsense")], "hamlets-malformed"),
        ([("what", "list"), ("names", "Thôn"), ("on", "x")], "form-incomplete"),
    ],
)
async def test_wrong_forms(commune: Running, fields: list[tuple[str, str]], code: str) -> None:
    body = urlencode(fields if ("on", "x") in fields else [("on", TODAY), *fields])
    answer = await commune.client.post("/units/24328/hamlets", content=body, headers=OURS)
    assert (answer.status_code, code in answer.text) == (422, True), answer.text


async def test_only_the_commune_has_forms(registry: Running, commune: Running) -> None:
    assert "<textarea" not in (await commune.client.get("/units/24133/hamlets")).text
    commune.client.cookies.clear()
    stranger = (await registry.client.get(COMMUNE)).text
    assert "<textarea" not in stranger and "/login?next=" in stranger
    answer = await send(registry, ("what", "list"), ("names", "Thôn"))
    assert answer.status_code == 401
    assert (await registry.client.get("/units/66/hamlets")).status_code == 422
    commune.client.cookies.set("hocvuso_session", KEY)
    commune.activities.refuse = {"code": "unit-outside-key", "detail": "no", "status": 403}
    try:
        answer = await send(
            commune, ("what", "list"), ("names", "Thôn"), ("write", "1"), to="/units/24133/hamlets"
        )
    finally:
        commune.activities.refuse = None
    assert answer.status_code == 403 and "nằm ngoài phạm vi" in answer.text


async def test_units_are_pages(registry: Running) -> None:
    text = html.unescape((await registry.client.get("/units?q=yen+bai&former=true")).text)
    assert "Tỉnh Yên Bái" in text and "15@2004" in text and "đến hết 30/06/2025" in text
    text = html.unescape((await registry.client.get("/units/15@2004")).text)
    assert "Nhập vào" in text and "Tỉnh Lào Cai" in text and "202/2025/QH15" in text
    text = html.unescape((await registry.client.get("/units/75")).text)
    assert "Từ 30/04/2026: Thành phố Đồng Nai" in text and "Tỉnh Bình Phước" in text
    assert "Kế hoạch áp dụng" in text
    assert "Không tìm thấy" in (await registry.client.get("/units?q=khongco")).text
    assert (await registry.client.get("/units/15?on=2025-06-30")).status_code == 422


@pytest.mark.skipif(browser.CHROMIUM is None, reason="no chromium on this machine: pages not seen")
async def test_a_real_browser_pastes_a_list(
    commune: Running, address: str, tmp_path: Path
) -> None:  # fmt: skip
    async with browser.browser(tmp_path) as page:
        await page.open(f"{address}/login?next=/units/24340/hamlets")
        commune.activities.keys[KEY]["subtree"] = "24340@2025"
        commune.app.state.registry.keys._known.clear()
        await page.until("document.querySelector('[name=key]') !== null")
        await page.run("document.querySelector('[name=key]').focus()")
        await page.type(KEY)
        await page.press_enter()
        await page.until("document.querySelector('[name=names]') !== null")
        await page.run("document.querySelector('[name=names]').focus()")
        await page.type("1. Thôn Một\n2. Thôn Hai")
        assert await page.run("document.documentElement.scrollWidth <= innerWidth")
        await page.click(".entry button")
        await page.until("document.querySelector('#ghi') !== null")
        assert "24340-002@2025" in await page.run("document.body.innerText")
        await page.click("#ghi")
        await page.until("document.querySelector('.done') !== null")
        said = await page.run("document.body.innerText")
        assert "Đã ghi 2 thay đổi" in said and "24340-001" in said
        assert await page.run("document.documentElement.scrollWidth <= innerWidth")
        assert not [entry for entry in page.log if '"level": "error"' in entry]


async def test_a_near_double_is_asked_about_on_the_page(commune: Running) -> None:
    await confirm(commune, await send(commune, ("what", "list"), ("names", "Thôn Hòa Thắng")))
    await commune.settle()
    asked = await send(commune, ("what", "list"), ("names", "Thôn Hoa Thắng\nThôn Mây Hồng"))
    assert asked.status_code == 422
    assert 'name="distinct" value="Thôn Hoa Thắng"' in asked.text
    assert re.search(r"24316-\d+@2025", asked.text)
    assert "Thôn Mây Hồng</strong>" not in asked.text
    fields = (
        ("what", "list"),
        ("names", "Thôn Hoa Thắng\nThôn Mây Hồng"),
        ("distinct", "Thôn Hoa Thắng"),
    )
    written = await confirm(commune, await send(commune, *fields))
    assert "Đã ghi 2 thay đổi" in written
