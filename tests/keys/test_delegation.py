"""Nobody gives what they do not have; what was given ends with whoever gave it; nobody ends who stands
above."""

from datetime import timedelta
from typing import Any

import pytest

from shared.clock import FixedClock
from tests.activities.fake import event
from tests.activities.posting import send
from tests.keys.conftest import Api
from tests.keys.delegation import partner, staff, works
from tests.keys.invitations import accept, invite, state_of

SOON = "2026-07-10T00:00:00Z"


async def test_what_an_invitation_gave_ends_with_it_rotated_or_not(api: Api) -> None:
    head = await staff(api)
    first = await api("POST", f"/v1/keys/{head['prefix']}/rotate", {"overlap": "1h"})
    second = await api("POST", f"/v1/keys/{first['prefix']}/rotate", {"overlap": "1h"})
    below = await staff(api.with_key(second["key"]), "editor", "24133")
    beside = await staff(api, "editor", "24133")
    listed = {i["id"]: i for i in await api("GET", "/v1/invitations")}
    assert listed[head["id"]]["key_prefix"] == second["prefix"]
    await api.ask("DELETE", f"/v1/invitations/{head['id']}")
    for key in (head, first, second, below):
        assert not await works(api, key["key"])
    assert await works(api, beside["key"])
    acts = (await api("GET", "/v1/audit", params={"action": "key.revoked"}))["acts"]
    assert {a["about"] for a in acts} == {
        head["prefix"], first["prefix"], second["prefix"], below["prefix"],
    }  # fmt: skip


async def test_what_an_inviter_gave_ends_with_it_to_the_last(api: Api) -> None:
    head = await staff(api)
    middle = await staff(api.with_key(head["key"]), "administrator", "24133")
    last = await staff(api.with_key(middle["key"]), "editor", "24133")
    waiting = await invite(api.with_key(middle["key"]), "reader", "24133")
    await api.ask("DELETE", f"/v1/keys/{head['prefix']}")
    for one in (head, middle, last):
        assert not await works(api, one["key"])
        assert await state_of(api, one["id"]) == "revoked"
    assert (await accept(api, waiting["code"]))["code"] == "invitation-wrong"


async def test_a_rotated_inviter_passes_on_what_it_gave(api: Api, clock: FixedClock) -> None:
    head = await staff(api)
    given = await staff(api.with_key(head["key"]), "editor", "24133")
    waiting = await invite(api.with_key(head["key"]), "reader", "24133")
    new = await api("POST", f"/v1/keys/{head['prefix']}/rotate", {"overlap": "1h"})
    during = await invite(api.with_key(head["key"]), "editor", "24133")
    assert during["expires_at"] == head["expires_at"]  # not that of the overlap
    clock.at += timedelta(hours=2)
    assert not await works(api, head["key"]) and await works(api, given["key"])
    assert "key" in await accept(api, waiting["code"])
    await api.ask("DELETE", f"/v1/keys/{new['prefix']}")
    assert not await works(api, given["key"])


async def test_it_can_be_handed_over_on_purpose(api: Api) -> None:
    leaving, staying = await staff(api), await staff(api)
    narrow = await staff(api, "administrator", "24133")
    given = await staff(api.with_key(leaving["key"]), "editor", "66")
    path = f"/v1/keys/{leaving['prefix']}?hand_over_to="
    for heir, code in (
        (narrow["prefix"], "right-not-held"),
        (given["prefix"], "heir-unfit"),
        (leaving["prefix"], "heir-unfit"),
        ("00000000", "key-unknown"),
    ):
        assert (await api("DELETE", path + heir))["code"] == code
    assert await works(api, leaving["key"]) and await works(api, given["key"])
    assert (await api.ask("DELETE", path + staying["prefix"])).status_code == 204
    assert not await works(api, leaving["key"]) and await works(api, given["key"])
    assert (await api("GET", f"/v1/keys/{given['prefix']}"))["granted_by"] == staying["prefix"]
    await api.ask("DELETE", f"/v1/invitations/{staying['id']}")
    assert not await works(api, given["key"])


