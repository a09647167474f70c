"""The grid of denominators: declared wins, sums are complete or partial, a workbook goes round."""

from datetime import date
from typing import Any

import msgspec
import pytest

from services.registry.populations.grid import Grid
from services.registry.populations.groups import names_of_groups
from shared.contracts.definitions import Catalogue
from shared.contracts.record import Content
from shared.domain.definitions import Definitions
from tests.registry import fakes
from tests.registry.conftest import Running
from tests.registry.populations import GRID, edited, fill, place

AUTH = {"Authorization": f"Bearer {fakes.KEY}"}
ON = date(2026, 11, 21)


def unit(unit_id: str, kind: str, parent: str | None) -> fakes.CloudEvent:
    code, _, era = unit_id.partition("@")
    data = {"unit_id": unit_id, "code": code, "era": era, "name_vi": code, "kind": kind}
    data |= {"from": "2025-07-01"} | ({"parent": parent} if parent else {})
    return {
        "id": unit_id, "source": "https://a.example", "type": "vn.hocvuso.unit.established",
        "subject": unit_id, "time": "2025-07-01T00:00:00+07:00", "data": data,
    }  # fmt: skip


def declared(unit_id: str, number: int, as_of: str = "2026-01-01") -> fakes.CloudEvent:
    data = {"population": "adults", "number": number, "as_of": as_of, "authority": "Công an"}
    return {
        "id": f"{unit_id}-{number}", "source": "https://a.example",
        "type": "vn.hocvuso.population.declared", "subject": unit_id,
        "time": f"{as_of}T00:00:00+07:00", "data": data,
    }  # fmt: skip


def small(*declarations: fakes.CloudEvent) -> Grid:
    known = Definitions(Catalogue.load())
    tree = [unit("1@2025", "province", None), unit("2@2025", "commune", "1@2025")]
    tree.append(unit("3@2025", "commune", "1@2025"))
    for row in fakes.records([*tree, *declarations]):
        known.apply(row)
    return Grid(known, ON)


@pytest.mark.parametrize(
    ("given", "state", "number", "total", "mismatch"),
    [
        ([], "missing", None, None, False),
        ([("2@2025", 10)], "partial", None, 10, False),
        ([("2@2025", 10), ("3@2025", 0)], "sum", 10, 10, False),
        ([("2@2025", 10), ("3@2025", 5), ("1@2025", 15)], "declared", 15, 15, False),
        ([("2@2025", 10), ("3@2025", 5), ("1@2025", 20)], "declared", 20, 15, True),
        ([("2@2025", 10), ("1@2025", 20)], "declared", 20, 10, False),
    ],
)
def test_declared_wins_over_the_sum_and_a_mismatch_shows(
    given: list[tuple[str, int]], state: str, number: int | None, total: int | None, mismatch: bool
) -> None:
    found = small(*(declared(*one) for one in given)).of("1@2025", "adults")
    assert (found.state, found.number, found.sum, found.mismatch) == (
        state,
        number,
        total,
        mismatch,
    )


def test_the_newest_that_holds_on_the_day() -> None:
    grid = small(declared("2@2025", 10), declared("2@2025", 12, "2026-06-01"),
                 declared("2@2025", 14, "2027-01-01"))  # fmt: skip
    assert grid.of("2@2025", "adults").number == 12


async def test_the_grid_lists_what_is_owed(registry: Running) -> None:
    answer = (await registry.client.get(GRID)).json()
    assert answer["total"] == len(answer["units"]) == 102
    assert {"adults", "pupils_primary_up"} <= {g["population"] for g in answer["groups"]}
    owed = {(o["organisation"], o["population"]): o for o in answer["owed"]}
    police = owed["cong-an-tinh", "adults"]
    known = sum(u["populations"]["adults"]["number"] is not None for u in answer["units"])
    assert police["missing"] == 102 - known == len(police["units"])
    assert answer["whole"]["adults"]["state"] in ("missing", "partial")


