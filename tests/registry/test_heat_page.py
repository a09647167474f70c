"""The province's table as a page: order, search, filter, bars, paper; what a real browser makes of it."""

import gzip
import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.keys import browser
from tests.registry.axe import ASK, AXE
from tests.registry.conftest import Running
from tests.registry.pages import address as address

TABLE = "/plans/dak-lak-2026"
SHOTS = Path(os.environ["SHOTS"]) if "SHOTS" in os.environ else None
ROW = re.compile(r'<tr><th scope="row" class="name"><a href="([^"]+)">([^<]+)</a></th><td class="count">(\d+)')  # fmt: skip


async def page(registry: Running, to: str = TABLE, **params: str) -> str:
    answer = await registry.client.get(to, params=params)
    assert answer.status_code == 200, answer.text
    return answer.text


async def json_table(registry: Running) -> dict[str, Any]:
    found: dict[str, Any] = (await registry.client.get("/v1/plans/dak-lak-2026/table")).json()
    return found


async def test_every_objective_has_a_short_name_that_fits(registry: Running) -> None:
    for plan in ("dak-lak-2026", "gia-lai-2026", "dong-nai-2026", "yen-bai-2025-2026", "tan-lap-100-days-2025"):  # fmt: skip
        listed = (await registry.client.get(f"/v1/plans/{plan}/objectives")).json()["objectives"]
        names = [one["short_vi"] for one in listed]
        assert len(set(names)) == len(names) and all(0 < len(name) <= 25 for name in names)
    text = await page(registry)
    assert "<span>Ngày hội học tập số</span>" in text and 'title="100% các xã, phường tổ chức Ngày hội' in text  # fmt: skip


async def test_units_with_most_late_objectives_come_first_and_any_column_orders(
    registry: Running,
) -> None:
    table = await json_table(registry)
    late = {
        row["unit_id"]: sum(c["status"] in ("behind", "overdue") for c in row["cells"].values())
        for row in table["rows"]
    }
    shown = ROW.findall(await page(registry))
    assert len(shown) == 102
    assert [int(n) for _, _, n in shown] == sorted(late.values(), reverse=True)
    assert all(late[href.split("/units/")[1]] == int(n) for href, _, n in shown)
    column = "adults-certified-vneid"
    parts = {
        row["unit_id"]: row["cells"][column]["value"] / row["cells"][column]["required"]
        for row in table["rows"]
        if row["cells"][column].get("required")
    }
    for sort, reverse in ((column, False), (f"-{column}", True)):
        order = [href.split("/units/")[1] for href, _, _ in ROW.findall(await page(registry, sort=sort))]  # fmt: skip
        known = [parts[id] for id in order if id in parts]
        assert known == sorted(parts.values(), reverse=reverse)
        assert all(id in parts for id in order[: len(parts)]), "unknown ones stand last"
    names = [name for _, name, _ in ROW.findall(await page(registry, sort="name"))]
    assert names[0].startswith("Phường") and names == list(reversed([n for _, n, _ in ROW.findall(await page(registry, sort="-name"))]))  # fmt: skip


@pytest.mark.parametrize("typed", ["buon ma thuot", "BUÔN MA", "Buon  Ma", "24133"])
async def test_a_unit_is_found_without_diacritics_or_by_its_code(
    registry: Running, typed: str
) -> None:
    names = [name for _, name, _ in ROW.findall(await page(registry, q=typed))]
    assert "Phường Buôn Ma Thuột" in names and len(names) < 5


async def test_only_those_that_are_late_in_the_chosen_column(registry: Running) -> None:
    column = "commune-classes"
    table = await json_table(registry)
    wanted = {
        row["unit_id"] for row in table["rows"] if row["cells"][column]["status"] in ("behind", "overdue")
    }  # fmt: skip
    shown = {href.split("/units/")[1] for href, _, _ in ROW.findall(await page(registry, sort=column, late="1"))}  # fmt: skip
    assert shown == wanted
    nothing = await page(registry, q="không có đâu <b>")
    assert "Không có đơn vị nào" in nothing and "<b>" not in nothing.split("<main")[1].split("không có đâu")[1][:40]  # fmt: skip


