"""The province's Monday: numbers with their change, who needs help, a decision in a few taps, what became
of it, the end of the week, the download; in a real browser without script."""

import csv
import io
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from openpyxl import load_workbook

from tests.keys.browser import CHROMIUM
from tests.registry import fakes, screens
from tests.registry.conftest import Running
from tests.registry.hamlets import OURS
from tests.registry.pages import address as address
from tests.registry.week_answers import metrics

WEEK = "/plans/dak-lak-2026/week"
KEY = "hvs_province_week"
SLOW, OTHER = "24133@2025", "24121@2025"


@pytest.fixture
async def officer(registry: Running) -> AsyncIterator[Running]:
    registry.activities.keys[KEY] = {
        "name": "so", "roles": ["department"], "subtree": "66@2025", "kind": "session",
        "scopes": ["tables:read", "events:write"], "sources": ["https://hocvuso.example/staff/so"],
    }  # fmt: skip
    registry.client.cookies.set("hocvuso_session", KEY)
    registry.metrics["answer"] = metrics
    yield registry
    registry.metrics["answer"] = fakes.no_metrics
    registry.client.cookies.clear()


async def send(registry: Running, *fields: tuple[str, str]) -> httpx.Response:
    return await registry.client.post(WEEK, content=urlencode(fields), headers=OURS)


async def page(registry: Running, **params: str) -> str:
    answer = await registry.client.get(WEEK, params=params)
    assert answer.status_code == 200, answer.text
    return answer.text


async def test_the_page_says_how_the_province_stands(officer: Running) -> None:
    text = await page(officer)
    assert text.count("<dt>") == 6 and "Đơn vị đang chậm" in text
    assert text.count('class="line"') == 25 and text.count('class="pace"') == 20
    assert "Tuần này: 16/11/2026 – 22/11/2026" in text and "so với ngày 08/11/2026" in text
    assert text.count('name="units"') == 12
    assert (await page(officer, every="1")).count('name="units"') == 102


async def test_without_metrics_the_page_is_there_and_says_what_is_not(officer: Running) -> None:
    officer.metrics["answer"] = fakes.no_metrics
    text = await page(officer)
    assert "Chưa lấy được số liệu các tuần trước" in text and "chưa so sánh được" in text
    assert 'class="line"' not in text


async def test_a_units_card_shows_the_last_weeks_of_each_target(officer: Running) -> None:
    def weeks(request: httpx.Request) -> httpx.Response:
        assert request.url.params["unit"] == SLOW
        told = metrics(request).json()
        for point in told["points"]:
            for cell in point["cells"]:
                cell["unit_id"] = SLOW
        return httpx.Response(200, json=told)

    card = "/plans/dak-lak-2026/units/24133"
    officer.metrics["answer"] = weeks
    text = (await officer.client.get(card)).text
    assert text.count('class="line"') == 25 and "12 tuần qua: từ" in text
    officer.metrics["answer"] = fakes.no_metrics
    without = await officer.client.get(card)
    assert without.status_code == 200 and 'class="line"' not in without.text


async def test_a_decision_with_forces_then_what_became_of_it(officer: Running) -> None:
    before = len(officer.activities.posted)
    fields = [
        ("act", "decide"), ("id", "0f0f"), ("week", "2026-11-16"), ("units", SLOW), ("units", OTHER),
        ("ready", "help"), ("send", "1"), ("team", "Đội Mùa hè số"), ("members", "1.200"),
    ]  # fmt: skip
    answer = await send(officer, *fields)
    assert answer.status_code == 303, answer.text
    posted = officer.activities.posted[before:]
    assert [event["type"].rpartition("hocvuso.")[2] for event in posted] == [
        "review.held", "force.dispatched", "force.dispatched",
    ]  # fmt: skip
    assert posted[0]["data"]["cold_spots"] == [SLOW, OTHER] and posted[0]["subject"] == "66@2025"
    assert posted[1]["data"] == {
        "reason": "cold_spot", "review_ref": posted[0]["id"], "team": "Đội Mùa hè số",
        "members": 1200, "from": "2026-11-21", "to": "2026-11-27",
    }  # fmt: skip
    text = (await officer.client.get(answer.headers["location"])).text
    assert "Đã ghi kết luận." in text and "Đội Mùa hè số" in text and "1.200 người" in text
    again = await send(officer, *fields)
    assert again.status_code == 303, "sent twice it is one"
    decision = posted[0]["id"]
    asked = [("act", "follow"), ("decision", decision), ("week", "2026-11-16"), ("id", "a")]
    wrong = await send(officer, *asked)
    assert wrong.status_code == 422 and "Chọn kết quả thực hiện." in wrong.text
    done = await send(officer, *asked, ("outcome", "done"), ("remark", "Đã dạy 120 người"))
    assert done.status_code == 303
    text = await page(officer)
    assert "Đã thực hiện" in text and "Đã dạy 120 người" in text


