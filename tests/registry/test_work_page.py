"""A department's own tasks and duties as a page, late ones first, each with the way to its form."""

import re

import httpx
import pytest

from tests.keys.browser import CHROMIUM
from tests.registry import fakes, screens
from tests.registry.conftest import Running
from tests.registry.pages import address as address

PAGE = "/plans/dong-nai-2026/work"
ORDER = ("Quá hạn", "Vướng mắc", "Đang thực hiện", "Chưa bắt đầu", "Hoàn thành muộn", "Hoàn thành")


async def test_late_tasks_of_a_department_come_first_with_their_form(registry: Running) -> None:
    chosen = (await registry.client.get(PAGE)).text
    assert "body=so-khcn" in chosen and "Sở Khoa học và Công nghệ" in chosen
    text = (await registry.client.get(PAGE, params={"body": "so-khcn"})).text
    assert "<h1>Sở Khoa học và Công nghệ</h1>" in text
    tasks = text.split('id="nhiem-vu"')[1]
    states = re.findall(r'<p><span class="status \w+">([^<]+)</span>', tasks)
    assert len(states) > 5
    ranks = [ORDER.index(state) for state in states]
    assert ranks == sorted(ranks)
    told = (await registry.client.get("/v1/plans/dong-nai-2026/tasks", params={"lead": "so-khcn"})).json()  # fmt: skip
    assert len(states) == told["total"] and states.count("Quá hạn") == told["late"]
    (link, *_) = re.findall(r'href="(/plans/dong-nai-2026/tasks/[^"]+)"', tasks)
    form = await registry.client.get(link.replace("&amp;", "&"))
    assert form.status_code == 200 and "Gửi báo cáo tiến độ" in form.text
    assert "/plans/dong-nai-2026?objective=" in tasks, "what its communes did"


async def test_every_duty_leads_to_its_form(registry: Running) -> None:
    text = (
        await registry.client.get("/plans/gia-lai-2026/work", params={"body": "so-vhttdl"})
    ).text
    links = re.findall(r'href="(/plans/gia-lai-2026/reports/[^"]+)"', text)
    assert links
    assert (await registry.client.get(links[0])).status_code == 200


async def test_a_body_without_work_is_unknown(registry: Running) -> None:
    answer = await registry.client.get(PAGE, params={"body": "nobody"})
    assert (answer.status_code, "organisation-unknown" in answer.text) == (404, True)


async def test_everybody_begins_where_their_work_is(registry: Running) -> None:
    """A commune at its week, a province at its Monday, a body at its tasks once it chose them."""
    client, keys = registry.client, registry.activities.keys
    signed: dict[str, object] = {"name": "x", "kind": "session", "scopes": ["tables:read"]}
    keys["hvs_first_commune"] = signed | {"roles": ["commune"], "subtree": "24133@2025"}
    keys["hvs_first_province"] = signed | {"roles": ["department"], "subtree": "75@2025"}

    async def first(session: str) -> str | None:
        client.cookies.set("hocvuso_session", session)
        return (await client.get("/")).headers.get("location")

    async def choose(body: str) -> httpx.Response:
        ours = {"Sec-Fetch-Site": "same-origin"}
        form = {"body": body, "next": f"{PAGE}?body=so-khcn"}
        answer = await client.post("/first-page", data=form, headers=ours)
        assert answer.status_code == 303
        return await client.get(answer.headers["location"])

    try:
        assert await first("hvs_first_commune") == "/week"
        assert await first("hvs_first_province") == "/plans/dong-nai-2026/week"
        assert "Thôi" in (await choose("dong-nai-2026/so-khcn")).text
        assert await first("hvs_first_province") == f"{PAGE}?body=so-khcn"
        assert await first("hvs_first_commune") == "/week", "a commune has its week"
        for nobody in ("dong-nai-2026/nobody", "dak-lak-2026/so-khcn", "//evil", ""):
            await first("hvs_first_province")
            await choose(nobody)
            begun = await first("hvs_first_province")
            assert begun in ("/plans/dong-nai-2026/week", f"{PAGE}?body=so-khcn"), nobody
        assert begun == "/plans/dong-nai-2026/week"
    finally:
        client.cookies.clear()


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: pages not seen")
async def test_seen_on_a_phone_and_on_a_desk(registry: Running, address: str) -> None:
    async with screens.chromium() as driver:
        for width in screens.SIZES:
            context = await screens.phone(driver, address, fakes.SESSION, width=width, script=True)
            tab = await context.new_page()
            for name, query in (("all", ""), ("one", "?body=so-khcn")):
                await tab.goto(f"{PAGE}{query}")
                await screens.picture(tab, f"work-{name}")
                assert await screens.findings(tab) == [], (name, width)
            await context.close()
