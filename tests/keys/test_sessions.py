"""Sessions of browsers: begun with a key, ended by time, by their holder, or with the key."""

from datetime import timedelta
from typing import Any

import pytest

from shared.clock import FixedClock
from tests.activities.fake import event
from tests.activities.posting import send
from tests.keys.conftest import Api
from tests.keys.delegation import partner, staff, works

UNIT = {"unit": "24133", "role": "reader", "label": "x"}


async def sign_in(api: Api, key: str, device: str = "Chrome, Android") -> Any:
    return await api.with_key(key)("POST", "/v1/sessions", {"device": device})


@pytest.fixture
async def head(api: Api) -> Any:
    return await staff(api)


@pytest.mark.security("V7.2.1", "V7.2.2", "V7.2.3")
async def test_a_session_acts_with_the_rights_of_its_key(api: Api, head: Any) -> None:
    made = await sign_in(api, head["key"])
    assert made["session"].startswith(f"hvs_{made['id']}_")
    session = api.with_key(made["session"])
    of_key = await api.with_key(head["key"])("GET", "/v1/keys/self")
    own = await session("GET", "/v1/keys/self")
    assert (own["kind"], own["session"], own["recent"]) == ("session", made["id"], True)
    assert {n: own[n] for n in ("roles", "scopes", "subtree", "prefix")} == {
        n: of_key[n] for n in ("roles", "scopes", "subtree", "prefix")
    }
    held = event(
        id="1", type="vn.hocvuso.class.held", source=own["sources"][0],
        data={"participants": 3, "target_groups": ["adult"], "channel": "in_person"},
    )  # fmt: skip
    assert (await send(api.client, made["session"], held))["status"] == "accepted"
    stored = await api.client._transport.app.state.pool.fetchrow("SELECT * FROM session")  # type: ignore[attr-defined]
    assert made["session"] not in str(dict(stored)) and head["key"] not in str(dict(stored))


async def test_a_session_begins_no_session_and_a_service_none(api: Api, head: Any) -> None:
    made = await sign_in(api, head["key"])
    assert (await sign_in(api, made["session"]))["code"] == "session-needs-key"
    assert (await sign_in(api, head["key"], "gọi 0912 345 678"))["code"] == "personal-data-in-clear"


@pytest.mark.security("V7.4.1", "V7.4.2", "V7.4.5")
@pytest.mark.parametrize("how", ["current", "other", "all", "key", "invitation", "inviter"])
async def test_it_ends_at_once(api: Api, head: Any, how: str) -> None:
    made, other = (
        await sign_in(api, head["key"]),
        await sign_in(api, head["key"], "Firefox, Windows"),
    )
    assert await works(api, made["session"])
    session = api.with_key(made["session"])
    if how == "current":
        await session.ask("DELETE", "/v1/sessions/current")
    elif how == "other":
        await api.with_key(other["session"]).ask("DELETE", f"/v1/sessions/{made['id']}")
    elif how == "all":
        ended = await api.with_key(other["session"])("DELETE", "/v1/sessions")
        assert ended == {"ended": 2} and not await works(api, other["session"])
    elif how == "key":
        await api.ask("DELETE", f"/v1/keys/{head['prefix']}")
    elif how == "invitation":
        await api.ask("DELETE", f"/v1/invitations/{head['id']}")
    else:
        below = await staff(api.with_key(head["key"]), "editor", "24133")
        made = await sign_in(api, below["key"])
        await api.ask("DELETE", f"/v1/keys/{head['prefix']}")
    refused = await api.with_key(made["session"])("GET", "/v1/keys/self")
    assert (refused["status"], refused["code"]) == (401, "session-ended")
    assert await works(api, head["key"]) == (how in ("current", "other", "all"))


async def test_nobody_ends_or_sees_the_sessions_of_another_key(api: Api, head: Any) -> None:
    made = await sign_in(api, head["key"])
    other = await staff(api, "editor", "24133")
    stranger = api.with_key(other["key"])
    assert await stranger("GET", "/v1/sessions") == []
    assert (await stranger("DELETE", f"/v1/sessions/{made['id']}"))["code"] == "session-unknown"
    assert await works(api, made["session"])
    listed = await api.with_key(made["session"])("GET", "/v1/sessions")
    assert [(s["id"], s["device"], s["current"]) for s in listed] == [
        (made["id"], "Chrome, Android", True)
    ]


@pytest.mark.security("V7.3.1", "V7.3.2")
async def test_it_ends_by_time(api: Api, head: Any, clock: FixedClock) -> None:
    idle, used = await sign_in(api, head["key"]), await sign_in(api, head["key"])
    clock.at += timedelta(hours=71)
    assert await works(api, used["session"])
    clock.at += timedelta(hours=1)
    assert not await works(api, idle["session"]) and await works(api, used["session"])
    for _ in range(12):
        clock.at += timedelta(hours=70)
        alive = await works(api, used["session"])
    assert not alive, "after 30 days in any case"


