"""How far a rebuild is, and how long it will still take."""

import asyncio
import time
from collections.abc import Callable
from typing import NamedTuple

from shared.instruments import REBUILD_PROGRESS

TICK_SECONDS = 0.5
SHARES = {"reading the log": 45, "counting": 20, "comparing": 30, "putting in place": 5}
"""How the time is spread over the steps, as seen once on a busy machine; what a step really took
corrects what is said of the next ones."""


class Progress(NamedTuple):
    """`share` of the whole that is done (0 to 1); `left` seconds, None while nothing is known."""

    step: str
    share: float
    left: float | None


class Meter:
    """Tells progress whenever something was done, and twice a second while PostgreSQL works."""

    def __init__(self, tell: Callable[[Progress], None]) -> None:
        self._tell = tell
        self._started = time.monotonic()
        self._step = next(iter(SHARES))
        self._before = 0
        self._within = 0.0
        self._since = self._started
        self._ticker: asyncio.Task[None] | None = None
        self._told = 0.0
        self._guess = False

    def __enter__(self) -> "Meter":
        self._ticker = asyncio.create_task(self._tick())
        return self

    def __exit__(self, *_: object) -> None:
        if self._ticker is not None:
            self._ticker.cancel()
        REBUILD_PROGRESS.forget()

    def step(self, name: str, *, guess: bool = False) -> None:
        """A step begins; those before it are done. `guess`: nobody will say how far it is."""
        names = list(SHARES)
        self._guess = guess
        self._step = name
        self._before = sum(SHARES[n] for n in names[: names.index(name)])
        self._within, self._since = 0.0, time.monotonic()
        self.say()

    def within(self, done: float) -> None:
        """How much of the step is done (0 to 1)."""
        self._within = min(max(done, self._within), 1.0)
        self.say()

    def done(self) -> None:
        """Everything is done."""
        self._guess = False
        self.say(at_end=True)

    def say(self, *, at_end: bool = False) -> None:
        """Tell where we are. Progress never goes back."""
        now = time.monotonic()
        share = (self._before + SHARES[self._step] * self._within) / sum(SHARES.values())
        share = 1.0 if at_end else min(share, 0.999)
        self._told = max(share, self._told)
        gone = now - self._started
        left = gone * (1 - self._told) / self._told if self._told > 0 else None
        REBUILD_PROGRESS.set(self._told)
        self._tell(Progress(self._step, self._told, left))

    async def _tick(self) -> None:
        """A statement says nothing while it runs: what is expected of the step, at most 95 %."""
        while True:
            await asyncio.sleep(TICK_SECONDS)
            now = time.monotonic()
            if self._guess:
                expected = (self._since - self._started) * SHARES[self._step] / self._before
                guess = min((now - self._since) / max(expected, 0.1), 0.95)
                self._within = max(self._within, guess)
            self.say()
