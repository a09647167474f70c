"""Random secrets in files that only their owner can read."""

from __future__ import annotations

import secrets
from pathlib import Path

from deploy.local.state_files import read_line, write_whole


def write_secret(path: Path, text: str) -> None:
    """Write a secret whole or not at all, never readable by others even for a moment."""
    write_whole(path, text + "\n")


def secret(path: Path) -> str:
    """Return the secret in `path`, making a new one when there is none. Raises StackError."""
    fix = "remove it: it is made anew at the next start"
    try:
        return read_line(path, fix)
    except FileNotFoundError:
        write_secret(path, secrets.token_urlsafe(24))
        return read_line(path, fix)
