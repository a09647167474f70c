"""Starts processes that die with the supervisor."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

_WRAPPER = Path(__file__).with_name("child.py")

# The kernel ties a child to the *thread* that forked it, not to the process. All children are
# therefore forked by this one thread, which lives until the interpreter ends; a caller's thread
# (asyncio.to_thread, a test) may end at any time.
_forker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="forker")


@dataclass(frozen=True)
class RunAs:
    """The user a program appears as when the supervisor is root; see `child.py`."""

    kind: Literal["namespace", "account"]
    uid: int
    gid: int


def wrapped(
    argv: Sequence[str],
    *,
    run_as: RunAs | None = None,
    death_signal: signal.Signals = signal.SIGKILL,
) -> list[str]:
    """Return the command line that runs `argv` tied to this process."""
    options = {
        "parent": os.getpid(),
        "signal": int(death_signal),
        "run_as": [run_as.kind, run_as.uid, run_as.gid] if run_as else None,
    }
    return [sys.executable, "-I", "-S", str(_WRAPPER), json.dumps(options), *argv]


def spawn(
    argv: Sequence[str],
    *,
    log: Path,
    env: Mapping[str, str],
    cwd: Path | None = None,
    run_as: RunAs | None = None,
    death_signal: signal.Signals = signal.SIGKILL,
) -> subprocess.Popen[bytes]:
    """Start a long-running program; its output is appended to `log`.

    The program writes the file itself, so that a stalled supervisor never blocks it. It gets a
    session of its own, so that Ctrl-C reaches the supervisor alone, which stops in order. Where the
    log cannot be opened (a full disk, a lost directory) it runs without one.
    """

    def fork() -> subprocess.Popen[bytes]:
        with _opened(log) as output:
            return subprocess.Popen(
                wrapped(argv, run_as=run_as, death_signal=death_signal),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(env),
                cwd=cwd,
                start_new_session=True,
            )

    return _forker.submit(fork).result()


def _opened(log: Path) -> IO[bytes]:
    try:
        log.parent.mkdir(mode=0o700, exist_ok=True)
        return log.open("ab")
    except OSError:
        return Path(os.devnull).open("ab")


def run(
    argv: Sequence[str], *, run_as: RunAs | None = None, stdin: str = "", timeout: float = 300
) -> subprocess.CompletedProcess[str]:
    """Run a short program to its end and return what it said, whatever its exit code."""

    def fork() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            wrapped(argv, run_as=run_as),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    return _forker.submit(fork).result()
