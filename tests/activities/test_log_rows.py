"""`POST /v1/log/rows`: some rows of the log and the whole present truth of their events."""

from pathlib import Path

import httpx
from fastapi import FastAPI

from services.activities.keys.store import ensure_service_keys
from shared.lane_consumer import LogReader
from tests.activities.fake import event
from tests.activities.posting import UNITS, send

Service = tuple[FastAPI, httpx.AsyncClient]


async def test_rows_of_events(service: Service, admin: str, tmp_path: Path) -> None:
    app, client = service
    first = len(UNITS) + 1
    for number in range(3):
        await send(client, admin, event(id=str(number)))
    revoke = {"revokes": {"source": event()["source"], "id": "1"}, "reason": "nhầm"}
    await send(client, admin, event(id="r", type="vn.hocvuso.event.revoked", data=revoke))
    async with app.state.pool.acquire() as connection:
        await ensure_service_keys(connection, tmp_path)
    key = (tmp_path / "metrics" / "service.key").read_text().strip()
    client.headers["authorization"] = f"Bearer {key}"
    reader, end = LogReader(client), first + 3

    async def rows(*positions: int, through: int = end) -> list[tuple[int, int, int, bool]]:
        found = await reader.rows_of(list(positions), through)
        return [(r.position, r.origin, r.revision, r.void) for r in found]

    revoked = [(first + 1, first + 1, 0, False), (end, first + 1, 1, True)]
    assert await rows(first + 2) == [(first + 2, first + 2, 0, False)]
    assert await rows(first + 1) == revoked
    assert await rows(end) == revoked
    assert await rows(first + 1, end) == revoked
    assert await rows(first + 1, through=first + 2) == revoked[:1]
    assert await rows(end + 1) == await rows() == []
    client.headers["authorization"] = f"Bearer {admin}"
    for body in ({"positions": [-1], "through": 1}, {"positions": [1] * 1_001, "through": 1}, {}):
        answer = await client.post("/v1/log/rows", json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid-parameter")
    made = await client.post("/v1/keys", json={"name": "partner", "roles": ["police"]})
    client.headers["authorization"] = f"Bearer {made.json()['key']}"
    answer = await client.post("/v1/log/rows", json={"positions": [1], "through": 1})
    assert (answer.status_code, answer.json()["code"]) == (403, "scope-missing")
