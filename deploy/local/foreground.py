"""`up` and `down`: the stack as a command, in the foreground or detached from the terminal."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import FrameType

from deploy.local import services
from deploy.local.errors import StackError
from deploy.local.home import Home
from deploy.local.stack import LocalStack, Stages

_PILOT = "pilot, not production"
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(home: Path, port: int, sandbox: bool, *, stages: Stages = services.stages) -> int:
    """Bring the stack up, say where everything is, and keep it up until a signal comes."""
    stack = LocalStack(home, port=port, sandbox=sandbox, stages=stages)
    asked_to_stop = threading.Event()

    def handle(_number: int, _frame: FrameType | None) -> None:
        if asked_to_stop.is_set():
            _say("\nkilling what still runs; nothing is lost")
        asked_to_stop.set()
        stack.interrupt()

    before = {number: signal.signal(number, handle) for number in _SIGNALS}
    try:
        try:
            stack.start()
        except StackError as problem:
            print(f"\n{problem}", file=sys.stderr, flush=True)
            return 1
        if not asked_to_stop.is_set():
            _say(f"\n{summary(stack)}")
        asked_to_stop.wait()
        _say("stopping (once more to kill at once)")
        stack.stop()
        _say("stopped")
        return 0
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _say(text: str) -> None:
    """Print; whoever cannot be told (a full disk, a terminal that is gone) stops nothing."""
    with contextlib.suppress(OSError, ValueError):
        print(text, flush=True)


def summary(stack: LocalStack) -> str:
    """Say where everything is, once all is ready."""
    lines = [f"{name:<12}{url}" for name, url in stack.urls.items()]
    lines += [
        f"{'table':<12}{stack.urls['registry']}/",
        f"{'admin key':<12}{stack.home.admin_key}",
        f"{'logs':<12}{stack.home.logs}",
    ]
    if stack.sandbox:
        lines.append(f"{'sandbox':<12}all events here may be simulated")
    return "\n".join([*lines, _PILOT])


def run_detached(home: Path, port: int, sandbox: bool) -> int:
    """Start the stack in the background; return when it is ready or has failed."""
    try:
        place = Home(home)
        place.prepare(print)
    except StackError as problem:
        print(f"\n{problem}", file=sys.stderr, flush=True)
        return 1
    log = place.logs / "supervisor.log"
    log.write_bytes(b"")
    with log.open("ab") as output:
        supervisor = subprocess.Popen(
            [sys.executable, "-m", "deploy.local.foreground", str(place.path), str(port)]
            + (["--sandbox"] if sandbox else []),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=services.REPOSITORY,
            start_new_session=True,
        )
    seen = ""
    with log.open() as said:
        while True:
            ended = supervisor.poll() is not None
            text = said.read()
            seen += text
            print(text, end="", flush=True)
            if _PILOT in seen:
                print(f"running in the background (pid {supervisor.pid})", flush=True)
                return 0
            if ended:
                return supervisor.returncode or 1
            time.sleep(0.1)


def down(home: Path) -> int:
    """Stop the supervisor of a home, wherever it was started."""
    try:
        stopped = Home(home).stop_supervisor()
    except StackError as problem:
        print(problem, file=sys.stderr, flush=True)
        return 1
    print("stopped" if stopped else f"nothing is running in {home}", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(run(Path(sys.argv[1]), int(sys.argv[2]), "--sandbox" in sys.argv[3:]))
