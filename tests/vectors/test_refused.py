"""Everything that must be refused, on the ways that tests/activities/test_nonsense.py leaves out."""

import json

import httpx
from fastapi import FastAPI

from tests.activities.fake import event
from tests.activities.granting import make_key
from tests.vectors.read import load, to_bytes
from tests.vectors.ways import NDJSON

CASES = load("refused")["cases"]
# A line ends at a line feed, so what holds one is several lines.
LINES = {
    case["name"]: case
    for case in CASES
    if to_bytes(case["input"]) and b"\n" not in to_bytes(case["input"])
}


async def test_each_as_a_line_among_good_ones(
    service: tuple[FastAPI, httpx.AsyncClient], admin: str
) -> None:
    _, client = service
    key = await make_key(
        client, admin, name="vectors", roles=["police"], scopes=["events:write", "events:stream"]
    )
    body = b""
    for number, case in enumerate(LINES.values()):
        good = json.dumps(event(id=f"good-{number}")).encode()
        body += to_bytes(case["input"]) + b"\n" + good + b"\n"
    answer = await client.put(
        "/v1/streams/refused",
        params={"acks": "all"},
        content=body,
        headers={"Authorization": f"Bearer {key}", "Content-Type": NDJSON},
    )
    told = {
        line["line"]: line for line in map(json.loads, answer.text.splitlines()) if "line" in line
    }
    assert len(told) == 2 * len(LINES)
    for number, case in enumerate(LINES.values()):
        found = told[2 * number]
        assert found["status"] == "rejected", case["name"]
        if case["expected"]["code"] == "body-too-large":
            assert found["problem"]["code"] == "line-too-long"
            continue
        problem = {name: found["problem"].get(name) for name in ("status", "code", "pointer")}
        assert problem == {"pointer": None, **case["expected"]}, case["name"]
        assert told[2 * number + 1]["status"] == "accepted", case["name"]


async def test_replayed_as_it_is(service: tuple[FastAPI, httpx.AsyncClient], admin: str) -> None:
    """What was refused is kept, and handed in again unchanged it is refused again."""
    _, client = service
    key = await make_key(
        client, admin, name="vectors", roles=["police"],
        scopes=["events:write", "quarantine:replay"],
    )  # fmt: skip
    mine = {"Authorization": f"Bearer {key}"}
    kept: dict[int, str] = {}
    for case in CASES:
        posted = await client.post(
            "/v1/events",
            content=to_bytes(case["input"]),
            headers={**mine, "Content-Type": "application/cloudevents+json"},
        )
        assert posted.status_code == case["expected"]["status"], case["name"]
        page = (await client.get("/v1/quarantine", headers=mine)).json()["items"]
        new = [item["number"] for item in page if item["number"] not in kept]
        # A body that is too large is not read to its end, so there is nothing to keep.
        assert len(new) == (case["expected"]["code"] != "body-too-large"), case["name"]
        kept |= dict.fromkeys(new, case["name"])
    for number, name in kept.items():
        again = await client.post(f"/v1/quarantine/{number}/replay", headers=mine)
        assert again.status_code >= 400, name
