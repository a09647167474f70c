"""Starting a rebuild: for new measures (a plan has changed), to prove or to repair live tables."""

import logging
from collections.abc import Callable

import asyncpg

from services.metrics.definition_rows import grown_catalogue
from services.metrics.projecting import generations, store
from services.metrics.rebuild import shadow
from services.metrics.rebuild.course import Course, Report
from services.metrics.rebuild.meter import Meter, Progress
from services.metrics.rebuild.reading import Unreadable
from services.metrics.rebuild.source import RebuildRefused
from shared.contracts.definitions import Catalogue
from shared.db import Connection
from shared.lane_consumer import LogReader

log = logging.getLogger(__name__)

REBUILD_LOCK = "hocvuso-metrics-rebuild"


async def wanted(connection: Connection) -> bool:
    """Whether measures wait to be built."""
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT 1 FROM measure WHERE state = 'building')"
    )
    return found


async def build_new_measures(pool: asyncpg.Pool, reader: LogReader, catalogue: Catalogue) -> None:
    """Build what plans newly need; at once if nothing was counted yet."""
    async with pool.acquire() as connection:
        async with connection.transaction():
            await generations.lock_lanes(connection)
            if await generations.go_live_if_nothing_counted(connection):
                await connection.execute("INSERT INTO dirty VALUES (0, '')")
                return
        _, building = await store.load_measures(connection)
    report = await rebuild(pool, reader, catalogue, set(building))
    log.info("built %d measures from %d rows", report.measures, report.rows)


async def rebuild(
    pool: asyncpg.Pool,
    reader: LogReader,
    catalogue: Catalogue,
    numbers: set[int] | None = None,
    *,
    compare_only: bool = False,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Report:
    """Rebuild measures by number (None: all).

    Raises RebuildRefused when another one runs, a number is unknown or a row cannot be counted.
    """
    async with pool.acquire() as connection:
        if not await connection.fetchval("SELECT pg_try_advisory_lock(hashtext($1))", REBUILD_LOCK):
            raise RebuildRefused("Another rebuild is running; wait for it.")
        try:
            live, building = await store.load_measures(connection)
            known = live | building
            if unknown := sorted((numbers or set()) - known.keys()):
                raise RebuildRefused(f"There is no measure {', '.join(map(str, unknown))}.")
            chosen = {n: m for n, m in known.items() if numbers is None or n in numbers}
            if not chosen:
                return Report(0)
            with Meter(on_progress) as meter:
                grown = await grown_catalogue(connection, catalogue)
                run = Course(pool, connection, reader, grown, chosen, set(live), meter)
                try:
                    await run.run(everything=chosen.keys() == known.keys(), keep=compare_only)
                except Unreadable as error:
                    raise RebuildRefused(str(error)) from error
            return run.report
        finally:
            await connection.execute(shadow.DROP)
            await connection.execute("SELECT pg_advisory_unlock(hashtext($1))", REBUILD_LOCK)
