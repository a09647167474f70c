"""The process that reads the intake topics: `python -m services.activities.intake`."""

import asyncio

from services.activities.ingest.door import Door
from services.activities.ingest.intake import Intake as Judge
from services.activities.intake.manager import Manager
from services.activities.intake.watch import Watch
from services.activities.keys.rights import Rights
from services.activities.log.books import Limits
from services.activities.log.growth import Growth
from services.activities.log.log import Log
from services.activities.privacy import Pseudonyms, bind_key, read_key
from services.activities.settings import ActivitiesSettings
from shared import exposition, telemetry
from shared.clock import clock_from_environment
from shared.contracts.definitions import Catalogue
from shared.contracts.live import LiveCatalogue
from shared.db import connect_pool_when_there
from shared.garbage import calm_collector
from shared.instruments import watch_pool
from shared.looks import looking
from shared.worker import forever, run_until_stopped


async def main(stop: asyncio.Event) -> None:
    """Read until told to stop."""
    calm_collector()
    telemetry.setup("hocvuso-intake")
    settings = ActivitiesSettings()
    catalogue, clock = LiveCatalogue(Catalogue.load()), clock_from_environment()
    pseudonyms = Pseudonyms(read_key(settings.pseudonym_key_file), clock)
    pool = await connect_pool_when_there(
        settings.activities_database_url, "activities", low=1, high=8
    )
    async with pool.acquire() as connection:
        await bind_key(connection, pseudonyms)
    growth = Growth(pool, catalogue)
    await growth.catch_up()
    judge = Judge(catalogue, pseudonyms, clock)
    limits = Limits(settings.quarantine_rows, settings.quarantine_megabytes * 1024 * 1024)
    log = Log(pool, catalogue, clock, limits=limits)
    await log.start()
    rights = Rights(clock)
    door = Door(judge, log, rights, growth.catch_up)
    manager = Manager(pool, door, settings.broker(), clock)
    work = asyncio.create_task(forever("intake", manager.run))
    watch_pool("intake", pool)
    async with (
        exposition.serve(settings.process_metrics_host, settings.intake_metrics_port),
        looking("intake", Watch(pool, clock).look),
        rights.running(pool),
    ):
        await stop.wait()
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    await log.stop()
    pool.terminate()
    telemetry.shutdown()


if __name__ == "__main__":
    run_until_stopped(main)
