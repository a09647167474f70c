"""The written record of running children, for a supervisor that could not stop them.

On Linux the kernel ends the children of a supervisor killed with -9. Elsewhere, and for those
that are still shutting down, the next start reads this record. It is bookkeeping: a record that
cannot be written (a full disk) or read never keeps anything from running.
"""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil

from deploy.local.processes import alive, await_end, kill_group
from deploy.local.state_files import read_object, write_whole

# The start time is computed from the boot time, which moves when the clock is corrected.
_SAME_START_SECONDS = 2.0


class Ledger:
    """Children by name, each with its pid and start time: a pid alone may be reused."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mutex = threading.Lock()
        self._children: dict[str, tuple[int, float]] = {}
        self._written = True

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

    def catch_up(self) -> None:
        """Write what could not be written before, where there was no room for it."""
        with self._mutex:
            if not self._written:
                self._write()

    def _write(self) -> None:
        try:
            write_whole(self._path, json.dumps(self._children))
            self._written = True
        except OSError:
            self._written = False

    def stop_leftovers(self, report: Callable[[str], None], patience: float = 10.0) -> None:
        """Stop what an earlier supervisor left running."""
        try:
            recorded = read_object(self._path)
        except FileNotFoundError:
            return
        except ValueError as error:
            report(f"warning: {error}; whatever an earlier supervisor left running goes on")
            return
        leftovers: list[psutil.Process] = []
        for name, process in _still_running(recorded).items():
            report(f"stopping {name} (pid {process.pid}), left by an earlier supervisor")
            try:
                # PostgreSQL waits for its clients on SIGTERM, but not on SIGINT.
                process.send_signal(signal.SIGINT if name == "postgres" else signal.SIGTERM)
            except psutil.Error:
                continue
            leftovers.append(process)
        stubborn = await_end(leftovers, patience)
        for process in stubborn:
            kill_group(process.pid)
        await_end(stubborn, patience)
        self._path.unlink(missing_ok=True)


def _still_running(recorded: Mapping[str, Any]) -> dict[str, psutil.Process]:
    """The children of a record that live; what is no entry of ours is passed over."""
    found = {}
    for name, entry in recorded.items():
        match entry:
            case [int(pid), int() | float() as started] if type(pid) is int and pid > 0:
                process = _same_process(pid, started)
                if process is not None:
                    found[name] = process
    return found


def _same_process(pid: int, started: float) -> psutil.Process | None:
    try:
        process = psutil.Process(pid)
        if abs(process.create_time() - started) > _SAME_START_SECONDS:
            return None
        return process if alive(process) else None
    except (psutil.Error, OverflowError, ValueError):
        return None
