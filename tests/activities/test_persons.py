"""Persons as they are posted: spellings, impossible numbers, corrections of corrections."""

import json
from dataclasses import replace
from datetime import date
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from services.activities.log.model import Candidate
from services.activities.privacy import Pseudonyms
from tests.activities.conftest import PSEUDONYM_KEY, Door
from tests.activities.fake import CCCD, event
from tests.activities.posting import send

Service = tuple[FastAPI, httpx.AsyncClient]
SOURCE, ID = event()["source"], event()["id"]
TO_PHONE = {"scheme": "phone", "value": "0168 123 4567"}


def of(scheme: str, value: str, **other: Any) -> dict[str, Any]:
    data = {**event()["data"], "person": {"scheme": scheme, "value": value}}
    return event(data=data, **other)


@pytest.mark.parametrize(
    ("scheme", "value", "rule"),
    [
        ("cccd", "000000000000", "placeholder"),
        ("cccd", "999999999999", "placeholder"),
        ("cccd", "123456789012", "placeholder"),
        ("cccd", "066227000001", "birth-in-future"),
        ("phone", "09123456789", "length"),
    ],
)
async def test_numbers_of_nobody_are_refused(
    service: Service, admin: str, scheme: str, value: str, rule: str
) -> None:
    found = await send(service[1], admin, of(scheme, value))
    assert (found["code"], found["rule"]) == ("reference-malformed", rule)
    assert found["pointer"] == "/data/person/value"
    assert value not in json.dumps(found)
    # The same as a correction.
    await send(service[1], admin, event())
    changes = {"data": {"person": {"scheme": scheme, "value": value}}}
    found = await send(service[1], admin, _correction("k", ID, changes))
    assert (found["code"], found["rule"]) == ("reference-malformed", rule)
    assert found["pointer"] == "/data/changes/data/person/value"


async def test_an_unknown_place_of_birth_is_taken_with_a_warning(door: Door) -> None:
    body = json.dumps(of("cccd", "005099000001"))
    headers = {"Authorization": "Bearer hv_police_secret",
               "Content-Type": "application/cloudevents+json"}  # fmt: skip
    answer = await door.client.post("/v1/events", content=body, headers=headers)
    assert answer.status_code == 201
    (warning,) = answer.json()["warnings"]
    assert warning.startswith("/data/person/value: ")
    assert "005099000001" not in answer.text


async def test_an_event_sent_again_with_its_number_spelt_otherwise(
    service: Service, admin: str
) -> None:
    first = await send(service[1], admin, of("phone", "01681234567"))
    for spelling in ("0381234567", "+84 (0)38 123 4567", "038.123.4567", "038–123–4567"):
        again = await send(service[1], admin, of("phone", spelling))
        assert (again["status"], again["position"]) == ("duplicate", first["position"])
    other = await send(service[1], admin, of("phone", "0381234568"))
    assert other["code"] == "event-conflict"
    spaced = f"{CCCD[:3]} {CCCD[3:6]} {CCCD[6:]}"
    first = await send(service[1], admin, of("cccd", CCCD, id="2"))
    again = await send(service[1], admin, of("cccd", spaced, id="2", sequence="7"))
    assert (again["status"], again["position"]) == ("duplicate", first["position"])


async def test_what_was_accepted_before_is_a_duplicate_though_refused_today(
    service: Service, admin: str
) -> None:
    app, client = service
    posted = of("cccd", "123456789012")
    key = await app.state.keys.authenticate(f"Bearer {admin}")
    judged = app.state.door._intake.judge(json.dumps(posted).encode(), key, None)
    assert judged.candidate is not None
    assert judged.candidate.refusal is not None
    before = Candidate(
        SOURCE, ID, "citizen.certified", "24133", posted["time"], date(2026, 6, 30),
        {"person_ref": "cccd:X", "target_groups": ["adult"]}, judged.candidate.content_mac, "vneid",
    )  # fmt: skip
    (stored,) = await app.state.door._log.submit([before])
    again = await send(client, admin, posted)
    assert (again["status"], again["position"]) == ("duplicate", stored.position)
    # Whoever may not post it learns nothing.
    assert (await send(client, admin, replace_id(posted, "other")))["code"] == "reference-malformed"
    assert replace(before, id="x").id == "x"


def replace_id(posted: dict[str, Any], id: str) -> dict[str, Any]:
    return {**posted, "id": id}


def _correction(id: str, named: str, changes: dict[str, Any]) -> dict[str, Any]:
    data = {"corrects": {"source": SOURCE, "id": named}, "changes": changes, "reason": "nhầm"}
    return event(id=id, type="vn.hocvuso.event.corrected", data=data)


async def test_a_correction_of_a_correction_changes_a_person_by_phone(
    service: Service, admin: str
) -> None:
    app, client = service
    await send(client, admin, event())
    nested: dict[str, Any] = {"data": {"person": TO_PHONE}}
    named = ID
    for depth in range(4):
        answer = await send(client, admin, _correction(f"k{depth}", named, nested))
        assert answer.get("status") == "accepted", answer
        nested, named = {"data": {"changes": nested}}, f"k{depth}"
    row = await app.state.pool.fetchrow("SELECT effective FROM log ORDER BY position DESC LIMIT 1")
    expected = Pseudonyms(PSEUDONYM_KEY).reference("phone", "0381234567")
    assert json.loads(row["effective"])["data"]["person_ref"] == expected
    batch = await send(client, admin, [_correction("kb", "k0", {"data": {"changes": {"data": {"person": TO_PHONE}}}})])  # fmt: skip
    assert batch["accepted"] == 1
    for stored in ({"person_ref": "phone:X"}, {"changes": {"data": {"person_ref": "phone:X"}}}):
        found = await send(client, admin, _correction("kc", "k0", {"data": stored}))
        assert found["code"] == "field-unknown"
