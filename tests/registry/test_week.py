"""A commune's week in a real browser: from signing in to an activity that is entered, corrected,
cancelled; a nil report; sizes, both languages, without script."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Page

from tests.keys.browser import CHROMIUM
from tests.registry.conftest import Running
from tests.registry.frame import readers as readers
from tests.registry.frame import staff as staff
from tests.registry.pages import address as address
from tests.registry.screens import chromium, findings, phone, picture

needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
CHAIR = "hvs_chair_x"
CHAIR_KEY = "hv_chair_key"
CELLS = """
UPDATE indicators.cells SET value = v, required = r, denominator = NULL, ratio = NULL, status = s
FROM (VALUES ('commune-classes', 2, 5, 'overdue'), ('commune-visual-propaganda', 4, 10, 'behind'),
  ('communes-closing-conference', 0, 1, 'behind'), ('communes-hold-festival', 1, 1, 'met'),
  ('communes-reinforce-teams', 0, 1, 'overdue'), ('commune-model-citizens', 1, 2, 'on_track'),
  ('commune-monthly-posts', 3, 11, 'behind'), ('commune-model-hamlets', 0, 1, 'behind'))
  AS wanted (o, v, r, s)
WHERE plan = 'dak-lak-2026' AND unit_id = '24133@2025' AND objective = o
"""
"""A commune that has done something."""
FIRST_VIEW, NODES = 60_000, 1_500


@pytest.fixture
async def chair(readers: Running) -> AsyncIterator[Running]:
    """A commune's staff who may write, with the key that signs them in."""
    readers.activities.keys[CHAIR_KEY] = staff("commune", "24133@2025", "events:write")
    await readers.database.execute(CELLS)
    yield readers


class Taps:
    """Counts what a thumb does."""

    def __init__(self, page: Page) -> None:
        self.page, self.count = page, 0

    async def tap(self, selector: str) -> None:
        self.count += 1
        await self.page.locator(selector).first.click()


async def weight(page: Page, address: str) -> tuple[int, int]:
    """Bytes over the wire of a first view, fonts apart, and nodes of the page."""
    sizes: list[int] = []

    async def note(response: Any) -> None:
        if not response.url.split("?")[0].endswith(".woff2"):
            told = await response.request.sizes()
            sizes.append(told["responseBodySize"] + told["responseHeadersSize"])

    answers: list[Any] = []
    page.on("response", lambda response: answers.append(response))
    shown = await page.goto(address, wait_until="networkidle")
    assert shown is not None and shown.status == 200, address
    for one in answers:
        await note(one)
    nodes = await page.locator("*").count()
    return sum(sizes), nodes


@needs_browser
async def test_a_chairman_enters_corrects_and_cancels_with_a_thumb(
    chair: Running, address: str
) -> None:  # fmt: skip
    async with chromium() as browser:
        context = await phone(browser, address, None)
        page = await context.new_page()
        taps = Taps(page)
        await page.goto("/")
        await page.fill("input[name=key]", CHAIR_KEY)
        await taps.tap("main form button")
        assert page.url.endswith("/week"), page.url
        assert await page.locator("h1").inner_text() == "Phường Buôn Ma Thuột"
        sums = await page.locator(".sums").inner_text()
        assert re.search(r"\d+ đạt\s+\d+ chậm\s+\d+ quá hạn", sums), sums
        await picture(page, "1-week")
        await taps.tap("text=Nhập hoạt động >> visible=true")
        await picture(page, "2-enter")
        if not await page.locator("main a[href^='/enter/class.held']").first.is_visible():
            await taps.tap("summary:has-text('Tất cả')")
        await taps.tap("main a[href^='/enter/class.held']")
        await picture(page, "3-form")
        await page.fill("[name='data.participants']", "1.032")
        await taps.tap("main form.entry button")
        assert taps.count <= 8, taps.count
        await picture(page, "4-entered")
        posted = chair.activities.posted[-1]
        assert posted["data"]["participants"] == 1032 and posted["subject"] == "24133@2025"
        assert posted["source"].startswith("https://hocvuso.example/staff/commune")
        assert re.search(r"2/5 lớp, còn 3", await page.locator("main").inner_text())

        await taps.tap("main a:has-text('Sửa')")
        await page.fill("[name='data.participants']", "32")
        await picture(page, "5-edit")
        await taps.tap("main form.entry button")
        correction = chair.activities.posted[-1]
        assert correction["type"].endswith("event.corrected")
        assert correction["data"]["changes"] == {"data": {"participants": 32}}
        assert "32 người" in await page.locator(".events li").first.inner_text()
        await picture(page, "6-own")

        await taps.tap(".acts a:has-text('Hủy')")
        await picture(page, "7-cancel")
        await taps.tap("main form button")
        assert chair.activities.posted[-1]["type"].endswith("event.revoked")
        assert "Đã hủy" in await page.locator(".events li").first.inner_text()


@needs_browser
async def test_nothing_happened_is_confirmed_by_ticks(
    chair: Running, address: str
) -> None:  # fmt: skip
    async with chromium() as browser:
        page = await (await phone(browser, address, CHAIR)).new_page()
        await page.goto("/week")
        await page.click("summary:has-text('không phát sinh')")
        await page.click(".nil button")
        assert await page.locator("[role=alert]").inner_text() != ""
        ticks = page.locator(".nil input[name=before]")
        wanted = [await ticks.nth(i).get_attribute("value") for i in range(2)]
        for i in range(2):
            await ticks.nth(i).check()
        await picture(page, "8-nil")
        await page.click(".nil button")
        assert "done=nil" in page.url
        nil = [e["data"] for e in chair.activities.posted[-2:]]
        assert {one["event_type"] for one in nil} == set(wanted)
        assert {(one["from"], one["to"]) for one in nil} == {("2026-11-09", "2026-11-15")}
        await chair.settle()
        await page.reload()
        left = [
            await page.locator(".nil input[name=before]").nth(i).get_attribute("value")
            for i in range(await page.locator(".nil input[name=before]").count())
        ]
        assert not set(left) & set(wanted)


