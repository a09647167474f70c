"""Quotas on the real service: all paths, several processes, a stream that waits."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.activities.app import create_app
from services.activities.ingest.door import Path
from services.activities.settings import ActivitiesSettings
from shared.clock import FixedClock
from shared.problems import Problem
from tests.activities.fake import event
from tests.activities.posting import send
from tests.keys.conftest import Api


async def partner(api: Api, name: str = "telecom", **quota: Any) -> str:
    every = ["events:write", "events:stream"]
    made = await api("POST", "/v1/keys", {"name": name, "roles": ["police"], "scopes": every})
    assert (await api("PUT", f"/v1/quotas/{name}", quota))["partner"] == name
    return str(made["key"])


def events(first: int, count: int) -> list[Any]:
    return [event(id=str(n)) for n in range(first, first + count)]


@pytest.mark.security("API4", "V2.3.2", "V2.4.1")
async def test_over_quota_is_429_with_headers_and_nothing_is_taken(
    api: Api, clock: FixedClock
) -> None:
    key = await partner(api, per_minute=10)
    assert (await send(api.client, key, events(0, 8)))["accepted"] == 8
    answer = await api.with_key(key).ask(
        "POST",
        "/v1/events",
        content=json.dumps(events(8, 3)),
        headers={"Content-Type": "application/cloudevents-batch+json"},
    )
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (429, "quota-exceeded")
    assert (problem["quota"], problem["limit"], problem["left"]) == ("minute", 10, 2)
    assert problem["retryable"] is True
    after = int(answer.headers["retry-after"])
    assert answer.headers["ratelimit-policy"] == '"minute";q=10;w=60'
    assert answer.headers["ratelimit"] == f'"minute";r=2;t={after}'
    assert (await send(api.client, key, events(8, 2)))["accepted"] == 2
    self = await api.with_key(key)("GET", "/v1/keys/self")
    assert self["quota"] == {
        "per_minute": 10, "per_day": None, "left_this_minute": 0, "left_today": None
    }  # fmt: skip
    assert (await send(api.client, key, event(id="10")))["code"] == "quota-exceeded"
    clock.at += timedelta(seconds=120)
    assert (await send(api.client, key, event(id="10")))["status"] == "accepted"
    uses = await api("GET", f"/v1/audit/uses/{key.split('_')[1]}")
    rest = {u["outcome"]: u["times"] for u in uses if u["path"] == "rest"}
    assert rest == {"accepted": 11, "over_quota": 4}


async def test_keys_of_one_partner_share_and_every_path_counts(api: Api, service: Any) -> None:
    key = await partner(api, per_minute=10)
    other = await api("POST", "/v1/keys", {"name": "telecom", "roles": ["police"]})
    door, keys = service[0].state.door, service[0].state.keys
    mine = await keys.authenticate(f"Bearer {key}")
    raw = [json.dumps(e).encode() for e in events(0, 4)]
    for path in (Path.STREAM, Path.XAPI):
        await door.take(raw, mine, path, traceparent=None)
    assert (await send(api.client, other["key"], events(4, 3)))["code"] == "quota-exceeded"
    assert (await send(api.client, other["key"], events(4, 2)))["accepted"] == 2
    for path in (Path.KAFKA, Path.XAPI, Path.REST):
        with pytest.raises(Problem, match="quota-exceeded"):
            await door.take(raw[:1], mine, path, traceparent=None)


async def test_a_stream_waits_for_the_minute(api: Api, clock: FixedClock, service: Any) -> None:
    key = await partner(api, per_minute=10)
    body = b"".join(json.dumps(e).encode() + b"\n" for e in events(0, 25))

    async def later() -> None:
        for _ in range(40):
            await asyncio.sleep(0.1)
            clock.at += timedelta(seconds=10)

    moving = asyncio.create_task(later())
    answer = await api.with_key(key).ask(
        "PUT", "/v1/streams/s", content=body, headers={"Content-Type": "application/x-ndjson"}
    )
    moving.cancel()
    closing = json.loads(answer.text.splitlines()[-1])
    assert (closing["done"], closing["accepted"], closing["committed"]) == (True, 25, 25)


async def test_an_intake_whose_batches_are_larger_than_a_minute_gets_through(
    api: Api, clock: FixedClock, service: Any
) -> None:
    key = await partner(api, per_minute=10)
    mine = await service[0].state.keys.authenticate(f"Bearer {key}")
    raw = [json.dumps(e).encode() for e in events(0, 25)]
    door = service[0].state.door
    taking = asyncio.create_task(door.take(raw, mine, Path.KAFKA, traceparent=None))
    async with asyncio.timeout(60):
        while not taking.done():
            await asyncio.sleep(0.1)
            clock.at += timedelta(seconds=10)
    assert [r.status.value for r in taking.result()] == ["accepted"] * 25
    with pytest.raises(Problem, match="quota-exceeded") as refused:
        await door.take(raw[:10], mine, Path.KAFKA, traceparent=None)
    assert refused.value.retryable


async def test_a_stream_ends_with_the_days_quota(api: Api) -> None:
    key = await partner(api, per_day=1_000)
    body = b"".join(json.dumps(e).encode() + b"\n" for e in events(0, 1_200))
    answer = await api.with_key(key).ask(
        "PUT", "/v1/streams/s", content=body, headers={"Content-Type": "application/x-ndjson"}
    )
    closing = json.loads(answer.text.splitlines()[-1])
    assert (closing["done"], closing["committed"]) == (False, 1_000)
    assert closing["problem"]["code"] == "quota-exceeded"


async def test_processes_learn_of_each_other(
    api: Api, service: Any, settings: ActivitiesSettings, clock: FixedClock
) -> None:
    key = await partner(api, per_minute=10, per_day=1_000)
    second = create_app(settings, clock)
    async with second.router.lifespan_context(second):
        transport = httpx.ASGITransport(second)
        async with httpx.AsyncClient(transport=transport, base_url="http://activities") as client:
            assert (await send(client, key, events(0, 6)))["accepted"] == 6
            for app in (second, service[0]):
                await app.state.keys.rights.write(app.state.pool)
            assert (await send(api.client, key, events(6, 5)))["code"] == "quota-exceeded"
            assert (await send(api.client, key, events(6, 4)))["accepted"] == 4
            for app in (service[0], second):
                await app.state.keys.rights.write(app.state.pool)
            assert (await send(client, key, event(id="11")))["code"] == "quota-exceeded"
    async with second.router.lifespan_context(second):
        state = second.state.keys.rights.quotas.state("telecom")
        assert (state["left_this_minute"], state["left_today"]) == (0, 990)


async def test_overload_is_503_and_costs_no_quota(
    api: Api, service: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await partner(api, per_minute=10)

    async def overloaded(*_: Any, **__: Any) -> Any:
        raise Problem("overloaded", "x", status=503, retryable=True, retry_after=1)

    with monkeypatch.context() as patched:
        patched.setattr(service[0].state.door._log, "submit", overloaded)
        for _ in range(3):
            assert (await send(api.client, key, events(0, 10)))["code"] == "overloaded"
    assert (await send(api.client, key, events(0, 10)))["accepted"] == 10


async def test_quotas_are_set_by_the_administrator_alone(api: Api) -> None:
    key = await partner(api, per_minute=10)
    assert (await api.with_key(key)("PUT", "/v1/quotas/telecom", {}))[
        "code"
    ] == "administrator-only"
    for name, body, code in (
        ("telecom", {"per_minute": 0}, "invalid-parameter"),
        ("telecom", {"per_day": 999}, "invalid-parameter"),
        ("A B", {}, "partner-malformed"),
    ):
        assert (await api("PUT", f"/v1/quotas/{name}", body))["code"] == code
    assert [q["partner"] for q in await api("GET", "/v1/quotas")] == ["telecom"]
    await api("PUT", "/v1/quotas/telecom", {})
    assert await api("GET", "/v1/quotas") == []
    assert (await send(api.client, key, events(0, 20)))["accepted"] == 20
