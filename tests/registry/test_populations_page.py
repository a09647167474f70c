"""Denominators in a browser: download the workbook, fill it in, upload, look, write."""

import html
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import pytest

from services.registry.populations.faults import FAULTS
from services.registry.populations.groups import names_of_groups
from services.registry.populations.workbook import DOUBTS
from services.registry.web import rule_words, upload
from shared.problems import Problem
from tests.keys import browser
from tests.registry.conftest import Running
from tests.registry.pages import address as address
from tests.registry.populations import Edit, edited, fill, place

PAGE = "/plans/dak-lak-2026/populations"
KEY = "hvs_police_page"
OURS = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def police(registry: Running) -> Iterator[Running]:
    """Signed in as an authority that declares denominators."""
    registry.activities.keys[KEY] = {
        "name": "ca", "roles": ["police"], "scopes": ["events:write", "tables:read"],
        "sources": ["https://ca.example"], "subtree": "66@2025",
    }  # fmt: skip
    registry.client.cookies.set("hocvuso_session", KEY)
    yield registry
    registry.client.cookies.clear()


async def send(registry: Running, body: bytes, **fields: str) -> httpx.Response:
    files = {"file": ("mau-so.xlsx", body)} if body else {"none": ("", b"")}
    return await registry.client.post(PAGE, files=files, data=fields, headers=OURS)


async def filled(registry: Running, edit: Edit) -> bytes:
    def both(sheet: Any) -> None:
        fill(sheet)
        edit(sheet)

    return await edited(registry, both)


async def test_download_upload_look_write(police: Running) -> None:
    start = html.unescape((await police.client.get(PAGE)).text)
    assert 'type="file"' in start and f"/v1{PAGE}?format=xlsx" in start
    owed = re.search(rf"<td>{names_of_groups()['adults']}</td><td>(\d+) / 102", start)
    assert owed is not None

    def edit(sheet: Any) -> None:
        place(sheet, "24343@2025", "adults").value = "12.345"
        place(sheet, "24346@2025", "adults").value = 0

    body = await filled(police, edit)
    before = len(police.activities.posted)
    shown = await send(police, body)
    text = html.unescape(shown.text)
    assert (shown.status_code, len(police.activities.posted)) == (200, before)
    assert "chưa ghi gì" in text and "12.345" in text and rule_words.DOUBTS["zero"] in text
    assert "Còn thiếu sau khi ghi" in text and f"<td>{int(owed[1]) - 2} / 102" in text
    packed = re.search(r'name="file-packed" value="([^"]+)"', text)
    assert packed is not None
    data = {"file-packed": packed[1], "write": "1"}
    answer = await send(police, b"", **data)
    assert answer.status_code == 303, answer.text
    assert len(police.activities.posted) == before + 2
    text = (await police.client.get(answer.headers["location"])).text
    assert "Đã ghi 2 số" in text and "12.345" in text
    again = await send(police, body)
    assert "Không có gì thay đổi" in again.text and 'id="ghi"' not in again.text


async def test_what_is_refused_has_row_column_rule_and_fix(police: Running) -> None:
    where: dict[str, str] = {}

    def edit(sheet: Any) -> None:
        for name, unit, value in (
            ("formula", "24163@2025", "=1+1"), ("not-a-number", "24169@2025", "rất nhiều"),
        ):  # fmt: skip
            cell = place(sheet, unit, "adults")
            cell.value, where[name] = value, cell.coordinate
        place(sheet, "24175@2025", "adults").value = 4_321
        heading = place(sheet, "24187@2025", "adults")
        sheet.cell(heading.row, 1).value, where["unit-outside"] = "75@2025", heading.coordinate
        heading.value = 7
        for row in sheet.iter_rows(max_row=6):
            if row[0].value == "# authority":
                row[1].value = None

    before = len(police.activities.posted)
    answer = await send(police, await filled(police, edit))
    text = html.unescape(answer.text)
    assert (answer.status_code, len(police.activities.posted)) == (422, before)
    for name in ("formula", "not-a-number", "unit-outside"):
        rule, fix = rule_words.WORKBOOK[name]
        row = rf'<th scope="row">{where[name]} <small[^<]+</small></th><td>{re.escape(rule)}</td>'
        assert re.search(f"{row}<td>{re.escape(fix)}</td>", text), name
    assert "Cơ quan công bố</small></th><td>" + rule_words.WORKBOOK["not-filled-in"][0] in text
    assert "4.321" in text and 'id="ghi"' not in text