async def test_download_edit_upload(registry: Running) -> None:
    def edit(sheet: Any) -> None:
        fill(sheet)
        place(sheet, "24163@2025", "adults").value = 21_345
        place(sheet, "24169@2025", "adults").value = "9.876"

    body = await edited(registry, edit)
    assert (await registry.client.post(GRID, content=body)).status_code == 401
    before = len(registry.activities.posted)
    answer = await registry.client.post(GRID, content=body, headers=AUTH)
    assert answer.json()["dry_run"] is True
    assert len(registry.activities.posted) == before
    shown = {c["unit_id"]: (c["before"], c["after"]) for c in answer.json()["changes"]}
    assert shown == {"24163@2025": (None, 21_345), "24169@2025": (None, 9_876)}
    params = {"dry_run": "false"}
    answer = await registry.client.post(GRID, content=body, headers=AUTH, params=params)
    assert answer.json()["written"] == 2
    await registry.settle()
    grid = (await registry.client.get(GRID, params={"limit": 1000})).json()
    found = next(u for u in grid["units"] if u["unit_id"] == "24163@2025")["populations"]["adults"]
    assert (found["state"], found["number"], found["authority"]) == (
        "declared",
        21_345,
        "Công an tỉnh",
    )
    # What was downloaded now says the same: nothing changes.
    answer = await registry.client.post(GRID, content=await edited(registry, fill), headers=AUTH)
    assert answer.json()["changes"] == []
    # The first file again: its numbers are declared already.
    answer = await registry.client.post(GRID, content=body, headers=AUTH, params=params)
    assert (answer.json()["changes"], answer.json()["written"]) == ([], 0)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("=1+1", "a formula"),
        ("=SUM(C1:C2)", "a formula"),
        ("9,876", "whole number"),
        ("12.34", "whole number"),
        ("1.2345", "whole number"),
        (date(2026, 1, 1), "whole number"),
        (True, "whole number"),
        (-5, "whole number"),
        (1.5, "whole number"),
        ("many", "whole number"),
    ],
)
async def test_a_cell_that_is_no_number_is_named(
    registry: Running, value: Any, problem: str
) -> None:
    def edit(sheet: Any) -> None:
        fill(sheet)
        place(sheet, "24181@2025", "adults").value = value

    answer = await registry.client.post(GRID, content=await edited(registry, edit), headers=AUTH)
    assert (answer.status_code, answer.json()["code"]) == (422, "workbook-wrong")
    (found,) = answer.json()["problems"]
    assert found["column"] == "adults"
    assert problem in found["problem"]


async def test_what_spreadsheets_do_to_a_file(registry: Running) -> None:
    """Rows inserted and deleted, the column of names deleted, cells merged, sheets added before,
    numbers and days as text: what stands in the cells is taken, nothing shifts."""

    def edit(sheet: Any) -> None:
        fill(sheet)
        place(sheet, "24305@2025", "adults").value = " 12 345 "
        place(sheet, "24277@2025", "adults").value = "1.234"
        place(sheet, "24280@2025", "adults").value = 777.0
        place(sheet, "24280@2025", "pupils_primary_up").value = "88\u00a0999"
        for row in sheet.iter_rows(max_row=6):
            if row[0].value == "# as_of":
                row[1].value = date(2026, 3, 1)
        heading = next(r[0].row for r in sheet.iter_rows() if r[0].value == "unit_id")
        sheet.merge_cells(start_row=heading - 1, start_column=3, end_row=heading - 1, end_column=6)
        sheet.insert_rows(heading + 5, 3)
        sheet.insert_rows(1)
        sheet.delete_rows(sheet.max_row - 3, 2)
        sheet.delete_cols(2)
        # The column of names was the second, where as_of and authority stand.
        for row in sheet.iter_rows(max_row=7):
            if row[0].value == "# as_of":
                row[1].value = "1/3/2026"
            if row[0].value == "# authority":
                row[1].value = "Công an tỉnh"
        sheet.parent.create_sheet("Ghi chú", 0)

    answer = await registry.client.post(GRID, content=await edited(registry, edit), headers=AUTH)
    assert answer.status_code == 200, answer.text
    assert answer.json()["as_of"] == "2026-03-01"
    changed = {(c["unit_id"], c["population"]): c["after"] for c in answer.json()["changes"]}
    assert changed == {
        ("24305@2025", "adults"): 12_345,
        ("24277@2025", "adults"): 1_234,
        ("24280@2025", "adults"): 777,
        ("24280@2025", "pupils_primary_up"): 88_999,
    }


async def test_a_column_that_is_none_of_ours_is_named(registry: Running) -> None:
    def edit(sheet: Any) -> None:
        fill(sheet)
        heading = next(r for r in sheet.iter_rows() if r[0].value == "unit_id")
        heading[2].value = "Người lớn"

    answer = await registry.client.post(GRID, content=await edited(registry, edit), headers=AUTH)
    (found,) = answer.json()["problems"]
    assert (found["column"], found["problem"]) == ("Người lớn", "unknown group")


