"""Cold spots, shares, completeness; nil, missing and zero stay three different things."""

import html
from datetime import date
from fractions import Fraction
from typing import Any

import msgspec
import pytest

from services.registry.progress.pace import least, shortfall
from services.registry.progress.ranking import reached
from services.registry.progress.share import shares, verdict
from services.registry.tables.model import Bucket, Cell, Header, Row, Table
from services.registry.web.words import REASON
from tests.registry import fakes
from tests.registry.conftest import Running

DAK_LAK = "/v1/plans/dak-lak-2026"
AUTH = {"Authorization": f"Bearer {fakes.KEY}"}
CLASSES = "commune-classes"


def cell(value: int | None, denominator: int | None, **more: Any) -> Cell:
    given: dict[str, Any] = {
        "ratio": None, "met": False, "met_on_time": None, "status": "behind", "basis": "persons",
        "required_per_week": None, "flags": [], "target": 80.0, "target_unit": "percent",
        "comparator": ">=", "required": denominator and least(80, ">=", denominator, 100),
    }  # fmt: skip
    return Cell(value=value, denominator=denominator, **(given | more))


YEAR = {"period": {"start": "2026-01-01", "end": "2026-12-31"}, "last_day": "2026-12-31"}
DUE = {"last_day": date(2026, 12, 31)}


def test_required_is_rounded_up_so_that_it_really_meets() -> None:
    assert least(80, ">=", 101, 100) == 81
    assert least(80.5, ">=", 200, 100) == 161
    assert least(5, ">=") == 5


def test_more_than_ten_is_eleven() -> None:
    assert least(10, ">") == 11
    assert least(50, ">", 10, 100) == 6, "more than half of ten"
    assert least(50, ">", 11, 100) == 6
    exactly = cell(10, None, target=10.0, target_unit="count", comparator=">", required=11)
    assert shortfall(exactly, {}, date(2026, 10, 31)) == 1 - Fraction(10, 11)
    row = Row("24133", "24133@2025", "", {"o": exactly})
    assert reached(row, "o") == Fraction(10, 11)


def month(number: int, value: int, met: bool | None, *, judged: bool = True) -> Bucket:
    first = date(2026, number, 1)
    return Bucket("month", first, date(2026, number, 30), value, None, 11, met, judged)


def test_a_rhythm_is_compared_by_the_month_its_status_speaks_of() -> None:
    """On the second day of November nobody is behind yet: October is what is judged."""
    rhythm: dict[str, Any] = {"recurrence": "monthly", **YEAR}
    november = cell(
        0, None, target=10.0, target_unit="count", comparator=">", required=11, status="met",
        bucket=month(11, 0, False), status_bucket=month(10, 12, True),
    )  # fmt: skip
    day = date(2026, 11, 2)
    assert shortfall(november, rhythm, day) == 0
    assert (verdict(november), reached(Row("", "", "", {"o": november}), "o")) == ("met", 1)
    few = msgspec.structs.replace(november, status="behind", status_bucket=month(10, 10, False))
    assert shortfall(few, rhythm, day) == Fraction(1, 11)
    assert verdict(few) == "not_met"
    nothing = msgspec.structs.replace(november, status="not_judged", status_bucket=None)
    assert shortfall(nothing, rhythm, day) is None
    assert verdict(nothing) == "not_applicable", "no whole month is over yet"


def test_a_unit_with_a_later_day_of_its_own_is_on_its_own_pace() -> None:
    half = date(2026, 7, 2)
    late = cell(0, 100, last_day=date(2027, 12, 31))
    assert shortfall(late, YEAR, half) == Fraction(183, 730)


def test_shortfall_is_what_is_missing_to_the_pace() -> None:
    half = date(2026, 7, 2)  # 183 of 365 days are over
    assert shortfall(cell(0, 100, **DUE), YEAR, half) == Fraction(183, 365)
    assert shortfall(cell(40, 100, **DUE), YEAR, half) == Fraction(183, 365) - Fraction(1, 2)
    assert shortfall(cell(70, 100, **DUE), YEAR, half) == 0
    assert shortfall(cell(60, 100, met=True), YEAR, date(2026, 12, 31)) == 0
    assert shortfall(cell(5, None), YEAR, half) is None
    assert shortfall(cell(None, 100), YEAR, half) is None
    assert shortfall(cell(79, 100, **DUE), YEAR, date(2027, 1, 5)) == 1 - Fraction(79, 80)


async def objectives(registry: Running) -> list[dict[str, Any]]:
    return list((await registry.client.get(f"{DAK_LAK}/objectives")).json()["objectives"])


