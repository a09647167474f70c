"""Numbers that come as text, in a header or a hidden field, are ASCII digits or nothing."""

import pytest

from shared.bodies import whole


@pytest.mark.parametrize("text", ["", "²", "1²", "\u0663", "-1", "1.0", "9" * 5_000, " 1"])
def test_what_is_no_plain_number_is_none(text: str) -> None:
    assert whole(text) is None


def test_digits_are_a_number() -> None:
    assert (whole("0"), whole("007"), whole("9" * 18)) == (0, 7, 10**18 - 1)
