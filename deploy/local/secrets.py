"""Random secrets in files that only their owner can read."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def write_secret(path: Path, text: str) -> None:
    """Write a secret whole or not at all, never readable by others even for a moment."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def secret(path: Path) -> str:
    """Return the secret in `path`, making a new one when there is none."""
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        write_secret(path, secrets.token_urlsafe(24))
        return path.read_text().strip()
