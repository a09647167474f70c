"""The grid of denominators: declared wins, sums are complete or partial, a workbook goes round."""

import io
from collections.abc import Callable
from datetime import date
from typing import Any

import openpyxl
import pytest

from services.registry.definitions import Definitions
from services.registry.populations.grid import Grid
from tests.registry import fakes
from tests.registry.conftest import Running

GRID = "/v1/plans/dak-lak-2026/populations"
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
    known = Definitions()
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


Edit = Callable[[Any], None]


async def edited(registry: Running, edit: Edit) -> bytes:
    answer = await registry.client.get(GRID, params={"format": "xlsx"})
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    edit(book.worksheets[0])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def place(sheet: Any, name: str, group: str) -> Any:
    heading = next(r for r in sheet.iter_rows() if r[0].value == "unit_id")
    column = next(c.column for c in heading if c.value == group)
    row = next(r for r in sheet.iter_rows() if r[0].value == name)
    return sheet.cell(row[0].row, column)


def fill(sheet: Any) -> None:
    for row in sheet.iter_rows(max_row=6):
        if row[0].value == "# as_of":
            row[1].value = "2026-03-01"
        if row[0].value == "# authority":
            row[1].value = "Công an tỉnh"


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
        ("=1+1", "whole number"),
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


@pytest.mark.parametrize("body", [b"not a workbook", b"PK\x03\x04 broken"])
async def test_another_file_is_refused(registry: Running, body: bytes) -> None:
    answer = await registry.client.post(GRID, content=body, headers=AUTH)
    assert (answer.status_code, answer.json()["code"]) == (422, "workbook-invalid")
