"""PostgreSQL as each service sees it: there, ours, migrated, on time, durable, the right key."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
from alembic.config import Config
from alembic.script import ScriptDirectory

import services.activities
import services.metrics
import services.registry
from deploy.doctor.model import Finding, fail, ok, skip, warn
from deploy.doctor.wear import check_wear
from services.activities.privacy import PseudonymKeyError, Pseudonyms, read_key, short_fingerprint

_PACKAGES = {
    "activities": services.activities,
    "metrics": services.metrics,
    "registry": services.registry,
}
_TIMEOUT = 5.0
_SKEW_SECONDS = 2.0


def newest_revision(service: str) -> str:
    """The head of a service's Alembic history."""
    config = Config()
    folder = Path(_PACKAGES[service].__path__[0]) / "migrations"
    config.set_main_option("script_location", str(folder))
    head = ScriptDirectory.from_config(config).get_current_head()
    if head is None:
        raise RuntimeError(f"{service} has no migrations")
    return head


async def connect(url: str, service: str) -> asyncpg.Connection:
    """A connection that gives up in bounded time."""
    return await asyncpg.connect(
        url, timeout=_TIMEOUT, command_timeout=_TIMEOUT, server_settings={"search_path": service}
    )


async def check_databases(env: Mapping[str, str]) -> list[Finding]:
    """All three; what only one of them knows is asked there."""
    found: list[Finding] = []
    for service in _PACKAGES:
        found += await _database(service, env)
    return found


async def _database(service: str, env: Mapping[str, str]) -> list[Finding]:
    part, variable = f"PostgreSQL of {service}", f"HOCVUSO_{service.upper()}_DATABASE_URL"
    url = env.get(variable)
    if not url:
        return [skip(part, f"{variable} is not set")]
    try:
        connection = await connect(url, service)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return [
            fail(
                part, f"cannot be reached ({type(error).__name__})",
                f"start it, or mend {variable}; the log of PostgreSQL says whom it refuses",
            )
        ]  # fmt: skip
    try:
        found = [await _schema(connection, part, service)]
        if service == "activities":
            found += [await _clock(connection), await _durable(connection)]
            found += await check_wear(connection)
            found += await _key(connection, env.get("HOCVUSO_PSEUDONYM_KEY_FILE"))
        return found
    finally:
        await connection.close()


async def _schema(connection: asyncpg.Connection, part: str, service: str) -> Finding:
    note = await connection.fetchval(
        "SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = $1", service
    )
    if note != f"hocvuso:{service}":
        return fail(
            part, f"the schema {service} is not there" if note is None else "is not ours",
            "`hocvuso migrate` makes it; a database of something else is refused",
        )  # fmt: skip
    version = await connection.fetchval("SELECT version_num FROM alembic_version")
    head = newest_revision(service)
    if version != head:
        return fail(
            part, f"is at revision {version}, this program at {head}",
            "`hocvuso migrate`" if str(version) < head else "run the newer program: nothing was changed",
        )  # fmt: skip
    used = await connection.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
    )
    most = int(await connection.fetchval("SHOW max_connections"))
    if used > 0.9 * most:
        return warn(part, f"{used} of {most} connections are in use", "see who holds them:"
                    " SELECT application_name, count(*) FROM pg_stat_activity GROUP BY 1")  # fmt: skip
    server = await connection.fetchval("SHOW server_version")
    return ok(part, f"{server.split()[0]}, revision {version}, {used} of {most} connections")


async def _clock(connection: asyncpg.Connection) -> Finding:
    before = time.time()
    there = await connection.fetchval("SELECT clock_timestamp()")
    here = datetime.fromtimestamp((before + time.time()) / 2, UTC)
    skew = abs((there - here).total_seconds())
    said = f"this machine and PostgreSQL differ by {skew:.1f} s"
    if skew > _SKEW_SECONDS:
        return fail("clock", said, "let both follow the same time server (NTP)")
    return ok("clock", said)


async def _durable(connection: asyncpg.Connection) -> Finding:
    off = [
        name
        for name in ("fsync", "synchronous_commit", "full_page_writes")
        if await connection.fetchval("SELECT current_setting($1)", name) == "off"
    ]
    if off:
        return fail(
            "durability", f"off: {', '.join(off)}",
            "switch it on: an answer means that the event survives a loss of power",
        )  # fmt: skip
    return ok("durability", "what is answered is on disk")


async def _key(connection: asyncpg.Connection, name: str | None) -> list[Finding]:
    part = "pseudonym key's fingerprint"
    stored = await connection.fetchval("SELECT key_fingerprint FROM privacy WHERE one")
    if stored is None:
        return [ok(part, "the log is not tied to a key yet")]
    if not name:
        return [skip(part, f"the log is tied to {short_fingerprint(stored)}; no key file is named")]
    try:
        mine = Pseudonyms(read_key(Path(name))).fingerprint
    except (PseudonymKeyError, OSError):
        return []  # the file's own finding says it
    if mine != stored:
        return [
            fail(
                part, f"the log's is {short_fingerprint(stored)}, the file's {short_fingerprint(mine)}",
                "put the original key back: with this one everybody would count again",
            )
        ]  # fmt: skip
    return [ok(part, f"{short_fingerprint(mine)}, that of the log")]
