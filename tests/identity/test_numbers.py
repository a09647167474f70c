"""Numbers of persons: one spelling for each, however written; impossible ones are no persons."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.identity import tables
from shared.identity.former import first, former
from shared.identity.numbers import SCHEMES, Impossible, identity_number, normal, phone

YEAR = 2026


@pytest.mark.parametrize(
    "text",
    [
        "066099001234", "066 099 001 234", "066.099.001.234", "066-099-001-234", "066–099—001‑234",
        "０６６０９９００１２３４", "٠٦٦٠٩٩٠٠١٢٣٤", "066\u200b099\u00ad001\ufe0f234", "066\u00a0099\u2009001 234",
        "066\t099\n001234", "0\ufe0f\u200d66099001234", "⓪⑥⑥⓪⑨⑨⓪⓪①②③④",
    ],
)  # fmt: skip
def test_spellings_of_an_identity_number(text: str) -> None:
    assert identity_number(text, YEAR).value == "066099001234"


@pytest.mark.parametrize(
    ("number", "rule"),
    [
        ("000000000000", "placeholder"),
        ("999999999999", "placeholder"),
        ("111111111111", "placeholder"),
        ("123456789012", "placeholder"),
        ("012345678901", "placeholder"),
        ("987654321098", "placeholder"),
        ("000099001234", "birthplace"),
        ("066227001234", "birth-in-future"),
        ("066399001234", "birth-in-future"),
        ("066499001234", "birth-in-future"),
        ("06609900123", "digits"),
        ("0660990012345", "digits"),
        ("06609900123x", "digits"),
        ("", "digits"),
    ],
)
def test_impossible_identity_numbers(number: str, rule: str) -> None:
    with pytest.raises(Impossible) as refused:
        identity_number(number, YEAR)
    assert refused.value.rule == rule
    assert not number or number not in str(refused.value)


@pytest.mark.parametrize(
    ("number", "doubted"),
    [
        ("066226001234", False),  # born this year
        ("001000000001", False),
        ("096199999999", False),
        ("101099001234", False),  # born abroad
        ("295301001234", False),
        ("005099001234", True),
        ("300099001234", True),
    ],
)
def test_unknown_places_of_birth_are_doubted_not_refused(number: str, doubted: bool) -> None:
    assert bool(identity_number(number, YEAR).doubts) is doubted


@pytest.mark.parametrize(
    "text",
    [
        "0381234567", "01681234567", "+84381234567", "84381234567", "0084381234567", "+841681234567",
        "+84 (0)38 123 4567", "+84-(0)-38-123-4567", "(038) 123.4567", "0168 123 4567", "038/123/4567",
        "００８４ ３８１２３４５６７", "+84\u00a0381\u2011234\u2011567",
    ],
)  # fmt: skip
def test_spellings_of_a_phone_number(text: str) -> None:
    assert phone(text).value == "+84381234567"


@pytest.mark.parametrize(("old", "new"), tables.MOBILE_SINCE_2018.items())
def test_the_conversion_of_2018(old: str, new: str) -> None:
    assert phone(f"0{old}1234567") == phone(f"0{new}1234567")
    assert phone(f"0{new}1234567").doubts == ()
    assert former("phone", f"0{new}1234567", f"+84{new}1234567") == (f"+84{old}1234567",)


@pytest.mark.parametrize(("old", "new"), tables.LANDLINE_SINCE_2017.items())
def test_the_area_codes_of_2017(old: str, new: str) -> None:
    subscriber = "38123456" if len(new) == 2 else "3812345"
    assert phone(f"0{old}{subscriber}").value == f"+84{new}{subscriber}"
    assert phone(f"0{new}{subscriber}").doubts == ()


@pytest.mark.parametrize(
    "text",
    [
        "09123456789", "038123456", "01301234567", "0123456789", "0000000000", "912345678", "0912",
        "02623812", "0212345678", "+1 212 555 0100", "19001234", "0912345678 hoặc 0987654321", "",
    ],
)  # fmt: skip
def test_lengths_are_tied_to_prefixes(text: str) -> None:
    with pytest.raises(Impossible):
        phone(text)


def test_every_province_of_the_table_is_one_of_the_63() -> None:
    assert len(tables.PROVINCES.split()) == 63
    assert all(re.fullmatch("0[0-9]{2}", code) for code in tables.PROVINCES.split())


@given(scheme=st.sampled_from(sorted(SCHEMES)), text=st.text(max_size=40))
def test_what_is_normal_stays_normal(scheme: str, text: str) -> None:
    try:
        once = normal(scheme, text, YEAR).value
    except Impossible:
        return
    assert normal(scheme, once, YEAR).value == once


@given(scheme=st.sampled_from(sorted(SCHEMES)), text=st.text(max_size=30))
def test_the_spelling_of_the_first_version_is_found_again(scheme: str, text: str) -> None:
    """Whoever was stored under version 1 is found from the same text under this version."""
    try:
        now = normal(scheme, text, YEAR).value
    except Impossible:
        return
    before = first(scheme, text)
    assert before in (None, "", now) or before in former(scheme, text, now)


@given(st.from_regex(r"0(3|5|7|8|9|16|12|18)[0-9]{8}", fullmatch=True))
def test_the_first_spelling_of_any_phone_is_found_from_any_other(text: str) -> None:
    before = first("phone", text)
    try:
        now = phone(text).value
    except Impossible:
        return
    assert before == now or before in former("phone", now, now)
