"""Every type's example, minimal and maximal event is explained: no failure, nothing that stays
"ask later", and each answer is about that very event."""

from datetime import datetime

import asyncpg
import httpx

from services.metrics.app import create_app
from services.metrics.explaining.explain import Explainer
from services.metrics.projecting.projection import MetricsProjection
from services.metrics.settings import MetricsSettings
from shared.clock import VIETNAM, FixedClock
from shared.contracts.definitions import Catalogue
from shared.contracts.record import LANES
from shared.lane_consumer import LaneConsumer
from tests import every_type
from tests.metrics import credentials
from tests.metrics.memory_log import MemoryLog
from tests.metrics.smoke import a_province

CLOCK = FixedClock(datetime(2026, 12, 20, 9, tzinfo=VIETNAM))


async def test_each_is_explained(pool: asyncpg.Pool, database: str, catalogue: Catalogue) -> None:
    log = MemoryLog(catalogue)
    a_province(log)
    made = {}
    for one in every_type.every():
        data = dict(one.candidate.data)
        if one.type in ("plan.published", "plan.amended"):
            data["plan"] = f"made-up-{one.kind}"  # the real plan is what the others count for
            if "document" in data:
                data["document"] = {**data["document"], "id": data["plan"]}
        day = one.candidate.occurred
        made[log.post(one.type, "24133@2025", day, CLOCK.today(), data)] = one
    projection = MetricsProjection(pool, "w", catalogue)
    await projection.begin(frozenset(range(LANES)))
    await LaneConsumer(projection, log, "unused:1", "test").catch_up(  # type: ignore[arg-type]
        list(range(LANES))
    )
    app = create_app(
        MetricsSettings(metrics_database_url=database), CLOCK, activities=credentials.transport()
    )
    async with app.router.lifespan_context(app):
        app.state.reader = log
        app.state.explainer = Explainer(pool, app.state.definitions, log, CLOCK)  # type: ignore[arg-type]
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://metrics", headers=credentials.SERVICE
        ) as client:
            brief = await client.post("/v1/explanations", json={"positions": list(made)})
            assert brief.status_code == 200, brief.text
            states = {one["position"]: one for one in brief.json()["results"]}
            for position, one in made.items():
                named = (one.type, one.kind)
                answer = await client.get(f"/v1/events/{position}")
                assert answer.status_code == 200, (named, answer.text)
                said = answer.json()
                assert said["type"] == one.type and said["unit_id"] == "24133@2025", named
                assert said["state"] == states[position]["state"] != "not_yet", (named, said)
                assert said["state"] not in ("parked", "dismissed"), (named, said)
                definition = catalogue[one.type].lane == "definition"
                assert (said["state"] == "definition") is definition, (named, said)
                if said["state"] not in ("counted", "counted_by_another_event"):
                    assert said["code"] and said["reason"], named
                else:
                    assert said["objectives"], named
