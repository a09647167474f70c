"""A phone and a desk: real Chromium by Playwright, its sizes, and pictures of what it shows."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import axe_core_python
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from tests.keys.browser import CHROMIUM

AXE = (Path(axe_core_python.__file__).parent / "axe.min.js").read_text("utf-8")
PICTURES = Path(__file__).parents[2] / "build" / "pages"
SIZES = {390: 844, 1280: 900}
SERIOUS = """() => axe.run(document, {resultTypes: ['violations'], preload: false}).then(found =>
  found.violations.map(v => [v.id, v.help, v.nodes.slice(0, 4).map(n => n.html)]))"""


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """The browser of this machine."""
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            await browser.close()


async def phone(browser: Browser, address: str, session: str | None, **more: Any) -> BrowserContext:
    """A context of 390 px (or `width`), signed in; without script and
    workers unless asked for."""
    width = more.pop("width", 390)
    language = more.pop("language", "vi")
    context = await browser.new_context(
        base_url=address,
        viewport={"width": width, "height": SIZES[width]},
        java_script_enabled=more.pop("script", False),
        service_workers=more.pop("workers", "block"),
        **more,
    )
    cookies: list[Any] = [{"name": "hocvuso_language", "value": language, "url": address}]
    if session is not None:
        cookies.append({"name": "hocvuso_session", "value": session, "url": address})
    await context.add_cookies(cookies)
    return context


async def picture(page: Page, name: str) -> None:
    """Keep what the page shows, whole, light and dark."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        width = page.viewport_size["width"] if page.viewport_size else 0
        await page.screenshot(path=PICTURES / f"{name}-{width}-{scheme}.png", full_page=True)
    await page.emulate_media(color_scheme="light")


async def findings(page: Page) -> list[Any]:
    """What axe finds, and how far the page is wider than its window; needs script."""
    await page.evaluate(AXE)
    found: list[Any] = await page.evaluate(SERIOUS)
    wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return [*found, *([["wider by", wide]] if wide > 0 else [])]
