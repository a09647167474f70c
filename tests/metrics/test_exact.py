"""Contribute and fold against the naive oracle: any history, any batch borders, at every
(as_of, known_at)."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.metrics.counting.fold import Deltas
from services.metrics.counting.windows import bucket_of
from tests.metrics.exact import CATALOGUE, fold_all, summed
from tests.metrics.histories import HISTORIES, MEASURES, Op, last_days, play
from tests.metrics.naive import Told, values


def compare(tallies: Deltas, told: list[Told], ops: list[Op]) -> None:
    for known_at in last_days(ops)[1]:
        for as_of in last_days(ops)[0]:
            for number, measure in MEASURES.items():
                expected = values(measure, told, as_of, known_at)
                found = summed(tallies, number, as_of, known_at)
                assert found == expected, (measure, as_of, known_at)


@settings(max_examples=120, deadline=None)
@given(
    HISTORIES,
    st.lists(st.integers(0, 40), max_size=6) | st.just(list(range(100))),
)
def test_tallies_are_the_state_of_every_day_as_known_on_every_day(
    ops: list[Op], cuts: list[int]
) -> None:
    log, told = play(ops, CATALOGUE)
    compare(fold_all(log, cuts), told, ops)


def certain(type: str, day: int, length: int | None = None) -> Op:
    return Op("post", type, who=0, unit=0, day=day, length=length, number=0, target=0, pause=0)


@pytest.mark.parametrize("cuts", [[1], [1, 2]], ids=["together", "apart"])
def test_what_comes_after_an_end_counts_again(cuts: list[int]) -> None:
    """Certified for two days, and again later: nothing in between."""
    ops = [certain("citizen.certified", day, length) for day, length in ((0, 1), (5, None))]
    ops.append(certain("citizen.certified", 6))
    log, told = play(ops, CATALOGUE)
    compare(fold_all(log, cuts), told, ops)


@pytest.mark.parametrize("cuts", [[2], [1, 2]], ids=["together", "apart"])
def test_the_last_part_counts_whatever_brought_the_others(cuts: list[int]) -> None:
    types = ("training.attended", "skill.confirmed", "citizen.certified", "citizen.certified")
    ops = [certain(name, day) for day, name in enumerate(types)]
    log, told = play(ops, CATALOGUE)
    compare(fold_all(log, cuts), told, ops)


def test_buckets_end_where_weeks_and_months_end() -> None:
    assert bucket_of(date(2026, 2, 11), "week") == (date(2026, 2, 9), date(2026, 2, 15))
    assert bucket_of(date(2026, 2, 11), "month") == (date(2026, 2, 1), date(2026, 2, 28))
    assert bucket_of(date(2026, 12, 31), "month") == (date(2026, 12, 1), date(2026, 12, 31))
