"""activities and metrics in one process: real code and databases, no broker, a clock of our own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import httpx
import msgspec

from deploy.local.stack import LocalStack
from deploy.sandbox.course import Course
from services.activities.app import create_app
from services.activities.keys.store import ensure_admin_key
from services.activities.settings import ActivitiesSettings
from services.metrics.evaluating.cell import Cell
from services.metrics.evaluating.moments import Moments
from services.metrics.projecting.projection import MetricsProjection
from services.registry.units.catalogue import stages
from shared.clock import VIETNAM, FixedClock
from shared.contracts.definitions import Catalogue
from shared.contracts.record import LANES
from shared.db import connect_pool
from shared.domain.history import DefinitionHistory
from shared.lane_consumer import LaneConsumer, LogReader
from tests.conftest import migrated_database
from tests.oracle.truth import Posted

Json = dict[str, Any]
BATCH = 400
METRICS = Path(__file__).parents[2] / "services" / "metrics" / "migrations"


def noon(day: date) -> datetime:
    return datetime.combine(day, time(23, 50), VIETNAM)


class System:
    """Takes events on days, and answers cells."""

    def __init__(self, client: httpx.AsyncClient, clock: FixedClock, pool: Any, key: str) -> None:
        self.client, self.clock, self._pool = client, clock, pool
        self._headers = {"Authorization": f"Bearer {key}"}
        self.posted: list[Posted] = []
        self._catalogue = Catalogue.load()
        self.moments = Moments(pool, DefinitionHistory(self._catalogue), clock)

    async def post(self, events: list[Json], day: date, *, told: bool = True) -> None:
        """Post events on a day; all must be taken. `told`: the oracle hears of them."""
        self.clock.at = noon(day)
        for at in range(0, len(events), BATCH):
            answer = await self.client.post(
                "/v1/events",
                content=msgspec.json.encode(events[at : at + BATCH]),
                headers={
                    **self._headers,
                    "Content-Type": "application/cloudevents-batch+json",
                },
            )
            body = answer.json()
            refused = [r for r in body["results"] if r["status"] == "rejected"]
            assert not refused, refused[:2]
        if told:
            self.posted += [Posted(event, day) for event in events]

    async def count(self) -> None:
        """Let metrics count everything in the log."""
        projection = MetricsProjection(self._pool, "golden", self._catalogue)
        await projection.begin(frozenset(range(LANES)))
        reader = LogReader(self.client)
        await LaneConsumer(projection, reader, "unused:1", "golden").catch_up(list(range(LANES)))

    async def cells(
        self, plan: str, levels: list[str], as_of: date, known_at: date | None
    ) -> dict[tuple[str, str], Cell]:
        """(unit_id, objective) -> cell, of the plan's unit and the levels below."""
        found = {}
        async with self.moments.snapshot() as connection:
            moment = await self.moments.at(connection, plan, as_of, known_at)
            for level in levels:
                units = moment.units(moment.root, level)
                for cell in await moment.cells(connection, moment.objectives, units):
                    found[cell.unit_id, cell.objective] = cell
        return found


@asynccontextmanager
async def running(stack: LocalStack, home: Path, first: date) -> AsyncIterator[System]:
    """A system on empty databases."""
    urls = {name: await migrated_database(stack, name) for name in ("activities", "metrics")}
    key_file = home / "pseudonym.key"
    key_file.write_text(bytes(range(32)).hex())
    settings = ActivitiesSettings(
        activities_database_url=urls["activities"], pseudonym_key_file=key_file
    )
    clock = FixedClock(noon(first))
    app = create_app(settings, clock)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with app.router.lifespan_context(app):
        async with app.state.pool.acquire() as connection:
            await ensure_admin_key(connection, home / "admin.key")
        key = (home / "admin.key").read_text().strip()
        pool = await connect_pool(urls["metrics"], "metrics", high=4)
        async with httpx.AsyncClient(
            transport=transport,
            base_url="http://activities",
            headers={"Authorization": f"Bearer {key}"},
            timeout=120,
        ) as client:
            try:
                yield System(client, clock, pool, key)
            finally:
                await pool.close()


def territory(course: Course) -> list[Json]:
    """The shipped definitions of a plan's territory: its units of both eras, and what is above."""
    everything = [event for stage in stages() for event in stage.events]
    above = {
        e["data"]["unit_id"]: e["data"].get("parent")
        for e in everything
        if e["type"].endswith("unit.established")
    }
    wanted = {course.place.plan["unit"], f"{course.place.root}@2025"}
    wanted |= {f"{commune.code}@2025" for commune in course.place.communes}
    for event in everything:
        # Old provinces that went into the same new one: the plan must not take those.
        if event["type"].endswith("unit.dissolved") and event["subject"].endswith("@2004"):
            into = {s["unit_id"] for s in event["data"].get("successors", [])}
            if into & wanted and course.place.plan["unit"].endswith("@2004"):
                wanted.add(event["data"]["unit_id"])
    kept = set(wanted)
    for unit in wanted:
        at = above.get(unit)
        while at:
            kept.add(at)
            at = above.get(at)
    hamlets = {u for u, parent in above.items() if "-" in u and parent in kept}
    return [
        event
        for event in everything
        if event["subject"] in kept | hamlets
        and all(s["unit_id"] in kept for s in event["data"].get("successors", []))
    ]
