"""Composition root of metrics' API: `uvicorn services.metrics.app:create_app --factory`."""

import contextlib
from collections.abc import AsyncIterator

import httpx
from fastapi import FastAPI, Request

from services.metrics import access
from services.metrics.definition_rows import StoredRows
from services.metrics.evaluating.moments import Moments
from services.metrics.evaluating.query import Cells
from services.metrics.explaining import explanations, why_routes
from services.metrics.explaining.explain import Explainer
from services.metrics.projecting import parked_routes
from services.metrics.settings import MetricsSettings
from services.metrics.tables import cells_routes
from services.metrics.tables.watch import Watch
from services.metrics.tables.watch_plans import EVERY_SECONDS, PlanWatch
from shared import api_reference, exposition, problems, telemetry
from shared import openapi as openapi_document
from shared.auth.introspection import Introspector
from shared.clock import Clock, clock_from_environment
from shared.contracts.definitions import Catalogue
from shared.db import ask_health, connect_pool_when_there
from shared.domain.history import DefinitionHistory
from shared.garbage import calm_collector
from shared.http_semantics import HttpSemantics
from shared.http_spans import NATIVE_OFF, ServerSpans
from shared.instruments import watch_pool
from shared.lane_consumer import LogReader
from shared.looks import looking
from shared.peers import peer
from shared.problems import Problem
from shared.request_guard import RequestGuard
from shared.stopping import ended_at_once

FOLLOW_SECONDS = 1.0
"""Between looks for new definitions: whoever asks first must not wait for them to be folded."""


def create_app(
    settings: MetricsSettings | None = None,
    clock: Clock | None = None,
    *,
    activities: httpx.AsyncBaseTransport | None = None,
) -> FastAPI:
    """The service, ready to run; nothing is connected before its lifespan starts.

    Tests put their own transport in the place of activities.
    """
    telemetry.setup("hocvuso-metrics")

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        calm_collector()
        used = settings or MetricsSettings()
        now = clock or clock_from_environment()
        catalogue = Catalogue.load()
        with ended_at_once():
            pool = await connect_pool_when_there(used.metrics_database_url, "metrics")
        client = peer(
            used.activities_url,
            used.service_credential("metrics"),
            timeout=10,
            transport=activities,
        )
        definitions = DefinitionHistory(catalogue)
        app.state.pool = pool
        app.state.clock = now
        app.state.catalogue = catalogue
        reader = LogReader(client)
        app.state.definitions = definitions
        app.state.explainer = Explainer(pool, definitions, reader, now)
        app.state.moments = Moments(pool, definitions, now)
        app.state.cells = Cells(app.state.moments)
        app.state.reader = reader
        app.state.keys = Introspector(client, used.key_cache_seconds)
        watch_pool("metrics", pool)
        watch = Watch(pool, client)

        async def follow() -> None:
            async with pool.acquire() as connection:
                await definitions.prepare(StoredRows(connection), now.today())

        try:
            async with (
                looking("projection", watch.look),
                looking("lag", watch.look_at_log),
                looking("definitions", follow, FOLLOW_SECONDS),
                looking("plans", PlanWatch(pool, definitions, now).look, EVERY_SECONDS),
            ):
                yield
        finally:
            await client.aclose()
            await pool.close()
            telemetry.shutdown()

    app = FastAPI(
        title="hocvuso metrics", version="1", lifespan=lifespan, telemetry=NATIVE_OFF,
        docs_url=None, redoc_url=None,
    )  # fmt: skip
    api_reference.install(app)
    problems.install(app)
    app.add_middleware(RequestGuard, keys=(access.principal,))
    app.add_middleware(HttpSemantics)
    app.add_middleware(ServerSpans)
    for routes in (cells_routes, explanations, why_routes, parked_routes):
        app.include_router(routes.router)
    _add_health(app)
    openapi_document.install(app)
    return app


def _add_health(app: FastAPI) -> None:
    @app.get("/health/live", tags=["health"])
    async def live() -> dict[str, str]:
        """200 as long as the process answers."""
        return {"status": "live"}

    @app.get("/health/ready", tags=["health"])
    async def ready(request: Request) -> dict[str, str]:
        """200 when the tables can be read and the definitions are; 503 with the reason otherwise."""
        try:
            await ask_health(request.app.state.pool, "SELECT 1 FROM shown WHERE one")
        except Exception as error:
            raise Problem(
                "indicators-unavailable",
                f"The database of metrics does not answer ({type(error).__name__}).",
                status=503,
                hint="Check PostgreSQL and HOCVUSO_METRICS_DATABASE_URL.",
                retryable=True,
                retry_after=2,
            ) from error
        if not request.app.state.definitions.prepared:
            raise Problem(
                "indicators-unavailable",
                "Units and plans are still being read.",
                status=503,
                hint="Ask again in a moment.",
                retryable=True,
                retry_after=1,
            )
        return {"status": "ready"}

    app.add_route("/metrics", exposition.route, include_in_schema=False)
