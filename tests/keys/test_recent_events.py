"""The events that somebody posted last: their own only, newest first, without what amends them."""

from typing import Any

from tests.activities.fake import event
from tests.activities.posting import send
from tests.keys.conftest import Api


async def made(api: Api, name: str) -> Api:
    order = {"name": name, "roles": ["police"], "scopes": ["events:write"]}
    return api.with_key((await api("POST", "/v1/keys", order))["key"])


async def test_ones_own_and_nobody_elses(api: Api) -> None:
    mine, theirs = await made(api, "recent-a"), await made(api, "recent-b")
    source: Any = event(id="r-1")["source"]
    for key, ids in ((mine, ("r-1", "r-2")), (theirs, ("r-3",))):
        for id in ids:
            await send(api.client, key.key, event(id=id))
    revoked = event(id="r-4") | {
        "type": "vn.hocvuso.event.revoked",
        "data": {"revokes": {"source": source, "id": "r-2"}, "reason": "nhầm"},
    }
    await send(api.client, mine.key, revoked)
    address = f"/v1/events/recent?source={source}"
    found = await mine("GET", address)
    assert [one["id"] for one in found["events"]] == ["r-2", "r-1"]
    assert found["position"] >= found["events"][0]["position"] > found["events"][1]["position"]
    assert [one["id"] for one in (await theirs("GET", address))["events"]] == ["r-3"]
    assert (await theirs("GET", f"{address}&id=r-1"))["events"] == []
    assert [e["id"] for e in (await mine("GET", f"{address}&id=r-1"))["events"]] == ["r-1"]
    assert len((await mine("GET", f"{address}&limit=1"))["events"]) == 1
    # The administrator may do much, but posted none of these.
    assert (await api("GET", address))["events"] == []
    assert (await api.with_key("hv_x_y")("GET", address))["code"] == "key-wrong"