async def test_it_never_outlives_its_key(api: Api, clock: FixedClock) -> None:
    soon = await partner(api, expires_at="2026-07-01T09:00:00Z")
    made = await sign_in(api, soon["key"])
    assert made["ends_at"] == "2026-07-01T09:00:00Z"
    clock.at += timedelta(hours=1)
    assert not await works(api, made["session"])


@pytest.mark.security("V7.5.1", "V7.2.4", "API6")
async def test_the_key_is_shown_again_before_what_is_dangerous(
    api: Api, head: Any, clock: FixedClock
) -> None:
    made = await sign_in(api, head["key"])
    session = api.with_key(made["session"])
    assert "code" in await session("POST", "/v1/invitations", UNIT)
    clock.at += timedelta(minutes=16)
    late = await session("POST", "/v1/invitations", UNIT)
    assert late["code"] == "confirmation-required"
    assert (await session("DELETE", f"/v1/invitations/{head['id']}"))["code"] == late["code"]
    path = "/v1/sessions/current/confirmation"
    other = await staff(api)
    for wrong, code in ((other["key"], "key-of-another"), ("hv_00000000_no", "key-wrong")):
        assert (await session("POST", path, {"key": wrong}))["code"] == code
    again = await session("POST", path, {"key": head["key"]})
    assert not await works(api, made["session"]), "the old text ends"
    assert "id" in await api.with_key(again["session"])("POST", "/v1/invitations", UNIT)


async def test_an_administrators_session_changes_rights_and_units_only_confirmed(
    api: Api, clock: FixedClock
) -> None:
    made = await sign_in(api, api.key)
    session = api.with_key(made["session"])
    order = {"name": "p1", "roles": ["telecom"]}
    renamed = event(
        id="u", type="vn.hocvuso.unit.renamed", subject="24133",
        data={"name_vi": "Phường Khác", "from": "2026-07-01"},
    )  # fmt: skip
    assert "key" in await session("POST", "/v1/keys", order)
    clock.at += timedelta(minutes=16)
    assert (await session("POST", "/v1/keys", order))["code"] == "confirmation-required"
    assert len(await session("GET", "/v1/keys")) >= 2
    refused = await send(api.client, made["session"], renamed)
    assert refused["code"] == "confirmation-required"


async def test_the_oldest_ends_when_there_are_too_many(
    api: Api, head: Any, clock: FixedClock
) -> None:
    made = []
    for _ in range(21):
        made.append(await sign_in(api, head["key"]))
        clock.at += timedelta(seconds=1)
    assert not await works(api, made[0]["session"]) and await works(api, made[-1]["session"])
    assert len(await api.with_key(head["key"])("GET", "/v1/sessions")) == 20


@pytest.mark.security("API2", "V6.3.1", "V6.6.3")
async def test_attempts_are_limited_and_only_where_somebody_signs_in(
    api: Api, clock: FixedClock
) -> None:
    wrong = api.with_key("hv_00000000_wrong")
    codes = [(await wrong("POST", "/v1/sessions", {}))["code"] for _ in range(15)]
    for _ in range(5):
        answer = await api.client.post("/v1/invitations/accept", json={"code": "hvi_" + "a" * 43})
        codes.append(answer.json()["code"])
    assert set(codes) == {"key-wrong", "invitation-wrong"}
    late = await wrong.ask("POST", "/v1/sessions", json={})
    assert (late.status_code, late.json()["code"]) == (429, "too-many-attempts")
    assert 0 < int(late.headers["retry-after"]) <= 900
    assert (await sign_in(api, api.key))["code"] == "too-many-attempts"
    assert await works(api, api.key), "what needs no sign-in goes on"
    clock.at += timedelta(minutes=15)
    assert "session" in await sign_in(api, api.key)


@pytest.mark.security("V14.3.2", "V14.2.2")
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/keys", {"name": "p1", "roles": ["telecom"]}),
        ("POST", "/v1/sessions", {}),
        ("POST", "/v1/invitations", UNIT),
        ("GET", "/v1/keys/self", None),
    ],
)
async def test_answers_with_secrets_are_kept_nowhere(
    api: Api, method: str, path: str, body: Any
) -> None:
    answer = await api.ask(method, path, json=body)
    assert answer.is_success and answer.headers["cache-control"] == "no-store"
    if path == "/v1/invitations":
        code = answer.json()["code"]
        accepted = await api.client.post("/v1/invitations/accept", json={"code": code})
        assert accepted.headers["cache-control"] == "no-store"
