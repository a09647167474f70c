"""`hocvuso drill`: proves that a backup and the key's own copy bring the system back.

Restores both into a scratch home beside nothing that runs, starts the system there, lets it count
everything, compares with the running system where there is one, and throws the scratch away. What it
took is what a real restore on this machine would take.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import asyncpg

from deploy.doctor.model import Finding, fail, ok, warn
from deploy.local import backup as backups
from deploy.local import backup_cli, services
from deploy.local.environment import nothing_of_its_own
from deploy.local.errors import StackError
from deploy.local.home import Home
from deploy.local.stack import LocalStack

PATIENCE_SECONDS = 6 * 3600.0

_LOG = """
SELECT count(*) AS rows, coalesce(sum(hashtextextended(concat_ws('|', position, source, id, ordinal,
  recorded, unit_id, occurred, revision, encode(content_mac, 'hex'), data, effective), 0)::numeric), 0)
  AS digest
FROM activities.log WHERE position <= $1
"""
_REACHED = """
SELECT (SELECT position FROM activities.counter WHERE one) AS log, (SELECT min(through) FROM metrics.progress)
  AS counted, (SELECT position FROM metrics.shown WHERE one) AS shown,
  (SELECT min(through) FROM registry.progress) AS known,
  EXISTS (SELECT FROM metrics.measure WHERE state = 'building') OR EXISTS (SELECT FROM metrics.dirty)
  -- A measure that was counted just now is live before the tables are made anew with it.
  OR EXISTS (SELECT FROM metrics.objective_state WHERE state = 'building') AS building,
  (SELECT count(*) FROM metrics.parked) AS parked
"""
_CELLS = """
SELECT count(*) AS cells, coalesce(sum(hashtextextended(concat_ws('|', plan, objective, unit_id, value,
  total, denominator, met), 0)::numeric), 0) AS digest
FROM indicators.cells
"""


def drill(
    folder: Path, key: Path, running: str | None, report: Callable[[str], None]
) -> list[Finding]:
    """What was found. `running`: address of the database in service, to compare with.

    Raises StackError when the backup cannot be restored at all; that is the drill's answer, too.
    """
    started = time.monotonic()
    manifest = backups.read_manifest(folder)
    with nothing_of_its_own(), tempfile.TemporaryDirectory(prefix="hocvuso-drill-") as scratch:
        home = Home(Path(scratch) / "home")
        home.path.mkdir(mode=0o700)
        try:
            shutil.copyfile(key, home.pseudonym_key)
        except OSError as error:
            raise StackError(
                f"the key's copy cannot be read: {error.strerror}", where=str(key),
                fix="fetch it from the place where it is kept apart; without it a restored log"
                " takes nothing more",
            ) from error  # fmt: skip
        backup_cli.into_home(folder, home, manifest)
        found = [ok("backup", f"{manifest.position} positions of {manifest.made_at} are whole"),
                 ok("key", "it is the one of this log")]  # fmt: skip
        with LocalStack(
            home.path,
            sandbox=manifest.sandbox,
            stages=lambda env, addresses: services.stages(env, addresses)[:2],
            report=report,
        ) as stack:
            found += asyncio.run(_look(stack.superuser_url, running, manifest.position, report))
    minutes = (time.monotonic() - started) / 60
    return [*found, ok("time", f"{minutes:.1f} minutes from the backup to complete tables")]


async def _look(
    url: str, running: str | None, position: int, report: Callable[[str], None]
) -> list[Finding]:
    connection = await asyncpg.connect(url, timeout=10)
    live = None
    try:
        found = [await _counted(connection, report)]
        if running is not None:
            live = await asyncpg.connect(running, timeout=10)
            found += await _compare(connection, live, position)
        return found
    finally:
        await connection.close()
        if live is not None:
            await live.close()


async def _counted(connection: asyncpg.Connection, report: Callable[[str], None]) -> Finding:
    deadline = time.monotonic() + PATIENCE_SECONDS
    said = 0.0
    while True:
        row = await connection.fetchrow(_REACHED)
        assert row is not None  # noqa: S101 - a SELECT without FROM
        done = min(row["counted"], row["known"], row["shown"])
        if done >= row["log"] and not row["building"]:
            break
        if time.monotonic() > deadline:
            return fail("tables", f"counted to {done} of {row['log']} only",
                        "look at the disk and the processors of this machine")  # fmt: skip
        if time.monotonic() - said > 10:
            report(f"counted to {done} of {row['log']}")
            said = time.monotonic()
        await asyncio.sleep(0.3)
    if row["parked"]:
        return warn("tables", f"counted to {done}; {row['parked']} rows are parked",
                    "`hocvuso parked` of the running system says why")  # fmt: skip
    return ok("tables", f"counted again to {done}, the backup's end")


async def _compare(
    restored: asyncpg.Connection, live: asyncpg.Connection, position: int
) -> list[Finding]:
    """The log row by row; the tables where the running system has nothing newer."""
    here, there = await restored.fetchrow(_LOG, position), await live.fetchrow(_LOG, position)
    if here is None or here != there:
        return [fail("log", f"up to {position} the restored log is another one than the running",
                     "use another backup, and find out which log is the right one")]  # fmt: skip
    found = [ok("log", f"{here['rows']} rows are the running system's, one by one")]
    newer = await live.fetchval("SELECT position FROM activities.counter WHERE one") - position
    if newer:
        return [*found, ok("comparison", f"the running system has {newer} newer rows, so its tables"
                           " are others; made again, they would be lost and asked of partners")]  # fmt: skip
    here, there = await restored.fetchrow(_CELLS), await live.fetchrow(_CELLS)
    if here is None or here != there:
        return [*found, fail("cells", "they are not those of the running system",
                             "`hocvuso rebuild --compare` there says which are wrong")]  # fmt: skip
    return [*found, ok("cells", f"{here['cells']} are the running system's")]
