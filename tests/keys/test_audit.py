"""Every act and every use is on record, append-only, without secrets or whole addresses."""

from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from services.activities.app import create_app
from services.activities.keys import audit
from services.activities.keys.uses import MOST_NETWORKS, Uses, network
from services.activities.settings import ActivitiesSettings
from shared.clock import FixedClock
from tests.activities.fake import event
from tests.activities.posting import send
from tests.keys.conftest import Api


async def test_acts_are_listed_newest_first_and_filtered(api: Api, clock: FixedClock) -> None:
    made = await api("POST", "/v1/keys", {"name": "so-tttt", "roles": ["department"]})
    clock.at += timedelta(hours=1)
    new = await api("POST", f"/v1/keys/{made['prefix']}/rotate")
    await api("PUT", "/v1/quotas/so-tttt", {"per_minute": 5})
    await api("DELETE", f"/v1/keys/{new['prefix']}")
    await api("DELETE", f"/v1/keys/{new['prefix']}")  # has no effect the second time

    async def actions(**asked: Any) -> list[str]:
        page = await api("GET", "/v1/audit", params=asked)
        return [act["action"] for act in page["acts"]]

    every = ["key.revoked", "quota.set", "key.rotated", "key.created"]
    assert await actions() == every
    assert await actions(action="key") == [every[0], *every[2:]]
    assert await actions(action="quota.set", about="so-tttt") == ["quota.set"]
    assert await actions(about=made["prefix"]) == ["key.rotated", "key.created"]
    assert await actions(by="administrator") == every and await actions(by="nobody") == []
    assert await actions(until="2026-07-01T08:30:00Z") == ["key.created"]
    page = await api("GET", "/v1/audit", params={"limit": 3})
    rest = await api("GET", "/v1/audit", params={"limit": 3, "before": page["next"]})
    assert [a["action"] for a in (*page["acts"], *rest["acts"])] == every
    assert (len(page["acts"]), rest["next"]) == (3, None)
    created = rest["acts"][-1]
    assert created["detail"]["roles"] == ["department"]
    assert (created["by_prefix"], created["about"]) == (api.key.split("_")[1], made["prefix"])
    refused = await api.with_key(made["key"])("GET", "/v1/audit")
    assert refused["code"] == "administrator-only"


@pytest.mark.security("V16.4.2")
async def test_an_act_stands_and_falls_with_its_transaction(api: Api, service: Any) -> None:
    pool: asyncpg.Pool = service[0].state.pool
    key = await service[0].state.keys.authenticate(f"Bearer {api.key}")
    async with pool.acquire() as connection:
        with pytest.raises(ZeroDivisionError):
            async with connection.transaction():
                await audit.record(connection, key, "quarantine.replayed", {"number": 1})
                raise ZeroDivisionError
        async with connection.transaction():
            await audit.record(connection, key, "quarantine.dismissed", {"n": 1}, about="1")
    page = await api("GET", "/v1/audit", params={"action": "quarantine"})
    assert [act["action"] for act in page["acts"]] == ["quarantine.dismissed"]
    for change in ("UPDATE audit SET action = 'x'", "DELETE FROM audit", "TRUNCATE audit"):
        with pytest.raises(asyncpg.RaiseError, match="append-only"):
            await pool.execute(change)


