"""The pages: what they must say, and that a real browser shows them."""

import asyncio
import html
import re
import shutil
from pathlib import Path

import pytest

from services.registry.web import words
from tests.registry.conftest import Running
from tests.registry.pages import address as address

PAGES = [
    "/",
    "/plans/dak-lak-2026",
    "/plans/yen-bai-2025-2026",
    "/plans/tan-lap-100-days-2025",
    "/plans/dak-lak-2026?unit=24133&level=hamlet",
    "/plans/dak-lak-2026/units/24133",
    "/plans/yen-bai-2025-2026/units/15@2004",
    "/plans/dak-lak-2026/objectives/adults-certified-vneid",
    "/plans/gia-lai-2026/calendar",
    "/plans/gia-lai-2026/calendar?unit=23563",
    "/plans/yen-bai-2025-2026/calendar",
    "/plans/gia-lai-2026/reports/quarterly-report/2026-Q2?unit=23563",
    "/plans/dak-lak-2026/reports/closing-conference-commune/once",
    "/plans/dong-nai-2026/tasks",
    "/plans/dong-nai-2026/tasks?lead=so-khcn&late=1",
    "/plans/dak-lak-2026/tasks/t-10-closing-commune",
    "/plans/dak-lak-2026/tasks/t-10-closing-commune?body=24133@2025",
    "/plans/gia-lai-2026/tasks/t-1-1?body=so-vhttdl",
    "/plans/dak-lak-2026/cold-spots",
    "/plans/dak-lak-2026/completeness",
    "/plans/dak-lak-2026/populations",
    "/plans/tan-lap-100-days-2025/populations",
    "/plans/dong-nai-2026/populations",
    "/plans/dak-lak-2026/units/24133/objectives/adults-certified-vneid",
    "/units",
    "/units?q=buon+ma",
    "/units/24133",
    "/units/15@2004",
    "/units/24133/hamlets",
    "/units/24133/changes",
    "/units/import",
    "/enter",
    "/enter/class.held",
    "/enter/citizen.certified",
]


@pytest.mark.security("V1.2.1", "V1.1.2", "V3.2.1", "V3.4.5")
@pytest.mark.parametrize("address", PAGES)
async def test_pages_are_whole_and_load_nothing_from_elsewhere(
    registry: Running, address: str
) -> None:
    answer = await registry.client.get(address)
    assert answer.status_code == 200, answer.text
    text = answer.text
    assert '<html lang="vi">' in text
    assert text.count("<main") == text.count("<h1") == 1
    assert "<script" not in text
    assert not re.findall(r'(?:src|href)="https?:', text)
    assert "default-src 'none'" in answer.headers["content-security-policy"]


async def test_status_is_said_in_words_and_headers_have_scope(registry: Running) -> None:
    text = (await registry.client.get("/plans/dak-lak-2026")).text
    table = text[text.index("<table") : text.index("</table>")]
    assert all(f"· {words.STATUS[name][1]}" in table for name in ("met", "behind", "overdue"))
    assert all(f"{sign}</a>" in table for sign in "✓▼✗▲")
    assert len(re.findall("<th ", table)) == len(re.findall('<th scope="', table))
    assert (
        table.count('scope="row"') == 104
    )  # the province, its communes, and what they should reach
    assert "91.234" in text


async def test_what_stands_beside_a_number_has_its_column_and_its_reason(registry: Running) -> None:
    text = (await registry.client.get("/plans/dak-lak-2026/objectives/adults-digital-skills")).text
    table = text[text.index("<table") : text.index("</table>")]
    assert "Đã được xác nhận sử dụng tốt trở lên hoặc đạt bài đánh giá</th>" in table
    assert "Số so với chỉ tiêu là số người đã tham gia tập huấn" in text


async def test_a_problem_is_a_page(registry: Running) -> None:
    answer = await registry.client.get("/plans/dak-lak-2026?as_of=2027-01-01")
    assert answer.status_code == 422
    assert "as-of-in-future" in answer.text
    answer = await registry.client.get("/plans/dak-lak-2026?unit=<b>x</b>")
    assert answer.status_code == 404
    assert "<b>x" not in answer.text


async def test_sandbox_pages_say_so(registry: Running) -> None:
    state = registry.app.state.registry
    state.settings.sandbox = True
    try:
        for address in PAGES:
            assert "DỮ LIỆU MÔ PHỎNG" in (await registry.client.get(address)).text
    finally:
        state.settings.sandbox = False


@pytest.mark.parametrize(
    ("ratio", "text"), [(0.9996, "99,9%"), (1.0, "100%"), (0.0617, "6,1%"), (None, ""), (0, "0%")]
)
def test_a_percentage_never_promises_too_much(ratio: float | None, text: str) -> None:
    assert words.percent(ratio) == text


CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)  # fmt: skip


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: pages not seen")
async def test_a_real_browser_shows_the_table(address: str, tmp_path: Path) -> None:
    """The page's own style applies, and the page itself does not scroll sideways on a phone."""
    picture = tmp_path / "table.png"
    browser = await asyncio.create_subprocess_exec(
        CHROMIUM,
        *("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"),
        *(f"--user-data-dir={tmp_path / 'profile'}", "--window-size=500,900", "--dump-dom"),
        f"--screenshot={picture}",
        f"{address}/plans/dak-lak-2026",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    dom, _ = await asyncio.wait_for(browser.communicate(), 90)
    assert "Phường Buôn Ma Thuột" in html.unescape(dom.decode())
    assert picture.stat().st_size > 20_000


def test_periods_are_named_in_vietnamese() -> None:
    names = ["once", "2026", "2026-W07", "2026-06", "2026-Q3", "2026-H1", "2026-H2"]
    assert [words.period(name) for name in names] == [
        "một lần", "năm 2026", "tuần 7/2026", "tháng 6/2026", "quý 3/2026",
        "sáu tháng đầu năm 2026", "sáu tháng cuối năm 2026",
    ]  # fmt: skip
