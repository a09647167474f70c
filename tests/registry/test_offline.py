"""Entering where the network comes and goes, in a real browser: what is sent waits, encrypted, and arrives once;
what is refused is mended; the entries of another person and of single persons are not kept for whoever reads."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from playwright.async_api import Browser, Page, expect

from tests.keys.browser import CHROMIUM
from tests.registry.conftest import Running
from tests.registry.frame import readers as readers
from tests.registry.frame import staff
from tests.registry.screens import chromium, findings, phone, picture

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
CHAIR, OTHER = "hvs_offline_chair", "hvs_offline_other"
FORM = "/enter/class.held"
ENTRIES = """async () => { const all = [];
  const database = await new Promise((done) => { const a = indexedDB.open('hocvuso', 1); a.onsuccess = () => done(a.result); });
  return await new Promise((done) => { const a = database.transaction('entries').objectStore('entries').getAll();
    a.onsuccess = () => done(a.result.map((e) => [e.id, new TextDecoder('latin1').decode(e.box)])); }); }"""


class Server:
    """Registry at one address, which can go away and come back."""

    def __init__(self, app: Any) -> None:
        self._app = app
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{self._port}"
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> None:
        config = uvicorn.Config(self._app, port=self._port, log_level="error", lifespan="off",
                                timeout_graceful_shutdown=1)  # fmt: skip
        self._server = uvicorn.Server(config)
        self._serving = asyncio.create_task(self._server.serve())
        while not self._server.started:
            await asyncio.sleep(0.05)

    async def stop(self) -> None:
        if self._serving is not None:
            self._server.should_exit = True
            await self._serving
            self._serving = None


@pytest.fixture
async def server(readers: Running) -> AsyncIterator[Server]:
    keys = readers.activities.keys
    keys[CHAIR] = staff("commune", "24133@2025", "events:write") | {"prefix": "chair"}
    keys[OTHER] = staff("commune", "24133@2025", "events:write") | {"prefix": "other", "name": "o"}
    found = Server(readers.app)
    await found.start()
    yield found
    await found.stop()


@asynccontextmanager
async def ready(browser: Browser, server: Server, session: str = CHAIR) -> AsyncIterator[Page]:
    """A phone that has been at the form once, with its worker at work."""
    context = await phone(browser, server.address, session, script=True, workers="allow")
    page = await context.new_page()
    await page.goto("/enter")
    await page.wait_for_selector("[data-ready]", state="attached")
    await page.goto(FORM)
    await page.wait_for_selector("[data-ready]", state="attached")
    yield page
    await context.close()


async def enter(page: Page, participants: str, day: str = "2026-11-19") -> None:
    await page.check("input[name=when][value=other]")
    await page.fill("input[name=day]", day)
    await page.fill("[name='data.participants']", participants)
    await page.click("form.entry button")


async def test_what_is_entered_without_a_network_arrives_once(
    readers: Running, server: Server
) -> None:  # fmt: skip
    before = len(readers.activities.posted)
    async with chromium() as browser, ready(browser, server) as page:
        await server.stop()
        for participants in ("17", "18"):
            await page.goto(FORM)
            assert await page.locator("[data-offline=away]").is_visible()
            await enter(page, participants)
            await page.wait_for_url("**/enter/queue")
        await page.wait_for_selector("#queue li >> nth=1")
        listed = await page.locator("#queue").inner_text()
        assert "17 người, Phường Buôn Ma Thuột, 19/11/2026" in listed and "18 người" in listed
        await picture(page, "offline-queue")
        kept = await page.evaluate(ENTRIES)
        assert len({id for id, _ in kept}) == 2
        assert not any("participants" in box or "24133" in box for _, box in kept), "encrypted"
        await page.click("#send-now")
        await page.wait_for_selector("[data-offline=unsent]")
        await server.start()
        await page.click("#send-now")
        await page.wait_for_selector("[data-offline=empty]")
        posted = readers.activities.posted[before:]
        assert [event["data"]["participants"] for event in posted] == [17, 18]
        assert {event["time"][:10] for event in posted} == {"2026-11-19"}
        assert {event["id"] for event in posted} == {f"form-{id}" for id, _ in kept}
        assert await findings(page) == []
        await page.goto("/week")
        assert not await page.locator("[data-offline=waiting]").is_visible()


async def test_an_answer_that_was_lost_on_the_way_is_no_second_activity(
    readers: Running, server: Server
) -> None:  # fmt: skip
    async with chromium() as browser, ready(browser, server) as page:
        await server.stop()
        await enter(page, "21")
        await page.wait_for_selector("#queue li")
        (entry,) = await page.evaluate(ENTRIES)
        await server.start()
        await page.evaluate(  # it had arrived already
            "async (id) => { const [e] = await queue.all(document.querySelector('[data-owner]').dataset.owner);"
            " await fetch(e.action, {method: 'POST', body: e.body, headers: {'Content-Type': 'application/x-www-form-urlencoded'}}); }",
            entry[0],
        )  # fmt: skip
        await page.click("#send-now")
        await page.wait_for_selector("[data-offline=empty]")
    same = [e for e in readers.activities.posted if e["id"] == f"form-{entry[0]}"]
    assert len(same) == 1


async def test_what_is_refused_is_said_and_mended(
    readers: Running, server: Server
) -> None:  # fmt: skip
    before = len(readers.activities.posted)
    async with chromium() as browser, ready(browser, server) as page:
        await server.stop()
        await enter(page, "25", "2026-12-24")
        await page.wait_for_selector("#queue li")
        await server.start()
        await page.click("#send-now")
        await page.wait_for_selector("[data-state=refused]")
        assert "Ngày này chưa tới" in await page.locator("#queue .why").inner_text()
        assert len(readers.activities.posted) == before
        await picture(page, "offline-refused")
        await page.click("#queue a")
        await expect(page.locator("[name='data.participants']")).to_have_value("25")
        await page.fill("input[name=day]", "2026-11-18")
        await page.click("form.entry button")
        await page.wait_for_selector("[data-ready]", state="attached")
        assert readers.activities.posted[-1]["data"] == {"participants": 25}
        await page.goto("/enter/queue")
        await page.wait_for_selector("[data-offline=empty]")


async def test_a_session_that_ended_and_another_person(
    readers: Running, server: Server
) -> None:  # fmt: skip
    """Who signs in on the same phone sees and sends nothing of the other's; sign-out drops it all."""
    before = len(readers.activities.posted)
    async with chromium() as browser, ready(browser, server) as page:
        await server.stop()
        await enter(page, "31")
        await page.wait_for_selector("#queue li")
        rights = readers.activities.keys.pop(CHAIR)
        await server.start()
        await page.click("#send-now")
        await page.wait_for_selector("[data-offline=signin]")
        cookie: Any = {"name": "hocvuso_session", "value": OTHER, "url": server.address}
        await page.context.add_cookies([cookie])
        await page.goto("/enter/queue")
        await page.wait_for_selector("[data-offline=empty]")
        assert len(await page.evaluate(ENTRIES)) == 1 and len(readers.activities.posted) == before
        readers.activities.keys[CHAIR] = rights
        await page.context.add_cookies([cookie | {"value": CHAIR}])
        await page.goto("/week")
        await page.wait_for_selector("[data-ready]", state="attached")
        assert readers.activities.posted[-1]["data"] == {"participants": 31}
        await page.goto(FORM)
        await page.wait_for_selector("[data-ready]", state="attached")
        await server.stop()
        await page.goto(FORM)
        await enter(page, "32")
        await page.wait_for_selector("#queue li")
        await server.start()
        asked: list[str] = []

        async def say(dialog: Any) -> None:
            asked.append(dialog.message)
            await dialog.accept()

        page.on("dialog", say)
        await page.locator("details.more summary").click()
        await page.click("form[action='/logout'] button")
        await page.wait_for_url("**/login")
        assert "Còn 1 hoạt động chưa gửi" in asked[0]
        assert await page.evaluate("indexedDB.databases()") == []


async def test_a_form_about_a_person_stays_on_its_page_and_is_not_kept(
    readers: Running, server: Server
) -> None:  # fmt: skip
    async with chromium() as browser, ready(browser, server) as page:
        await page.goto("/enter/citizen.certified")
        await server.stop()
        await page.fill("[name='data.person']", "066099000001")
        await page.click("form.entry button")
        await page.wait_for_selector("[data-offline=not-kept]")
        assert await page.input_value("[name='data.person']") == "066099000001"
        assert await page.evaluate(ENTRIES) == []