@pytest.mark.security("V16.3.2")
async def test_every_use_is_counted_by_path_and_outcome(api: Api) -> None:
    made = await api(
        "POST", "/v1/keys", {"name": "pp", "roles": ["commune"], "scopes": ["events:write"]}
    )
    key = api.with_key(made["key"])
    batch = [
        event(type="vn.hocvuso.festival.held", data={"participants": 3}, id="1"),
        event(type="vn.hocvuso.festival.held", data={"participants": 3}, id="1"),
        event(type="vn.hocvuso.festival.held", data={"participants": 3}, id="2", subject="99999"),
        event(id="3"),
    ]
    statuses = [r["status"] for r in (await send(api.client, made["key"], batch))["results"]]
    assert statuses == ["accepted", "duplicate", "rejected", "rejected"]
    await send(api.client, made["key"], batch[0] | {"id": "9"}, dry_run="true")
    await key("GET", "/v1/keys/self")
    assert (await key("GET", "/v1/log"))["code"] == "scope-missing"
    assert (await key("GET", "/v1/keys"))["code"] == "administrator-only"
    assert (await key("GET", "/v1/streams/s"))["code"] == "scope-missing"
    uses = await api("GET", f"/v1/audit/uses/{made['prefix']}")
    assert {(u["path"], u["outcome"]): u["times"] for u in uses} == {
        ("rest", "accepted"): 1,
        ("rest", "duplicate"): 1,
        ("rest", "rejected"): 1,
        ("rest", "denied"): 1,
        ("rest", "request"): 1,
        ("GET /v1/keys/self", "request"): 1,
        ("GET /v1/log", "request"): 1,
        ("GET /v1/keys", "request"): 1,
        ("GET /v1/streams/{name}", "request"): 1,
        ("log:read", "denied"): 1,
        ("administrator", "denied"): 1,
        ("events:stream", "denied"): 1,
    }
    listed = await api("GET", f"/v1/keys/{made['prefix']}")
    assert (listed["last_used"], listed["last_path"]) == ("2026-07-01T08:00:00Z", "events:stream")
    await send(api.client, made["key"], batch[0])
    await api("GET", f"/v1/audit/uses/{made['prefix']}")
    assert (await api("GET", f"/v1/keys/{made['prefix']}"))["last_path"] == "rest"


async def test_uses_are_written_when_the_process_stops(
    api: Api, service: Any, settings: ActivitiesSettings, clock: FixedClock
) -> None:
    second = create_app(settings, clock)
    async with second.router.lifespan_context(second):
        transport = httpx.ASGITransport(second)
        async with httpx.AsyncClient(transport=transport, base_url="http://activities") as client:
            await send(client, api.key, event(id="x"))
            await send(client, "hv_00000000_wrong", event(id="x"))
    pool = service[0].state.pool
    assert await pool.fetchval("SELECT times FROM key_use WHERE outcome = 'accepted' AND path = 'rest' AND prefix = $1", api.key.split("_")[1]) == 1  # fmt: skip
    assert await pool.fetchval("SELECT sum(times) FROM refused_use") == 1


@pytest.mark.security("V16.3.1", "V16.3.3")
async def test_refused_requests_by_network(api: Api, clock: FixedClock) -> None:
    made = await api("POST", "/v1/keys", {"name": "pp", "roles": ["commune"]})
    await api("DELETE", f"/v1/keys/{made['prefix']}")
    for key in (made["key"], made["key"], "hv_00000000_wrong", "nonsense"):
        await send(api.client, key, event())
    found = await api("GET", "/v1/audit/refused")
    assert {(r["code"], r["prefix"], r["network"]): r["times"] for r in found} == {
        ("key-wrong", made["prefix"], "127.0.0.0/24"): 2,
        ("key-wrong", None, "127.0.0.0/24"): 1,
        ("key-malformed", None, "127.0.0.0/24"): 1,
    }


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:aa:bb:cc:dd:ee:ff", "2001:db8:aa::/48"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("testclient", "unknown"),
        (None, "unknown"),
    ],
)
def test_no_whole_address_is_kept(address: str | None, expected: str) -> None:
    assert network(address) == expected


def test_the_books_stay_small_under_attack(clock: FixedClock) -> None:
    uses = Uses(clock)
    for number in range(3 * MOST_NETWORKS):
        uses.note_refused(f"2001:db8:{number:x}::1", "key-wrong")
    assert len(uses._refused) == MOST_NETWORKS + 1
    assert sum(uses._refused.values()) == 3 * MOST_NETWORKS


async def test_uses_survive_a_database_that_does_not_answer(
    api: Api, service: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rights, pool = service[0].state.keys.rights, service[0].state.pool
    await rights.write(pool)
    rights.uses.note("zz", "rest", "accepted", 3)

    async def broken(*_: Any) -> None:
        raise OSError

    with monkeypatch.context() as patched:
        patched.setattr(rights.uses, "_write", broken)
        with pytest.raises(OSError):
            await rights.write(pool)
    rights.uses.note("zz", "rest", "accepted", 2)
    uses = await api("GET", "/v1/audit/uses/zz")
    assert [(u["outcome"], u["times"]) for u in uses] == [("accepted", 5)]
