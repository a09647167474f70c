"""A department's work in a real browser, from signing in to done: pictures of every step are kept, taps counted.
Those of a commune and a province: test_week.py, test_week_page.py."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page

from tests.keys.browser import CHROMIUM
from tests.registry import fakes
from tests.registry.conftest import Running
from tests.registry.frame import readers as readers
from tests.registry.frame import staff
from tests.registry.pages import address as address
from tests.registry.screens import chromium, phone, picture
from tests.registry.week_answers import metrics as week_metrics

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
DEPARTMENT = "hv_flow_department"


@pytest.fixture
async def users(readers: Running) -> AsyncIterator[Running]:
    keys = readers.activities.keys
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
