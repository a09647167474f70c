"""axe looks at every kind of page in a real browser, on a phone and on a desk: nothing that it calls
serious or critical. It finds about half of what can be wrong; the rest takes people."""

import json
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.keys import browser
from tests.registry import fakes
from tests.registry.axe import ASK, AXE
from tests.registry.conftest import Running
from tests.registry.hamlets import OURS
from tests.registry.pages import address as address
from tests.registry.populations import edited, fill, place
from tests.registry.proof import EVENT, STORY
from tests.registry.proof import metrics as answers  # noqa: F401
from tests.registry.ranking import TERMS, formula

TEMPLATES = Path(__file__).parents[2] / "services" / "registry" / "web" / "templates"
PARTS = {"base", "trouble", "cell", "heat", "monday_parts", "unit_difference"}
"""Templates of which pages are made; they are no pages."""
ELSEWHERE = {
    "week",
    "own",
    "edit",
    "cancel",
    "typed",
    "report_writing",
    "report_compare",
    "report_template",
}
"""Pages of a commune's staff: tests/registry/test_week.py looks at them. Pages that write a report: test_report_pages.py."""
WIDTHS = (390, 1280)
PLAN = "/plans/dak-lak-2026"
PAGES = {
    "plans": ["/"],
    "table": ["/plans/tan-lap-100-days-2025"],
    "monday": ["/plans/tan-lap-100-days-2025/week"],
    "work": ["/plans/dong-nai-2026/work", "/plans/dong-nai-2026/work?body=so-khcn"],
    "table_print": ["/plans/tan-lap-100-days-2025?view=print"],
    "unit": [f"{PLAN}/units/24133"],
    "objective": ["/plans/tan-lap-100-days-2025/objectives/civil-servants-trained"],
    "calendar": ["/plans/gia-lai-2026/calendar?unit=23563"],
    "report": ["/plans/gia-lai-2026/reports/quarterly-report/2026-Q2?unit=23563"],
    "tasks": ["/plans/dong-nai-2026/tasks?lead=so-khcn"],
    "task": [
        "/plans/gia-lai-2026/tasks/t-1-1?body=so-vhttdl",
        "/plans/dak-lak-2026/tasks/t-2-teams",
    ],
    "cold_spots": [f"{PLAN}/cold-spots"],
    "completeness": ["/plans/tan-lap-100-days-2025/completeness"],
    "populations": ["/plans/tan-lap-100-days-2025/populations"],
    "ranking": [f"{PLAN}/ranking"],
    "story": [STORY],
    "changes": [f"{STORY}/changes"],
    "receipt": [f"/receipts?{urlencode({'source': EVENT['source'], 'id': EVENT['id']})}"],
    "units": ["/units?q=buon+ma"],
    "unit_about": ["/units/15@2004"],
    "hamlets": ["/units/24472/hamlets"],
    "unit_changes": ["/units/66/changes"],
    "unit_import": ["/units/import"],
    "enter": ["/enter"],
    "queue": ["/enter/queue"],
    "form": ["/enter/citizen.certified"],
    "staff": ["/staff"],
    "login": ["/login"],
    "accept": ["/accept"],
    "devices": ["/devices"],
    "audit": ["/audit"],
    "confirm": ["/confirm"],
    "problem": ["/plans/none"],
}


def test_every_kind_of_page_is_looked_at() -> None:
    there = {file.stem for file in TEMPLATES.glob("*.html")} - PARTS
    assert there == set(PAGES) | {"entered", "welcome"} | ELSEWHERE


@pytest.fixture
async def shown(registry: Running, answers: Any) -> AsyncIterator[dict[str, str]]:  # noqa: F811
    """Every kind of page as the administrator gets it, and what forms answer."""
    client = registry.client
    client.cookies.set("hocvuso_session", fakes.SESSION)
    await registry.happen(formula("axe-1", TERMS))
    found = {}
    for kind, addresses in PAGES.items():
        for one in addresses:
            answer = await client.get(one, headers={"Accept": "text/html"})
            assert answer.status_code == (404 if kind == "problem" else 200), (one, answer.text)
            found[one] = answer.text
    plan = f"{PLAN}/populations"
    for value in (7, "x"):
        body = await edited(registry, lambda s, v=value: (fill(s), setattr(place(s, "24133@2025", "adults"), "value", v)))  # type: ignore[misc]  # fmt: skip
        sent = {"Sec-Fetch-Site": "same-origin"}
        answer = await client.post(plan, files={"file": ("a.xlsx", body)}, headers=sent)
        found[f"workbook {value}"] = answer.text
    forms = {
        "/units/66/changes": [("what", "rename"), ("name", "Tỉnh Khác"), ("on", "2026-11-18")],
        "/units/75/changes": [("what", "merge"), ("into", "24121"), ("on", "2026-11-18")],
        "/units/24472/hamlets": [("what", "list"), ("names", "Thôn Xem"), ("on", "2026-11-18")],
        "/enter/class.held": [
            ("id", str(uuid.uuid4())), ("unit", "24472@2025"), ("day", "2026-11-10"),
            ("data.participants", "32"), ("data.target_groups", "cnscd_member"),
            ("data.channel", "in_person"),
        ],
        "/enter/citizen.certified": [("id", str(uuid.uuid4())), ("unit", "x")],
    }  # fmt: skip
    for to, fields in forms.items():
        found[f"POST {to}"] = (await client.post(to, content=urlencode(fields), headers=OURS)).text
    assert "Đã ghi" in found["POST /enter/class.held"]
    order = {"role": "editor", "unit": "24133", "label": "Một cửa", "expires_on": "2027-06-30"}
    found["POST /staff"] = (
        await client.post("/staff", content=urlencode(order), headers=OURS)
    ).text
    code = registry.activities.invitations[-1]["code"]
    form = urlencode({"code": code})
    found["POST /accept"] = (await client.post("/accept", content=form, headers=OURS)).text
    assert "Khóa truy cập của bạn" in found["POST /accept"]
    registry.activities.invitations.clear()
    yield found
    client.cookies.clear()
    await registry.happen(formula("axe-2", []))


@pytest.mark.skipif(browser.CHROMIUM is None, reason="no chromium on this machine: pages not seen")
async def test_nothing_serious_on_any_page(
    registry: Running, shown: dict[str, str], address: str, tmp_path: Path
) -> None:  # fmt: skip
    found: dict[str, Any] = {}
    async with browser.browser(tmp_path) as page:
        await page.open(f"{address}/login")
        await page.until("document.readyState === 'complete'")
        await page.run(f"{AXE}; document.querySelector('h1').innerHTML += '<img src=x>'")
        assert [one["rule"] for one in await page.run(ASK, wait=True)] == ["image-alt"]
        for name, text in shown.items():
            await page.show(text)
            await page.run(f"if (typeof axe === 'undefined') {{ {AXE} }}; 1")
            await page.run("document.querySelectorAll('details').forEach(d => d.open = true)")
            for width in WIDTHS:
                await page.resize(width)
                wide = await page.run("document.documentElement.scrollWidth - innerWidth")
                wrong = await page.run(ASK, wait=True)
                if wrong or wide > 0:
                    found[f"{name} at {width}"] = [
                        *wrong,
                        *([{"wider by": wide}] if wide > 0 else []),
                    ]
    assert not found, json.dumps(found, ensure_ascii=False, indent=1)
