"""What threads do differently from asyncio: the names of `aconcurrency` for the blocking client."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
sleep = time.sleep


class Monitor(threading.Condition):
    """A condition whose waiting ends in time."""

    def until(self, true: Callable[[], bool], timeout: float | None) -> bool:
        """Wait until `true()`; False when `timeout` seconds are over first."""
        return self.wait_for(true, timeout)

    def pause(self, timeout: float | None) -> None:
        """Wait for a notification, at most `timeout` seconds."""
        self.wait(timeout)


class Worker:
    """One thread beside the caller, which never keeps the process alive."""

    def __init__(self, run: Callable[[], None]) -> None:
        self._run = run
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start once."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="hocvuso-client", daemon=True)
            self._thread.start()

    def stop(self, timeout: float) -> bool:
        """Wait for its end; whether it has ended. A request under way may outlast the wait."""
        if self._thread is not None:
            self._thread.join(timeout)
            return not self._thread.is_alive()
        return True


def in_thread(work: Callable[[], T], slow: bool) -> T:  # noqa: ARG001 - as in aconcurrency
    """Do some work: the blocking client is in a thread of its own already."""
    return work()