async def test_one_objective_as_ranked_bars(registry: Running) -> None:
    text = await page(registry, objective="commune-classes")
    bars = re.findall(r'<rect width="(\d+)"', text)
    assert text.count('class="who"') == 102
    assert len(bars) > 50 and [int(b) for b in bars] == sorted(int(b) for b in bars)
    down = await page(registry, objective="commune-classes", sort="-commune-classes")
    assert re.findall(r'<rect width="(\d+)"', down) == bars[::-1], "what cannot be said stays last"


@pytest.mark.parametrize("params", [{"sort": "nothing"}, {"objective": "nothing"}, {"sort": "-"}])
async def test_a_column_that_is_not_there_is_named(
    registry: Running, params: dict[str, str]
) -> None:
    answer = await registry.client.get(TABLE, params=params)
    assert (answer.status_code, "objective-unknown" in answer.text) == (404, True)


async def test_on_paper_no_sheet_has_more_columns_than_fit(registry: Running) -> None:
    text = await page(registry, view="print")
    sheets = text.split('<section class="sheet">')[1:]
    columns = [sheet.count('<th scope="col">') for sheet in sheets]
    assert sum(columns) == 25 and max(columns) <= 9
    assert all(sheet.count('<th scope="row"') == 103 for sheet in sheets)
    assert all(sheet.count("<thead>") == 1 for sheet in sheets)


async def test_the_page_is_small_over_the_wire(registry: Running) -> None:
    for params in ({}, {"objective": "commune-classes"}, {"view": "print"}):
        assert len(gzip.compress((await page(registry, **params)).encode(), 6)) < 150_000


@pytest.mark.skipif(browser.CHROMIUM is None, reason="no chromium on this machine: pages not seen")
async def test_a_real_browser_without_script(
    registry: Running, address: str, tmp_path: Path
) -> None:  # fmt: skip
    """Nothing serious by axe, the page never scrolls sideways, cells and buttons are large enough."""
    views = {"heat": "", "sorted": "?sort=commune-classes&late=1", "bars": "?objective=commune-classes", "paper": "?view=print"}  # fmt: skip
    async with browser.browser(tmp_path) as tab:
        for name, query in views.items():
            for width in (390, 1280):
                await tab.resize(width)
                await tab.open(f"{address}{TABLE}{query}")
                await tab.until("document.readyState === 'complete'")
                await shoot(tab, f"{name}-{width}")
                assert await tab.run("document.documentElement.scrollWidth <= innerWidth"), name
                await tab.run(f"{AXE}; 1")
                assert await tab.run(ASK, wait=True) == [], (name, width)
        await tab.resize(1280)
        await tab.open(f"{address}{TABLE}")
        await tab.until("document.readyState === 'complete'")
        small = "[...document.querySelectorAll('.heat {}')].filter(e => {{const r = e.getBoundingClientRect(); return Math.min(r.width, r.height) < {}}}).length"  # fmt: skip
        assert await tab.run(small.format("tbody td", 24)) == 0
        assert await tab.run(small.format("th a", 43.9)) == 0
        await tab.click(".heat .heads a[href*='sort=commune-classes']")
        await tab.until("document.querySelector('.picked') !== null")
        await tab.click(".heat tbody td a")
        await tab.until("location.pathname.includes('/objectives/')")


async def shoot(tab: browser.Page, name: str) -> None:
    """Keep a picture, where a folder for them is named."""
    if SHOTS is not None:
        await tab.shoot(SHOTS / f"{name}.png")


async def test_rows_that_were_made_in_one_language_are_not_shown_in_another(
    registry: Running,
) -> None:
    for name, told, other in (
        ("vi", ("đơn vị đang chậm tiến độ", "Chưa có số liệu nền"), "No base figures yet"),
        ("en", ("units are behind", "No base figures yet"), "Chưa có số liệu nền"),
        ("vi", ("Chưa có số liệu nền",), "No base figures yet"),
    ):
        headers = {"Cookie": f"hocvuso_language={name}"}
        text = (await registry.client.get("/plans/dak-lak-2026", headers=headers)).text
        assert all(words in text for words in told), name
        assert other not in text, name