async def test_nobody_ends_who_stands_above_or_beside(api: Api) -> None:
    head = await staff(api)
    child = await staff(api.with_key(head["key"]), "administrator", "66")
    peer = await staff(api.with_key(head["key"]), "administrator", "66")
    commune = await staff(api, "administrator", "24133")
    as_child = api.with_key(child["key"])
    listed = {i["id"]: i["may_end"] for i in await as_child("GET", "/v1/invitations")}
    assert listed == {head["id"]: False, peer["id"]: False, child["id"]: True, commune["id"]: True}
    for above in (head, peer):
        refused = await as_child("DELETE", f"/v1/invitations/{above['id']}")
        assert refused["code"] == "invitation-of-another"
        assert await works(api, above["key"])
    refused = await api.with_key(commune["key"])("DELETE", f"/v1/invitations/{head['id']}")
    assert refused["code"] == "unit-outside-key"
    for below in (commune, child):  # a unit below, and one's own
        answer = await as_child.ask("DELETE", f"/v1/invitations/{below['id']}")
        assert answer.status_code == 204
        assert not await works(api, below["key"])


async def test_a_reader_lets_in_readers_only(api: Api) -> None:
    reader = await partner(
        api, roles=["reader"], scopes=["tables:read", "staff:invite"], subtree="66@2025"
    )
    for role, unit in (("editor", "24133"), ("administrator", "66"), ("editor", "66")):
        refused = await invite(api.with_key(reader["key"]), role, unit)
        assert refused["code"] == "right-not-held", role
    found = await staff(api.with_key(reader["key"]), "reader", "24133")
    rights = await api.with_key(found["key"])("GET", "/v1/keys/self")
    assert (rights["roles"], rights["scopes"]) == (["reader"], ["tables:read"])


@pytest.mark.security("API5")
@pytest.mark.parametrize("role", ["telecom", "police", "mooc", "party_body", "hamlet"])
@pytest.mark.parametrize("level", ["reader", "editor", "administrator"])
async def test_a_partner_lets_in_no_authority(api: Api, role: str, level: str) -> None:
    inviter = await partner(api, roles=[role], scopes=["events:write", "staff:invite"])
    for unit in ("66", "24133"):
        refused = await invite(api.with_key(inviter["key"]), level, unit)
        assert (refused["code"], refused["status"]) == ("right-not-held", 403)


async def test_types_sources_and_scopes_stay_within_the_givers(api: Api) -> None:
    rights = {
        "roles": ["department"], "scopes": ["events:write", "tables:read", "staff:invite"],
        "types": ["class.*"], "sources": ["https://so.daklak.example/"], "subtree": "66@2025",
        "expires_at": SOON,
    }  # fmt: skip
    giver = await partner(api, **rights)
    given = await staff(api.with_key(giver["key"]), "editor", "24133")
    found = await api.with_key(given["key"])("GET", "/v1/keys/self")
    assert found["types"] == rights["types"] and found["expires_at"] == SOON
    assert found["sources"] == [f"https://so.daklak.example/{given['id']}"]
    mute = await partner(api, roles=["department"], scopes=["staff:invite", "tables:read"])
    assert (await invite(api.with_key(mute["key"]), "editor", "66"))["code"] == "right-not-held"
    blind = await partner(api, roles=["department"], scopes=["staff:invite", "events:write"])
    assert (await invite(api.with_key(blind["key"]), "reader", "66"))["code"] == "right-not-held"


async def test_the_invited_share_the_quota_of_the_inviter(api: Api) -> None:
    giver = await partner(
        api, roles=["commune"], scopes=["events:write", "tables:read", "staff:invite"],
        subtree="24133@2025", name="xa-1",
    )  # fmt: skip
    await api("PUT", "/v1/quotas/xa-1", {"per_minute": 2})
    first = await staff(api.with_key(giver["key"]), "administrator", "24133")
    second = await staff(api.with_key(first["key"]), "editor", "24133")
    data = {"participants": 3, "target_groups": ["adult"], "channel": "in_person"}
    codes = []
    for number, one in enumerate((second, first, second)):
        source = (await api.with_key(one["key"])("GET", "/v1/keys/self"))["sources"][0]
        held = event(id=str(number), type="vn.hocvuso.class.held", data=data, source=source)
        codes.append((await send(api.client, one["key"], held)).get("code"))
    assert codes == [None, None, "quota-exceeded"]
    own = await api.with_key(second["key"])("GET", "/v1/keys/self")
    assert own["quota"]["per_minute"] == 2


