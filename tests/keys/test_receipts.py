"""Whose receipt is shown to whom."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.activities.keys.files import ensure_key
from services.activities.keys.model import READ_LOG
from services.activities.receipts import receipts
from services.activities.reconciliation.explain import Explanations
from tests.activities.conftest import NOW
from tests.activities.fake import event
from tests.activities.posting import UNITS, send, unit
from tests.keys.conftest import Api


async def test_a_receipt_is_shown_to_its_sender_and_to_readers_of_the_log(
    api: Api, service: Any, tmp_path: Path
) -> None:
    """`GET /v1/events`: another partner is not even told that the event exists; `log:read` sees
    what is in the log, and no refused event, which is not in it."""
    sent = event(id="r-1", source="https://congan.daklak.example/a", subject="24133")
    refused = event(id="r-2", source="https://congan.daklak.example/a", subject="99999")
    assert await send(service[1], api.key, [unit(*row) for row in UNITS])
    keys = {
        name: (await api("POST", "/v1/keys", {"name": name, "roles": ["police"], "scopes": scopes}))
        for name, scopes in {
            "sender": ["events:write"], "stranger": ["events:write"],
        }.items()
    }  # fmt: skip
    async with service[0].state.pool.acquire() as connection:
        await ensure_key(connection, tmp_path / "service", "services", [], [READ_LOG])
    keys["reader-of-log"] = {"key": (tmp_path / "service").read_text().strip()}
    assert all("key" in made for made in keys.values()), keys
    taken = await send(service[1], keys["sender"]["key"], [sent, refused])
    assert [one["status"] for one in taken["results"]] == ["accepted", "rejected"], taken

    async def status(key: str, id: str) -> tuple[int, str]:
        asked = {"source": sent["source"], "id": id}
        answer = await api.with_key(key).ask("GET", "/v1/events", params=asked)
        said = answer.json()
        return answer.status_code, said.get("code") or said["status"]

    assert await status(keys["sender"]["key"], "r-1") == (200, "accepted")
    assert await status(keys["reader-of-log"]["key"], "r-1") == (200, "accepted")
    assert await status(keys["stranger"]["key"], "r-1") == (404, "event-unknown")
    assert await status(keys["sender"]["key"], "r-2") == (200, "rejected")
    for name in ("stranger", "reader-of-log"):
        assert await status(keys[name]["key"], "r-2") == (404, "event-unknown")
    assert await status(api.key, "r-2") == (200, "rejected")


class Metrics:
    """A stub: of the first event somebody is counted, of the next ones already."""

    def __init__(self) -> None:
        self.first: int | None = None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        results = []
        for position in json.loads(request.content)["positions"]:
            self.first = self.first or position
            new = position == self.first
            results.append(
                {
                    "position": position,
                    "state": "counted" if new else "counted_by_another_event",
                    "code": None if new else "decided_by_another_event",
                    "reason": None if new else "Other events of the same subject decide.",
                    "objectives": [
                        {"plan": "p", "objective": "o", "unit_id": "24133@2025", "counts": new}
                    ],
                }
            )
        return httpx.Response(200, json={"watermark": 10**6, "results": results})


@pytest.mark.security("API3", "V8.2.3", "V15.3.1")
async def test_nobody_learns_from_a_receipt_that_a_person_counts_already(
    api: Api, service: Any
) -> None:
    app = service[0]
    app.state.explanations = Explanations("http://metrics", httpx.MockTransport(Metrics()))
    source = "https://congan.daklak.example/b"
    keys = {}
    for name in ("known", "curious"):
        order = {"name": name, "roles": ["police"], "scopes": ["events:write"]}
        keys[name] = (await api("POST", "/v1/keys", order))["key"]
        sent = event(id=name, source=source, subject="24133")
        position = (await send(service[1], keys[name], sent))["position"]
        lanes = await app.state.pool.fetch("SELECT lane FROM log WHERE position = $1", position)
        async with app.state.pool.acquire() as connection:
            for lane in lanes:
                await receipts.mark(connection, "counted", {lane["lane"]: position}, NOW)

    async def told(key: str, id: str) -> Any:
        params = {"source": source, "id": id}
        found = await api.with_key(key)("GET", "/v1/events", params=params)
        return {n: found[n] for n in ("reason", "reason_text", "objectives")}

    first, second = await told(keys["known"], "known"), await told(keys["curious"], "curious")
    assert first == second
    assert [o["counts"] for o in second["objectives"]] == [True]
    assert (await told(api.key, "curious"))["reason"] == "decided_by_another_event"
    checklist = str(await api.with_key(keys["curious"])("GET", "/v1/checklist"))
    assert "decided_by_another_event" not in checklist
    day = {"source": source, "day": NOW.date().isoformat()}
    listed = await api.with_key(keys["curious"]).ask(
        "GET", "/v1/reconciliations/events", params=day
    )
    assert '"counted"' in listed.text and "another" not in listed.text


@pytest.mark.security("API6")
async def test_receipts_are_limited_for_partners_and_noted(api: Api, service: Any) -> None:
    order = {"name": "asker", "roles": ["police"], "scopes": ["events:write"]}
    made = await api("POST", "/v1/keys", order)
    asker = api.with_key(made["key"])
    params = {"source": "https://a.example", "id": "x"}
    app = service[0]
    app.state.receipt_limit.most = 3
    codes = [(await asker("GET", "/v1/events", params=params))["code"] for _ in range(5)]
    assert codes == ["event-unknown"] * 3 + ["too-many-receipts"] * 2
    assert (await api("GET", "/v1/events", params=params))["code"] == "event-unknown"
    uses = await api("GET", f"/v1/audit/uses/{made['prefix']}")
    assert [(u["path"], u["times"]) for u in uses] == [("GET /v1/events", 5)]
