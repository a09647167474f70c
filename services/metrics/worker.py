"""The worker: `python -m services.metrics.worker` counts lanes and keeps the tables current.

Any number may run. Lanes are shared out among the living; whoever gets the advisory lock also
refreshes the published tables and builds new measures. Everything that fails is tried again with
back-off: PostgreSQL, the broker and activities may all be away for a while.
"""

import asyncio
import contextlib
import logging
import os
import socket
import time
from datetime import datetime
from functools import partial

import asyncpg
import httpx
from aiokafka import AIOKafkaProducer

from services.metrics import rebuild
from services.metrics.projecting import spans, writing
from services.metrics.projecting.compacting import Compactor
from services.metrics.projecting.projection import MetricsProjection
from services.metrics.settings import MetricsSettings
from services.metrics.tables.refresh import Refresher, look
from shared import exposition, kafka, progress, telemetry
from shared.clock import clock_from_environment
from shared.contracts import topics
from shared.contracts.definitions import Catalogue
from shared.contracts.record import LANES, LaneProgress, LogRecord, Progress, encode
from shared.db import connect_pool_when_there
from shared.garbage import calm_collector
from shared.instruments import REFRESH_CELLS, REFRESH_DURATION, watch_pool
from shared.lane_consumer import LaneConsumer, LogReader
from shared.lanes import Lane
from shared.peers import peer
from shared.worker import forever, run_until_stopped

log = logging.getLogger(__name__)

ALL_LANES = frozenset(range(LANES))
HEARTBEAT_SECONDS = 3.0
REFRESH_SECONDS = 0.2
"""Between two refreshes, while there is something to show."""
LOOK_SECONDS = 2.0
"""Between two looks whether there is, if nobody has said so."""
SUM_SECONDS = 20.0
SUM_BREAK_SECONDS = 0.1
PARKED_SAID = 10_000
"""Parked positions that fit into one progress message; long before, the breaker has stopped us."""
REFRESHER_LOCK = "hocvuso-metrics-refresher"


