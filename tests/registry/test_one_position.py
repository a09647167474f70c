"""Answers that join units, plans and cells are of one position of the log, and say when more was
defined behind it."""

from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import httpx
import msgspec
import pytest

from tests.registry.conftest import Running

Json = dict[str, Any]
PLAN, ROOT, WARD, OTHER = "dak-lak-2026", "66@2025", "24133@2025", "24154@2025"
TABLE = f"/v1/plans/{PLAN}/table"


def event(id: str, kind: str, subject: str, data: Json) -> Json:
    return {
        "specversion": "1.0", "id": id, "source": "https://example.vn/s", "subject": subject,
        "type": f"vn.hocvuso.{kind}", "time": "2026-06-01T00:00:00+07:00", "data": data,
    }  # fmt: skip


@pytest.fixture
async def counted(registry: Running) -> AsyncIterator[Running]:
    """Cells that are complete up to the newest definition, and no further."""
    await to(registry)
    yield registry
    await to(registry, 10**6)


async def to(registry: Running, position: int | None = None) -> None:
    newest = registry.app.state.registry.follower.history.position
    await registry.database.execute(
        "UPDATE indicators.watermark SET position = $1, definitions = $2",
        newest if position is None else position,
        newest if position is None else 0,
    )


async def get(registry: Running, address: str, **asked: str) -> Json:
    answer = await registry.client.get(address, params=asked)
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


async def test_a_target_changes_with_its_cells(counted: Running) -> None:
    before = await get(counted, TABLE)
    assert before["definitions_pending"] is False
    goal = next(o for o in before["objectives"] if o["target"]["unit"] == "percent")
    changes = {"target": {"value": goal["target"]["value"] - 1}}
    data = {"plan": PLAN, "objective": goal["id"], "valid_from": "2026-01-01", "changes": changes}
    await counted.happen(event("lower", "plan.amended", ROOT, data))

    async def header() -> tuple[int, bool]:
        table = await get(counted, TABLE)
        found = next(o for o in table["objectives"] if o["id"] == goal["id"])
        return found["target"]["value"], table["definitions_pending"]

    assert await header() == (goal["target"]["value"], True)
    for address in (f"/v1/plans/{PLAN}/share", f"/v1/plans/{PLAN}/cold-spots",
                    f"/v1/plans/{PLAN}/units/24133"):  # fmt: skip
        assert (await get(counted, address))["definitions_pending"] is True, address
    page = await counted.client.get(f"/plans/{PLAN}", headers={"Accept": "text/html"})
    assert "vừa có thay đổi chưa được tính" in page.text
    await to(counted)
    assert await header() == (goal["target"]["value"] - 1, False)


async def test_merged_units_stay_until_the_cells_know(counted: Running) -> None:
    def ids(table: Json) -> set[str]:
        return {row["unit_id"] for row in table["rows"]}

    before = ids(await get(counted, TABLE))
    assert {WARD, OTHER} <= before
    made = {"unit_id": "99001@2025", "code": "99001", "era": "2025", "name_vi": "Phường Mới",
            "kind": "ward", "parent": ROOT, "from": "2026-06-01"}  # fmt: skip
    share = [{"unit_id": "99001@2025", "part": "whole"}]
    await counted.happen(
        event("new", "unit.established", ROOT, made),
        *(
            event(f"end-{u}", "unit.dissolved", u,
                  {"unit_id": u, "dissolved_on": "2026-06-01", "successors": share})
            for u in (WARD, OTHER)
        ),
    )  # fmt: skip
    table = await get(counted, TABLE)
    assert (ids(table), table["definitions_pending"]) == (before, True)
    nation = (await counted.client.get("/v1/nation")).text
    assert f",{WARD}," in nation and "99001@2025" not in nation
    await to(counted)
    table = await get(counted, TABLE)
    assert ids(table) == before - {WARD, OTHER} | {"99001@2025"}
    assert table["definitions_pending"] is False


async def test_cells_of_a_later_position_are_joined_with_its_definitions(counted: Running) -> None:
    """The numbers move on between the look at the definitions and the look at the cells."""
    follower = counted.app.state.registry.follower
    newest = follower.history.position
    asked: list[int] = []

    def metrics(request: httpx.Request) -> httpx.Response:
        asked.append(1)
        body = {"position": newest if len(asked) > 1 else 100, "definitions": 100, "cells": []}
        return httpx.Response(200, content=msgspec.json.encode(body))

    counted.metrics["answer"] = metrics
    found = await get(counted, TABLE, as_of="2026-03-01", known_at="2026-11-20")
    assert len(asked) >= 2 and found["position"] in (newest, 100)


async def test_a_merger_that_was_not_known_has_not_happened(counted: Running) -> None:
    """As of 20/10, recorded today: what was known before today has the units of before."""
    before = {row["unit_id"] for row in (await get(counted, TABLE))["rows"]}
    gone = sorted(before)[:2]
    made = {"unit_id": "99002@2025", "code": "99002", "era": "2025", "name_vi": "Phường Mới",
            "kind": "ward", "parent": ROOT, "from": "2026-10-20"}  # fmt: skip
    share = [{"unit_id": "99002@2025", "part": "whole"}]
    await counted.happen(
        event("late", "unit.established", ROOT, made),
        *(
            event(f"end-{u}", "unit.dissolved", u,
                  {"unit_id": u, "dissolved_on": "2026-10-20", "successors": share})
            for u in gone
        ),
        recorded=date(2026, 11, 21),
    )  # fmt: skip
    await to(counted)
    newest = counted.app.state.registry.follower.history.position
    body = {"position": newest, "definitions": newest, "cells": []}
    counted.metrics["answer"] = lambda _: httpx.Response(200, content=msgspec.json.encode(body))
    after = before - set(gone) | {"99002@2025"}
    for known_at, wanted in (("2026-11-20", before), ("2026-11-21", after)):
        for as_of in ("2026-10-20", "2026-11-15"):
            days = {"as_of": as_of, "known_at": known_at}
            table = await get(counted, TABLE, level="commune", **days)
            assert {row["unit_id"] for row in table["rows"]} == wanted, days
            text = (await counted.client.get(TABLE, params={"format": "csv", **days})).text
            assert ("99002@2025" in text) is (wanted is after), days
    day = {"as_of": "2026-10-19", "known_at": "2026-11-21"}
    table = await get(counted, TABLE, **day)
    assert {row["unit_id"] for row in table["rows"]} == before, "the day before the merger"


async def test_the_row_of_an_ended_province_is_its_own(registry: Running) -> None:
    table = await get(registry, "/v1/plans/yen-bai-2025-2026/table", level="province")
    (row,) = table["rows"]
    assert row["unit_id"] == table["unit_id"] == table["whole"]["unit_id"] == "15@2004"
    assert row["cells"] == table["whole"]["cells"]
