"""How long rows wait to be counted, and what is counted to be shown."""

import pytest

from services.metrics.tables.watch import Delays


def looks(*found: tuple[float, int, int]) -> list[float]:
    """The delays of one lane, looked at (time, end, counted) one after the other."""
    delays = Delays()
    return [delays.look(now, {0: end}, {0: counted})[0] for now, end, counted in found]


def test_under_steady_load_something_waits_but_nothing_for_long() -> None:
    """A minute of looks, each of which finds the tables a few positions behind."""
    assert looks(*((5.0 * n, 1_000 * n, 1_000 * n - 10) for n in range(1, 13))) == [0.0] * 12


def test_what_is_not_counted_waits_since_it_was_seen() -> None:
    found = looks((0, 7, 7), (5, 9, 7), (10, 12, 7), (15, 12, 8), (20, 12, 9), (25, 12, 12))
    assert found == [0.0, 0.0, 5.0, 10.0, 10.0, 0.0]


@pytest.mark.parametrize("counted", [0, 3])
def test_another_log_begins_anew(counted: int) -> None:
    found = looks((0, 900, 0), (50, 900, 0), (60, 4, counted), (65, 4, counted))
    assert found == [0.0, 50.0, 0.0, 5.0]


def test_lanes_wait_each_for_itself() -> None:
    delays = Delays()
    delays.look(0.0, {1: 5, 2: 5}, {1: 0, 2: 5})
    assert delays.look(7.0, {1: 5, 2: 9}, {1: 0, 2: 5}) == {1: 7.0, 2: 0.0}
