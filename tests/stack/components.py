"""Small programs that stand for the services."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from deploy.local.component import Component

SLEEP = "import time; time.sleep(600)"


def python(name: str, code: str, env: Mapping[str, str], **options: object) -> Component:
    return Component(
        name=name,
        argv=[sys.executable, "-I", "-c", code],
        env=env,
        **options,  # type: ignore[arg-type]
    )


def writes_pid(path: Path) -> str:
    """A service that says who it is, ignores requests to end, and has a child of its own."""
    return (
        "import os, pathlib, signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"pathlib.Path({str(path)!r}).write_text(str(os.getpid()))\n"
        "time.sleep(600)\n"
    )
