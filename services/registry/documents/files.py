"""Files of reports: stored under their hash, which is made here, and checked again on every read."""

import asyncio
import hashlib
from dataclasses import dataclass
from typing import Any

import msgspec

from services.registry.state import State
from shared.problems import Problem

_STORE = """
INSERT INTO report_file (sha256, content, size, media_type, stored_at, checks)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (sha256) DO NOTHING
"""


@dataclass(frozen=True)
class StoredFile:
    """A file with what was found when it came."""

    sha256: str
    content: bytes
    media_type: str
    checks: dict[str, Any]


async def store(
    state: State,
    connection: Any,
    content: bytes,
    media_type: str,
    checks: dict[str, Any] | None = None,
) -> str:
    """Keep a file for ever; its SHA-256. The same bytes again change nothing."""
    digest = await asyncio.to_thread(sha256_of, content)
    said = msgspec.json.encode(checks or {}).decode()
    await connection.execute(
        _STORE, digest, content, len(content), media_type, state.clock.now(), said
    )
    return digest


def sha256_of(content: bytes) -> str:
    """As it stands in events: 64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


async def load(state: State, sha256: str) -> StoredFile:
    """A file, byte by byte as it came. Raises Problem 404 where this instance has none of that hash,
    500 where its bytes are others than its hash says: what was changed is never handed out."""
    row = await state.pool.fetchrow("SELECT * FROM report_file WHERE sha256 = $1", sha256)
    if row is None:
        raise Problem(
            "file-unknown",
            "This instance holds no file with this hash.",
            status=404,
            pointer="/sha256",
            hint="It was recorded elsewhere; ask whoever submitted the report.",
        )
    if await asyncio.to_thread(sha256_of, row["content"]) != sha256:
        raise Problem(
            "file-damaged",
            "The stored bytes are not those that were stored: their hash is another one.",
            status=500,
            hint="Restore the file from a backup; the event in the log has its hash.",
        )
    return StoredFile(sha256, row["content"], row["media_type"], checks_of(row["checks"]))


async def checks(state: State, sha256: str) -> dict[str, Any] | None:
    """What was found when a file came; None where it is not here."""
    said = await state.pool.fetchval("SELECT checks FROM report_file WHERE sha256 = $1", sha256)
    return None if said is None else checks_of(said)


def checks_of(said: str | dict[str, Any]) -> dict[str, Any]:
    """JSONB, decoded where the driver has not done it."""
    found: dict[str, Any] = msgspec.json.decode(said) if isinstance(said, str) else said
    return found
