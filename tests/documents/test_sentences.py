"""Numbers that no officer could send: less than nothing lacking, more than all, nothing of nothing."""

import io
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import msgspec
import pytest
from docx import Document
from openpyxl import load_workbook

from services.registry.documents.compose import Draft, compose
from services.registry.documents.docx_body import EXCESS
from services.registry.documents.nouns import target_words
from services.registry.documents.word import to_docx
from services.registry.documents.wording import share
from services.registry.documents.workbook import to_xlsx
from services.registry.tables.model import Bucket, Cell, Table
from tests.documents.reading import every_number_is_a_figure
from tests.documents.scenes import Scene, material

SCENE = Scene("gia-lai-2026", "quarterly-consolidation", "2026-Q2", "so-khcn", date(2026, 6, 14), "bad")  # fmt: skip


def ids() -> tuple[str, str]:
    """A target in percent of people, and one that each commune does once."""
    found = material(SCENE)
    assert found.table is not None
    row = found.table.rows[0]
    cells = [(o["id"], o["target"]["unit"], row.cells[o["id"]]) for o in found.objectives if o["id"] in row.cells]  # fmt: skip
    percent = next(name for name, unit, cell in cells if unit == "percent" and cell.bucket is None)
    once = next(name for name, _, cell in cells if cell.required == 1 and cell.bucket is None)
    return percent, once


def drafted(
    objective: str, whole: dict[str, Any], rows: Callable[[int, Cell], dict[str, Any]] | None = None
) -> Draft:
    """The draft of a scene where one target's cells are others."""
    found = material(SCENE)
    table = found.table
    assert table is not None and table.whole is not None

    def changed(row: Any, fields: dict[str, Any]) -> Any:
        cell = msgspec.structs.replace(row.cells[objective], flags=[], **fields)
        return msgspec.structs.replace(row, cells=row.cells | {objective: cell})

    made: Table = msgspec.structs.replace(
        table,
        whole=changed(table.whole, whole),
        rows=[
            changed(row, rows(i, row.cells[objective])) if rows and objective in row.cells else row
            for i, row in enumerate(table.rows)
        ],
    )
    draft = compose(replace(found, table=made))
    every_number_is_a_figure(draft)
    return draft


def said(draft: Draft, objective: str) -> str:
    (text,) = [s.text for s in draft.sentences() if s.key == f"objective.{objective}.result"]
    return text


def test_what_passes_its_limit_lacks_nothing() -> None:
    percent, _ = ids()
    whole = {"value": 17872, "denominator": 50000, "required": 10000, "met": False}
    whole |= {"target": 20, "target_unit": "percent", "comparator": "<=", "status": "behind"}

    def row(i: int, cell: Cell) -> dict[str, Any]:
        over = i < 2
        return {"value": 30 if over else 10, "denominator": 100, "required": 20, "met": not over, "comparator": "<=", "target": 20}  # fmt: skip

    for status, word in (("behind", "Vượt mức cho phép"), ("overdue", "Vượt mức cho phép")):
        draft = drafted(percent, whole | {"status": status}, row)
        text = said(draft, percent)
        assert "(chỉ tiêu không quá 20%)" in text and "; vượt mức cho phép 7.872 người" in text
        assert "còn thiếu" not in text and "Cao nhất" not in text
        assert re.search(r"Có 2 xã, phường vượt mức cho phép: \S+", text)
        (shown,) = [r for r in draft.rows if r.objective == percent]
        assert (shown.group, shown.judged_vi) == ("exceeded", word)
        texts = {s.key: s.text for s in draft.sentences()}
        assert "1 chỉ tiêu vượt mức cho phép" in texts["difficulties.lagging"]
        assert texts["next.limits"].startswith("Có biện pháp đưa chỉ tiêu về trong mức cho phép")
        assert percent not in [r.objective for r in draft.rows if r.group in ("behind", "overdue")]


def test_a_limit_that_holds_is_met_and_names_nobody() -> None:
    percent, _ = ids()
    whole = {"value": 9, "denominator": 100, "required": 20, "met": True, "comparator": "<="}
    draft = drafted(
        percent, whole | {"status": "met"}, lambda i, c: {"comparator": "<=", "met": True}
    )
    assert not re.search(r"vượt mức|còn thiếu|Cao nhất", said(draft, percent))


