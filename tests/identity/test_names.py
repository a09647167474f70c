"""Names of places: spellings of one name are one; near doubles are asked about."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.identity.names import near, same


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Tổ dân phố Hòa Bình", "Tổ dân phố Hoà Bình"),
        ("Thôn Đông", "Thôn Ðông"),
        ("Thôn Đông", "THÔN ĐÔNG"),
        ("TDP Hòa Bình", "Tổ dân phố Hoà  Bình"),
        ("TDP1", "Tổ dân phố 01"),
        ("Thuý", "Thúy"),
        ("Buôn H'Linh", "Buôn H’Linh"),
        ("Thôn\u00a0Đông", "Thôn\u200b Đông"),
        ("Buôn Akŏ Dhŏng", unicodedata.normalize("NFD", "buôn akŏ dhŏng")),
        ("K.P 3", "K.P. 3"),
    ],
)
def test_spellings_of_one_name(one: str, other: str) -> None:
    assert same(one) == same(other)
    assert near(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Buôn Tơng", "Buôn Tong"),
        ("Hòa Bình", "Thôn Hòa Bình"),
        ("Thôn Hòa Bình", "Tổ dân phố Hòa Bình"),
        ("Thôn II", "Thôn 2"),
        ("Thôn số 1", "Thôn 1"),
        ("Mỹ Thạnh", "Mĩ Thạnh"),
        ("Hoà Bình", "Hoa Binh"),
        ("Ea Sút", "EaSut"),
    ],
)
def test_near_doubles(one: str, other: str) -> None:
    assert same(one) != same(other)
    assert near(one, other)
    assert near(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Thôn 1", "Buôn 1"),
        ("Thôn 1", "Thôn 11"),
        ("Thôn 1", "Thôn 2"),
        ("Thôn Đông", "Thôn Đoài"),
        ("Thôn", "Buôn"),
        ("Thôn 1A", "Thôn 1B"),
        ("Thôn 1", "Thôn 1A"),
    ],
)
def test_other_names(one: str, other: str) -> None:
    assert same(one) != same(other)
    assert not near(one, other)


@given(st.text(max_size=30))
def test_the_form_does_not_depend_on_unicodes_form(name: str) -> None:
    assert same(unicodedata.normalize("NFD", name)) == same(unicodedata.normalize("NFC", name))
