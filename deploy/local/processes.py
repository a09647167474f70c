"""Ending processes for certain.

Where the first process of the machine does not collect orphans (many containers), a killed
process stays as a zombie forever: waiting for its pid to vanish would never end.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Sequence

import psutil

_POLL_SECONDS = 0.02


def alive(process: psutil.Process) -> bool:
    """Tell whether this very process still runs; a zombie does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def await_end(processes: Sequence[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Wait until all have ended; return those that have not."""
    deadline = time.monotonic() + seconds
    while remaining := [process for process in processes if alive(process)]:
        if time.monotonic() > deadline:
            return remaining
        time.sleep(_POLL_SECONDS)
    return []


def kill_group(pid: int) -> None:
    """Kill a child and what it has started in its session."""
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(pid, signal.SIGKILL)


def kill_tree(pid: int, seconds: float = 10.0) -> None:
    """Kill a child and all below it, and wait until they are gone.

    It is frozen first, so that nothing is born between the look and the kill.
    """
    descendants: list[psutil.Process] = []
    with contextlib.suppress(psutil.Error):
        root = psutil.Process(pid)
        root.suspend()
        descendants = root.children(recursive=True)
    kill_group(pid)
    for descendant in descendants:
        with contextlib.suppress(psutil.Error):
            descendant.kill()
    await_end(descendants, seconds)
