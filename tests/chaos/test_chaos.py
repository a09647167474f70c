"""Two minutes of chaos; and the naive count itself, which nothing else checks."""

import pytest

from tests.chaos.naive import Event, Ledger
from tests.chaos.run import chaos


def test_the_naive_count() -> None:
    ledger = Ledger()
    for event in (
        Event("a", "1", "p"), Event("b", "1", "p"), Event("c", "1", "q"), Event("d", "2", "r"),
        Event("x", "1", "", revokes="c"),
    ):  # fmt: skip
        ledger.posted(event)
    assert ledger.bounds(10) == {"1": (0, 2), "2": (0, 1)}
    for at, id in enumerate("abcd", 1):
        ledger.acknowledged(id, at)
    assert ledger.bounds(3) == {"1": (1, 2), "2": (0, 1)}
    ledger.acknowledged("x", 5)
    assert ledger.bounds(4)["1"] == (1, 2) and ledger.bounds(5)["1"] == (1, 1)
    assert ledger.exact() == {"1": 1, "2": 1}
    with pytest.raises(AssertionError, match="a was at 1, now at 7"):
        ledger.acknowledged("a", 7)


@pytest.mark.slow
@pytest.mark.timeout(1200)
async def test_two_minutes_of_chaos() -> None:
    outcome = await chaos(minutes=2, seed=20261130)
    assert outcome.events > 100 and outcome.recovery and outcome.answers, outcome.text()
