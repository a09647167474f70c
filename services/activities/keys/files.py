"""Keys that `migrate` makes for this machine and keeps in files: the administrator's, the services'."""

import contextlib
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from services.activities.keys.model import ADMINISTRATOR, SCOPES
from shared import auth
from shared.auth.service import SERVICES, service_key
from shared.db import Connection


async def ensure_admin_key(connection: Connection, path: Path) -> None:
    """Make the administrator's key (see `ensure_key`)."""
    await ensure_key(connection, path, ADMINISTRATOR, [ADMINISTRATOR], list(SCOPES))


async def ensure_service_keys(connection: Connection, folder: Path) -> None:
    """Make the key of each service, with which it asks the others, and nothing else."""
    for service, scopes in SERVICES.items():
        path = service_key(folder, service)
        await ensure_key(connection, path, f"hocvuso-{service}", [], list(scopes))


async def ensure_key(
    connection: Connection, path: Path, name: str, roles: list[str], scopes: list[str]
) -> None:
    """Make a key and write it to `path` (mode 0600), unless the file holds one that works.

    Never prints it. A file whose key this database does not know is kept beside (`.old`), so that
    a mixed-up path loses nothing.
    """
    text = _read_secret(path)
    if text is not None:
        if text.startswith("hv_") and text.count("_") >= 2:
            row = await connection.fetchrow(
                "SELECT digest, revoked_at, expires_at FROM key WHERE prefix = $1 AND name = $2",
                auth.key_prefix(text), name,
            )  # fmt: skip
            if row is not None and auth.matches(text, row["digest"]) and not _ended(row):
                return
        _keep_aside(path)
    new = auth.make_key()
    # The file first: a key in the database that nobody holds would be useless.
    write_secret(path, new.text + "\n")
    await connection.execute(
        "INSERT INTO key (prefix, digest, name, roles, scopes) VALUES ($1, $2, $3, $4, $5)",
        new.prefix, new.digest, name, roles, scopes,
    )  # fmt: skip


def _ended(row: Any) -> bool:
    """Revoked, or replaced by rotation and past its overlap."""
    ended = row["revoked_at"] or (row["expires_at"] and row["expires_at"] <= datetime.now(UTC))
    return bool(ended)


def _read_secret(path: Path) -> str | None:
    """What the file holds, made readable for its owner only; None when there is no file."""
    if not path.exists():
        return None
    path.chmod(0o600)
    return path.read_text(encoding="ascii", errors="replace").strip()


def _keep_aside(path: Path) -> None:
    path.rename(path.with_name(path.name + ".old"))


def write_secret(path: Path, text: str) -> None:
    """Write a file that only its owner may read, in one step."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    with contextlib.suppress(FileNotFoundError):
        part.unlink()
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
