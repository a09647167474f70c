"""What is done to the quarantine is on record with who did it."""

from tests.activities.fake import event
from tests.activities.posting import send
from tests.keys.conftest import Api


async def test_replays_and_dismissals_are_acts(api: Api) -> None:
    made = await api("POST", "/v1/keys", {"name": "cong-an", "roles": ["police"]})
    for number in range(2):
        await send(api.client, made["key"], event(id=str(number), subject="99999"))
    first, second = [r["number"] for r in (await api("GET", "/v1/quarantine"))["items"]]
    await api("POST", f"/v1/quarantine/{first}/replay", params={"dry_run": "true"})
    await api("POST", f"/v1/quarantine/{first}/replay")
    mended = {"changes": {"subject": "24133"}}
    assert (await api("POST", f"/v1/quarantine/{first}/replay", mended))["position"]
    await api("POST", f"/v1/quarantine/{second}/dismiss", {"reason": "trùng"})
    acts = (await api("GET", "/v1/audit", params={"action": "quarantine"}))["acts"]
    told = [(a["action"], a["about"], a["detail"].get("status")) for a in acts]
    assert told[0] == ("quarantine.dismissed", str(second), None)
    assert told[1] == ("quarantine.replayed", str(first), "accepted")
    assert told[2] == ("quarantine.replayed", str(first), "rejected")
    assert {a["detail"]["partner"] for a in acts} == {"cong-an"}
    assert {a["by_name"] for a in acts} == {"administrator"}
