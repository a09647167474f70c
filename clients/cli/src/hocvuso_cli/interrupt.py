"""Ctrl-C between two batches: what was sent is told, and nothing is cut in its middle."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupt:
    """The first Ctrl-C asks to end, at once while waiting for the server; the second one ends."""

    def __init__(self) -> None:
        self.asked = False
        self._may_raise = False

    def _handle(self, _: int, __: FrameType | None) -> None:
        again, self.asked = self.asked, True
        if self._may_raise or again:
            raise KeyboardInterrupt

    @contextmanager
    def watching(self) -> Iterator["Interrupt"]:
        """Catch Ctrl-C while the body runs."""
        try:
            before = signal.signal(signal.SIGINT, self._handle)
        except ValueError:
            yield self  # not the main thread: whoever runs this catches it
            return
        try:
            yield self
        finally:
            signal.signal(signal.SIGINT, before)

    @contextmanager
    def may_raise(self) -> Iterator[None]:
        """Where Ctrl-C raises KeyboardInterrupt at once."""
        self._may_raise = True
        try:
            yield
        finally:
            self._may_raise = False
