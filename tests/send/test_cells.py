"""One cell at a time: what is taken, what is refused, and that no refusal repeats the value."""

from datetime import date, datetime
from typing import Any

import pytest

from hocvuso_cli.send.cells import CellError, Fault, check_identity, read
from hocvuso_cli.send.columns import Column

# Spreadsheets know no time zones.
DAY = datetime(2026, 6, 30)  # noqa: DTZ001
NINE = datetime(2026, 6, 30, 9, 12)  # noqa: DTZ001
WORDS = {"adult": "Người trong độ tuổi trưởng thành", "pupil": "Học sinh", "2g": "2G", "1": "Mức 1"}


def column(kind: Any, name: str = "x") -> Column:
    return Column(name, (name,), kind, "Tiêu đề", "Title", words=WORDS if "enum" in kind else {})


@pytest.mark.parametrize(
    ("kind", "cell", "value"),
    [
        ("text", "  00123 ", "00123"),
        ("text", "Nguye\u0302\u0303n", "Nguyễn"),
        ("text", 7, "7"),
        ("text", 12.0, "12"),
        ("unit", "00123", "00123"),
        ("unit", 24133, "24133"),
        ("enum", "adult", "adult"),
        ("enum", "HOC SINH", "pupil"),
        ("enum", "2G", "2g"),
        ("enum", 1, "1"),
        ("enum_list", "Học sinh; adult", ["pupil", "adult"]),
        ("enum_list", "adult\nadult", ["adult"]),
        ("enum_list", '["adult"]', ["adult"]),
        ("text_list", "Sở A, B; Sở C", ["Sở A, B", "Sở C"]),
        ("boolean", "Có", True),
        ("boolean", "khong", False),
        ("boolean", True, True),
        ("boolean", 0, False),
        ("integer", "0012", 12),
        ("integer", 12.0, 12),
        ("number", "82,5", 82.5),
        ("number", "82.5", 82.5),
        ("number", 82.5, 82.5),
        ("number", "82", 82),
        ("date", "30/06/2026", "2026-06-30"),
        ("date", "3/4/2026", "2026-04-03"),
        ("date", "2026-06-30", "2026-06-30"),
        ("date", "30-6-2026", "2026-06-30"),
        ("date", "2026-06-30 00:00:00", "2026-06-30"),
        ("date", DAY, "2026-06-30"),
        ("date", date(2026, 6, 30), "2026-06-30"),
        ("moment", "30/06/2026", "2026-06-30T00:00:00+07:00"),
        ("moment", "30/06/2026 9:12", "2026-06-30T09:12:00+07:00"),
        ("moment", "2026-06-30T02:12:00Z", "2026-06-30T02:12:00+00:00"),
        ("moment", "2026-06-30T09:12:00", "2026-06-30T09:12:00+07:00"),
        ("moment", NINE, "2026-06-30T09:12:00+07:00"),
        ("json", '{"a": [1]}', {"a": [1]}),
        ("text", "   ", None),
        ("integer", None, None),
    ],
)
def test_taken(kind: str, cell: Any, value: Any) -> None:
    assert read(column(kind), cell) == value


@pytest.mark.parametrize(
    ("kind", "cell", "why"),
    [
        ("text", "6,6099E+10", "6.6E"),
        ("text", "6.6099E+10", "6.6E"),
        ("text", 66099000001.5, "decimals"),
        ("text", 1234567890123456789, "rounded"),
        ("text", DAY, "text"),
        ("text", True, "text"),
        ("unit", 123, "leading zeros"),
        ("unit", 66, "leading zeros"),
        ("enum", "Người lạ", "Allowed"),
        ("enum_list", "adult; Người lạ", "Allowed"),
        ("boolean", "có lẽ", "Có"),
        ("integer", "1.234", "digits"),
        ("integer", 12.5, "whole"),
        ("integer", True, "whole"),
        ("number", "1.234,5", "decimal"),
        ("date", "06/30/2026", "no such day"),
        ("date", "30/02/2026", "no such day"),
        ("date", "30/06/26", "30/06/2026"),
        ("date", 46203, "number"),
        ("date", "30/06/2026 09:12", "without a time"),
        ("moment", "30/06/2026 25:00", "time of day"),
        ("moment", "30/06/2026 sáng", "09:12"),
        ("json", "{a", "JSON"),
        ("text", Fault("The cell holds an error."), "error"),
    ],
)
def test_refused_without_repeating_the_value(kind: str, cell: Any, why: str) -> None:
    with pytest.raises(CellError, match=why) as caught:
        read(column(kind), cell)
    if not isinstance(cell, Fault):
        assert str(cell) not in str(caught.value).replace("30/06/2026 09:12", "")


@pytest.mark.parametrize(
    ("scheme", "value", "cell"),
    [
        ("cccd", "66099000001", 66099000001),
        ("cccd", "66099000001", "66099000001"),
        ("cccd", "1099000123", 1099000123),
        ("phone", "905000001", 905000001),
        ("phone", "905000001", "905000001"),
        ("tax", "100109106", 100109106),
    ],
)
def test_lost_zeros_are_told_and_never_put_back(scheme: str, value: str, cell: Any) -> None:
    with pytest.raises(CellError, match=r"lost|begins with 0") as caught:
        check_identity(scheme, value, cell)
    assert value not in str(caught.value)


@pytest.mark.parametrize(
    ("scheme", "value", "cell"),
    [("cccd", "066099000001", "066099000001"), ("cccd", "166099000001", 166099000001),
     ("phone", "0905000001", "0905000001"), ("phone", "84905000001", 84905000001),
     ("tax", "0100109106", "0100109106"), ("account", "an.nguyen", "an.nguyen")],
)  # fmt: skip
def test_whole_numbers_pass(scheme: str, value: str, cell: Any) -> None:
    check_identity(scheme, value, cell)


@pytest.mark.parametrize(
    ("scheme", "value"),
    [("cccd", "123456789012"), ("cccd", "066399000001"), ("phone", "09123456789"), ("cccd", "x")],
)
def test_numbers_of_nobody_are_told_before_they_are_sent(scheme: str, value: str) -> None:
    with pytest.raises(CellError) as caught:
        check_identity(scheme, value, value)
    assert value not in str(caught.value)
