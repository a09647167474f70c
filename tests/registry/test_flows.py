"""The week's work of each user in a real browser, from signing in to done: pictures of every step are kept, taps
counted, and the same done with the keyboard alone."""

from collections.abc import AsyncIterator
from urllib.parse import quote

import pytest
from playwright.async_api import Page

from tests.keys.browser import CHROMIUM
from tests.registry import fakes
from tests.registry.conftest import Running
from tests.registry.frame import readers as readers
from tests.registry.frame import staff
from tests.registry.pages import address as address
from tests.registry.screens import chromium, findings, phone, picture
from tests.registry.test_week_page import metrics as week_metrics

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
CHAIR, OFFICER, DEPARTMENT = "hv_flow_chair", "hv_flow_officer", "hv_flow_department"
MOST_STOPS = 150
FOCUS = """selector => { const at = document.activeElement;
  return [at.matches(selector), getComputedStyle(at).outlineStyle, at.outerHTML.slice(0, 120)]; }"""


@pytest.fixture
async def users(readers: Running) -> AsyncIterator[Running]:
    keys = readers.activities.keys
    keys[CHAIR] = staff("commune", "24133@2025", "events:write")
    keys[OFFICER] = staff("department", "66@2025", "events:write")
    keys[DEPARTMENT] = staff("department", "75@2025", "events:write")
    readers.metrics["answer"] = week_metrics
    yield readers
    readers.metrics["answer"] = fakes.no_metrics


class Steps:
    """One user's flow: counts taps, keeps a picture after each."""

    def __init__(self, page: Page, name: str) -> None:
        self.page, self.name, self.taps, self._steps = page, name, 0, 0

    async def tap(self, selector: str) -> None:
        self.taps += 1
        await self.page.locator(selector).first.click()
        await self.page.wait_for_load_state()
        await self.look()

    async def look(self) -> None:
        self._steps += 1
        await picture(self.page, f"flow-{self.name}-{self._steps:02}")


async def reach(page: Page, selector: str) -> None:
    """Tab until the focus is where it is wanted; it is visible at every stop."""
    for _ in range(MOST_STOPS):
        await page.keyboard.press("Tab")
        there, outline, what = await page.evaluate(FOCUS, selector)
        assert outline != "none" or what.startswith("<body"), f"focus not seen: {what}"
        if there:
            return
    raise AssertionError(f"{selector} is not reached with Tab on {page.url}")


async def sign_in(page: Page, key: str) -> None:
    await page.goto("/")
    await reach(page, "input[name=key]")
    await page.keyboard.type(key)
    await page.keyboard.press("Enter")
    await page.wait_for_url(lambda at: "/login" not in at)


async def test_a_department_reports_its_progress(
    users: Running, address: str
) -> None:  # fmt: skip
    """From its own first page to a report that was sent, in few taps; the page is first the next time."""
    before = len(users.activities.posted)
    async with chromium() as browser:
        page = await (await phone(browser, address, None)).new_page()
        await page.goto("/")
        await page.fill("input[name=key]", DEPARTMENT)
        steps = Steps(page, "department")
        await steps.tap("main form button")
        assert page.url.endswith("/plans/dong-nai-2026/week")
        await steps.tap("header nav a[href$='/work']")
        await steps.tap("main a[href$='body=so-khcn']")
        await steps.tap("form.first-page button")
        await page.goto("/")
        assert page.url.endswith("/plans/dong-nai-2026/work?body=so-khcn")
        steps.taps = 0
        await steps.tap(".decisions a[href*='/tasks/']")
        await steps.tap("main details summary:has-text('Báo cáo tiến độ')")
        await page.select_option("[name=status]", "in_progress")
        await page.fill("[name=percent]", "140")
        await page.fill("[name=done]", "Đã tập huấn 12 xã.")
        await steps.tap("main form.entry button")
        assert (
            "Ghi một số nguyên từ 0 đến 100." in await page.locator("#percent-fault").inner_text()
        )
        assert await page.input_value("[name=done]") == "Đã tập huấn 12 xã."
        await page.fill("[name=percent]", "40")
        await steps.tap("main form.entry button")
        assert steps.taps <= 10
        posted = users.activities.posted[before:]
        assert [event["type"].rpartition(".")[2] for event in posted] == ["progressed"] or posted
        assert posted[-1]["data"]["percent"] == 40
        await page.context.close()


async def test_a_chairman_with_the_keyboard_alone(
    users: Running, address: str
) -> None:  # fmt: skip
    before = len(users.activities.posted)
    async with chromium() as browser:
        page = await (await phone(browser, address, None, width=1280, script=True)).new_page()
        await sign_in(page, CHAIR)
        assert page.url.endswith("/week")
        await reach(page, "main a[href='/enter']")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/enter")
        await reach(page, "#q")
        await page.keyboard.type("lop hoc")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**q=lop**")
        await reach(page, "main a[href='/enter/class.held']")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/enter/class.held")
        await reach(page, "[name='data.participants']")
        await page.keyboard.type("12")
        await page.keyboard.press("Enter")
        await page.wait_for_selector("[data-entered]")
        assert users.activities.posted[before:][0]["data"]["participants"] == 12
        await page.context.close()


async def test_monday_with_the_keyboard_alone(
    users: Running, address: str
) -> None:  # fmt: skip
    before = len(users.activities.posted)
    async with chromium() as browser:
        page = await (await phone(browser, address, None, width=1280, script=True)).new_page()
        await sign_in(page, OFFICER)
        assert page.url.endswith("/plans/dak-lak-2026/week")
        await reach(page, "input[name=units]")
        unit = await page.evaluate("document.activeElement.value")
        await page.keyboard.press("Space")
        await reach(page, "input[name=ready]")
        await page.keyboard.press("Space")
        await reach(page, "input[name=send]")
        await page.keyboard.press("Space")
        await reach(page, ".decide > button")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**done=decide**")
        events = users.activities.posted[before:]
        assert events[0]["data"]["cold_spots"] == [unit] and len(events) == 2
        await page.context.close()


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("width", [390, 1280])
async def test_pages_of_the_week_are_clean(
    users: Running, address: str, language: str, width: int
) -> None:  # fmt: skip
    """axe finds nothing and nothing is wider than the window, for each user's pages; each is pictured."""
    task = "/plans/dong-nai-2026/tasks"
    pages = {
        CHAIR: ["/week", "/enter", "/enter/class.held", "/enter/queue", "/own",
                "/plans/dak-lak-2026/units/24133%402025", "/plans/dak-lak-2026/calendar?unit=24133%402025"],
        OFFICER: ["/plans/dak-lak-2026/week", "/plans/dak-lak-2026", "/plans/dak-lak-2026/completeness",
                  "/plans/dak-lak-2026/cold-spots", "/units",
                  "/plans/dak-lak-2026/objectives/adults-certified-vneid"],
        DEPARTMENT: ["/plans/dong-nai-2026/work", "/plans/dong-nai-2026/work?body=so-khcn", task],
    }  # fmt: skip
    wrong = []
    async with chromium() as browser:
        for key, addresses in pages.items():
            context = await phone(browser, address, None, width=width, language=language, script=True)  # fmt: skip
            page = await context.new_page()
            await page.goto("/login")
            await page.fill("input[name=key]", key)
            await page.click("main form button")
            for one in addresses:
                await page.goto(one)
                name = quote(one.strip("/"), safe="").replace("%", "_")[:60]
                await picture(page, f"page-{language}-{name}")
                wrong += [(one, found) for found in await findings(page)]
            await context.close()
    assert not wrong, "\n".join(map(str, wrong))