async def spots(registry: Running, **params: Any) -> dict[str, Any]:
    answer = await registry.client.get(f"{DAK_LAK}/cold-spots", params=params)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def made(id: str, type: str, unit: str, day: str, **data: Any) -> fakes.CloudEvent:
    return {
        "id": id, "source": "https://tinhdoan.example", "type": f"vn.hocvuso.{type}",
        "subject": unit, "time": f"{day}T09:00:00+07:00", "data": data,
    }  # fmt: skip


async def test_the_coldest_come_first_with_reason_and_decision(registry: Running) -> None:
    before = await spots(registry, objective="adults-certified-vneid", limit=500)
    (found,) = before["objectives"]
    gaps = [unit["below_pace_percent"] for unit in found["units"]]
    assert gaps == sorted(gaps, reverse=True)
    assert found["below_pace"] == len(found["units"]) > 3
    assert found["compared"] + len(found["not_comparable"]) == 102
    assert {flag for u in found["not_comparable"] for flag in u["flags"]} == {"denominator_missing"}
    assert {unit["reason"] for unit in found["units"]} == {"no_events"}
    silent, nil, late, slow = (u["unit_id"] for u in found["units"][:4])
    await registry.happen(
        made("c-1", "citizen.certified", slow, "2026-11-18"),
        made("n-1", "nil.reported", nil, "2026-11-15", event_type="citizen.certified",
             **{"from": "2026-11-09", "to": "2026-11-15"}),
        made("r-1", "review.held", "66@2025", "2026-11-17", kind="weekly", cold_spots=[silent],
             decisions="Cử đội tình nguyện"),
        made("r-0", "review.held", "66@2025", "2026-11-09", kind="weekly", cold_spots=[slow]),
        made("f-1", "force.dispatched", silent, "2026-11-19", reason="cold_spot", members=12),
    )  # fmt: skip
    for day in ("2026-11-10", "2026-11-11"):
        event = made(f"c-{day}", "citizen.certified", late, day)
        await registry.happen(event, recorded=date(2026, 11, 20))
    (found,) = (await spots(registry, objective="adults-certified-vneid"))["objectives"]
    units = {u["unit_id"]: u for u in found["units"]}
    assert {name: units[name]["reason"] for name in (silent, nil, late, slow)} == {
        silent: "no_events", nil: "nil_reported", late: "late_data", slow: "slow",
    }  # fmt: skip
    assert units[silent]["reviewed"][0]["decisions"] == "Cử đội tình nguyện"
    assert units[silent]["dispatched"][0]["members"] == 12
    page = await registry.client.get("/plans/dak-lak-2026/cold-spots")
    assert page.status_code == 200
    assert "Cử đội tình nguyện" in page.text and "12 người" in page.text
    assert f"rà soát {registry.app.state.registry.tree.unit(silent).name(fakes.TODAY)}" in page.text
    assert units[slow]["reviewed"] == []  # decided the week before last
    assert units[late]["facts"]["late"] == units[late]["facts"]["reported"] == 2


async def test_a_parked_event_is_the_reason_before_all_others(registry: Running) -> None:
    """The flag comes from metrics (tests/metrics/test_parked_cells.py)."""
    asked = {"objective": "adults-certified-vneid", "limit": 3}
    (before,) = (await spots(registry, **asked))["objectives"]
    first, second, _ = before["units"]
    where = (
        "WHERE plan = 'dak-lak-2026' AND objective = 'adults-certified-vneid' AND unit_id ="
        f" '{first['unit_id']}'"
    )
    state = registry.app.state.registry
    flags = await registry.database.fetchval(f"SELECT flags FROM indicators.cells {where}")
    await registry.database.execute(
        f"UPDATE indicators.cells SET flags = array_append(flags, 'parked') {where}"
    )
    state.tables.clear()
    try:
        (now,) = (await spots(registry, **asked))["objectives"]
        page = await registry.client.get("/plans/dak-lak-2026/cold-spots")
    finally:
        await registry.database.execute(f"UPDATE indicators.cells SET flags = $1 {where}", flags)
        state.tables.clear()
    assert [u["unit_id"] for u in now["units"]] == [u["unit_id"] for u in before["units"]]
    assert first["reason"] != "parked" and now["units"][0]["reason"] == "parked"
    assert now["units"][1]["reason"] == second["reason"]
    assert page.status_code == 200 and REASON["parked"] in html.unescape(page.text)


async def test_cold_spots_of_remote_communes_only(registry: Running) -> None:
    answer = await spots(registry, attribute="remote")
    assert all("remote" in u["attributes"] for o in answer["objectives"] for u in o["units"])
    bad = await registry.client.get(f"{DAK_LAK}/cold-spots", params={"objective": "none"})
    assert (bad.status_code, bad.json()["code"]) == (404, "objective-unknown")


