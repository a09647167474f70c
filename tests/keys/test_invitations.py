"""Staff is let in by a code that works once; the key that it becomes reaches its unit and no more."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from shared.clock import FixedClock
from tests.activities.fake import event
from tests.activities.posting import send
from tests.keys.conftest import Api
from tests.keys.invitations import accept, invite, state_of

COMMUNE = "24133@2025"


@pytest.mark.security("V6.4.1", "V6.5.1", "V6.5.3")
async def test_a_code_becomes_a_key_once(api: Api) -> None:
    made = await invite(api)
    assert await state_of(api, made["id"]) == "open"
    every = await asyncio.gather(*(accept(api, made["code"]) for _ in range(4)))
    won = [a for a in every if "key" in a]
    assert len(won) == 1 and sum(a.get("code") == "invitation-wrong" for a in every) == 3
    rights = await api.with_key(won[0]["key"])("GET", "/v1/keys/self")
    assert (rights["roles"], rights["scopes"]) == (["commune"], ["events:write", "tables:read"])
    assert (rights["subtree"], rights["expires_at"]) == (COMMUNE, made["expires_at"])
    assert await state_of(api, made["id"]) == "accepted"
    data = {"participants": 3, "target_groups": ["adult"], "channel": "in_person"}
    posted = event(
        id="1", type="vn.hocvuso.class.held", data=data, source=rights["sources"][0] + "/form"
    )
    assert (await send(api.client, won[0]["key"], posted))["status"] == "accepted"
    acts = (await api("GET", "/v1/audit", params={"about": made["id"]}))["acts"]
    assert [a["action"] for a in acts] == ["invitation.accepted", "invitation.created"]
    assert made["code"] not in str(await api("GET", "/v1/audit")) + str(
        await api("GET", "/v1/invitations")
    )


async def test_a_reader_posts_nothing(api: Api) -> None:
    key = (await accept(api, (await invite(api, "reader"))["code"]))["key"]
    assert (await api.with_key(key)("GET", "/v1/keys/self"))["roles"] == ["reader"]
    assert (await send(api.client, key, event(id="1")))["code"] == "scope-missing"
    assert (await invite(api.with_key(key)))["code"] == "scope-missing"


@pytest.mark.parametrize("role", ["reader", "editor", "administrator"])
async def test_a_provinces_staff_invites_below_itself_only(api: Api, role: str) -> None:
    head = await accept(api, (await invite(api, "administrator", "66"))["code"])
    province = api.with_key(head["key"])
    rights = await province("GET", "/v1/keys/self")
    assert (rights["roles"], rights["subtree"]) == (["department"], "66@2025")
    assert "staff:invite" in rights["scopes"]
    made = await invite(province, role)
    assert (await accept(api, made["code"]))["unit"] == COMMUNE
    elsewhere = await invite(api, role, "75")
    assert (await invite(province, role, "75"))["code"] == "unit-outside-key"
    assert (await invite(province, role, "VN"))["code"] == "unit-outside-key"
    listed = {i["id"] for i in await province("GET", "/v1/invitations")}
    assert made["id"] in listed and elsewhere["id"] not in listed
    refused = await province("DELETE", f"/v1/invitations/{elsewhere['id']}")
    assert refused["code"] == "unit-outside-key"
    assert (await province("GET", "/v1/keys"))["code"] == "administrator-only"
    assert (await province("POST", "/v1/keys", {"name": "x1", "roles": ["police"]}))["code"] == (
        "administrator-only"
    )


async def test_an_editor_invites_nobody(api: Api) -> None:
    key = (await accept(api, (await invite(api, "editor", "66"))["code"]))["key"]
    assert (await invite(api.with_key(key)))["code"] == "scope-missing"
    assert (await api.with_key(key)("GET", "/v1/invitations"))["code"] == "scope-missing"


async def test_what_was_withdrawn_or_ended_opens_nothing(api: Api, clock: FixedClock) -> None:
    withdrawn = await invite(api)
    await api.ask("DELETE", f"/v1/invitations/{withdrawn['id']}")
    assert (await accept(api, withdrawn["code"]))["code"] == "invitation-wrong"
    used = await invite(api)
    key = (await accept(api, used["code"]))["key"]
    for _ in range(2):
        answer = await api.ask("DELETE", f"/v1/invitations/{used['id']}")
        assert answer.status_code == 204
    assert (await api.with_key(key)("GET", "/v1/keys/self"))["code"] == "key-wrong"
    assert await state_of(api, used["id"]) == "revoked"
    late = await invite(api)
    clock.at += timedelta(days=7)
    assert await state_of(api, late["id"]) == "expired"
    assert (await accept(api, late["code"]))["code"] == "invitation-wrong"
    assert (await accept(api, "hvi_" + "a" * 43))["code"] == "invitation-wrong"


async def test_an_open_invitation_falls_with_whoever_made_it(api: Api) -> None:
    head = await accept(api, (await invite(api, "administrator", "66"))["code"])
    made = await invite(api.with_key(head["key"]))
    await api.ask("DELETE", f"/v1/keys/{head['prefix']}")
    assert (await accept(api, made["code"]))["code"] == "invitation-wrong"


async def test_the_access_ends(api: Api, clock: FixedClock) -> None:
    end = (clock.at + timedelta(days=3)).isoformat()
    head = await accept(api, (await invite(api, "administrator", "66", expires_at=end))["code"])
    longer = await invite(api.with_key(head["key"]))
    assert longer["expires_at"] == head["expires_at"]  # never longer than the inviter's own
    clock.at += timedelta(days=3)
    assert (await api.with_key(head["key"])("GET", "/v1/keys/self"))["code"] == "key-wrong"


@pytest.mark.security("V15.3.3")
@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"label": "gọi 0912 345 678"}, "personal-data-in-clear"),
        ({"unit": "99999"}, "unit-unknown"),
        ({"expires_at": "2030-01-01T00:00:00Z"}, "expiry-invalid"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expiry-invalid"),
        ({"expires_at": "2026-08-01T00:00:00"}, "invalid-parameter"),
        ({"role": "police"}, "invalid-parameter"),
        ({"name": "Lan"}, "invalid-parameter"),
    ],
)
async def test_bad_orders(api: Api, more: dict[str, Any], code: str) -> None:
    assert (await invite(api, **more))["code"] == code
    assert await api("GET", "/v1/invitations") == []