async def test_another_file_and_no_file(police: Running) -> None:
    answer = await send(police, b"not a workbook")
    assert (answer.status_code, "workbook-invalid" in answer.text) == (422, True)
    answer = await send(police, b"", write="1")
    assert (answer.status_code, "body-empty" in answer.text) == (422, True)
    answer = await send(police, b"", **{"file-packed": "%%%"})
    assert (answer.status_code, "form-malformed" in answer.text) == (422, True)
    answer = await police.client.post(PAGE, content=b"x=1", headers=OURS)
    assert (answer.status_code, "form-malformed" in answer.text) == (422, True)


async def test_forms_are_for_those_who_may_declare(registry: Running, police: Running) -> None:
    police.client.cookies.clear()
    assert 'type="file"' not in (await registry.client.get(PAGE)).text
    assert (await send(registry, b"x")).status_code == 401
    police.activities.keys["hvs_page_reader"] = {
        "name": "r",
        "roles": ["reader"],
        "scopes": ["tables:read"],
    }
    police.client.cookies.set("hocvuso_session", "hvs_page_reader")
    assert 'type="file"' not in (await registry.client.get(PAGE)).text
    police.client.cookies.set("hocvuso_session", KEY)
    body = await filled(police, lambda s: setattr(place(s, "24352@2025", "adults"), "value", 5))
    police.activities.refuse = {"code": "unit-outside-key", "detail": "no", "status": 403}
    try:
        answer = await send(police, body)
    finally:
        police.activities.refuse = None
    assert (answer.status_code, "nằm ngoài phạm vi" in answer.text) == (403, True)


def test_every_fault_and_doubt_has_vietnamese_words() -> None:
    assert set(rule_words.WORKBOOK) == set(FAULTS)
    assert set(rule_words.DOUBTS) == set(DOUBTS)


@pytest.mark.parametrize("content", [b"\r\n--b", b"a\r\n\r\n\x00\xff--b--\r\n", b"", b"\r\n"])
def test_a_file_arrives_as_it_was_sent(content: bytes) -> None:
    request = httpx.Request(
        "POST", "http://x", files={"file": ("ô.xlsx", content)}, data={"a": "é"}
    )
    request.read()
    found = upload.fields(request.headers["Content-Type"], request.content)
    assert (found["file"], upload.text(found, "a")) == ([content], "é")
    with pytest.raises(Problem):
        upload.fields(request.headers["Content-Type"], request.content[:-6])


@pytest.mark.skipif(browser.CHROMIUM is None, reason="no chromium on this machine: pages not seen")
async def test_a_real_browser_uploads_the_workbook(
    police: Running, address: str, tmp_path: Path
) -> None:  # fmt: skip
    file = tmp_path / "mau-so.xlsx"
    file.write_bytes(
        await filled(police, lambda s: setattr(place(s, "24364@2025", "adults"), "value", 54_321))
    )
    assert openpyxl.load_workbook(io.BytesIO(file.read_bytes())).worksheets
    async with browser.browser(tmp_path) as page:
        await page.open(f"{address}/login?next={PAGE}")
        await page.until("document.querySelector('[name=key]') !== null")
        await page.run("document.querySelector('[name=key]').focus()")
        await page.type(KEY)
        await page.press_enter()
        await page.until("document.querySelector('[type=file]') !== null")
        await page.choose_file("[type=file]", file)
        await page.click(".entry button")
        await page.until("document.querySelector('#ghi') !== null")
        assert "54.321" in await page.run("document.body.innerText")
        assert await page.run("document.documentElement.scrollWidth <= innerWidth")
        await page.click("#ghi")
        await page.until("document.querySelector('.done') !== null")
        assert "Đã ghi 1 số" in await page.run("document.body.innerText")
        assert not [entry for entry in page.log if '"level": "error"' in entry]


@pytest.mark.parametrize("damage", [
    pytest.param(lambda body: body.replace(b"--x\r\n", b"", 1), id="no boundary"),
    pytest.param(lambda body: body.replace(b'; name="file"', b""), id="no name"),
    pytest.param(lambda body: body.replace(b"--x--", b""), id="no end"),
    pytest.param(lambda body: b"", id="empty"),
])  # fmt: skip
def test_a_damaged_form_is_refused(damage: Callable[[bytes], bytes]) -> None:
    good = b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nno,one\r\n--x--\r\n'
    kind = "multipart/form-data; boundary=x"
    assert upload.fields(kind, good) == {"file": [b"no,one"]}
    with pytest.raises(Problem):
        upload.fields(kind, damage(good))
    with pytest.raises(Problem):
        upload.fields("text/plain", good)