async def test_shares_agree_with_the_table(registry: Running) -> None:
    share = (await registry.client.get(f"{DAK_LAK}/share")).json()
    table = (await registry.client.get(f"{DAK_LAK}/table")).json()
    assert len(share["objectives"]) == 25
    for objective in share["objectives"]:
        cells = [row["cells"][objective["objective"]] for row in table["rows"]]
        assert objective["met"] == sum(c["met"] is True for c in cells)
        assert objective["met"] + objective["not_met"] + objective["unknown"] == 102
        assert objective["share_at_least"] == objective["met"] / 102
        assert objective["share_at_most"] == (102 - objective["not_met"]) / 102
        known = objective["unknown"] == 0
        assert objective["share"] == (objective["share_at_least"] if known else None)
        assert known or objective["flags"] == ["denominator_missing"]
    assert len(share["units"]) == 102


def test_nobody_knows_is_no_zero_and_no_target_is_no_failure() -> None:
    """Unknown denominators leave the share open; units that have no target are not counted; a unit
    that the plan reads as not met although nothing came stays not met."""
    met, silent = cell(9, 10, met=True), cell(0, 10, flags=["nothing_reported"])
    unknown = cell(0, None, met=None, status="unknown", flags=["denominator_missing"])
    elsewhere = cell(3, None, met=None, status="no_target", target=None)
    assert [verdict(c) for c in (met, silent, unknown, elsewhere, None)] == [
        "met", "not_met", "unknown", "not_applicable", "unknown",
    ]  # fmt: skip

    def share(*cells: Cell) -> tuple[Any, ...]:
        rows = [Row(str(n), str(n), "", {"o": c}) for n, c in enumerate(cells)]
        header = Header("o", "", {}, None, "counted", None)
        about: dict[str, Any] = dict.fromkeys(Table.__struct_fields__)
        (found,) = shares(Table(**about | {"objectives": [header], "rows": rows}))
        return tuple(found[n] for n in ("units", "share", "share_at_least", "share_at_most"))

    assert share(met, silent, elsewhere) == (2, 0.5, 0.5, 0.5)
    assert share(met, unknown, elsewhere) == (2, None, 0.5, 1.0)
    assert share(unknown, unknown) == (2, None, 0.0, 1.0)
    assert share(elsewhere) == (0, None, None, None)


async def pages(registry: Running, address: str, rows: str, **params: Any) -> list[Any]:
    found: list[Any] = []
    cursor = None
    while True:
        asked = params | ({"cursor": cursor} if cursor else {})
        answer = await registry.client.get(address, params=asked)
        assert answer.status_code == 200, answer.text
        tag = {"If-None-Match": answer.headers["ETag"]}
        again = await registry.client.get(address, params=asked, headers=tag)
        assert (again.status_code, again.content) == (304, b"")
        body = answer.json()
        found += body[rows]
        assert len(body[rows]) <= params["limit"]
        cursor = body["next"]
        if cursor is None:
            return found


@pytest.mark.parametrize(
    ("address", "rows", "limit", "total"),
    [
        (f"{DAK_LAK}/share", "units", 40, 102),
        ("/v1/units?parent=66&level=commune", "units", 50, 102),
        ("/v1/units?q=phuong&parent=66", "units", 3, None),
        ("/v1/units/66/children", "units", 70, 102),
        ("/v1/plans", "plans", 2, 5),
        (f"{DAK_LAK}/objectives", "objectives", 10, 25),
    ],
)
async def test_lists_come_in_pages_and_with_a_tag(
    registry: Running, address: str, rows: str, limit: int, total: int | None
) -> None:
    bare, _, query = address.partition("?")
    params = dict(pair.split("=") for pair in query.split("&") if pair)
    found = await pages(registry, bare, rows, limit=limit, **params)
    names = [row.get("unit_id") or row["id"] for row in found]
    whole = (await registry.client.get(bare, params=params | {"limit": "1000"})).json()[rows]
    assert names == [row.get("unit_id") or row["id"] for row in whole]
    assert len(set(names)) == len(names) == (total or len(names)) > limit
    bad = await registry.client.get(bare, params=params | {"cursor": "%%"})
    assert (bad.status_code, bad.json()["code"]) == (422, "cursor-malformed")


async def test_cold_spots_come_in_pages_within_one_objective(registry: Running) -> None:
    whole = (await spots(registry, objective="adults-certified-vneid", limit=500))["objectives"][0]
    found, cursor = [], None
    while True:
        asked = {"objective": "adults-certified-vneid", "limit": 7}
        (one,) = (await spots(registry, **asked | ({"cursor": cursor} if cursor else {})))[
            "objectives"
        ]
        assert one["below_pace"] == whole["below_pace"]
        found += one["units"]
        cursor = one["next"]
        if cursor is None:
            break
    assert found == whole["units"]
    bad = await registry.client.get(f"{DAK_LAK}/cold-spots", params={"cursor": "W10"})
    assert (bad.status_code, bad.json()["code"]) == (422, "cursor-malformed")


