"""What is parked, over the API: for administrators only, listed, retried, dismissed."""

from collections.abc import AsyncIterator
from datetime import datetime

import asyncpg
import httpx
import pytest

from services.metrics.app import create_app
from services.metrics.settings import MetricsSettings
from shared.clock import VIETNAM, FixedClock
from shared.contracts.definitions import Catalogue
from tests.metrics import credentials
from tests.metrics.memory_log import MemoryLog
from tests.metrics.parking import adults, certify, follow
from tests.metrics.worlds import know_measures

CLOCK = FixedClock(datetime(2026, 10, 7, 9, tzinfo=VIETNAM))
ADMIN = credentials.header("administrator")


@pytest.fixture
async def client(pool: asyncpg.Pool, database: str) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(
        MetricsSettings(metrics_database_url=database), CLOCK, activities=credentials.transport()
    )
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://metrics") as found:
            yield found


async def test_listed_retried_dismissed(
    client: httpx.AsyncClient, pool: asyncpg.Pool, catalogue: Catalogue
) -> None:
    await know_measures(pool)
    log = MemoryLog(catalogue)
    bad = certify(log, "bad", to="no day")
    later = certify(log, "bad")
    await follow(pool, catalogue, log)
    listed = (await client.get("/v1/parked", headers=ADMIN)).json()
    assert listed["total"] == 1
    (subject,) = listed["subjects"]
    assert (subject["position"], subject["rows"], subject["type"]) == (bad, 2, "citizen.certified")
    assert "subject" not in subject and "record" not in subject
    still = (await client.post(f"/v1/parked/{later}/retry", headers=ADMIN)).json()
    assert (still["counted"], still["position"]) == (False, bad) and "ValueError" in still[
        "problem"
    ]
    short = await client.post(f"/v1/parked/{bad}/dismiss", headers=ADMIN, json={"reason": ""})
    assert short.status_code == 422
    said = {"reason": "the poster sent nonsense"}
    gone = await client.post(f"/v1/parked/{bad}/dismiss", headers=ADMIN, json=said)
    assert gone.json() == {"position": bad, "dismissed": True}
    assert await adults(pool) is None
    done = (await client.post(f"/v1/parked/{later}/retry", headers=ADMIN)).json()
    assert done == {"position": later, "counted": True, "problem": None}
    assert await adults(pool) == 1
    assert (await client.get("/v1/parked", headers=ADMIN)).json() == {"subjects": [], "total": 0}
    assert await pool.fetchval("SELECT reason FROM dismissed") == said["reason"]
    again = await client.post(f"/v1/parked/{later}/retry", headers=ADMIN)
    assert (again.status_code, again.json()["code"]) == (404, "not-parked")


@pytest.mark.parametrize(
    ("header", "status", "code"),
    [
        ({}, 401, "key-missing"),
        ({"Authorization": "Bearer hv_aaaaaaaa_nobody"}, 401, "key-wrong"),
        ({"Authorization": "Bearer hv_aaaaaaaa_partner"}, 403, "administrator-only"),
        ({"Authorization": "Bearer hv_aaaaaaaa_broken"}, 503, "key-not-checkable"),
    ],
)
async def test_only_administrators(
    client: httpx.AsyncClient, header: dict[str, str], status: int, code: str
) -> None:
    for method, path in (
        ("GET", "/v1/parked"),
        ("POST", "/v1/parked/1/retry"),
        ("POST", "/v1/parked/1/dismiss"),
    ):
        body = {"reason": "because"} if path.endswith("dismiss") else None
        answer = await client.request(method, path, headers=header, json=body)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
