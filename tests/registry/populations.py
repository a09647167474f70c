"""Edit populations on their page."""

import io
from collections.abc import Callable
from typing import Any

import openpyxl

from tests.registry.conftest import Running

GRID = "/v1/plans/dak-lak-2026/populations"

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
