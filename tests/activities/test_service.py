"""The whole service on a real database: positions, units, keys, and no raw identifier anywhere."""

import gc
import json
import logging
from pathlib import Path

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from services.activities.app import create_app
from services.activities.keys.store import ensure_admin_key
from services.activities.privacy import PseudonymKeyError
from services.activities.settings import ActivitiesSettings
from shared.clock import FixedClock
from tests.activities.fake import CCCD, PHONE, event
from tests.activities.granting import make_key
from tests.activities.nonsense import BAD
from tests.activities.posting import UNITS, send

Service = tuple[FastAPI, httpx.AsyncClient]


async def test_event_and_batch(service: Service, admin: str) -> None:
    _, client = service
    first = await send(client, admin, event())
    assert (first["status"], first["position"]) == ("accepted", len(UNITS) + 1)
    batch = [event(), event(subject="24199"), event(id="2"), event(id="3", subject="99999")]
    found = await send(client, admin, batch)
    assert [r["status"] for r in found["results"]] == [
        "duplicate",
        "rejected",
        "accepted",
        "rejected",
    ]
    assert [r["problem"]["code"] for r in found["results"] if "problem" in r] == [
        "event-conflict",
        "unit-unknown",
    ]
    assert found["results"][2]["position"] == first["position"] + 1
    again = await send(client, admin, [event(id="4"), event(id="5", subject="1")], atomic="true")
    assert again["accepted"] == 0
    assert (await send(client, admin, event(id="4")))["position"] == first["position"] + 2


async def test_keys(service: Service, admin: str) -> None:
    app, client = service
    police = await make_key(client, admin, name="cong-an", roles=["police"], subtree="66@2025",
                            sources=["https://congan.daklak.example/"])  # fmt: skip
    sent = {"Authorization": f"Bearer {police}"}
    self = (await client.get("/v1/keys/self", headers=sent)).json()
    assert (self["name"], self["roles"], self["subtree"]) == ("cong-an", ["police"], "66@2025")
    assert (await send(client, police, event()))["status"] == "accepted"
    assert (await send(client, police, event(id="2", subject="75")))["code"] == "unit-outside-key"
    for path, method in (
        ("/v1/keys", "GET"),
        ("/v1/keys", "POST"),
        (f"/v1/keys/{self['prefix']}", "DELETE"),
    ):
        answer = await client.request(
            method, path, headers=sent, json={"name": "aa", "roles": ["police"]}
        )
        assert (answer.status_code, answer.json()["code"]) == (403, "administrator-only")
    as_admin = {"Authorization": f"Bearer {admin}"}
    await app.state.keys.rights.write(app.state.pool)
    listed = await client.get("/v1/keys", headers=as_admin)
    assert police not in listed.text and admin not in listed.text
    assert {k["name"]: k["last_used"] for k in listed.json()}["cong-an"] == "2026-07-01T08:00:00Z"
    answer = await client.delete(f"/v1/keys/{self['prefix']}", headers=as_admin)
    assert answer.status_code == 204
    assert (await send(client, police, event(id="3")))["code"] == "key-wrong"
    last = await client.delete(f"/v1/keys/{admin.split('_')[1]}", headers=as_admin)
    assert (last.status_code, last.json()["code"]) == (409, "last-administrator")
    for order, code in (
        ({"name": "aa", "roles": ["polcie"]}, "role-unknown"),
        ({"name": "aa", "roles": ["police"], "types": ["citizen.*", "no.such"]}, "type-unknown"),
        ({"name": "A A", "roles": ["police"]}, "invalid-parameter"),
    ):
        answer = await client.post("/v1/keys", json=order, headers=as_admin)
        assert (answer.status_code, answer.json()["code"]) == (422, code)
    expired = await make_key(
        client, admin, name="old", roles=["police"], expires_at="2026-06-30T00:00:00Z"
    )
    assert (await send(client, expired, event(id="4")))["code"] == "key-wrong"


async def test_admin_key_is_made_once_and_kept(
    service: Service, admin: str, tmp_path: Path
) -> None:
    app, _ = service
    path = tmp_path / "admin.key"
    assert path.stat().st_mode & 0o777 == 0o600
    async with app.state.pool.acquire() as connection:
        await ensure_admin_key(connection, path)
        assert path.read_text().strip() == admin
        path.write_text("something else")
        await ensure_admin_key(connection, path)
    assert path.read_text().strip() != admin
    assert path.with_name("admin.key.old").read_text() == "something else"


async def test_another_pseudonym_key_does_not_start(
    service: Service, settings: ActivitiesSettings, clock: FixedClock
) -> None:
    assert settings.pseudonym_key_file is not None
    settings.pseudonym_key_file.write_text("ff" * 32)
    app = create_app(settings, clock)
    with pytest.raises(PseudonymKeyError, match="another pseudonym key"):
        async with app.router.lifespan_context(app):
            pass


async def test_no_raw_identifier_anywhere(
    service: Service, admin: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Post good and bad events with numbers in every place; then read all that was kept or said."""
    app, client = service
    caplog.set_level(logging.DEBUG)
    person = {"scheme": "phone", "value": PHONE}
    told = [await send(client, admin, raw) for raw in BAD.values()]
    told.append(
        await send(
            client, admin, [event(), event(data={**event()["data"], "person": person}, id="p")]
        )
    )
    told.append(await send(client, admin, event(id="l", type="vn.hocvuso.person.linked",
                data={"person": person, "same_as": event()["data"]["person"]})))  # fmt: skip
    told.append(await send(client, admin, event(id="c", type="vn.hocvuso.event.corrected", data={
        "corrects": {"source": event()["source"], "id": event()["id"]}, "reason": "nhầm",
        "changes": {"data": {"person": person}}})))  # fmt: skip
    assert [t.get("status") for t in told[-2:]] == ["accepted", "accepted"], told[-2:]
    told.append((await client.get("/v1/log")).text)
    connection: asyncpg.Connection = await app.state.pool.acquire()
    kept = []
    for table in await connection.fetch(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'activities'"
    ):
        rows = await connection.fetch(f"SELECT t::text FROM activities.{table[0]} t")
        kept += [row[0] for row in rows]
    await app.state.pool.release(connection)
    everything = json.dumps(told, ensure_ascii=False) + "\n".join(kept) + caplog.text
    assert "cccd:" in everything and "phone:" in everything
    for secret in (CCCD, PHONE, PHONE[1:], "０６６０９９", "0912 345"):
        assert secret not in everything


async def test_health(service: Service) -> None:
    _, client = service
    assert (await client.get("/health/live")).status_code == 200
    assert (await client.get("/health/ready")).json() == {"status": "ready"}


async def test_the_service_is_calm_about_garbage(default_collector: None, service: object) -> None:
    """Full collections under load held answers up for 100 to 300 ms."""
    assert gc.get_threshold()[0] >= 100_000
