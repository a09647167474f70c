"""The content of an event is what would be stored: spellings of the same are duplicates, on every
way in and inside one batch; any other content is a conflict."""

import json
from collections.abc import AsyncIterator
from copy import deepcopy
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from shared.clock import FixedClock
from tests.activities.fake import event
from tests.vectors.ways import HTTP, Answer, batch

TYPES = "https://activities.example/schemas"
FIRST = event(
    subject="24133",
    time="2026-06-30T09:12:00+07:00",
    data={
        "person": {"scheme": "cccd", "value": "066099001234"},
        "target_groups": ["adult", "farmer"],
        "platform": "vneid",
        "age": 40,
    },
)


def other(**changes: Any) -> dict[str, Any]:
    made = deepcopy(FIRST)
    made["data"] |= changes.pop("data", {})
    return {**made, **changes}


SAME = {
    "extensions that are not stored": other(sequence="7", partitionkey="a", correlationid="x"),
    "instant in UTC": other(time="2026-06-30T02:12:00Z"),
    "instant with idle digits": other(time="2026-06-30T09:12:00.000+07:00"),
    "small letters": other(time="2026-06-30t02:12:00z"),
    "era of the unit": other(subject="24133@2025"),
    "order of a set": other(data={"target_groups": ["farmer", "adult"]}),
    "newest schema named": other(dataschema=f"{TYPES}/citizen.certified/1"),
    "number as 40.0": other(data={"age": 40.0}),
    "JSON said": other(datacontenttype="application/json"),
    "a trace": other(traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
}
OTHER = {
    "a millisecond later": other(time="2026-06-30T09:12:00.001+07:00"),
    "another unit": other(subject="75"),
    "another group": other(data={"target_groups": ["adult"]}),
    "another age": other(data={"age": 41}),
    "another person": other(data={"person": {"scheme": "cccd", "value": "066099001235"}}),
}


def raw(one: dict[str, Any]) -> bytes:
    return json.dumps(one).encode()


@pytest.mark.parametrize("way", HTTP)
async def test_spellings_of_the_same(
    service: tuple[FastAPI, httpx.AsyncClient], admin: str, way: str
) -> None:
    _, client = service

    async def said(one: dict[str, Any]) -> Answer:
        return await HTTP[way](client, admin, raw(one))

    first = await said(FIRST)
    assert first.status == "accepted"
    for name, one in SAME.items():
        answer = await said(one)
        assert (answer.status, answer.position) == ("duplicate", first.position), name
    for name, one in OTHER.items():
        answer = await said(one)
        code = (answer.problem or {}).get("code")
        assert (answer.status, code) == ("rejected", "event-conflict"), (name, answer)


async def test_inside_one_batch(service: tuple[FastAPI, httpx.AsyncClient], admin: str) -> None:
    _, client = service
    events = [FIRST, *SAME.values(), OTHER["another age"]]
    answer = await client.post(
        "/v1/events",
        content=json.dumps(events),
        headers={
            "Authorization": f"Bearer {admin}",
            "Content-Type": "application/cloudevents-batch+json",
        },
    )
    statuses = [one["status"] for one in answer.json()["results"]]
    assert statuses == ["accepted", *["duplicate"] * len(SAME), "rejected"]


async def test_a_correction_is_known_in_other_spellings(
    service: tuple[FastAPI, httpx.AsyncClient], admin: str
) -> None:
    _, client = service

    def correction(groups: list[str], time: str) -> bytes:
        changes = {"time": time, "data": {"target_groups": groups}}
        data = {
            "corrects": {"source": FIRST["source"], "id": FIRST["id"]},
            "changes": changes,
            "reason": "typing error",
        }
        return raw(event(id="c-1", type="vn.hocvuso.event.corrected", subject=None, data=data))

    assert (await batch(client, admin, raw(FIRST))).status == "accepted"
    one = correction(["elderly", "adult"], "2026-06-29T09:12:00+07:00")
    two = correction(["adult", "elderly"], "2026-06-29T02:12:00.0Z")
    assert (await batch(client, admin, one)).status == "accepted"
    assert (await batch(client, admin, two)).status == "duplicate"
    three = correction(["adult"], "2026-06-29T02:12:00Z")
    assert (await batch(client, admin, three)).status == "rejected"


@pytest.fixture
async def set_back(clock: FixedClock) -> AsyncIterator[FixedClock]:
    before = clock.at
    yield clock
    clock.at = before


@pytest.mark.parametrize("way", HTTP)
async def test_what_is_known_is_a_duplicate_before_any_rule_of_time(
    service: tuple[FastAPI, httpx.AsyncClient], admin: str, set_back: FixedClock, way: str
) -> None:
    """A clock that ran ahead for an hour is right again."""
    _, client = service
    first = await HTTP[way](client, admin, raw(FIRST))
    set_back.at = set_back.at.replace(month=6, day=28)
    again = await HTTP[way](client, admin, raw(SAME["instant in UTC"]))
    assert (again.status, again.position) == ("duplicate", first.position)
    conflict = await HTTP[way](client, admin, raw(OTHER["another age"]))
    assert (conflict.problem or {})["code"] == "event-conflict"
    new = await HTTP[way](client, admin, raw({**FIRST, "id": "new-1"}))
    assert (new.problem or {})["code"] == "time-in-future"
