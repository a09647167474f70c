"""Log files that cannot fill the disk."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

LIMIT_BYTES = 20 * 1024 * 1024


def bound(directory: Path, limit: int = LIMIT_BYTES) -> None:
    """Move what has grown too large to NAME.log.1, keeping the files open.

    The programs append to their files themselves, so a file is copied and cut, not renamed. A
    line written in between can be lost; a log that fills the disk would lose more. So one that
    cannot be copied, as on a full disk, is cut all the same. Never raises.
    """
    with contextlib.suppress(OSError):
        for log in directory.glob("*.log"):
            with contextlib.suppress(OSError):
                if log.stat().st_size > limit:
                    _cut(log)


def _cut(log: Path) -> None:
    older = log.with_name(log.name + ".1")
    try:
        shutil.copyfile(log, older)
    except OSError:
        with contextlib.suppress(OSError):
            older.unlink()
    os.truncate(log, 0)


def tail(log: Path, lines: int = 8) -> str:
    """Return the last lines of a log, indented, for a message about a death."""
    try:
        with log.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 8192))
            last = file.read().decode(errors="replace").splitlines()[-lines:]
    except OSError:
        return ""
    return "".join(f"\n    | {line}" for line in last)
