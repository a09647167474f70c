"""The quarantine over HTTP: seen by its partner only, mended, replayed, dismissed, forgotten."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from services.activities.keys.model import Key
from services.activities.quarantine import store
from services.activities.quarantine.replay import Replayer
from shared.clock import FixedClock
from shared.problems import Problem
from tests.activities.fake import CCCD, event
from tests.activities.granting import make_key
from tests.activities.posting import send, unit

Service = tuple[FastAPI, httpx.AsyncClient]
SOURCE = "https://congan.daklak.example/vneid"


@pytest.fixture
async def police(service: Service, admin: str) -> str:
    return await make_key(
        service[1], admin, name="cong-an", roles=["police"], sources=[SOURCE],
        scopes=["events:write", "quarantine:replay"],
    )  # fmt: skip


async def ask(client: httpx.AsyncClient, key: str, method: str, path: str, **how: Any) -> Any:
    answer = await client.request(
        method, f"/v1/quarantine{path}", headers={"Authorization": f"Bearer {key}"}, **how
    )
    return answer.status_code, answer.json() if answer.content else None


async def only(client: httpx.AsyncClient, key: str, state: str = "open") -> Any:
    _, page = await ask(client, key, "GET", "", params={"state": state})
    assert len(page["items"]) == 1, page
    return page["items"][0]


async def test_a_partner_sees_its_own_masked(service: Service, admin: str, police: str) -> None:
    _, client = service
    other = await make_key(client, admin, name="other", roles=["police"])
    await send(client, police, event(subject="99999"))
    await send(client, police, event(subject="99999"))
    found = await only(client, police)
    assert (found["code"], found["times"], found["path"]) == ("unit-unknown", 2, "rest")
    number = found["number"]
    status, one = await ask(client, police, "GET", f"/{number}")
    assert one["event"]["data"]["person"] == {"scheme": "cccd", "value": "***"}
    assert one["event"]["subject"] == "99999" and "$" not in json.dumps(one["event"])
    assert one["masked"] == [{"pointer": "/data/person/value", "replay": "kept"}]
    assert (await ask(client, admin, "GET", f"/{number}"))[0] == 200
    for path, method, body in (
        (f"/{number}", "GET", None),
        (f"/{number}/replay", "POST", None),
        (f"/{number}/dismiss", "POST", {"reason": "x"}),
        ("/999999", "GET", None),
    ):
        status, problem = await ask(client, other, method, path, json=body)
        wanted = (403, "scope-missing") if method == "POST" else (404, "quarantine-unknown")
        assert (status, problem["code"]) == wanted
    assert (await ask(client, other, "GET", ""))[1]["items"] == []
    replayer = await make_key(
        client, admin, name="other", roles=["police"], scopes=["quarantine:replay"]
    )
    assert (await ask(client, replayer, "POST", f"/{number}/replay"))[0] == 404
    for params in ({"since": "2026-01-01T00:00:00"}, {"state": "x"}, {"limit": 0}):
        status, problem = await ask(client, police, "GET", "", params=params)
        assert (status, problem["code"]) == (422, "invalid-parameter")


async def test_pages_and_filters(service: Service, admin: str) -> None:
    _, client = service
    await send(client, admin, [event(id=f"u{n}", subject="99999") for n in range(5)])
    await send(client, admin, b"nonsense")
    seen: list[int] = []
    cursor: dict[str, Any] = {}
    while True:
        _, page = await ask(client, admin, "GET", "", params={"limit": 2, **cursor})
        seen += [row["number"] for row in page["items"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert seen == sorted(seen, reverse=True) and len(set(seen)) == 6
    for params, count in (
        ({"code": "unit-unknown"}, 5), ({"source": SOURCE}, 5), ({"code": "json-invalid"}, 1),
        ({"type": "citizen.certified", "id": "u3"}, 1), ({"state": "resolved"}, 0),
        ({"since": "2026-07-01T08:00:00Z"}, 6), ({"since": "2026-07-01T08:00:01Z"}, 0),
        ({"partner": "nobody"}, 0),
    ):  # fmt: skip
        _, page = await ask(client, admin, "GET", "", params=params)
        assert len(page["items"]) == count, params


async def test_replayed_as_it_is_after_the_unit_came(
    service: Service, admin: str, police: str
) -> None:
    """Replayed once: the same person as if posted, and posting it again is a duplicate."""
    app, client = service
    posted = event(subject="24199")
    await send(client, police, posted)
    await send(client, police, event(id="x", subject="24199"))
    number = (await ask(client, police, "GET", "", params={"id": posted["id"]}))[1]["items"][0][
        "number"
    ]
    status, problem = await ask(client, police, "POST", f"/{number}/replay")
    assert (status, problem["code"], problem["number"]) == (422, "unit-unknown", number)
    status, one = await ask(client, police, "GET", f"/{number}")
    assert (one["replays"], one["replay_problem"]["code"], one["state"]) == (
        1, "unit-unknown", "open",
    )  # fmt: skip
    assert (await ask(client, police, "GET", "", params={"state": "all"}))[1]["items"][-1][
        "times"
    ] == 1
    await send(client, admin, unit("24199@2025", "Phường Mới", "ward", "66@2025"))
    status, page = await ask(
        client, police, "POST", "/replay", json={"code": "unit-unknown", "limit": 1}
    )
    assert (page["accepted"], page["rejected"]) == (1, 0) and page["next"] is not None
    status, page = await ask(
        client, police, "POST", "/replay", json={"code": "unit-unknown", "cursor": page["next"]}
    )
    assert (page["accepted"], page["next"], status) == (1, None, 200)
    assert (await send(client, police, posted))["status"] == "duplicate"
    row = await app.state.pool.fetchrow("SELECT * FROM log WHERE id = $1", posted["id"])
    assert row["partner"] == "cong-an"
    direct = await send(client, police, event(id="direct", subject="24199"))
    other = await app.state.pool.fetchrow(
        "SELECT * FROM log WHERE position = $1", direct["position"]
    )
    assert other["key"] == row["key"] and other["data"] == row["data"]
    status, problem = await ask(client, police, "POST", f"/{number}/replay")
    assert (status, problem["code"]) == (409, "quarantine-closed")
    status, one = await ask(client, police, "GET", f"/{number}")
    assert (one["state"], one["closed_by"], one["position"]) == (
        "resolved", "cong-an", row["position"],
    )  # fmt: skip


async def test_mended_and_posted_again_counts_once(
    service: Service, admin: str, police: str
) -> None:
    app, client = service
    bad = event(subject="99999", data={**event()["data"], "platform": "vnied", "ghi_chu": "a"})
    await send(client, police, bad)
    number = (await only(client, police))["number"]
    before = await app.state.pool.fetchval("SELECT count(*) FROM log")
    changes = {"subject": "24133", "data": {"platform": "vneid", "ghi_chu": None}}
    for how, status, code in (
        ({"json": {"changes": {"subject": "24133"}}}, 422, "masked-value-needed"),
        ({"json": {"changes": {**changes, "data": {"platform": "x", "ghi_chu": None}}}},
         422, "value-not-allowed"),
        ({"json": {"change": {}}}, 422, "changes-malformed"),
        ({"json": {"changes": [1]}}, 422, "changes-malformed"),
        ({"json": {"changes": {"data": {"person": {"$ref": "cccd:X"}}}}}, 422, "changes-malformed"),
        ({"content": b"{"}, 400, "json-invalid"),
    ):  # fmt: skip
        answer = await ask(client, police, "POST", f"/{number}/replay", **how)
        assert (answer[0], answer[1]["code"]) == (status, code), answer
    order = {"json": {"changes": changes}}
    dry = await ask(client, police, "POST", f"/{number}/replay", params={"dry_run": True}, **order)
    assert (dry[0], dry[1]["status"], dry[1]["position"]) == (200, "accepted", None)
    assert await app.state.pool.fetchval("SELECT count(*) FROM log") == before
    status, done = await ask(client, police, "POST", f"/{number}/replay", **order)
    assert (status, done["status"]) == (200, "accepted")
    mended = event(subject="24133")
    again = await send(client, police, mended)
    assert (again["status"], again["position"]) == ("duplicate", done["position"])
    other = event(subject="24133", data={**mended["data"], "age": 30})
    assert (await send(client, police, other))["code"] == "event-conflict"
    row = await app.state.pool.fetchrow(
        "SELECT * FROM book WHERE path = 'replay' AND partner = 'cong-an'"
    )
    assert (row["accepted"], row["first_position"]) == (1, done["position"])


async def test_a_malformed_person_must_be_given(service: Service, admin: str, police: str) -> None:
    app, client = service
    person = {"scheme": "cccd", "value": CCCD[1:]}
    await send(client, police, event(data={**event()["data"], "person": person}))
    found = await only(client, police)
    _, one = await ask(client, police, "GET", f"/{found['number']}")
    assert one["masked"] == [{"pointer": "/data/person/value", "replay": "needed"}]
    path = f"/{found['number']}/replay"
    status, problem = await ask(client, police, "POST", path)
    assert (problem["code"], problem["pointer"]) == ("masked-value-needed", "/data/person/value")
    changes = {"changes": {"data": {"person": {"value": CCCD}}}}
    status, done = await ask(client, police, "POST", path, json=changes)
    assert (status, done["status"]) == (200, "accepted")
    assert (await send(client, police, event()))["status"] == "duplicate"
    kept = await app.state.pool.fetch("SELECT q::text AS t FROM quarantine q")
    assert CCCD[1:] not in kept[0]["t"]


async def test_it_resolves_by_itself_and_opens_again(
    service: Service, admin: str, police: str
) -> None:
    """Accepted later: resolved. The bad one refused once more: open. A conflict: never resolved."""
    _, client = service
    bad = event(data={**event()["data"], "age": "x"})
    await send(client, police, bad)
    number = (await only(client, police))["number"]
    good = await send(client, police, event())
    found = await only(client, police, "resolved")
    assert (found["number"], found["position"]) == (number, good["position"])
    status, problem = await ask(
        client, police, "POST", f"/{number}/dismiss", json={"reason": "again"}
    )
    assert (status, problem["code"]) == (409, "quarantine-closed")
    assert (await send(client, police, bad))["code"] == "value-of-wrong-type"
    assert (await only(client, police))["number"] == number
    assert (await send(client, police, event(subject="66")))["code"] == "event-conflict"
    _, page = await ask(client, police, "GET", "")
    assert [row["code"] for row in page["items"]] == ["event-conflict", "value-of-wrong-type"]


async def test_it_resolves_within_one_batch(service: Service, admin: str, police: str) -> None:
    _, client = service
    bad = event(data={**event()["data"], "age": "x"})
    await send(client, police, [bad, event()])
    assert (await only(client, police, "resolved"))["code"] == "value-of-wrong-type"
    await send(client, police, [event(id="2"), event(id="2", subject="66")])
    assert (await only(client, police))["code"] == "event-conflict"


async def test_dismissed_stays_dismissed(service: Service, admin: str, police: str) -> None:
    _, client = service
    await send(client, police, b"nonsense")
    number = (await only(client, police))["number"]
    status, problem = await ask(client, police, "POST", f"/{number}/replay")
    assert (status, problem["code"]) == (422, "quarantine-unreadable")
    status, problem = await ask(
        client, police, "POST", f"/{number}/dismiss", json={"reason": f"of {CCCD}"}
    )
    assert problem["code"] == "personal-data-in-clear"
    assert (await ask(client, police, "POST", f"/{number}/dismiss", json={"reason": "test"}))[
        0
    ] == 204
    await send(client, police, b"nonsense")
    found = await only(client, police, "dismissed")
    assert (found["times"], found["reason"], found["closed_by"]) == (2, "test", "cong-an")
    status, problem = await ask(client, police, "POST", "/replay", json={})
    assert (status, problem["code"]) == (422, "invalid-parameter")


async def test_an_administrator_replays_in_the_partners_name(
    service: Service, admin: str, police: str
) -> None:
    app, client = service
    await send(client, police, event(subject="99999"))
    number = (await only(client, police))["number"]
    changes = {"changes": {"subject": "24133"}}
    _, done = await ask(client, admin, "POST", f"/{number}/replay", json=changes)
    row = await app.state.pool.fetchrow(
        "SELECT partner FROM log WHERE position = $1", done["position"]
    )
    assert row["partner"] == "cong-an"
    assert (await only(client, police, "resolved"))["closed_by"] == "administrator"


async def test_two_replays_at_once_count_once(service: Service, admin: str, police: str) -> None:
    """Even when each gives the event another id."""
    app, client = service
    await send(client, police, event(subject="99999"))
    number = (await only(client, police))["number"]
    before = await app.state.pool.fetchval("SELECT count(*) FROM log")
    answers = await asyncio.gather(
        *(
            ask(client, police, "POST", f"/{number}/replay",
                json={"changes": {"subject": "24133", "id": f"id-{n}"}})
            for n in range(4)
        )
    )  # fmt: skip
    assert sorted(status for status, _ in answers) == [200, 409, 409, 409]
    assert await app.state.pool.fetchval("SELECT count(*) FROM log") == before + 1
    assert (await only(client, police, "resolved"))["number"] == number


async def test_two_replays_in_one_group_count_once(
    service: Service, admin: str, police: str
) -> None:
    """Both wait for the same transaction, where neither has been committed yet."""
    app, client = service
    await send(client, police, event(subject="99999"))
    refused = await store.one(app.state.pool, (await only(client, police))["number"])
    assert refused is not None
    replayer = Replayer(app.state.pool, app.state.door, app.state.clock)
    key = Key("p", "cong-an", frozenset({"administrator"}))
    before = await app.state.pool.fetchval("SELECT count(*) FROM log")
    found = await asyncio.gather(
        *(
            replayer.replay(refused, {"subject": "24133", "id": f"id-{n}"}, key, None)
            for n in range(3)
        ),
        return_exceptions=True,
    )
    assert [getattr(f, "code", "") for f in found if isinstance(f, Problem)] == [
        "quarantine-closed"
    ] * 2
    assert await app.state.pool.fetchval("SELECT count(*) FROM log") == before + 1


async def test_the_rights_of_the_key_that_asks_hold(
    service: Service, admin: str, police: str
) -> None:
    _, client = service
    await send(client, police, event(subject="99999"))
    number = (await only(client, police))["number"]
    bound = await make_key(
        client, admin, name="cong-an", roles=["police"], scopes=["quarantine:replay"],
        sources=["https://other.example/"],
    )  # fmt: skip
    changes = {"changes": {"subject": "24133"}}
    status, problem = await ask(client, bound, "POST", f"/{number}/replay", json=changes)
    assert (status, problem["code"]) == (403, "source-not-permitted")


async def test_too_old_is_forgotten_and_said(
    service: Service, admin: str, police: str, clock: FixedClock
) -> None:
    app, client = service
    pool = app.state.pool
    await send(client, police, [event(id="1", subject="99999"), event(id="2", subject="99999")])
    await send(client, police, event(id="2"))
    assert await store.expire(pool, clock.now() + timedelta(days=90), 90) == 0
    assert await store.expire(pool, clock.now() + timedelta(days=90, seconds=1), 90) == 2
    assert await pool.fetchval("SELECT count(*) FROM quarantine") == 0
    row = await pool.fetchrow("SELECT * FROM quarantine_use WHERE partner = 'cong-an'")
    assert (row["rows"], row["bytes"]) == (0, 0)
    rows = await pool.fetch("SELECT * FROM book WHERE partner = 'cong-an'")
    assert [(r["accepted"], r["rejected"], r["expired"]) for r in rows] == [(1, 2, 1)]


async def test_many_are_fixed_by_the_same_changes(
    service: Service, admin: str, police: str
) -> None:
    """A bulk fix is each one's own fix: judged, written, audited; ids are never changed."""
    app, client = service
    await send(client, police, [event(id=f"m{n}", subject="99999") for n in range(4)])
    await send(client, police, event(id="other", data={**event()["data"], "platform": "x"}))
    body = {"code": "unit-unknown", "changes": {"subject": "24133"}}
    judged = await ask(client, police, "POST", "/replay", json=body, params={"dry_run": "true"})
    assert (judged[0], judged[1]["accepted"]) == (200, 4)
    assert len((await ask(client, police, "GET", ""))[1]["items"]) == 5
    for wrong in ({"id": "same"}, {"source": SOURCE}):
        status, problem = await ask(
            client, police, "POST", "/replay", json={**body, "changes": wrong}
        )
        assert (status, problem["code"]) == (422, "changes-malformed")
    seen: list[int] = []
    cursor: dict[str, Any] = {}
    while True:
        _, page = await ask(client, police, "POST", "/replay", json={**body, "limit": 3, **cursor})
        seen += [r["position"] for r in page["results"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert len(set(seen)) == 4
    (left,) = (await ask(client, police, "GET", ""))[1]["items"]
    assert left["id"] == "other"
    rows = await app.state.pool.fetch("SELECT id, unit_id FROM log WHERE id LIKE 'm%' ORDER BY id")
    assert [(r["id"], r["unit_id"]) for r in rows] == [(f"m{n}", "24133@2025") for n in range(4)]
