"""Metrics served over HTTP in the process of the test."""

from datetime import date, datetime

import asyncpg
import httpx
import pytest

from services.metrics.app import create_app
from services.metrics.explaining.explain import Explainer
from services.metrics.projecting.projection import MetricsProjection
from services.metrics.settings import MetricsSettings
from shared.clock import VIETNAM, FixedClock
from shared.contracts.definitions import Catalogue
from shared.contracts.record import LANES
from shared.lane_consumer import LaneConsumer
from tests.described import AnswersAsDescribed
from tests.metrics import credentials
from tests.metrics.memory_log import MemoryLog
from tests.metrics.smoke import DAY, a_province


@pytest.fixture
async def client(pool: asyncpg.Pool, database: str, catalogue: Catalogue) -> "httpx.AsyncClient":  # type: ignore[misc]
    log = MemoryLog(catalogue)
    a_province(log)
    person = {"person_ref": "cccd:A", "target_groups": ["adult"]}
    log.post("citizen.certified", "24133@2025", DAY, DAY, person)
    log.post("citizen.certified", "24121@2025", DAY, date(2026, 7, 2), person)
    log.post("feedback.received", "24121@2025", DAY, date(2026, 7, 2), {})
    projection = MetricsProjection(pool, "w", catalogue)
    await projection.begin(frozenset(range(LANES)))
    await LaneConsumer(projection, log, "unused:1", "test").catch_up(  # type: ignore[arg-type]
        list(range(LANES))
    )
    clock = FixedClock(datetime(2026, 10, 7, 9, tzinfo=VIETNAM))
    app = create_app(
        MetricsSettings(metrics_database_url=database), clock, activities=credentials.transport()
    )
    async with app.router.lifespan_context(app):
        app.state.reader = log
        app.state.explainer = Explainer(pool, app.state.definitions, log, clock)  # type: ignore[arg-type]
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(
            transport=transport,
            base_url="http://metrics",
            headers=credentials.SERVICE,
            event_hooks={"response": [AnswersAsDescribed(app)]},
        ) as found:
            yield found
