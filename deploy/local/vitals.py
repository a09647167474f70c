"""Whether a process that is starting gets on, however slow the machine is."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import psutil

_LOOK_SECONDS = 1.0
_WORKED_SECONDS = 0.2
_STEP = re.compile(r"^(.*?)\s*\b(\d+)/(\d+)\b")


class Vitals:
    """Progress of one process: it used the processor, wrote into its log, or says something new.

    A process that does none of these for long hangs; one that does any of them is only slow.
    """

    def __init__(self, pid: int, log: Path, says: Callable[[], str] | None = None) -> None:
        self._log = log
        self._says = says
        self._process = psutil.Process(pid) if psutil.pid_exists(pid) else None
        self._worked = 0.0
        self._written = self._size()
        self._said = ""
        self._looked = self.moved_at = time.monotonic()

    @property
    def said(self) -> str:
        """What the process last said it is waiting for; empty when it says nothing."""
        return self._said

    def look(self) -> bool:
        """Look, at most once a second; whether something has moved since the last look."""
        now = time.monotonic()
        if now - self._looked < _LOOK_SECONDS:
            return False
        self._looked = now
        worked, written, said = self._work(), self._size(), self._ask()
        moved = (
            worked - self._worked >= _WORKED_SECONDS
            or written != self._written
            or said != self._said
        )
        if moved:
            self._worked, self._written, self._said = worked, written, said
            self.moved_at = now
        return moved

    def silent(self) -> float:
        """Seconds since something moved, as far as it was looked at."""
        return time.monotonic() - self.moved_at

    def step(self) -> tuple[str, int, int] | None:
        """The last `what n/total` in the log: the stage, how much is done, of how much."""
        try:
            with self._log.open("rb") as file:
                file.seek(max(0, self._written - 400))
                lines = file.read().decode(errors="replace").splitlines()
        except OSError:
            return None
        for line in reversed(lines):
            if found := _STEP.match(line):
                return found[1].strip(), int(found[2]), int(found[3])
        return None

    def _work(self) -> float:
        """Processor seconds of the process and of all below it."""
        if self._process is None:
            return 0.0
        seconds = 0.0
        try:
            for process in (self._process, *self._process.children(recursive=True)):
                times = process.cpu_times()
                seconds += times.user + times.system
        except psutil.Error:
            return self._worked
        return seconds

    def _size(self) -> int:
        try:
            return self._log.stat().st_size
        except OSError:
            return 0

    def _ask(self) -> str:
        return self._says() if self._says is not None else ""


def bar(done: int, total: int, width: int = 24) -> str:
    """`[######......]  n of N`."""
    filled = width * min(done, total) // max(total, 1)
    return f"[{'#' * filled}{'.' * (width - filled)}] {done:,} of {total:,}"
