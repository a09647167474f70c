"""The commands `backup`, `restore` and `start-over`."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import typer

from deploy.local import backup as backups
from deploy.local.environment import own_databases
from deploy.local.errors import StackError
from deploy.local.home import Home
from deploy.local.postgres import SUPERUSER
from deploy.local.postmaster import clear as clear_postmaster
from deploy.local.secrets import secret
from deploy.local.stack import LocalStack, infrastructure_only
from deploy.local.state_files import write_whole
from services.activities.privacy import PseudonymKeyError, Pseudonyms, read_key


def _named_url(url_file: Path | None) -> str | None:
    """The database that the command or the environment (in the images) names for a superuser."""
    if url_file is not None:
        return url_file.read_text().strip()
    return os.environ.get("HOCVUSO_SUPERUSER_DATABASE_URL") or None


def _superuser_url(home: Home) -> str:
    """The database of a running instance, for the one who may read all of it."""
    known = home.environment().get("HOCVUSO_ACTIVITIES_DATABASE_URL")
    if known is None or not (home.secrets / SUPERUSER).exists():
        raise StackError(
            "this home has no embedded PostgreSQL", where=str(home.path),
            fix="name the file with the database's address: --url-file",
        )  # fmt: skip
    parts = urlsplit(known)
    password = secret(home.secrets / SUPERUSER)
    return f"postgresql://{SUPERUSER}:{password}@{parts.hostname}:{parts.port}{parts.path}"


def _finish(error: Exception) -> typer.Exit:
    print(error, file=sys.stderr)
    return typer.Exit(1)


def backup(folder: Path, home: Path, url_file: Path | None) -> None:
    """Make a backup; says what is in it and what is not."""
    try:
        url = _named_url(url_file) or _superuser_url(Home(home))
        made = asyncio.run(backups.back_up(url, folder.absolute()))
    except (StackError, OSError, asyncpg.PostgresError) as error:
        raise _finish(error) from None
    size = (folder / backups.DUMP).stat().st_size / 1024**2
    print(f"{folder}: {made.position} positions, {size:.1f} MB. Not in it: the pseudonym key.")


def restore(folder: Path, home: Path, url_file: Path | None) -> None:
    """Restore into an empty home, or into the empty database of `url_file`."""
    try:
        manifest = backups.read_manifest(folder)
        if (url := _named_url(url_file)) is not None:
            manifest, epoch = asyncio.run(backups.restore(url, folder, report=print))
        else:
            epoch = into_home(folder, Home(home), manifest)
    except (StackError, OSError, asyncpg.PostgresError) as error:
        raise _finish(error) from None
    print(
        f"restored {manifest.position} positions of {manifest.made_at}; the log's new epoch is"
        f" {epoch}. All tables are counted again at the next start. Events after the backup are"
        " missing: ask the partners to send them again."
    )


def into_home(folder: Path, home: Home, manifest: backups.Manifest) -> str:
    """Make the PostgreSQL of an empty home and fill it; the log's new epoch. Raises StackError.

    From before anything is made until all is there, `restoring.json` says that the home is not what it
    seems: nothing starts in it but another restore, which begins anew.
    """
    if home.restoring.exists():
        _throw_away(home)
    if home.postgres.exists():
        raise StackError(
            "this home holds data already", where=str(home.postgres),
            fix="restore into an empty one: --home, or HOCVUSO_HOME",
        )  # fmt: skip
    if own_databases(os.environ):
        raise StackError(
            "the environment names databases of its own", where="HOCVUSO_*_DATABASE_URL",
            fix="unset them, or restore into them with --url-file",
        )  # fmt: skip
    _check_key(home, manifest)
    home.prepare(print)
    write_whole(home.restoring, json.dumps({"from": str(folder.absolute())}) + "\n")
    write_whole(home.instance, json.dumps({"sandbox": manifest.sandbox}) + "\n")
    with LocalStack(
        home.path, sandbox=manifest.sandbox, stages=infrastructure_only, restoring=True
    ) as stack:
        _, epoch = asyncio.run(backups.restore(stack.superuser_url, folder, report=print))
    home.restoring.unlink()
    return epoch


def _throw_away(home: Home) -> None:
    """Remove what an unfinished restore has made; the keys in the home stay."""
    home.prepare(print)
    home.lock()
    try:
        print(f"throwing away the unfinished restore in {home.path}")
        clear_postmaster(home.postgres)
        shutil.rmtree(home.postgres, ignore_errors=True)
    finally:
        home.unlock()


def _check_key(home: Home, manifest: backups.Manifest) -> None:
    """Before anything is made: is the pseudonym key of this log in its place?"""
    if manifest.key_fingerprint is None:
        return
    fix = f"put the key's own backup there, then again: {home.pseudonym_key}"
    try:
        mine = Pseudonyms(read_key(home.pseudonym_key)).fingerprint.hex()
    except PseudonymKeyError as error:
        raise StackError(str(error), where=str(home.pseudonym_key), fix=fix) from error
    if mine != manifest.key_fingerprint:
        raise StackError(
            "this is not the pseudonym key of the log in the backup",
            where=str(home.pseudonym_key), fix=fix,
        )  # fmt: skip


def start_over() -> None:
    """Let metrics and registry count the log again from its start."""
    from deploy.start_over import run

    try:
        done = asyncio.run(run())
    except (OSError, asyncpg.PostgresError) as error:
        raise _finish(error) from None
    print(f"{' and '.join(done)} start over; restart metrics, worker and registry now.")


def drill(folder: Path, key: Path, home: Path, url_file: Path | None) -> int:
    """Restore into a scratch home, count, compare, report; the exit code."""
    from deploy.doctor.model import exit_code, lines
    from deploy.local.drill import drill as run

    try:
        running = _named_url(url_file) or _running(Home(home))
        found = run(folder, key, running, report=lambda line: print(line, flush=True))
    except (StackError, OSError, asyncpg.PostgresError) as error:
        print(f"the drill failed: {error}", file=sys.stderr)
        return 1
    print("\n".join(lines(found)))
    return exit_code(found)


def _running(home: Home) -> str | None:
    """The instance of this home, where one runs."""
    try:
        url = _superuser_url(home)
    except StackError:
        return None

    async def answers() -> bool:
        try:
            await (await asyncpg.connect(url, timeout=5)).close()
        except (OSError, asyncpg.PostgresError):
            return False
        return True

    return url if asyncio.run(answers()) else None