async def test_a_number_may_be_set_back_and_the_past_stays(registry: Running) -> None:
    unit_id = "24286@2025"

    async def send(number: int, as_of: str) -> dict[str, Any]:
        def edit(sheet: Any) -> None:
            fill(sheet)
            place(sheet, unit_id, "adults").value = number
            for row in sheet.iter_rows(max_row=6):
                if row[0].value == "# as_of":
                    row[1].value = as_of

        body = await edited(registry, edit)
        params = {"dry_run": "false"}
        answer = await registry.client.post(GRID, content=body, headers=AUTH, params=params)
        assert answer.status_code == 200, answer.text
        await registry.settle()
        return dict(answer.json())

    async def number(on: str) -> int | None:
        answer = await registry.client.get(GRID, params={"limit": 1000, "on": on})
        found = next(u for u in answer.json()["units"] if u["unit_id"] == unit_id)
        return int(n) if (n := found["populations"]["adults"]["number"]) is not None else None

    for wanted in (1_000, 1_200, 1_000):
        assert (await send(wanted, "2026-06-01"))["written"] == 1
        assert await number("2026-11-21") == wanted
    (change,) = (await send(0, "2026-07-01"))["changes"]
    assert [w.split()[0] for w in change["warnings"]] == ["zero:", "more"]
    assert (await number("2026-06-30"), await number("2026-07-01")) == (1_000, 0)
    # An older day is compared with what held then, and changes nothing of later; the numbers of
    # other units, which stand in the file as of later days, are not declared for it.
    (change,) = (await send(900, "2026-02-15"))["changes"]
    assert (change["before"], change["after"]) == (None, 900)
    assert (await number("2026-02-28"), await number("2026-07-01")) == (900, 0)
    told = (await registry.client.get(f"/v1/units/{unit_id}")).json()["populations"]
    numbers = [p["number"] for p in told if p["population"] == "adults"]
    assert numbers == [0, 1_000, 1_200, 1_000, 900]


def test_what_was_known_before_a_correction_stays_known() -> None:
    rows = [
        msgspec.structs.replace(row, recorded=date(2026, 2, 1))
        for row in fakes.records([unit("1@2025", "province", None), declared("1@2025", 10)])
    ]
    row = rows[-1]
    last = row.position
    content = row.effective_content()
    assert content is not None
    mended = Content(
        type=content.type, unitid="1@2025", occurred=content.occurred, time=content.time,
        data=content.data | {"number": 12},
    )  # fmt: skip
    rows += [
        msgspec.structs.replace(
            row, position=last + 1, revision=1, effective=mended, recorded=date(2026, 3, 1)
        ),
        msgspec.structs.replace(
            row, position=last + 2, revision=2, void=True, recorded=date(2026, 4, 1)
        ),
    ]
    seen = []
    for month in (1, 2, 3, 4):
        known = Definitions(Catalogue.load())
        for one in rows:
            if one.recorded <= date(2026, month, 15):
                known.apply(one)
        seen.append(Grid(known, ON).of("1@2025", "adults").number)
    assert seen == [None, 10, 12, None]


async def test_a_file_that_is_older_than_the_number_is_refused(registry: Running) -> None:
    def edit(sheet: Any) -> None:
        fill(sheet)
        place(sheet, "24175@2025", "adults").value = 111

    old = await edited(registry, edit)
    await registry.happen(declared("24175@2025", 222))
    answer = await registry.client.post(GRID, content=old, headers=AUTH)
    (found,) = answer.json()["problems"]
    assert "after this file was downloaded" in found["problem"]


async def test_who_and_when_must_be_filled_in(registry: Running) -> None:
    body = await edited(registry, lambda _: None)
    answer = await registry.client.post(GRID, content=body, headers=AUTH)
    assert [p["column"] for p in answer.json()["problems"]] == ["# as_of", "# authority"]


@pytest.mark.security("V5.2.2", "V1.5.1")
@pytest.mark.parametrize("body", [b"not a workbook", b"PK\x03\x04 broken"])
async def test_another_file_is_refused(registry: Running, body: bytes) -> None:
    answer = await registry.client.post(GRID, content=body, headers=AUTH)
    assert (answer.status_code, answer.json()["code"]) == (422, "workbook-invalid")


async def test_the_grid_of_every_plan_asks_for_what_can_be_declared(registry: Running) -> None:
    known = set(names_of_groups())
    for plan in (await registry.client.get("/v1/plans")).json()["plans"]:
        answer = await registry.client.get(f"/v1/plans/{plan['id']}/populations?limit=1")
        assert answer.status_code == 200, (plan["id"], answer.text)
        assert {o["population"] for o in answer.json()["owed"]} <= known
        book = await registry.client.get(f"/v1/plans/{plan['id']}/populations?format=xlsx")
        assert book.status_code == 200, plan["id"]
