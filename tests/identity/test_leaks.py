"""Hidden identity and phone numbers are found, and ids that people really use are not."""

import uuid

import pytest

from shared.identity.leaks import leaks, may_leak
from tests.identity.leaks_cases import HOLDS, HOLDS_NOT


@pytest.mark.parametrize("text", HOLDS.values(), ids=HOLDS.keys())
def test_is_found(text: str) -> None:
    assert may_leak(text)
    assert leaks(text)


@pytest.mark.parametrize("text", HOLDS_NOT.values(), ids=HOLDS_NOT.keys())
def test_is_not_taken_for_one(text: str) -> None:
    assert not leaks(text)


def test_uuids_never_look_like_one() -> None:
    assert not any(leaks(str(uuid.UUID(int=n * 2**97 % 2**128))) for n in range(1, 20_000, 7))


def test_running_numbers_of_every_day_pass() -> None:
    for month in range(1, 13):
        for day in (1, 9, 10, 28):
            for number in (1, 17, 99_999, 345_678):
                for text in (
                    f"2026-{month:02}-{day:02}-{number:06}",
                    f"2026{month:02}{day:02}-{number:06}",
                    f"{day:02}/{month:02}/2026 {number:06}",
                    f"lop-{month:02}-2026-{number:06}",
                ):
                    assert not leaks(text), text