class Worker:
    """One process: projection, refresher, progress. Use `run`."""

    def __init__(self, settings: MetricsSettings, pool: asyncpg.Pool, slow: asyncpg.Pool) -> None:
        self.settings = settings
        self.name = settings.metrics_worker_name or f"metrics-{socket.gethostname()}-{os.getpid()}"
        self.clock = clock_from_environment()
        self.catalogue = Catalogue.load()
        self._pool = pool
        self._slow_pool = slow
        credential = settings.service_credential("metrics")
        self._client = peer(settings.activities_url, credential, timeout=30)
        self._reader = LogReader(self._client)
        self._messages: asyncio.Queue[Progress] = asyncio.Queue(maxsize=1000)
        self._ready = asyncio.Event()
        self.projection = MetricsProjection(
            pool,
            self.name,
            self.catalogue,
            park_limit=settings.metrics_park_limit,
            on_applied=self._on_applied,
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop; then give the lanes back."""
        loops = {
            "heartbeat": self._heartbeats,
            "consume": self._consume,
            "refresh": self._refresh,
            "publish": self._publish,
            "sum up": self._sum_up,
        }
        tasks = [
            asyncio.create_task(forever(name, once), name=name) for name, once in loops.items()
        ]
        try:
            await stop.wait()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            with contextlib.suppress(Exception):
                async with asyncio.timeout(5):
                    await self.projection.settle()
            with contextlib.suppress(Exception):
                async with asyncio.timeout(5):
                    await progress.release(self._pool, self.name)
            await self._client.aclose()

    # -- lanes -------------------------------------------------------------------------------

    async def _heartbeats(self) -> None:
        while True:
            async with self._pool.acquire() as connection:
                share = await progress.heartbeat(connection, self.name, ALL_LANES)
            if share != self.projection.lanes.keys() or await self.projection.stale():
                await self.projection.begin(share)
            self._ready.set()
            await self._say_everything()
            await asyncio.sleep(HEARTBEAT_SECONDS)

    async def _say_everything(self) -> None:
        """Say what is shown, where all lanes held are and what is parked.

        A message before may have been lost, or nobody may have listened yet.
        """
        shown = await self._pool.fetchrow(
            "SELECT log_epoch, position, refreshed_at FROM shown WHERE one AND refreshed_at IS NOT NULL"
        )
        if shown is not None:
            self._say(_shown(shown["log_epoch"], shown["position"], shown["refreshed_at"]))
        lanes = self.projection.stored
        if self.projection.epoch is None or not lanes:
            return
        rows = await self._pool.fetch(
            "SELECT position FROM parked ORDER BY 1 LIMIT $1", PARKED_SAID
        )
        self._say(self._progress(lanes, [r["position"] for r in rows], parked_complete=True))

    async def _consume(self) -> None:
        await self._ready.wait()
        try:
            await LaneConsumer(
                self.projection,
                self._reader,
                self.settings.broker(),
                self.name,
            ).run()
        except progress.LanesLost as error:
            log.info("lanes change hands: %s", error)
            async with self._pool.acquire() as connection:
                share = await progress.heartbeat(connection, self.name, ALL_LANES)
            await self.projection.begin(share)

    def _on_applied(
        self, _records: list[LogRecord], lanes: dict[int, Lane], parked: list[int]
    ) -> None:
        self._say(self._progress(lanes, parked))

    def _progress(
        self, lanes: dict[int, Lane], parked: list[int], *, parked_complete: bool = False
    ) -> Progress:
        return Progress(
            epoch=self.projection.epoch or "",
            projection="metrics",
            at=self.clock.now().isoformat(),
            lanes={n: LaneProgress(last=x.last, through=x.through) for n, x in lanes.items()},
            watermark=min(x.through for x in lanes.values()) if len(lanes) == LANES else 0,
            parked=parked,
            parked_complete=parked_complete,
        )

    # -- refresh -----------------------------------------------------------------------------

    async def _refresh(self) -> None:
        """Refresh as long as this worker holds the lock; wait for it otherwise."""
        async with self._slow_pool.acquire() as connection:
            held = await connection.fetchval(
                "SELECT pg_try_advisory_lock(hashtext($1))", REFRESHER_LOCK
            )
            building: asyncio.Task[None] | None = None
            compacting: asyncio.Task[None] | None = None
            if not held:
                await asyncio.sleep(HEARTBEAT_SECONDS)
                return
            try:
                changed = asyncio.Event()

                def tell(*_: object) -> None:
                    changed.set()

                await connection.add_listener(writing.CHANNEL, tell)
                refresher = Refresher(self._pool, self.catalogue, self.clock)
                compactor = Compactor(self._slow_pool, self.clock)
                while True:
                    # The lock lives as long as this connection: notice when it is gone.
                    state = await look(connection)
                    if refresher.behind(state):
                        compactor.touched = True
                        await self._refresh_once(refresher)
                    if state.building and (building is None or building.done()):
                        # Beside the refresh: what is live goes on being current.
                        building = asyncio.create_task(self._build())
                    if (compacting is None or compacting.done()) and compactor.due():
                        compacting = asyncio.create_task(self._compact(compactor))
                    await asyncio.sleep(REFRESH_SECONDS)
                    # Told by whoever counts; a day that begins or a rebuild that ends, by the clock.
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(LOOK_SECONDS):
                            await changed.wait()
                    changed.clear()
            finally:
                beside = [task for task in (building, compacting) if task is not None]
                for task in beside:
                    task.cancel()
                await asyncio.gather(*beside, return_exceptions=True)
                with contextlib.suppress(Exception):
                    await connection.remove_listener(writing.CHANNEL, tell)
                with contextlib.suppress(Exception):
                    await connection.execute(
                        "SELECT pg_advisory_unlock(hashtext($1))", REFRESHER_LOCK
                    )

    async def _build(self) -> None:
        try:
            await rebuild.build_new_measures(self._slow_pool, self._reader, self.catalogue)
        except (OSError, httpx.HTTPError, asyncpg.PostgresError, rebuild.RebuildRefused) as error:
            log.warning("new measures are not built yet: %s", error)
            await asyncio.sleep(HEARTBEAT_SECONDS)

    async def _compact(self, compactor: Compactor) -> None:
        try:
            await compactor.run()
        except (OSError, asyncpg.PostgresError) as error:
            log.warning("rows of tallies are not joined yet: %s", error)

    async def _refresh_once(self, refresher: Refresher) -> None:
        started = time.time_ns()
        done = await refresher.refresh()
        if done is None:
            return
        seconds = (time.time_ns() - started) / 1e9
        REFRESH_DURATION.record(seconds, str(done.everything).lower(), span=done.span)
        REFRESH_CELLS.add(done.cells)
        self._say(_shown(done.epoch, done.watermark, self.clock.now()))

    async def _sum_up(self) -> None:
        """Sum tallies of days gone by, one worker at a time; short transactions, with breaks."""
        while True:
            async with self._slow_pool.acquire() as connection:
                more = await spans.sum_up(connection)
            await asyncio.sleep(SUM_BREAK_SECONDS if more else SUM_SECONDS)

    # -- progress ----------------------------------------------------------------------------

    def _say(self, message: Progress) -> None:
        """Queue a progress message; the oldest goes when nobody can take them."""
        if self._messages.full():
            self._messages.get_nowait()
        self._messages.put_nowait(message)

    async def _publish(self) -> None:
        servers = self.settings.broker()
        await kafka.ensure_topics(servers, {topics.PROGRESS: 1})
        producer: AIOKafkaProducer = kafka.producer(servers, f"{self.name}-progress")
        try:
            await kafka.start(producer, servers)
            while True:
                message = encode(await self._messages.get())
                await kafka.insisting(partial(producer.send_and_wait, topics.PROGRESS, message))
        finally:
            await kafka.stop_quietly(producer)


def _shown(epoch: str | None, position: int, at: datetime) -> Progress:
    return Progress(
        epoch=epoch or "",
        projection="metrics",
        at=at.isoformat(),
        watermark=position,
        refreshed=position,
    )


async def main(stop: asyncio.Event) -> None:
    """Connect (waiting for PostgreSQL if need be) and work."""
    calm_collector()
    settings = MetricsSettings()
    url = settings.metrics_database_url
    pool = await connect_pool_when_there(url, "metrics", high=6)
    slow = await connect_pool_when_there(url, "metrics", high=4, statement_timeout_s=0)
    watch_pool("worker", pool)
    watch_pool("worker-slow", slow)
    try:
        async with exposition.serve(settings.process_metrics_host, settings.worker_metrics_port):
            await Worker(settings, pool, slow).run(stop)
    finally:
        await pool.close()
        await slow.close()
        telemetry.shutdown()


if __name__ == "__main__":
    telemetry.setup("hocvuso-worker")
    run_until_stopped(main)
