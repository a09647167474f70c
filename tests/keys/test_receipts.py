"""Whose receipt is shown to whom."""

from pathlib import Path
from typing import Any

from services.activities.keys.files import ensure_key
from services.activities.keys.model import READ_LOG
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
