"""The written record of running children, for a supervisor that could not stop them.

On Linux the kernel ends the children of a supervisor killed with -9. Elsewhere, and for those
that are still shutting down, the next start reads this record.
"""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import psutil

from deploy.local.processes import alive, await_end, kill_group

# The start time is computed from the boot time, which moves when the clock is corrected.
_SAME_START_SECONDS = 2.0


class Ledger:
    """Children by name, each with its pid and start time: a pid alone may be reused."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mutex = threading.Lock()
        self._children: dict[str, tuple[int, float]] = {}

    def add(self, name: str, pid: int) -> None:
        """Record a child that has just been started."""
        try:
            started = psutil.Process(pid).create_time()
        except psutil.Error:
            return
        with self._mutex:
            self._children[name] = (pid, started)
            self._write()

    def remove(self, name: str) -> None:
        """Forget a child that has ended."""
        with self._mutex:
            if self._children.pop(name, None) is not None:
                self._write()

    def _write(self) -> None:
        draft = self._path.with_name(self._path.name + ".new")
        draft.write_text(json.dumps(self._children))
        draft.replace(self._path)

    def stop_leftovers(self, report: Callable[[str], None], patience: float = 10.0) -> None:
        """Stop what an earlier supervisor left running."""
        try:
            recorded = json.loads(self._path.read_text())
        except (OSError, ValueError):
            return
        leftovers: list[psutil.Process] = []
        for name, (pid, started) in recorded.items():
            process = _same_process(pid, started)
            if process is None:
                continue
            report(f"stopping {name} (pid {pid}), left by an earlier supervisor")
            # PostgreSQL waits for its clients on SIGTERM, but not on SIGINT.
            process.send_signal(signal.SIGINT if name == "postgres" else signal.SIGTERM)
            leftovers.append(process)
        stubborn = await_end(leftovers, patience)
        for process in stubborn:
            kill_group(process.pid)
        await_end(stubborn, patience)
        self._path.unlink(missing_ok=True)


def _same_process(pid: int, started: float) -> psutil.Process | None:
    try:
        process = psutil.Process(pid)
        if abs(process.create_time() - started) > _SAME_START_SECONDS:
            return None
        return process if alive(process) else None
    except psutil.Error:
        return None
