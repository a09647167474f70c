"""A key is replaced by another with the same rights while both work for a while."""

from datetime import timedelta
from typing import Any

import pytest

from services.activities.keys.files import ensure_admin_key
from shared.clock import FixedClock
from tests.activities.fake import event
from tests.activities.posting import send
from tests.keys.conftest import Api
from tests.keys.orders import ORDER


async def test_both_keys_work_until_the_overlap_is_over(api: Api, clock: FixedClock) -> None:
    old = await api("POST", "/v1/keys", ORDER)
    new = await api("POST", f"/v1/keys/{old['prefix']}/rotate", {"overlap": "2h"})
    rights = [await api.with_key(k["key"])("GET", "/v1/keys/self") for k in (old, new)]
    for found in rights:
        found.pop("prefix")
    assert rights[0].pop("expires_at") == "2026-07-01T10:00:00Z"
    assert rights[1].pop("expires_at") == ORDER["expires_at"]
    assert rights[0] == rights[1]
    assert {n: rights[1][n] for n in ORDER if n != "expires_at"} == {
        n: v for n, v in ORDER.items() if n != "expires_at"
    }
    for number, key in enumerate((old, new)):
        answer = await send(api.client, key["key"], event(id=str(number)))
        assert answer["status"] == "accepted"
    assert (await api("GET", f"/v1/keys/{old['prefix']}"))["rotated_to"] == new["prefix"]
    clock.at += timedelta(hours=2)
    assert (await send(api.client, old["key"], event(id="3")))["code"] == "key-wrong"
    assert (await send(api.client, new["key"], event(id="3")))["status"] == "accepted"
    again = await api("POST", f"/v1/keys/{new['prefix']}/rotate", {"overlap": "0s"})
    assert (await send(api.client, new["key"], event(id="4")))["code"] == "key-wrong"
    assert (await send(api.client, again["key"], event(id="4")))["status"] == "accepted"


async def test_an_overlap_never_outlives_the_key(api: Api) -> None:
    soon = await api("POST", "/v1/keys", {**ORDER, "expires_at": "2026-07-01T09:00:00Z"})
    await api("POST", f"/v1/keys/{soon['prefix']}/rotate")
    found = await api("GET", f"/v1/keys/{soon['prefix']}")
    assert found["expires_at"] == "2026-07-01T09:00:00Z"


async def test_what_cannot_be_rotated(api: Api, clock: FixedClock) -> None:
    async def code(prefix: str, **body: Any) -> str:
        return str((await api("POST", f"/v1/keys/{prefix}/rotate", body)).get("code"))

    made = await api("POST", "/v1/keys", ORDER)
    assert await code("00000000") == "key-unknown"
    assert await code(made["prefix"], overlap="91d") == "overlap-too-long"
    assert await code(made["prefix"], overlap="-1d") == "invalid-parameter"
    partner = api.with_key(made["key"])
    refused = await partner("POST", f"/v1/keys/{made['prefix']}/rotate")
    assert refused["code"] == "administrator-only"
    await api("POST", f"/v1/keys/{made['prefix']}/rotate")
    assert await code(made["prefix"]) == "key-rotated-already"
    other = await api("POST", "/v1/keys", ORDER)
    await api("DELETE", f"/v1/keys/{other['prefix']}")
    assert await code(other["prefix"]) == "key-ended"
    late = await api("POST", "/v1/keys", {**ORDER, "expires_at": "2026-07-01T09:00:00Z"})
    clock.at += timedelta(hours=1)
    assert await code(late["prefix"]) == "key-ended"


async def test_migrate_replaces_a_rotated_administrators_key_that_ended(
    api: Api, service: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "admin.key"
    new = await api("POST", f"/v1/keys/{api.key.split('_')[1]}/rotate", {"overlap": "0s"})
    assert "prefix" in new
    async with service[0].state.pool.acquire() as connection:
        await ensure_admin_key(connection, path)
    assert path.read_text().strip() != api.key


async def test_no_secret_is_kept_or_listed(api: Api, service: Any) -> None:
    made = await api("POST", "/v1/keys", ORDER)
    new = await api("POST", f"/v1/keys/{made['prefix']}/rotate")
    told = str([await api("GET", "/v1/keys"), await api("GET", "/v1/audit")])
    async with service[0].state.pool.acquire() as connection:
        for table in await connection.fetch(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'activities'"
        ):
            rows = await connection.fetch(f"SELECT t::text FROM activities.{table[0]} t")
            told += "".join(row[0] for row in rows)
    assert made["prefix"] in told
    for key in (made["key"], new["key"], api.key):
        assert key.split("_", 2)[2] not in told
