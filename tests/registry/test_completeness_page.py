"""Who is silent, by kind and week, as a page; the words of a reminder."""

import re
from datetime import date

import pytest

from services.registry.completeness.weeks import by_week
from tests.keys.browser import CHROMIUM
from tests.registry import fakes, screens
from tests.registry.conftest import Running
from tests.registry.pages import address as address

PAGE = "/plans/dak-lak-2026/completeness"
UNIT, KIND = "24133@2025", "class.held"
NIL = {"event_type": "guidance_session.held", "from": "2026-11-09", "to": "2026-11-15", "plan": "dak-lak-2026"}  # fmt: skip


def held(id: str, day: str, unit: str = UNIT) -> fakes.CloudEvent:
    return {
        "specversion": "1.0", "id": id, "source": "https://xa.example", "subject": unit,
        "type": f"vn.hocvuso.{KIND}", "time": f"{day}T08:00:00+07:00", "data": {"participants": 9},
    }  # fmt: skip


@pytest.fixture
async def told(registry: Running) -> Running:
    if not any(row.id == "weeks-1" for row in registry.activities.rows):
        nil = held("weeks-n", "2026-11-15") | {"type": "vn.hocvuso.nil.reported", "data": NIL}
        await registry.happen(held("weeks-1", "2026-11-12"), held("weeks-2", "2026-10-13"), nil)
    return registry


async def test_on_time_late_nil_and_silence_are_four_things(told: Running) -> None:
    state = told.app.state.registry
    below = {UNIT: [UNIT]}
    weeks = await by_week(state.pool, below, [KIND, NIL["event_type"]], date(2026, 11, 15))
    assert len(weeks.mondays) == 8 and weeks.mondays[-1] == date(2026, 11, 9)
    assert weeks.state(UNIT, NIL["event_type"], date(2026, 11, 9)) == "nil"
    assert weeks.state(UNIT, NIL["event_type"], date(2026, 11, 2)) == "silent"
    # Both were recorded on the 20th or later: more than a week after the second one happened.
    assert weeks.state(UNIT, KIND, date(2026, 10, 12)) == "late"
    assert weeks.state(UNIT, KIND, date(2026, 11, 9)) in ("on_time", "late")
    assert weeks.silent(UNIT, [KIND, NIL["event_type"], "festival.held"]) == ["festival.held"]


async def test_the_page_shows_all_kinds_one_kind_and_one_unit(told: Running) -> None:
    text = (await told.client.get(PAGE)).text
    assert text.count('<th scope="row"') == 103
    one = (await told.client.get(PAGE, params={"type": KIND})).text
    row = one.split("Phường Buôn Ma Thuột</a>")[1].split("</tr>")[0]
    assert re.findall(r'<td class="(\w+)"', row).count("bad") == 6
    kinds = (await told.client.get(PAGE, params={"unit": UNIT})).text
    assert "lớp học" in kinds and 'title="Không phát sinh">0<' in kinds
    found = (await told.client.get(PAGE, params={"q": "buon ma thuot", "silent": ""})).text
    assert found.count("Gửi nhắc Phường") == 1
    assert (await told.client.get(PAGE, params={"type": "x"})).status_code == 422
    assert (await told.client.get(PAGE, params={"unit": "x"})).status_code == 404


async def test_a_reminder_names_no_code_and_what_is_lacking(told: Running) -> None:
    text = (await told.client.get(PAGE, params={"remind": UNIT})).text
    message = text.split("<textarea")[1].split(">", 1)[1].split("</textarea>")[0]
    assert message.startswith("Kính gửi: UBND phường Buôn Ma Thuột")
    assert "Tuần 09/11/2026 – 15/11/2026" in message and "trước ngày 20/11/2026" in message
    assert "_" not in message and "." not in re.sub(r"\.\n|\./\.", "", message.replace("…", ""))
    assert "24133" not in message


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: pages not seen")
async def test_seen_on_a_phone_and_on_a_desk(told: Running, address: str) -> None:
    async with screens.chromium() as driver:
        for width in screens.SIZES:
            context = await screens.phone(driver, address, fakes.SESSION, width=width, script=True)
            tab = await context.new_page()
            for name, query in (
                ("all", ""),
                ("remind", f"?remind={UNIT}"),
                ("unit", f"?unit={UNIT}"),
            ):
                await tab.goto(f"{PAGE}{query}")
                await screens.picture(tab, f"completeness-{name}")
                assert await screens.findings(tab) == [], (name, width)
            await context.close()
