"""Keeps registry up to the log: projects what it keeps (lanes shared by replicas), folds definitions.

Definitions are followed apart from the facts: a new plan must not wait until a long log of facts
has been read for the first time.
"""

import asyncio
import contextlib
import logging
import os
from dataclasses import replace

import asyncpg
import httpx

from services.registry.definitions import DefinitionProjection, StoredRows
from services.registry.journal.projection import FactProjection
from shared import progress
from shared.broker import Broker
from shared.contracts.definitions import Catalogue
from shared.contracts.live import of_process
from shared.contracts.record import DEFINITION_LANE, LANES, through_decoder
from shared.domain.history import DefinitionHistory
from shared.lane_consumer import LaneConsumer, LogReader, Projection
from shared.problems import Problem
from shared.worker import forever

log = logging.getLogger(__name__)

WANTED = frozenset(range(LANES))
FACT_BATCH = 500
"""Rows taken from the bus at once: pages are served by the same process and must not wait."""
HEARTBEAT_SECONDS = 3.0
POLL_SECONDS = 0.5
QUIET_SECONDS = 5.0
REACH_SECONDS = 3.0


class Follower:
    """Runs beside the routes; `why_not_ready` says what a reader would miss."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        activities: httpx.AsyncClient,
        servers: Broker | str,
        name: str = "",
    ) -> None:
        self.history = DefinitionHistory(Catalogue.load())
        of_process().start_over()
        self.rows = StoredRows(pool)
        self._came = asyncio.Condition()
        self._pool = pool
        self._activities = activities
        self._servers = servers
        self._name = name or f"registry-{os.getpid()}"
        self._applied = asyncio.Event()
        self._defines = False
        self._goal: int | None = None
        self._error = "starting"

    @property
    def why_not_ready(self) -> str | None:
        """None once the definitions that were in the log at start are here."""
        if self._goal is None:
            return f"the log of activities has not been read yet ({self._error})"
        if self.history.position < self._goal:
            return (
                f"definitions are projected up to position {self.history.position}"
                f" of {self._goal} ({self._error})"
            )
        return None

    async def reach(self, position: int) -> None:
        """Return once a definition is here that readers of cells have met; Problem if it is not
        within a moment."""
        if self.history.position >= position:
            return
        try:
            async with asyncio.timeout(REACH_SECONDS), self._came:
                await self._came.wait_for(lambda: self.history.position >= position)
        except TimeoutError:
            raise Problem(
                "not-ready",
                f"Definitions are projected up to {self.history.position}, not yet {position}.",
                status=503,
                hint="Ask again in a moment.",
                retryable=True,
                retry_after=1,
            ) from None

    async def run(self) -> None:
        """Until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(forever("registry goal", self._learn_goal))
                group.create_task(forever("registry projection", self._project_once))
                group.create_task(forever("registry fold", self._fold))
        finally:
            with contextlib.suppress(Exception):
                await progress.release(self._pool, self._name)

    async def _learn_goal(self) -> None:
        """The last definition in the log at start; asked once it can be answered."""
        if self._goal is not None:
            await asyncio.sleep(3600)
            return
        try:
            # Asked beyond everything, the log answers with its end.
            answer = await self._activities.get(
                "/v1/log", params={"after": 2**62, "lane": DEFINITION_LANE, "limit": 1}
            )
            answer.raise_for_status()
        except httpx.HTTPError as error:
            self._error = f"activities: {type(error).__name__} {error}".strip()
            raise
        marker = through_decoder.decode(answer.content.splitlines()[-1])
        self._goal = marker.last.get(DEFINITION_LANE, 0)
        self._error = "catching up"

    async def _fold(self) -> None:
        while True:
            await self.history.follow(self.rows)
            of_process().follow(self.history.newest_catalogue, self.history.position)
            async with self._came:
                self._came.notify_all()
            # Whoever projects definitions here says so; what another replica does has to be looked for.
            seconds = QUIET_SECONDS if self._defines else POLL_SECONDS
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._applied.wait()
            self._applied.clear()

    async def _project_once(self) -> None:
        """Take the lanes that are this replica's share, and follow the log while they are."""
        share = await self._heartbeat()
        held = await progress.claim(self._pool, self._name, share)
        if not held.lanes:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            return
        self._defines = DEFINITION_LANE in held.lanes
        following = [asyncio.create_task(c.run()) for c in self._consumers(held)]
        try:
            while not any(task.done() for task in following):
                await asyncio.wait(
                    following, timeout=HEARTBEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED
                )
                if await self._heartbeat() != share:
                    return
            for task in following:
                if task.done():
                    task.result()
        except (progress.EpochChanged, httpx.HTTPError) as error:
            self._error = str(error) or type(error).__name__
            raise
        finally:
            self._defines = False
            for task in following:
                task.cancel()
            await asyncio.gather(*following, return_exceptions=True)

    def _consumers(self, held: progress.Claim) -> list[LaneConsumer]:
        """One consumer for definitions, one for facts, of the lanes held."""
        reader = LogReader(self._activities)
        found = []
        for definitions in (True, False):
            lanes = {n: v for n, v in held.lanes.items() if (n == DEFINITION_LANE) is definitions}
            if lanes:
                part = replace(held, lanes=lanes)
                projection: Projection = (
                    DefinitionProjection(self._pool, part, self._applied)
                    if definitions
                    else FactProjection(self._pool, part)
                )
                name = self._name if definitions else f"{self._name}-facts"
                found.append(
                    LaneConsumer(projection, reader, self._servers, name, batch=FACT_BATCH)
                )
        return found

    async def _heartbeat(self) -> frozenset[int]:
        async with self._pool.acquire() as connection, connection.transaction():
            return await progress.heartbeat(connection, self._name, WANTED)
