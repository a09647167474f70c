"""How long what is counted waits to be shown."""

import pytest

from services.metrics.tables.watch import Waiting


def test_under_steady_load_something_waits_but_nothing_for_long() -> None:
    """A minute of looks, each of which finds the tables a few positions behind."""
    waiting = Waiting()
    ages = [waiting.look(5.0 * n, 1_000 * n - 10, 1_000 * n) for n in range(1, 13)]
    assert ages == [0.0] * 12


def test_what_is_not_shown_waits_since_it_was_seen() -> None:
    waiting = Waiting()
    looks = [(0.0, 7, 7), (5.0, 7, 9), (10.0, 7, 12), (15.0, 8, 12), (20.0, 9, 12), (25.0, 12, 12)]
    assert [waiting.look(*look) for look in looks] == [0.0, 0.0, 5.0, 10.0, 10.0, 0.0]


@pytest.mark.parametrize("shown", [0, 3])
def test_another_log_begins_anew(shown: int) -> None:
    waiting = Waiting()
    assert [waiting.look(0.0, 0, 900), waiting.look(50.0, 0, 900)] == [0.0, 50.0]
    assert waiting.look(60.0, shown, 4) == 0.0
    assert waiting.look(65.0, shown, 4) == 5.0
