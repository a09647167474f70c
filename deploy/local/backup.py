"""Backup and restore of one database, with PostgreSQL's own programs.

A backup is a directory: `hocvuso.dump` (pg_dump, custom format, one snapshot of all three services)
and `manifest.json`, which says what is in it. The pseudonym key is never in it: with the dump alone
nobody can be found, with both everybody can. A restored log gets a new epoch, since events after the
backup are missing: whoever has counted those must notice (design, section 5).
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import asyncpg

from deploy.local.errors import StackError
from deploy.local.postgres import find_binaries
from shared.start_over import start_over
from shared.unfinished import mark_finished, mark_unfinished

DUMP, MANIFEST = "hocvuso.dump", "manifest.json"
_OURS = ("activities", "metrics", "registry")


@dataclass(frozen=True)
class Manifest:
    """What a backup holds. `key_fingerprint`: of the pseudonym key without which it is of no use."""

    made_at: str
    position: int
    epoch: str
    key_fingerprint: str | None
    sandbox: bool
    revisions: dict[str, str]
    postgres: str
    sha256: str


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a backup whose dump is whole. Raises StackError."""
    try:
        manifest = Manifest(**json.loads((folder / MANIFEST).read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise StackError(
            "this is no backup of hocvuso", where=str(folder),
            fix=f"name a directory that holds {DUMP} and {MANIFEST}",
        ) from error  # fmt: skip
    if not (folder / DUMP).exists():
        raise StackError(
            "this is no backup of hocvuso: the dump is missing", where=str(folder / DUMP),
            fix="use another backup",
        )  # fmt: skip
    if _digest(folder / DUMP) != manifest.sha256:
        raise StackError(
            "the dump is not the one that the manifest describes: it is damaged",
            where=str(folder / DUMP), fix="use another backup",
        )  # fmt: skip
    return manifest


async def back_up(url: str, folder: Path) -> Manifest:
    """Write a backup into a new directory while the system runs. Raises StackError."""
    draft = _draft(folder)
    connection = await asyncpg.connect(url, timeout=10)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            snapshot = await connection.fetchval("SELECT pg_export_snapshot()")
            about = await _about(connection)
            dump = draft / DUMP
            arguments = ["--format=custom", f"--snapshot={snapshot}", f"--file={dump}"]
            arguments += [f"--schema={name}" for name in (*_OURS, "indicators")]
            await asyncio.to_thread(_run, "pg_dump", url, arguments)
    finally:
        await connection.close()
    manifest = Manifest(**about, sha256=_digest(dump))
    _write(draft / MANIFEST, json.dumps(asdict(manifest), indent=1) + "\n")
    draft.rename(folder)
    return manifest


def _draft(folder: Path) -> Path:
    """Where it is written before it is whole; readable by its owner only."""
    if folder.exists():
        raise StackError(
            "there is something already", where=str(folder), fix="name a new directory"
        )
    draft = folder.with_name(folder.name + ".new")
    draft.mkdir(mode=0o700, parents=True, exist_ok=True)
    return draft


async def _about(connection: asyncpg.Connection) -> dict[str, Any]:
    counter = await connection.fetchrow(
        "SELECT position, epoch, sandbox FROM activities.counter WHERE one"
    )
    if counter is None:
        raise RuntimeError("the counter row is missing: run `hocvuso migrate`")
    key = await connection.fetchval("SELECT key_fingerprint FROM activities.privacy WHERE one")
    return {
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "position": counter["position"],
        "epoch": counter["epoch"],
        "key_fingerprint": key.hex() if key else None,
        "sandbox": counter["sandbox"],
        "revisions": {
            name: await connection.fetchval(f"SELECT version_num FROM {name}.alembic_version")
            for name in _OURS
        },
        "postgres": await connection.fetchval("SHOW server_version"),
    }


async def restore(
    url: str, folder: Path, *, report: Callable[[str], None] = lambda _: None
) -> tuple[Manifest, str]:
    """Fill an empty database that has the services' roles; the manifest and the log's new epoch.

    Raises StackError; then the database is as it was, or marked as unfinished and to be dropped: until
    the log has its new epoch, nothing may take it for the one it was copied from.
    """
    manifest = read_manifest(folder)
    connection = await asyncpg.connect(url, timeout=10)
    try:
        taken = await connection.fetchval(
            "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname !~ '^(pg_|information_schema)'"
        )
        if taken:
            raise StackError(
                "the database is not empty", where="the database to restore into",
                fix="restore into a new one; nothing was changed",
            )  # fmt: skip
        report(f"restoring {manifest.position} positions of {manifest.made_at}")
        await mark_unfinished(connection, folder.name)
        arguments = ["--exit-on-error", "--single-transaction", str(folder / DUMP)]
        await asyncio.to_thread(_run, "pg_restore", url, arguments)
        async with connection.transaction():
            epoch: str = await connection.fetchval(
                "UPDATE activities.counter SET epoch = gen_random_uuid()::text WHERE one"
                " RETURNING epoch"
            )
            for service in ("metrics", "registry"):
                await connection.execute(f"SET search_path TO {service}")
                # What a person gave up for good stays given up: positions are those of the backup.
                await start_over(connection, keep=("dismissed",))
            await mark_finished(connection)
        await connection.execute("ANALYZE")
    finally:
        await connection.close()
    return manifest, epoch


def _run(program: str, url: str, arguments: list[str]) -> None:
    """Run one of PostgreSQL's programs; the password travels in its environment only."""
    parts = urlsplit(url)
    env = {
        **os.environ,
        "PGHOST": parts.hostname or "",
        "PGPORT": str(parts.port or 5432),
        "PGUSER": unquote(parts.username or ""),
        "PGPASSWORD": unquote(parts.password or ""),
        # As the services understand it: ?sslmode=verify-full&sslrootcert=FILE and the like.
        **{f"PG{name.upper()}": value for name, value in parse_qsl(parts.query)},
    }
    database = unquote(parts.path.lstrip("/"))
    done = subprocess.run(
        [str(find_binaries() / program), "--no-password", f"--dbname={database}", *arguments],
        env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise StackError(
            f"{program} failed: {done.stderr.strip()[-600:]}", where=f"{parts.hostname}:{parts.port}",
            fix="mend what it says; a full disk and a missing role are the usual causes",
        )  # fmt: skip


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(path: Path, text: str) -> None:
    with path.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