BOUND = {
    "name": "bound", "roles": ["administrator"], "types": ["class.*"], "subtree": "66@2025",
    "sources": ["https://a.example/"], "expires_at": SOON, "scopes": ["events:write"],
}  # fmt: skip
NARROW = {
    "name": "p2", "roles": ["commune"], "types": ["class.held"], "subtree": "24133@2025",
    "sources": ["https://a.example/x"], "expires_at": "2026-07-05T00:00:00Z",
}  # fmt: skip


@pytest.mark.security("API5", "V8.2.1")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("types", None),
        ("types", ["class.held", "course.*"]),
        ("types", ["*"]),
        ("subtree", None),
        ("subtree", "75@2025"),
        ("subtree", "VN@2025"),
        ("sources", None),
        ("sources", ["https://a.example"]),
        ("sources", ["https://b.example/"]),
        ("expires_at", "2026-08-01T00:00:00Z"),
    ],
)
async def test_a_bound_administrator_gives_no_more_than_it_has(
    api: Api, name: str, value: Any
) -> None:
    bound = api.with_key((await api("POST", "/v1/keys", BOUND))["key"])
    assert "key" in await bound("POST", "/v1/keys", NARROW)
    order = NARROW | {name: value}
    refused = await bound("POST", "/v1/keys", order)
    assert (refused["code"], refused["pointer"]) == ("right-not-held", f"/{name}")
    intake = {n: v for n, v in order.items() if n not in ("name", "expires_at")}
    refused = await bound("PUT", "/v1/intake/p2", intake)
    assert refused["code"] == "right-not-held"


async def test_a_bound_administrator_touches_no_key_above(api: Api) -> None:
    made = await api("POST", "/v1/keys", BOUND)
    bound = api.with_key(made["key"])
    wide = await partner(api)
    narrow = await bound("POST", "/v1/keys", NARROW)
    for prefix, method, path, body in (
        (wide["prefix"], "POST", "/rotate", {}),
        (wide["prefix"], "DELETE", "", None),
        (wide["prefix"], "PATCH", "", {"without": ["events:write"]}),
        (api.key.split("_")[1], "DELETE", "", None),
    ):
        refused = await bound(method, f"/v1/keys/{prefix}{path}", body)
        assert refused["code"] == "key-stands-above"
    assert (await bound.ask("DELETE", f"/v1/keys/{narrow['prefix']}")).status_code == 204
    # What has no end of its own ends with whoever gave it.
    order = {n: v for n, v in NARROW.items() if n != "expires_at"}
    found = await api("GET", f"/v1/keys/{(await bound('POST', '/v1/keys', order))['prefix']}")
    assert found["expires_at"] == SOON


async def test_who_has_a_quota_gives_no_quota_beside_it(api: Api) -> None:
    limited = await api("POST", "/v1/keys", {"name": "limited", "roles": ["administrator"]})
    await api("PUT", "/v1/quotas/limited", {"per_minute": 5})
    as_limited = api.with_key(limited["key"])
    given = await as_limited("POST", "/v1/keys", {"name": "p9", "roles": ["telecom"]})
    own = await api.with_key(given["key"])("GET", "/v1/keys/self")
    assert own["quota"]["per_minute"] == 5
    for partner_name in ("limited", "p9"):
        refused = await as_limited("PUT", f"/v1/quotas/{partner_name}", {"per_minute": 500})
        assert refused["code"] == "right-not-held"


async def test_scopes_can_be_taken_from_a_key_and_from_all_it_gave(api: Api) -> None:
    head = await staff(api)
    given = await staff(api.with_key(head["key"]), "editor", "24133")
    waiting = await invite(api.with_key(head["key"]), "editor", "24133")
    order = {"without": ["events:write"]}
    found = await api("PATCH", f"/v1/keys/{head['prefix']}", order)
    assert found["scopes"] == ["staff:invite", "tables:read"]
    late = await accept(api, waiting["code"])
    for one in (given, late):
        rights = await api.with_key(one["key"])("GET", "/v1/keys/self")
        assert rights["scopes"] == ["tables:read"]
    assert (await send(api.client, given["key"], event(id="n")))["code"] == "scope-missing"