async def test_the_page_of_cold_spots_never_says_all_is_well_when_nobody_knows(
    registry: Running,
) -> None:
    where = "plan = 'tan-lap-100-days-2025'"
    before = await registry.database.fetch(f"SELECT * FROM indicators.cells WHERE {where}")
    await registry.database.execute(
        "UPDATE indicators.cells SET met = NULL, status = 'unknown', denominator = NULL,"
        f" target = 80, target_unit = 'percent', flags = '{{denominator_missing}}' WHERE {where}"
    )
    state = registry.app.state.registry
    state.tables.clear()
    try:
        text = (await registry.client.get("/plans/tan-lap-100-days-2025/cold-spots")).text
    finally:
        await registry.database.execute(f"DELETE FROM indicators.cells WHERE {where}")
        await registry.database.copy_records_to_table(
            "cells", schema_name="indicators", records=[tuple(row) for row in before]
        )
        state.tables.clear()
    assert "Không có đơn vị nào chậm" not in text
    assert "Chưa so sánh được" in text and "chưa có số liệu nền" in text


async def test_nil_missing_zero_and_reported_are_four_states(registry: Running) -> None:
    week = {"from": "2026-06-01", "to": "2026-06-07", "type": "programme.completed"}
    communes = (await registry.client.get("/v1/units/66/children")).json()["units"]
    some, none, nil, silent = (u["unit_id"] for u in communes[10:14])
    await registry.happen(
        made(
            "p-1",
            "programme.completed",
            some,
            "2026-06-02",
            pupils_completed=30,
            target_groups=["pupil"],
        ),
        made(
            "p-2",
            "programme.completed",
            none,
            "2026-06-02",
            pupils_completed=0,
            target_groups=["pupil"],
        ),
    )
    body = {"unit": nil, "types": ["programme.completed"], "from": "2026-06-01", "to": "2026-06-07"}
    assert (await registry.client.post(f"{DAK_LAK}/nil", json=body)).status_code == 401
    answer = await registry.client.post(f"{DAK_LAK}/nil", json=body, headers=AUTH)
    assert answer.json()["results"][0]["status"] == "accepted", answer.text
    again = await registry.client.post(f"{DAK_LAK}/nil", json=body, headers=AUTH)
    assert again.json()["results"][0]["status"] == "duplicate"
    await registry.settle()
    shown = (await registry.client.get(f"{DAK_LAK}/completeness", params=week)).json()
    states = {u["unit_id"]: u["types"]["programme.completed"]["state"] for u in shown["units"]}
    assert (states[some], states[none], states[nil], states[silent]) == (
        "reported", "zero", "nil", "missing",
    )  # fmt: skip
    (partner,) = [p for p in shown["partners"] if p["source"] == "https://tinhdoan.example"]
    assert (partner["n"], partner["units"]) == (2, 2)
    assert shown["total"] == 102
    bad = await registry.client.post(
        f"{DAK_LAK}/nil", json=body | {"types": ["review.held"]}, headers=AUTH
    )
    assert bad.json()["code"] == "type-not-counted"


async def test_the_cells_of_the_table_say_so_too(registry: Running) -> None:
    """A zero of somebody who reported has no flag; silence and a confirmed nil have one each."""
    pupils = next(
        o for o in await objectives(registry)
        if o["reading"]["measure"] and any(
            "programme.completed" in part["types"] for part in o["reading"]["measure"]["of"]
        )
    )  # fmt: skip
    communes = (await registry.client.get("/v1/units/66/children")).json()["units"]
    some, none, nil, silent = (u["unit_id"] for u in communes[10:14])
    names = [some, none, nil, silent]
    await registry.database.execute(
        "UPDATE indicators.cells SET value = 0, flags = '{}' WHERE plan = 'dak-lak-2026'"
        " AND objective = $1 AND unit_id = ANY($2)",
        pupils["id"],
        names,
    )
    registry.app.state.registry.tables.clear()
    registry.app.state.registry.encoded.clear()
    rows = (await registry.client.get(f"{DAK_LAK}/table")).json()["rows"]
    flags = {r["unit_id"]: r["cells"][pupils["id"]]["flags"] for r in rows if r["unit_id"] in names}
    assert flags == {some: [], none: [], nil: ["nil_reported"], silent: ["nothing_reported"]}


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"from": "2026-11-22"}, "from-in-future"),
        ({"from": "2026-06-07", "to": "2026-06-01"}, "span-invalid"),
        ({"type": "no.such"}, "type-not-counted"),
        ({"unit": "75"}, "unit-outside-plan"),
    ],
)
async def test_bad_questions(registry: Running, params: dict[str, str], code: str) -> None:
    answer = await registry.client.get(f"{DAK_LAK}/completeness", params=params)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
