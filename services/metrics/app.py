"""Composition root of metrics' API: `uvicorn services.metrics.app:create_app --factory`."""

import contextlib
from collections.abc import AsyncIterator
from datetime import date
from typing import Annotated, Any

import httpx
import msgspec
from fastapi import FastAPI, Query, Request
from fastapi.responses import Response

from services.metrics import explanations, why_routes
from services.metrics.compile import check, compile_plan
from services.metrics.explain import Explainer
from services.metrics.moments import DefinitionsStore, Moments
from services.metrics.query import Cells
from services.metrics.settings import MetricsSettings
from services.metrics.watch import Watch
from services.metrics.watch_plans import EVERY_SECONDS, PlanWatch
from shared import exposition, problems, telemetry
from shared.clock import Clock, clock_from_environment
from shared.contracts.definitions import Catalogue
from shared.db import connect_pool
from shared.http_spans import NATIVE_OFF, ServerSpans
from shared.instruments import watch_pool
from shared.lane_consumer import LogReader
from shared.looks import looking
from shared.problems import Problem

_encode = msgspec.json.Encoder().encode


def create_app(settings: MetricsSettings | None = None, clock: Clock | None = None) -> FastAPI:
    """The service, ready to run; nothing is connected before its lifespan starts."""
    telemetry.setup("hocvuso-metrics")

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        used = settings or MetricsSettings()
        now = clock or clock_from_environment()
        catalogue = Catalogue.load()
        pool = await connect_pool(used.metrics_database_url, "metrics")
        client = httpx.AsyncClient(
            base_url=used.activities_url,
            headers=used.service_headers(),
            timeout=10,
            trust_env=False,
        )
        definitions = DefinitionsStore(catalogue)
        app.state.pool = pool
        app.state.clock = now
        app.state.catalogue = catalogue
        reader = LogReader(client)
        app.state.definitions = definitions
        app.state.explainer = Explainer(pool, definitions, reader, now)
        app.state.moments = Moments(pool, definitions, now)
        app.state.cells = Cells(app.state.moments)
        app.state.reader = reader
        watch_pool("metrics", pool)
        watch = Watch(pool, client)
        try:
            async with (
                looking("projection", watch.look),
                looking("lag", watch.look_at_log),
                looking("plans", PlanWatch(pool, definitions, now).look, EVERY_SECONDS),
            ):
                yield
        finally:
            await client.aclose()
            await pool.close()
            telemetry.shutdown()

    app = FastAPI(title="hocvuso metrics", version="1", lifespan=lifespan, telemetry=NATIVE_OFF)
    problems.install(app)
    app.add_middleware(ServerSpans)
    _add_routes(app)
    app.include_router(explanations.router)
    app.include_router(why_routes.router)
    return app


def _add_routes(app: FastAPI) -> None:
    @app.get("/v1/cells", tags=["cells"])
    async def cells(
        request: Request,
        plan: str,
        unit: str | None = None,
        level: Annotated[
            str | None, Query(pattern="^(nation|province|district|commune|hamlet)$")
        ] = None,
        as_of: date | None = None,
        known_at: date | None = None,
        tree: str = "as_of",
    ) -> Response:
        """Every objective of a plan for a unit and the units of a level in it: what had happened
        by the end of `as_of`, as it had been recorded by the end of `known_at`."""
        answer = await request.app.state.cells.ask(plan, unit, level, as_of, known_at, tree)
        return _json(answer)

    @app.post("/v1/plans/check", tags=["plans"])
    async def check_plan(request: Request) -> Response:
        """Compile a plan before it is posted: errors by objective, and what it would need."""
        document = _document(await request.body())
        catalogue = request.app.state.catalogue
        errors = check(document, catalogue)
        objectives = compile_plan(document, catalogue)
        needed = {m.fingerprint() for o in objectives for m in o.measures()}
        known = {
            row["fingerprint"]
            for row in await request.app.state.pool.fetch(
                "SELECT fingerprint FROM measure WHERE state = 'live'"
            )
        }
        return _json(
            {
                "plan": document.get("id"),
                "ok": not errors,
                "errors": errors,
                "objectives": [
                    {
                        "id": o.id,
                        "state": "not_counted" if o.reason is not None else "counted",
                        "reason": o.reason,
                    }
                    for o in objectives
                ],
                "measures": len(needed),
                "new_measures": len(needed - known),
            }
        )

    @app.get("/health/live", tags=["health"])
    async def live() -> dict[str, str]:
        """200 as long as the process answers."""
        return {"status": "live"}

    @app.get("/health/ready", tags=["health"])
    async def ready(request: Request) -> dict[str, str]:
        """200 when the tables can be read; 503 with the reason otherwise."""
        try:
            await request.app.state.pool.fetchval("SELECT 1 FROM shown", timeout=2)
        except Exception as error:
            raise Problem(
                "indicators-unavailable",
                f"The database of metrics does not answer ({type(error).__name__}).",
                status=503,
                hint="Check PostgreSQL and HOCVUSO_METRICS_DATABASE_URL.",
                retryable=True,
                retry_after=2,
            ) from error
        return {"status": "ready"}

    app.add_route("/metrics", exposition.route, include_in_schema=False)


def _json(value: Any) -> Response:
    return Response(_encode(value), media_type="application/json")


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise Problem(
            "json-invalid",
            f"The body is no JSON: {error}.",
            status=400,
            hint="Send the plan document as JSON.",
        ) from error
    if not isinstance(document, dict) or not isinstance(document.get("objectives"), list):
        raise Problem(
            "plan-invalid",
            "The body is no plan document: it has no list of objectives.",
            hint="See plans/plan.schema.json.",
            pointer="/objectives",
        )
    return document
