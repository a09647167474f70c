"""What pages print of a cell, word by word."""

from datetime import date

from services.registry.tables.model import Bucket, Cell, Header
from services.registry.web import cell_words, words

POSTS = Header(
    "posts", "", {"value": 10, "unit": "count", "per": "commune", "comparator": ">"}, None,
    "counted", None, "monthly",
)  # fmt: skip


def month(number: int, value: int, *, judged: bool = True) -> Bucket:
    first = date(2026, number, 1)
    return Bucket("month", first, date(2026, number, 28), value, None, 11, None, judged)


def cell(**more: object) -> Cell:
    given: dict[str, object] = {
        "value": 0, "denominator": None, "ratio": None, "met": None, "met_on_time": None,
        "status": "met", "basis": "units", "required_per_week": None, "flags": [],
        "target": 10.0, "target_unit": "count", "comparator": ">", "required": 11,
    }  # fmt: skip
    return Cell(**(given | more))  # type: ignore[arg-type]


def test_the_running_month_and_that_of_the_status() -> None:
    now = cell(bucket=month(11, 0), status_bucket=month(10, 12))
    assert cell_words.value_days(now) == "số của tháng 11/2026"
    assert cell_words.status_days(now) == "theo tháng 10/2026: 12"
    ended = cell(bucket=month(10, 12), status_bucket=month(10, 12))
    assert cell_words.status_days(ended) == "", "one month is named once"
    assert (cell_words.value_days(cell()), cell_words.status_days(cell())) == ("", "")


def test_a_week_that_the_plan_cuts_says_so() -> None:
    week = Bucket("week", date(2025, 12, 29), date(2026, 1, 4), 1, None, 1, None, False)
    cut = cell(bucket=week, status="not_judged")
    said = "số của tuần 29/12/2025–04/01/2026, không trọn trong kỳ kế hoạch nên không đánh giá"
    assert cell_words.value_days(cut) == said
    assert words.status(cut.status) == ("idle", "Chưa đánh giá")
    period = {"start": "2026-01-01", "end": "2026-12-31"}
    note = cell_words.rhythm_note("weekly", period)
    assert "01/01/2026" in note and "hiển thị nhưng không đánh giá" in note
    assert cell_words.rhythm_note(None, period) == ""


def test_a_units_own_target_and_deadline() -> None:
    assert cell_words.own_target(cell()) == "> 10"
    assert cell_words.other_target(cell(), POSTS) == "", "the column says it already"
    assert cell_words.other_target(cell(target=8.0, comparator=">="), POSTS) == "≥ 8"
    whole = cell(target=100.0, target_unit="percent", comparator=">=")
    assert cell_words.other_target(whole, POSTS) == "≥ 100%"
    assert cell_words.own_target(cell(target=None)) == ""
    late = cell(last_day=date(2026, 12, 19))
    assert cell_words.other_deadline(late, POSTS) == date(2026, 12, 19)
    assert cell_words.other_deadline(cell(), POSTS) is None


def test_flags_are_words() -> None:
    assert words.flags(["exceeds_denominator"]) == "số đếm lớn hơn số liệu nền, cần kiểm tra"
    assert words.flags(["amendment_refused"]) == "có sửa đổi không áp dụng được"
