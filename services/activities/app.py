"""Composition root of activities: `uvicorn services.activities.app:create_app --factory`."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
from fastapi import FastAPI

from services.activities import feed_routes, health, instance
from services.activities.ingest import catalogue_routes, openapi, stream_routes
from services.activities.ingest import routes as ingest_routes
from services.activities.ingest.door import Door
from services.activities.ingest.events_first import EventsFirst
from services.activities.ingest.intake import Intake
from services.activities.intake import routes as kafka_routes
from services.activities.intake.watch import Watch as IntakeWatch
from services.activities.keys import (
    attempts,
    audit_routes,
    checklist_routes,
    clients,
    invitation_routes,
    quota_routes,
    session_routes,
)
from services.activities.keys import routes as key_routes
from services.activities.keys.invitations import Invitations
from services.activities.keys.rights import Rights
from services.activities.keys.store import KeyStore
from services.activities.log.books import Limits
from services.activities.log.growth import Growth
from services.activities.log.log import Log
from services.activities.log.units import UnitCache
from services.activities.privacy import Pseudonyms, bind_key, read_key
from services.activities.quarantine import routes as quarantine_routes
from services.activities.receipts import routes as receipt_routes
from services.activities.receipts.receipts import RECEIPTS_A_MINUTE
from services.activities.reconciliation import routes as reconciliation_routes
from services.activities.reconciliation.explain import Explanations
from services.activities.settings import ActivitiesSettings
from services.activities.watch import Watch
from services.activities.xapi import partner_routes as xapi_partner_routes
from services.activities.xapi import routes as xapi_routes
from services.activities.xapi.statements import Statements
from shared import api_reference, exposition, problems, telemetry
from shared import openapi as openapi_document
from shared.auth.attempts import Attempts, RecentCalls
from shared.clock import Clock, clock_from_environment
from shared.contracts.definitions import Catalogue
from shared.contracts.live import LiveCatalogue
from shared.db import connect_pool_when_there
from shared.garbage import calm_collector
from shared.http_semantics import HttpSemantics
from shared.http_spans import NATIVE_OFF, ServerSpans
from shared.instruments import watch_pool
from shared.looks import looking
from shared.oidc import Issuers
from shared.request_guard import RequestGuard
from shared.stopping import ended_at_once, told_to_stop

OPEN = (
    *openapi_document.HEALTH,
    "/v1/instance",
    "/v1/types",
    "/v1/schemas/{type_name}/{version}",
    "/v1/invitations/accept",
    "/xapi/about",
    "/xapi/mapping",
)
"""What takes no key."""


def create_app(settings: ActivitiesSettings | None = None, clock: Clock | None = None) -> FastAPI:
    """The service, ready to run; nothing is read or connected before its lifespan starts.

    The start fails with a clear message when the pseudonym key is missing or not this log's.
    """
    telemetry.setup("hocvuso-activities")

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        calm_collector()
        used = settings or ActivitiesSettings()
        now = clock or clock_from_environment()
        pseudonyms = Pseudonyms(read_key(used.pseudonym_key_file), now)
        catalogue = LiveCatalogue(Catalogue.load())
        with ended_at_once():
            pool = await connect_pool_when_there(used.activities_database_url, "activities")
        issuers = httpx.AsyncClient(timeout=5, trust_env=False)
        try:
            async with pool.acquire() as connection:
                await bind_key(connection, pseudonyms)
            growth = Growth(pool, catalogue)
            await growth.catch_up()
            intake = Intake(catalogue, pseudonyms, now)
            limits = Limits(used.quarantine_rows, used.quarantine_megabytes * 1024 * 1024)
            log = Log(pool, catalogue, now, limits=limits)
            app.state.pool = pool
            app.state.clock = now
            app.state.catalogue = catalogue
            rights = Rights(now)
            trusted = Issuers(used.oidc_issuers, issuers, now)
            app.state.keys = KeyStore(pool, now, rights, trusted, used.session_limits())
            app.state.attempts = Attempts(now)
            a_minute = timedelta(minutes=1)
            app.state.receipt_limit = RecentCalls(now, RECEIPTS_A_MINUTE, a_minute)
            app.state.invitations = Invitations(pool, app.state.keys, now)
            app.state.units = UnitCache(catalogue)
            app.state.log_limits = limits
            app.state.quarantine_days = used.quarantine_days
            app.state.explanations = Explanations(
                used.metrics_url, credential=used.service_credential("activities")
            )
            app.state.reconciling = asyncio.Semaphore(reconciliation_routes.AT_ONCE)
            app.state.door = Door(intake, log, rights, growth.catch_up)
            app.state.xapi = Statements(pool, app.state.door, catalogue, pseudonyms, now)
            openapi.install(app, catalogue)
            await log.start()
            watch_pool("activities", pool)
            try:
                async with (
                    looking("log", Watch(pool, used.quarantine_rows).look),
                    # The intake says it, too; but who would say that no intake lives?
                    looking("intake", IntakeWatch(pool, now).look),
                    rights.running(pool),
                ):
                    with told_to_stop() as app.state.stopping:
                        yield
            finally:
                await log.stop()
                await app.state.explanations.close()
        finally:
            await issuers.aclose()
            await pool.close()
            telemetry.shutdown()

    app = FastAPI(
        title="hocvuso activities", version="1", lifespan=lifespan, telemetry=NATIVE_OFF,
        docs_url=None, redoc_url=None,
    )  # fmt: skip
    api_reference.install(app)
    problems.install(app)
    app.add_middleware(RequestGuard, keys=(attempts.limited, key_routes.authenticated))
    app.add_middleware(HttpSemantics)
    app.add_middleware(EventsFirst)
    app.add_middleware(ServerSpans)
    for router in (
        health.router,
        instance.router,
        ingest_routes.router,
        stream_routes.router,
        receipt_routes.router,
        feed_routes.router,
        catalogue_routes.router,
        key_routes.router,
        clients.router,
        invitation_routes.router,
        session_routes.router,
        quota_routes.router,
        audit_routes.router,
        checklist_routes.router,
        xapi_routes.router,
        xapi_partner_routes.router,
        kafka_routes.router,
        quarantine_routes.router,
        reconciliation_routes.router,
    ):
        app.include_router(router)
    openapi_document.install(app, nobody=OPEN.__contains__)
    app.add_route("/metrics", exposition.route, include_in_schema=False)
    return app