@pytest.mark.parametrize("value", [1000, 1200])
def test_no_shortfall_is_said_where_nothing_lacks(value: int) -> None:
    percent, _ = ids()
    whole = {"value": value, "denominator": 1200, "required": 1000, "met": False, "comparator": ">="}  # fmt: skip
    assert "còn thiếu" not in said(drafted(percent, whole | {"status": "behind"}), percent)


def test_of_a_week_the_weeks_own_numbers_lack() -> None:
    percent, _ = ids()
    week = Bucket("week", date(2026, 6, 1), date(2026, 6, 7), 30, 100, 80, False, True)
    whole = {"value": 500, "denominator": 400, "required": 100, "met": True, "comparator": ">="}
    text = said(drafted(percent, whole | {"status": "behind", "bucket": week, "status_bucket": week}), percent)  # fmt: skip
    assert "thực hiện 30/100" in text and "còn thiếu 50" in text and "cần kiểm tra" not in text


def test_more_than_all_says_that_it_must_be_looked_at() -> None:
    percent, _ = ids()
    whole = {"value": 1123, "denominator": 1000, "required": 800, "met": True, "status": "met"}

    def row(i: int, cell: Cell) -> dict[str, Any]:
        return {"value": 150 if i == 0 else 40 + i % 7, "denominator": 100, "required": 80, "met": i == 0}  # fmt: skip

    draft = drafted(percent, whole, row)
    text = said(draft, percent)
    assert "bằng 112,3% (số đếm lớn hơn số liệu nền, cần kiểm tra)" in text
    assert "(150%, cần kiểm tra)" in text
    (shown,) = [r for r in draft.rows if r.objective == percent]
    assert shown.judged_vi == "Đạt; cần kiểm tra số liệu"
    texts = [p.text for p in Document(io.BytesIO(to_docx(draft))).paragraphs]
    assert any(EXCESS in t for t in texts)
    book = load_workbook(io.BytesIO(to_xlsx(draft)))
    assert EXCESS in str(book["Phụ lục I.1"]["A3"].value)
    # Nothing of that where all is as it should be.
    plain = compose(material(SCENE))
    assert not any(EXCESS in p.text for p in Document(io.BytesIO(to_docx(plain))).paragraphs)


def test_what_all_have_done_leaves_no_empty_list() -> None:
    _, once = ids()
    text = said(
        drafted(once, {"value": 135, "denominator": 135, "required": 135, "met": True, "status": "met"},
                lambda i, c: {"value": 1 + i % 2, "denominator": None, "required": 1, "met": True}),
        once,
    )  # fmt: skip
    assert "chưa thực hiện" not in text and "Còn 0" not in text


def test_nothing_is_divided_by_nothing() -> None:
    percent, _ = ids()
    whole = {"value": 5, "denominator": 0, "required": None, "met": None, "status": "unknown"}
    text = said(drafted(percent, whole), percent)
    assert "5/0" not in text and "chưa tính được tỷ lệ vì số liệu nền bằng 0" in text


def test_a_little_is_no_nothing() -> None:
    assert [share(*one) for one in ((0, 9), (1, 1001), (1, 1000), (999, 1000), (9, 9))] == [
        "0%", "dưới 0,1%", "0,1%", "99,9%", "100%",
    ]  # fmt: skip
    percent, _ = ids()
    whole = {"value": 3, "denominator": 78075, "required": 78075, "met": False, "status": "behind"}
    text = said(drafted(percent, whole), percent)
    assert "thực hiện 3/78.075 " in text and ", dưới 0,1%; còn thiếu 78.072" in text


def test_a_target_says_its_sign() -> None:
    def words(unit: str, sign: str | None, own: str = ">=") -> str:
        cell = Cell(1, 2, 0.5, None, None, "met", "events", None, [], 90, unit, comparator=sign)
        target = {"unit": unit, "value": 90, "comparator": own, "per": "commune"}
        return target_words({"target": target}, cell)

    assert words("percent", "<=") == "không quá 90%"
    assert words("percent_of_target", ">") == "trên 90% chỉ tiêu gốc"
    assert words("percent_of_units", "<=") == "không quá 90% xã, phường"
    assert words("percent_of_units", None, "<=") == "90% xã, phường"


def test_no_draft_of_any_scene_says_less_than_nothing() -> None:
    for state in ("good", "bad", "empty"):
        draft = compose(material(replace(SCENE, state=state)))
        for sentence in draft.sentences():
            assert not re.search(r"(?<=[ (])-\d|\b0/0\b|0 trong 0|Còn 0 ", sentence.text), sentence