async def test_everything_wrong_at_once_and_nothing_typed_is_lost(officer: Running) -> None:
    before = len(officer.activities.posted)
    answer = await send(
        officer, ("act", "decide"), ("id", "x"), ("ready", "other"), ("text", "y" * 4001),
        ("members", "mười hai"), ("team", "<script>alert(1)</script>"), ("from", "2026-11-20"),
        ("to", "2026-11-01"), ("send", "1"),
    )  # fmt: skip
    assert answer.status_code == 422 and len(officer.activities.posted) == before
    for words in ("Chọn ít nhất một đơn vị", "Dài quá 4.000", "ví dụ 12", "Ngày cuối trước ngày đầu", "Có 4 chỗ cần sửa"):  # fmt: skip
        assert words in answer.text, words
    assert "mười hai" in answer.text and "&lt;script&gt;" in answer.text and "<script" not in answer.text  # fmt: skip
    foreign = await send(officer, ("act", "decide"), ("units", "75@2025"), ("ready", "help"))
    assert "không còn trong kế hoạch" in foreign.text
    officer.activities.refuse = {"code": "type-not-allowed", "status": 403, "detail": "no"}
    try:
        refused = await send(officer, ("act", "decide"), ("units", SLOW), ("ready", "help"), ("id", "z"))  # fmt: skip
        assert refused.status_code == 403 and f'value="{SLOW}" checked' in refused.text
    finally:
        officer.activities.refuse = None


async def test_the_download_says_what_the_page_says(officer: Running) -> None:
    await send(officer, ("act", "decide"), ("id", "dl"), ("units", SLOW), ("ready", "other"), ("text", "=HYPERLINK()"))  # fmt: skip
    answer = await officer.client.get(WEEK, params={"format": "csv"})
    lines = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    parts = [line[0] for line in lines]
    assert parts.count("Sáu con số") == 6 and parts.count("Chỉ tiêu") == 25
    assert parts.count("Đơn vị cần hỗ trợ") == 102
    assert any(line[4] == "'=HYPERLINK()" for line in lines if len(line) > 4)
    book = load_workbook(io.BytesIO((await officer.client.get(WEEK, params={"format": "xlsx"})).content))  # fmt: skip
    assert book.active is not None and book.active.max_row == len(lines)
    assert (await officer.client.get(WEEK, params={"format": "pdf"})).status_code == 422


async def test_a_closed_week_takes_no_more_decisions(officer: Running) -> None:
    asked = [("act", "close"), ("week", "2026-11-09"), ("remark", "Tập trung ba xã")]
    assert (await send(officer, *asked)).status_code == 303
    text = await page(officer, week="2026-11-11")
    assert "đã kết thúc ngày" in text and "Tập trung ba xã" in text
    assert 'value="decide"' in text and 'name="ready"' not in text and 'value="close"' not in text
    assert (await officer.client.get(WEEK, params={"week": "2027-01-01"})).status_code == 422


async def test_a_reader_writes_nothing_and_a_foreigner_reads_nothing(officer: Running) -> None:
    officer.activities.keys[KEY] |= {"scopes": ["tables:read"]}
    text = await page(officer)
    assert 'name="ready"' not in text and 'name="units"' not in text
    officer.activities.keys[KEY] |= {"subtree": "75@2025"}
    assert (await officer.client.get(WEEK)).status_code == 403


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: pages not seen")
async def test_monday_in_a_real_browser(officer: Running, address: str) -> None:
    """From the navigation to a decision with forces in at most ten taps, by an officer without script."""
    async with screens.chromium() as driver:
        for width in screens.SIZES:
            context = await screens.phone(driver, address, KEY, width=width, script=True)
            tab = await context.new_page()
            await tab.goto(WEEK)
            assert await screens.findings(tab) == []
            await screens.picture(tab, "week")
            await context.close()
        context = await screens.phone(driver, address, KEY)
        tab = await context.new_page()
        sizes: list[int] = []

        async def weigh(answer: Any) -> None:
            if answer.url.split("?")[0].endswith("/week"):
                sizes.append(len(await answer.body()))

        taps = 0
        await tab.goto("/plans/dak-lak-2026")
        for step in (
            "header a[href$='/week']", "input[value='%s']" % await first_unit(officer),
            "input[name=ready][value=help]", "input[name=send]", ".decide > button",
        ):  # fmt: skip
            await tab.locator(step).first.click()
            taps += 1
        await tab.wait_for_url("**done=decide**")
        assert taps <= 10
        assert "Đã ghi kết luận." in await tab.content()
        await screens.picture(tab, "week-decided")
        await tab.goto(f"{WEEK}?week=2026-11-16")
        await context.close()
    answer = await officer.client.get(WEEK, headers={"Accept": "text/html", "Accept-Encoding": "gzip"})  # fmt: skip
    assert int(answer.headers.get("content-length", 0)) < 150_000 and sizes == []


async def first_unit(registry: Running) -> str:
    text = await page(registry)
    return text.split('name="units" value="')[1].split('"')[0]
