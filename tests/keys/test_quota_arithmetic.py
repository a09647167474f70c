"""A sliding minute and a day in Vietnam, against the list of all that was spent."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from services.activities.keys.quotas import Account, Quotas
from shared.clock import FixedClock, vietnam_day
from shared.problems import Problem

START = datetime(2026, 7, 1, 8, 0, 30, tzinfo=UTC)


def quotas(clock: FixedClock, per_minute: int | None, per_day: int | None) -> Quotas:
    made = Quotas(clock)
    made._accounts["p"] = Account(per_minute, per_day)
    return made


@pytest.mark.parametrize("seed", range(20))
def test_never_more_than_the_quota(seed: int) -> None:
    """In no calendar minute and on no day more than the quota; in no 60 seconds twice of it."""
    dice = random.Random(seed)
    clock, spent = FixedClock(START), list[tuple[datetime, int]]()
    found = quotas(clock, 100, 2_000)
    for _ in range(3_000):
        clock.at += timedelta(seconds=dice.choice([0.01, 0.5, 2, 7, 400]))
        number = dice.choice([1, 1, 5, 40])
        try:
            found.spend("p", number)
        except Problem as problem:
            assert (problem.code, problem.status) == ("quota-exceeded", 429)
            assert problem.retry_after is not None and problem.retry_after > 0
            continue
        spent.append((clock.at, number))
    minutes: dict[datetime, int] = {}
    days: dict[object, int] = {}
    for at, number in spent:
        minute = at.replace(second=0, microsecond=0)
        minutes[minute] = minutes.get(minute, 0) + number
        days[vietnam_day(at)] = days.get(vietnam_day(at), 0) + number
    assert max(minutes.values()) <= 100 and max(days.values()) <= 2_000
    for at, _ in spent:
        window = sum(n for when, n in spent if at - timedelta(seconds=60) < when <= at)
        assert window < 200


@pytest.mark.parametrize("seed", range(20))
def test_after_retry_after_there_is_room(seed: int) -> None:
    dice = random.Random(seed)
    clock = FixedClock(START)
    found = quotas(clock, 100, None)
    for _ in range(300):
        clock.at += timedelta(seconds=dice.random() * 20)
        number = dice.randrange(1, 101)
        try:
            found.spend("p", number)
        except Problem as problem:
            assert problem.retryable and problem.retry_after is not None
            assert problem.retry_after <= 120
            clock.at += timedelta(seconds=problem.retry_after)
            found.spend("p", number)


def test_a_day_begins_at_midnight_in_vietnam() -> None:
    clock = FixedClock(datetime(2026, 7, 1, 16, 59, 50, tzinfo=UTC))
    found = quotas(clock, None, 1_000)
    found.spend("p", 1_000)
    with pytest.raises(Problem) as refused:
        found.spend("p", 1)
    assert (refused.value.retry_after, refused.value.extra["quota"]) == (10, "day")
    clock.at += timedelta(seconds=10)
    found.spend("p", 1)


def test_more_than_a_minute_allows_is_never_retryable() -> None:
    found = quotas(FixedClock(START), 100, None)
    with pytest.raises(Problem) as refused:
        found.spend("p", 101)
    assert refused.value.retryable is False
    assert refused.value.headers == {
        "RateLimit-Policy": '"minute";q=100;w=60',
        "RateLimit": f'"minute";r=100;t={refused.value.retry_after}',
    }


def test_given_back_is_free_again_and_others_have_no_quota() -> None:
    found = quotas(FixedClock(START), 100, None)
    found.spend("p", 100)
    found.give_back("p", 60)
    found.spend("p", 60)
    with pytest.raises(Problem):
        found.spend("p", 1)
    found.spend("somebody else", 10**9)
    assert found.state("somebody else") is None
    assert found.state("p") == {
        "per_minute": 100,
        "per_day": None,
        "left_this_minute": 0,
        "left_today": None,
    }
