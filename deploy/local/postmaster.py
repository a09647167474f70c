"""Reads `postmaster.pid` and clears up after a PostgreSQL server that ended uncleanly.

PostgreSQL itself only asks whether the pid in that file exists. After a kill -9 that pid may be
a zombie or, after a restart of the machine or container, any other program; then it refuses to
start until somebody removes the file by hand.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psutil

from deploy.local.errors import StackError
from deploy.local.processes import alive, await_end

_FAST_SHUTDOWN_SECONDS = 30
_IMMEDIATE_SHUTDOWN_SECONDS = 10
_STATUS_LINE = 7


def status(data: Path) -> str | None:
    """Return what the server last said of itself (starting, ready, stopping)."""
    lines = _lines(data)
    return lines[_STATUS_LINE].strip() if len(lines) > _STATUS_LINE else None


def clear(data: Path) -> None:
    """Leave no server running on `data` and no file that would keep a new one from starting."""
    process = running(data)
    if process is not None:
        _stop(process, data)
    _end_orphans(data)
    (data / "postmaster.pid").unlink(missing_ok=True)


def running(data: Path) -> psutil.Process | None:
    """Return the server that truly runs on `data`, if there is one."""
    try:
        process = psutil.Process(int(_lines(data)[0]))
        if not alive(process):
            return None
        command = process.cmdline()
    except (psutil.Error, ValueError, IndexError):
        return None
    if not command or Path(command[0]).name != "postgres":
        return None
    # Another home, or a copy of this one, has another directory in its command line.
    return process if any(_is_same(argument, data) for argument in command[1:]) else None


def _lines(data: Path) -> list[str]:
    try:
        return (data / "postmaster.pid").read_text(errors="replace").splitlines()
    except OSError:
        return []


def _is_same(argument: str, data: Path) -> bool:
    try:
        return Path(argument).samefile(data)
    except (OSError, ValueError):
        return False


def _stop(process: psutil.Process, data: Path) -> None:
    for stop, seconds in (
        (signal.SIGINT, _FAST_SHUTDOWN_SECONDS),
        (signal.SIGQUIT, _IMMEDIATE_SHUTDOWN_SECONDS),
    ):
        try:
            process.send_signal(stop)
        except psutil.NoSuchProcess:
            return
        except psutil.AccessDenied as error:
            raise StackError(
                f"a PostgreSQL server of another user (pid {process.pid}) runs on this data",
                where=str(data),
                fix=f"stop it as that user: `kill -INT {process.pid}`",
            ) from error
        if not await_end([process], seconds):
            return
    process.kill()
    await_end([process], _IMMEDIATE_SHUTDOWN_SECONDS)


def _end_orphans(data: Path) -> None:
    """End backends that outlived a killed postmaster.

    They end by themselves as soon as they are idle, but one in a long statement holds the shared
    memory, and a new server refuses to start beside it.
    """
    orphans: list[psutil.Process] = []
    for process in psutil.process_iter(["name", "status"]):
        if process.info["name"] != "postgres" or process.info["status"] == psutil.STATUS_ZOMBIE:
            continue
        try:
            if process.pid != os.getpid() and Path(process.cwd()).samefile(data):
                orphans.append(process)
                process.kill()
        except (psutil.Error, OSError):
            continue
    await_end(orphans, _IMMEDIATE_SHUTDOWN_SECONDS)
