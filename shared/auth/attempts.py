"""How often somebody may try a wrong key or code: counted per network, in the memory of a process.

Keys and codes have 256 bits, so nobody guesses one; this keeps those who try from costing anything,
and makes them visible.
"""

import math
from collections import OrderedDict, deque
from datetime import datetime, timedelta

from shared.clock import Clock
from shared.problems import Problem

MOST_FAILURES = 20
WITHIN = timedelta(minutes=15)
MOST_REMEMBERED = 10_000


class RecentCalls:
    """When somebody did something, within the last minutes and up to `most` times."""

    def __init__(self, clock: Clock, most: int, within: timedelta) -> None:
        self.most, self.within = most, within
        self._clock = clock
        self._calls: OrderedDict[str, deque[datetime]] = OrderedDict()

    def wait(self, who: str) -> int | None:
        """Seconds until there is room again; None while there is."""
        calls = self._recent(who)
        if len(calls) < self.most:
            return None
        return max(1, math.ceil((calls[0] + self.within - self._clock.now()).total_seconds()))

    def note(self, who: str) -> None:
        """It was done now."""
        calls = self._recent(who)
        calls.append(self._clock.now())
        self._calls[who] = calls
        self._calls.move_to_end(who)
        while len(self._calls) > MOST_REMEMBERED:
            self._calls.popitem(last=False)

    def _recent(self, who: str) -> deque[datetime]:
        calls = self._calls.get(who) or deque(maxlen=self.most)
        while calls and calls[0] + self.within <= self._clock.now():
            calls.popleft()
        return calls


class Attempts(RecentCalls):
    """Failures of the last minutes, per network."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock, MOST_FAILURES, WITHIN)

    def check(self, who: str) -> None:
        """Raise Problem (429) for a network that has failed too often."""
        wait = self.wait(who)
        if wait is not None:
            raise Problem(
                "too-many-attempts",
                f"{MOST_FAILURES} wrong keys or codes came from this network within"
                f" {WITHIN.seconds // 60} minutes.",
                status=429,
                hint="Wait, then copy the whole key or code.",
                retryable=True,
                retry_after=wait,
            )
