"""Composition root of registry: `uvicorn services.registry.app:create_app --factory`."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import httpx
from fastapi import FastAPI

from services.registry import health
from services.registry.access import PUBLIC, Reader, reader, writer
from services.registry.agenda import routes as agenda_routes
from services.registry.completeness import routes as completeness_routes
from services.registry.documents import compare_routes as document_compare_routes
from services.registry.documents import life_routes as document_life_routes
from services.registry.documents import routes as document_routes
from services.registry.documents import template_routes as document_template_routes
from services.registry.follow import Follower
from services.registry.oversight import routes as oversight_routes
from services.registry.parameters import Declared
from services.registry.plans import routes as plan_routes
from services.registry.populations import routes as population_routes
from services.registry.progress import card, cold_spots, doubts, live, ranking, receipts, share, why
from services.registry.readiness import Readiness
from services.registry.reports import routes as report_routes
from services.registry.reports import write_routes as report_write_routes
from services.registry.settings import RegistrySettings
from services.registry.state import State
from services.registry.tables import nation
from services.registry.tables import routes as table_routes
from services.registry.tasks import routes as task_routes
from services.registry.tasks import write_routes as task_write_routes
from services.registry.units import hamlet_routes
from services.registry.units import routes as unit_routes
from services.registry.units import write_routes as unit_write_routes
from services.registry.web import answers as web_answers
from services.registry.web import (
    audit,
    devices,
    own_pages,
    proofs,
    render,
    report_compare,
    report_writing,
    signing_in,
    staff,
    unit_changes,
    unit_import,
    week,
)
from services.registry.web import completeness as web_completeness
from services.registry.web import department as web_department
from services.registry.web import entry as web_entry
from services.registry.web import hamlets as web_hamlets
from services.registry.web import heat_page as web_heat
from services.registry.web import populations as web_populations
from services.registry.web import reports as web_reports
from services.registry.web import routes as web_routes
from services.registry.web import tasks as web_tasks
from services.registry.web import units as web_units
from services.registry.web import week_page as web_week
from services.registry.web.assets import STATIC, Assets
from services.registry.web.compression import Compression
from services.registry.web.frame import PageContext
from shared import api_reference, exposition, problems, telemetry
from shared import openapi as openapi_document
from shared.auth.introspection import Introspector
from shared.clock import Clock, clock_from_environment
from shared.db import connect_pool_when_there
from shared.garbage import calm_collector
from shared.http_semantics import HttpSemantics
from shared.http_spans import NATIVE_OFF, ServerSpans
from shared.instruments import watch_pool
from shared.peers import peer
from shared.request_guard import RequestGuard
from shared.stopping import ended_at_once, told_to_stop

TIMEOUT = httpx.Timeout(30, connect=2)

READ = (
    unit_write_routes.router,
    hamlet_routes.router,
    unit_routes.router,
    plan_routes.router,
    table_routes.router,
    agenda_routes.router,
    report_routes.router,
    report_write_routes.router,
    document_routes.router,
    document_compare_routes.router,
    document_life_routes.router,
    document_template_routes.router,
    task_routes.router,
    task_write_routes.router,
    oversight_routes.router,
    cold_spots.router,
    share.router,
    doubts.router,
    why.router,
    receipts.router,
    live.router,
    ranking.router,
    card.router,
    nation.router,
    completeness_routes.router,
    population_routes.router,
)
"""Routers whose every route needs a reader; those that write ask for a writer besides."""

PAGES = (
    web_routes.router,
    web_heat.router,
    web_week.router,
    web_department.router,
    web_completeness.router,
    web_answers.router,
    web_reports.router,
    report_compare.router,
    report_writing.router,
    web_tasks.router,
    proofs.router,
    week.router,
    own_pages.router,
    web_entry.router,
    web_hamlets.router,
    web_populations.router,
    unit_changes.router,
    unit_import.router,
    web_units.router,
)
"""Pages that need a reader; their forms ask for a writer besides."""

ACCESS_PAGES = (signing_in.router, devices.router, staff.router, audit.router)
"""Signing in and out, and what one's own credential may see of access."""


def create_app(
    settings: RegistrySettings | None = None,
    clock: Clock | None = None,
    *,
    activities: httpx.AsyncBaseTransport | None = None,
    metrics: httpx.AsyncBaseTransport | None = None,
) -> FastAPI:
    """The service, ready to run; nothing is connected before its lifespan starts.

    Tests put their own transports in place of the two services it asks.
    """
    telemetry.setup("hocvuso-registry")

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        calm_collector()
        used = settings or RegistrySettings()
        with ended_at_once():
            pool = await connect_pool_when_there(
                used.registry_database_url, "registry", high=used.registry_pool_size
            )
        async with (
            _client(used.activities_url, used, activities) as activities_client,
            _client(used.metrics_url, used, metrics) as metrics_client,
        ):
            follower = Follower(pool, activities_client, used.broker())
            app.state.registry = State(
                used,
                clock or clock_from_environment(),
                pool,
                activities_client,
                metrics_client,
                follower,
                Introspector(activities_client, used.key_cache_seconds),
            )
            watch_pool("registry", pool)
            following = asyncio.create_task(follower.run())
            try:
                with told_to_stop() as app.state.stopping:
                    yield
            finally:
                following.cancel()
                with contextlib.suppress(asyncio.CancelledError, Exception):
                    await following
                await pool.close()
                telemetry.shutdown()

    app = FastAPI(
        title="hocvuso registry", version="1", lifespan=lifespan, telemetry=NATIVE_OFF,
        docs_url=None, redoc_url=None,
    )  # fmt: skip
    api_reference.install(app)
    app.add_middleware(Readiness)
    app.add_middleware(RequestGuard, keys=(reader, writer))
    app.add_middleware(HttpSemantics)
    app.add_middleware(PageContext)
    app.add_middleware(Compression)
    app.add_middleware(ServerSpans)
    problems.install(app)
    render.install(app)
    app.include_router(health.router)
    app.include_router(plan_routes.published)
    for router in READ:
        app.include_router(router, dependencies=[Reader, Declared])
    for pages in PAGES:
        app.include_router(pages, dependencies=[Reader])
    for pages in ACCESS_PAGES:
        app.include_router(pages)
    openapi_document.install(
        app,
        nobody=(*openapi_document.HEALTH, "/plans/plan.schema.json").__contains__,
        anybody=PUBLIC.__contains__,
    )
    app.add_route("/metrics", exposition.route, include_in_schema=False)
    app.mount("/static", Assets(directory=STATIC), name="static")
    return app


def _client(
    url: str, settings: RegistrySettings, transport: httpx.AsyncBaseTransport | None
) -> httpx.AsyncClient:
    """A client that shows the key of registry, unless a request shows another credential."""
    credential = settings.service_credential("registry")
    return peer(url, credential, timeout=TIMEOUT, transport=transport)