@needs_browser
async def test_phone_pages_are_small_and_clean_in_both_languages(
    chair: Running, address: str
) -> None:  # fmt: skip
    pages = {
        "week": "/week", "enter": "/enter", "form": "/enter/class.held", "own": "/own",
        "card": "/plans/dak-lak-2026/units/24133", "devices": "/devices", "login": "/login",
    }  # fmt: skip
    wrong: dict[str, Any] = {}
    async with chromium() as browser:
        for language in ("vi", "en"):
            for width in (390, 1280):
                context = await phone(
                    browser, address, CHAIR, width=width, language=language, script=True,
                    bypass_csp=True,
                )  # fmt: skip
                for name, path in pages.items():
                    page = await context.new_page()
                    size, nodes = await weight(page, path)
                    if name != "card" and width == 390 and (size > FIRST_VIEW or nodes > NODES):
                        wrong[f"{name} {language}: size"] = (size, nodes)
                    await picture(page, f"{name}-{language}")
                    await page.evaluate(
                        "document.querySelectorAll('main details').forEach(d => d.open = true)"
                    )
                    for scheme in ("light", "dark"):
                        await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                        if found := await findings(page):
                            wrong[f"{name} {language} {width} {scheme}"] = found
                    await page.close()
                await context.close()
    assert not wrong


async def test_another_writers_event_is_not_mine(chair: Running) -> None:
    client = chair.client
    chair.activities.keys["hvs_other_x"] = staff("commune", "24133@2025", "events:write") | {
        "name": "staff-other"
    }
    client.cookies.set("hocvuso_session", "hvs_other_x")
    event = {
        "specversion": "1.0", "id": "theirs", "source": "https://hocvuso.example/staff/commune",
        "type": "vn.hocvuso.class.held", "subject": "24133@2025",
        "time": "2026-11-10T00:00:00+07:00", "data": {"participants": 3},
    }  # fmt: skip
    key = (event["source"], event["id"])
    chair.activities.positions[key] = chair.activities.append(event)  # type: ignore[index]
    chair.activities.writers[key] = "staff-other"  # type: ignore[index]
    params = {"source": str(event["source"]), "id": "theirs"}
    assert (await client.get("/own/edit", params=params)).status_code == 200
    client.cookies.set("hocvuso_session", CHAIR)
    before = len(chair.activities.posted)
    sent = {"Sec-Fetch-Site": "same-origin"}
    for path in ("/own/edit", "/own/cancel"):
        assert (await client.get(path, params=params)).status_code == 404
        answer = await client.post(path, params=params, data={"id": "x"}, headers=sent)
        assert answer.status_code == 404
    assert len(chair.activities.posted) == before


async def test_two_people_who_edit_the_same_are_told(chair: Running) -> None:
    client, sent = chair.client, {"Sec-Fetch-Site": "same-origin"}
    client.cookies.set("hocvuso_session", CHAIR)
    text = (await client.get("/enter/class.held")).text
    token = re.search(r'name="id" value="([0-9a-f-]{36})"', text)
    assert token
    form = {"id": token[1], "unit": "24133@2025", "when": "today", "data.participants": "10"}
    assert (await client.post("/enter/class.held", data=form, headers=sent)).status_code == 200
    made = chair.activities.posted[-1]
    assert made["time"] == "2026-11-21T00:00:00+07:00"
    params = {"source": made["source"], "id": made["id"]}
    page = (await client.get("/own/edit", params=params)).text
    assert 'name="revision" value="0"' in page and 'value="2026-11-21"' in page
    edit = {
        "id": "6a1b1a9e-0000-4000-8000-000000000001", "revision": "0", "unit": "24133@2025",
        "when": "other", "day": "2026-11-20", "data.participants": "11",
    }  # fmt: skip
    answer = await client.post("/own/edit", params=params, data=edit, headers=sent)
    assert answer.status_code == 303
    said = chair.activities.posted[-1]["data"]["changes"]
    assert said == {"time": "2026-11-20T00:00:00+07:00", "data": {"participants": 11}}
    late = edit | {"id": "6a1b1a9e-0000-4000-8000-000000000002", "data.participants": "12"}
    answer = await client.post("/own/edit", params=params, data=late, headers=sent)
    assert answer.status_code == 409
    assert "vừa được sửa ở nơi khác" in answer.text and 'value="12"' in answer.text
    assert "Số người tham gia: 11" in answer.text and 'name="revision" value="1"' in answer.text
    same = late | {"revision": "1", "data.participants": "11"}
    answer = await client.post("/own/edit", params=params, data=same, headers=sent)
    assert answer.status_code == 422 and "Chưa có ô nào được sửa" in answer.text


async def test_who_has_no_commune_is_led_to_the_plans(chair: Running) -> None:
    chair.client.cookies.set("hocvuso_session", "hvs_province_x")
    answer = await chair.client.get("/week")
    assert (answer.status_code, answer.headers["location"]) == (303, "/plans")
    chair.client.cookies.set("hocvuso_session", CHAIR)
    answer = await chair.client.get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/week")
