"""Keys in the database: looked up by prefix, compared by hash, remembered for some seconds."""

import contextlib
import os
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg

from services.activities.keys.model import ADMINISTRATOR, READ_LOG, SCOPES, Key
from shared import auth
from shared.clock import Clock
from shared.db import Connection
from shared.problems import Problem

CACHE_SECONDS = 20.0
"""A revoked key may be accepted this long by other processes; at once refused by this one."""

CACHE_SIZE = 10_000
_COLUMNS = (
    "prefix, name, roles, scopes, types, sources, subtree, era, created_at, expires_at,"
    " revoked_at, last_used"
)


class KeyStore:
    """The keys of one database."""

    def __init__(self, pool: asyncpg.Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock
        self._cache: dict[bytes, tuple[Key, float]] = {}

    async def authenticate(self, header: str | None) -> Key:
        """The key of an Authorization header; raises Problem (401)."""
        text = auth.bearer(header)
        digest = auth.digest(text)
        cached = self._cache.get(digest)
        if cached is not None and cached[1] > time.monotonic():
            key = cached[0]
            if key.expires_at is not None and key.expires_at <= self._clock.now():
                raise auth.wrong_key()
            return key
        return await self._look_up(text, digest)

    async def _look_up(self, text: str, digest: bytes) -> Key:
        prefix = auth.key_prefix(text)
        if "\x00" in prefix or len(prefix) > 64:
            raise auth.wrong_key()
        async with self._pool.acquire() as connection:
            row = await connection.fetchrow(
                f"SELECT digest, {_COLUMNS} FROM key WHERE prefix = $1", prefix
            )
            if row is None or not auth.matches(text, row["digest"]) or row["revoked_at"]:
                raise auth.wrong_key()
            if row["expires_at"] is not None and row["expires_at"] <= self._clock.now():
                raise auth.wrong_key()
            today = self._clock.today()
            if row["last_used"] is None or row["last_used"] < today:
                await connection.execute(
                    "UPDATE key SET last_used = $2 WHERE prefix = $1", prefix, today
                )
        if len(self._cache) >= CACHE_SIZE:
            self._cache.clear()
        key = _key(row)
        self._cache[digest] = (key, time.monotonic() + CACHE_SECONDS)
        return key

    async def create(
        self,
        name: str,
        *,
        roles: list[str],
        scopes: list[str],
        types: list[str] | None = None,
        sources: list[str] | None = None,
        subtree: str | None = None,
        era: str | None = None,
        expires_at: datetime | None = None,
    ) -> str:
        """Make a key; its text, which is nowhere kept."""
        new = auth.make_key()
        await self._pool.execute(
            "INSERT INTO key (prefix, digest, name, roles, scopes, types, sources, subtree, era,"
            " created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            new.prefix, new.digest, name, roles, scopes, types, sources, subtree, era,
            self._clock.now(), expires_at,
        )  # fmt: skip
        return new.text

    async def all(self) -> list[dict[str, Any]]:
        """Every key, newest first; without what could be used."""
        rows = await self._pool.fetch(
            f"SELECT {_COLUMNS} FROM key ORDER BY created_at DESC, prefix"
        )
        return [dict(row) for row in rows]

    async def revoke(self, prefix: str) -> None:
        """End a key; raises Problem (404 unknown, 409 the last administrator's)."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute("LOCK TABLE key IN SHARE ROW EXCLUSIVE MODE")
            row = await connection.fetchrow("SELECT roles FROM key WHERE prefix = $1", prefix)
            if row is None:
                raise Problem(
                    "key-unknown",
                    "There is no key with this prefix.",
                    status=404,
                    hint="GET /v1/keys lists them.",
                )
            others = await connection.fetchval(
                "SELECT count(*) FROM key WHERE prefix <> $1 AND revoked_at IS NULL"
                " AND $2 = ANY (roles) AND (expires_at IS NULL OR expires_at > $3)",
                prefix, ADMINISTRATOR, self._clock.now(),
            )  # fmt: skip
            if ADMINISTRATOR in row["roles"] and not others:
                raise Problem(
                    "last-administrator",
                    "This is the only administrator's key left.",
                    status=409,
                    hint="Make another administrator's key first.",
                )
            await connection.execute(
                "UPDATE key SET revoked_at = coalesce(revoked_at, $2) WHERE prefix = $1",
                prefix, self._clock.now(),
            )  # fmt: skip
        for digest in [d for d, (key, _) in self._cache.items() if key.prefix == prefix]:
            del self._cache[digest]


def _key(row: Any) -> Key:
    return Key(
        prefix=row["prefix"],
        name=row["name"],
        roles=frozenset(row["roles"]),
        scopes=frozenset(row["scopes"]),
        types=None if row["types"] is None else tuple(row["types"]),
        sources=None if row["sources"] is None else tuple(row["sources"]),
        subtree=row["subtree"],
        era=row["era"],
        expires_at=row["expires_at"],
    )


async def ensure_admin_key(connection: Connection, path: Path) -> None:
    """Make the administrator's key (see `ensure_key`)."""
    await ensure_key(connection, path, ADMINISTRATOR, [ADMINISTRATOR], list(SCOPES))


async def ensure_service_key(connection: Connection, path: Path) -> None:
    """Make the key with which metrics and registry read the log, and nothing else."""
    await ensure_key(connection, path, "hocvuso-services", [], [READ_LOG])


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
                "SELECT digest, revoked_at FROM key WHERE prefix = $1 AND name = $2",
                auth.key_prefix(text), name,
            )  # fmt: skip
            if row is not None and auth.matches(text, row["digest"]) and not row["revoked_at"]:
                return
        _keep_aside(path)
    new = auth.make_key()
    # The file first: a key in the database that nobody holds would be useless.
    _write_secret(path, new.text + "\n")
    await connection.execute(
        "INSERT INTO key (prefix, digest, name, roles, scopes) VALUES ($1, $2, $3, $4, $5)",
        new.prefix, new.digest, name, roles, scopes,
    )  # fmt: skip


def _read_secret(path: Path) -> str | None:
    """What the file holds, made readable for its owner only; None when there is no file."""
    if not path.exists():
        return None
    path.chmod(0o600)
    return path.read_text().strip()


def _keep_aside(path: Path) -> None:
    path.rename(path.with_name(path.name + ".old"))


def _write_secret(path: Path, text: str) -> None:
    """Write a file that only its owner may read, in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    with contextlib.suppress(FileNotFoundError):
        part.unlink()
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
