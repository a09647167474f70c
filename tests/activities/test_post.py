"""What good requests are answered, on each way in."""

import gzip
import json
from datetime import date, datetime
from typing import Any

import pytest
from cloudevents.core.bindings import http as sdk
from cloudevents.core.v1.event import CloudEvent
from cloudevents.v1.conversion import to_binary, to_structured
from cloudevents.v1.http import CloudEvent as FormerEvent
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.activities.ingest.problems import MAX_BATCH_BYTES
from shared.contracts.definitions import Catalogue
from tests.activities.conftest import Door
from tests.activities.fake import BATCH, CCCD, event, headers
from tests.activities.nonsense import BAD

SOURCE, ID = event()["source"], event()["id"]


async def post(door: Door, body: Any, **how: Any) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = how.pop("headers", None) or headers(
        how.pop("key", "police"), how.pop("kind", "application/cloudevents+json")
    )
    return await door.client.post("/v1/events", content=content, headers=sent, **how)


async def test_new_duplicate_conflict(door: Door) -> None:
    first = await post(door, event())
    assert (first.status_code, first.json()) == (
        201, {"source": SOURCE, "id": ID, "status": "accepted", "position": 1},
    )  # fmt: skip
    again = await post(door, event())
    assert (again.status_code, again.json()["status"], again.json()["position"]) == (
        200,
        "duplicate",
        1,
    )
    other = await post(door, event(subject="24121"))
    assert (other.status_code, other.json()["code"], other.json()["position"]) == (
        409,
        "event-conflict",
        1,
    )


async def test_the_same_content_in_other_writing_is_a_duplicate(door: Door) -> None:
    data = {**event()["data"], "note": "Bình dân"}
    await post(door, event(data=data))
    decomposed = json.dumps(event(data={**data, "note": "Bi\u0300nh da\u0302n"}), indent=3)
    for body in (
        decomposed.encode(),
        json.dumps(dict(reversed(event(data=data).items())), ensure_ascii=False).encode(),
        json.dumps(
            event(data=data, traceparent="00-" + "1" * 32 + "-" + "2" * 16 + "-01")
        ).encode(),
        json.dumps(event(data=data, datacontenttype="application/json")).encode(),
    ):
        assert (await post(door, body)).json()["status"] == "duplicate"


async def test_dry_run_writes_nothing(door: Door) -> None:
    answer = await post(door, event(), params={"dry_run": "true"})
    assert (answer.status_code, answer.json()["status"]) == (200, "accepted")
    assert not door.log.rows
    wrong = await post(door, event(), params={"dry_run": "maybe"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "invalid-parameter")


async def test_only_pseudonyms_reach_the_log(door: Door) -> None:
    await post(door, event())
    candidate = door.log.rows[SOURCE, ID][1]
    assert candidate.data["person_ref"].startswith("cccd:") and "person" not in candidate.data
    assert CCCD not in repr(candidate)


async def test_warnings_do_not_block(door: Door) -> None:
    data = {**event()["data"], "age": 120, "certified_on": "2026-06-29"}
    answer = await post(door, event(data=data))
    assert answer.status_code == 201
    assert [w.split()[0] for w in sorted(answer.json()["warnings"])] == [
        "/data/age",
        "/data/certified_on",
    ]


MENTORED = {
    "mentor": {"scheme": "account", "value": "m1"},
    "mentee": {"scheme": "account", "value": "m2"},
}
DISPATCHED = {"reason": "cold_spot", "team": "Đội một", "members": 4}


@pytest.mark.parametrize(
    ("type", "data", "before"),
    [
        ("citizen.certified", {"to": "2026-06-29"}, "the day of time"),
        ("citizen.certified", {"to": "2026-06-30"}, None),
        ("mentor.assigned", {**MENTORED, "to": "2026-06-29"}, "the day of time"),
        ("mentor.assigned", {**MENTORED, "from": "2026-06-01", "to": "2026-06-29"}, None),
        ("mentor.assigned", {**MENTORED, "from": "2026-07-02", "to": "2026-07-01"}, "/data/from"),
        ("force.dispatched", {**DISPATCHED, "to": "2026-06-29"}, None),
        (
            "force.dispatched",
            {**DISPATCHED, "from": "2026-07-06", "to": "2026-07-05"},
            "/data/from",
        ),
    ],
)
async def test_a_last_day_before_the_first_is_told(
    door: Door, type: str, data: dict[str, str], before: str | None
) -> None:
    if type == "citizen.certified":
        data = {**event()["data"], **data}
    answer = await post(door, event(type=f"vn.hocvuso.{type}", data=data), key="admin")
    assert answer.status_code == 201, answer.text
    said = [] if before is None else [f"/data/to is before {before}; was it meant?"]
    assert answer.json().get("warnings", []) == said


@pytest.mark.parametrize("name", Catalogue.load())
async def test_every_example_of_the_catalogue_is_taken(door: Door, name: str) -> None:
    from services.activities.ingest.openapi import example

    for number in range(len(Catalogue.load()[name].examples)):
        answer = await post(door, example(door.app.state.catalogue, name, number), key="admin")
        assert answer.status_code == 201, answer.text


async def test_old_version_is_brought_to_the_newest(door: Door) -> None:
    data = {
        "person": {"scheme": "cccd", "value": CCCD},
        "target_groups": ["adult"],
        "channel": "mooc",
    }
    made = event(type="vn.hocvuso.course.registered", data=data,
                 dataschema="https://x.example/schemas/course.registered/1")  # fmt: skip
    answer = await post(door, made, key="admin")
    assert answer.status_code == 201, answer.text
    stored = door.log.rows[SOURCE, ID][1].data
    assert stored["platform"] == "binhdanhocvuso" and "channel" not in stored


async def test_a_correction_names_people_by_pseudonym(door: Door) -> None:
    changes = {"data": {"person": {"scheme": "cccd", "value": CCCD}, "age": None}}
    data = {"corrects": {"source": SOURCE, "id": ID}, "changes": changes, "reason": "nhầm người"}
    await post(door, event())
    answer = await post(
        door, event(id="c1", type="vn.hocvuso.event.corrected", subject=None, data=data)
    )
    assert answer.status_code == 201, answer.text
    first, correction = (door.log.rows[SOURCE, n][1].data for n in (ID, "c1"))
    assert correction["changes"]["data"] == {"person_ref": first["person_ref"], "age": None}


async def test_rights(door: Door) -> None:
    course = event(
        type="vn.hocvuso.course.completed",
        data={"person": {"scheme": "cccd", "value": CCCD}, "target_groups": ["adult"]},
    )
    for key, body, code in (
        ("commune", event(), "type-not-permitted"),
        ("bound", event(source="https://congan.daklak.example/vneid-2"), "source-not-permitted"),
        (
            "bound",
            event(type="vn.hocvuso.festival.held", data={"participants": 3}),
            "type-not-permitted",
        ),
        ("police", course, "type-not-permitted"),
        ("mute", event(), "scope-missing"),
    ):
        answer = await post(door, body, key=key)
        assert (answer.status_code, answer.json()["code"]) == (403, code), key
    assert (await post(door, event(source=f"{SOURCE}/a"), key="bound")).status_code == 201
    for sent, code in (
        (None, "key-missing"),
        ("Basic x", "key-malformed"),
        ("Bearer hv_x_y", "key-wrong"),
    ):
        with_key = {"Content-Type": "application/cloudevents+json"} | (
            {"Authorization": sent} if sent else {}
        )
        answer = await post(door, event(), headers=with_key)
        assert (answer.status_code, answer.json()["code"]) == (401, code)
        assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.security("V4.1.1")
async def test_content_types(door: Door) -> None:
    for kind in (
        "application/json",
        "text/plain",
        "application/cloudevents+json; charset=utf-16",
        "",
    ):
        answer = await post(door, event(), kind=kind)
        assert (answer.status_code, answer.json()["code"]) == (415, "content-type-unsupported")
    assert (
        await post(door, event(), kind="application/cloudevents+json; charset=UTF-8")
    ).status_code == 201
    answer = await post(door, [event()])
    assert (answer.status_code, answer.json()["code"]) == (400, "event-not-object")
    answer = await post(door, event(), kind=BATCH)
    assert (answer.status_code, answer.json()["code"]) == (400, "batch-not-array")


async def test_gzip(door: Door) -> None:
    sent = {**headers(content_type=BATCH), "Content-Encoding": "gzip"}
    whole = gzip.compress(json.dumps([event(), event(id="2")]).encode())
    assert (await post(door, whole, headers=sent)).json()["accepted"] == 2
    bomb = gzip.compress(b" " * (MAX_BATCH_BYTES + 1))
    for body, status, code in (
        (bomb, 413, "body-too-large"),
        (whole[:-5], 400, "gzip-invalid"),
        (b"no gzip", 400, "gzip-invalid"),
    ):
        answer = await post(door, body, headers=sent)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    answer = await post(door, whole, headers={**sent, "Content-Encoding": "br"})
    assert (answer.status_code, answer.json()["code"]) == (415, "content-encoding-unsupported")


@pytest.mark.security("API4", "V5.2.1")
async def test_limits(door: Door) -> None:
    for body, kind, code in (
        (b" " * 300_000, "application/cloudevents+json", "body-too-large"),
        (b" " * (MAX_BATCH_BYTES + 1), BATCH, "body-too-large"),
        (json.dumps([1] * 1001).encode(), BATCH, "batch-too-long"),
    ):
        answer = await post(door, body, kind=kind)
        assert (answer.status_code, answer.json()["code"]) == (413, code)
    empty = await post(door, [], kind=BATCH)
    assert empty.json() == {"accepted": 0, "duplicates": 0, "rejected": 0, "results": []}


async def test_overload_says_when_to_come_back(door: Door) -> None:
    door.log.overloaded = True
    for body, kind in ((event(), "application/cloudevents+json"), ([event()], BATCH)):
        answer = await post(door, body, kind=kind)
        assert (answer.status_code, answer.json()["code"]) == (503, "overloaded")
        assert answer.headers["retry-after"] == "1" and answer.json()["retryable"]


async def test_atomic(door: Door) -> None:
    """All or nothing, whether the front door or the log refuses."""
    how = {"kind": BATCH, "params": {"atomic": "true"}}
    bad = event(id="2", subject=None)
    answer = (await post(door, [event(id="1"), bad, event(id="3")], **how)).json()
    codes = [r["problem"]["code"] for r in answer["results"]]
    assert codes == ["atomic-batch-refused", "attribute-missing", "atomic-batch-refused"]
    assert not door.log.rows
    await post(door, event(id="1"))
    how = {"kind": BATCH, "params": {"atomic": "true"}}
    answer = (
        await post(door, [event(id="1"), event(id="1", subject="9"), event(id="4")], **how)
    ).json()
    assert [r["status"] for r in answer["results"]] == ["duplicate", "rejected", "rejected"]
    assert len(door.log.rows) == 1
    how = {"kind": BATCH, "params": {"atomic": "true"}}
    assert (await post(door, [event(id="5"), event(id="6")], **how)).json()["accepted"] == 2


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.sampled_from([*range(6), "conflict", *(c for c in BAD if c not in ("too large",))]),
        max_size=12,
    )
)
async def test_one_result_per_index(door: Door, kinds: list[Any]) -> None:
    """Whatever a batch holds, in whatever order: one result per index, the counts add up."""
    door.log.rows.clear()
    elements = []
    for kind in kinds:
        if isinstance(kind, int):
            elements.append(json.dumps(event(id=str(kind))).encode())
        elif kind == "conflict":
            elements.append(json.dumps(event(id="0", subject="24121")).encode())
        else:
            elements.append(BAD[kind])
    answer = await post(door, b"[" + b",".join(elements) + b"]", kind=BATCH)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert [r["index"] for r in found["results"]] == list(range(len(kinds)))
    for kind, result in zip(kinds, found["results"], strict=True):
        if isinstance(kind, int):
            assert result["id"] == str(kind)
        elif kind != "conflict":
            assert result["status"] == "rejected"
        assert ("problem" in result) == (result["status"] == "rejected")
    total = found["accepted"] + found["duplicates"] + found["rejected"]
    assert total == len(kinds)
    assert found["accepted"] == len(door.log.rows)


async def test_events_of_the_official_sdk(door: Door) -> None:
    """Structured and binary are one event: whichever comes second is a duplicate."""
    attributes = {k: v for k, v in event(subject="xã-24133 %").items() if k != "data"}
    attributes["time"] = datetime.fromisoformat(attributes["time"])
    made = CloudEvent(attributes, {**event()["data"], "note": "Bình dân học vụ số"})
    for build, status in ((sdk.to_structured_event, 201), (sdk.to_binary_event, 200)):
        message = build(made)
        sent = {**message.headers, "Authorization": "Bearer hv_police_secret"}
        sent.setdefault("content-type", "application/json")
        answer = await post(door, message.body, headers=sent)
        assert answer.status_code == status, answer.text
    candidate = door.log.rows[SOURCE, ID][1]
    assert (candidate.time, candidate.subject) == (event()["time"], "xã-24133 %")
    assert candidate.data["note"] == "Bình dân học vụ số"


async def test_events_of_the_former_sdk(door: Door) -> None:
    attributes = {k: v for k, v in event().items() if k not in ("data", "specversion")}
    made = FormerEvent(attributes, event()["data"])
    for (sent, body), status in (
        (to_structured(made), 201),
        (to_binary(made, data_marshaller=lambda value: json.dumps(value).encode()), 200),
    ):
        with_key = {**sent, "Authorization": "Bearer hv_police_secret"}
        with_key.setdefault("content-type", "application/json")
        answer = await post(door, body, headers=with_key)
        assert answer.status_code == status, answer.text


async def test_schemas_types_and_document(door: Door) -> None:
    types = (await door.client.get("/v1/types")).json()
    assert len(types) == len(Catalogue.load())
    for one in types:
        schema = (await door.client.get(one["schema_url"])).json()
        assert schema["$id"].endswith(f"{one['short']}/{one['versions'][-1]}")
    for path, code in (
        ("/v1/schemas/citizen.certifed/1", "type-unknown"),
        ("/v1/schemas/citizen.certified/9", "schema-version-unknown"),
    ):
        answer = await door.client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, code)
    document = (await door.client.get("/openapi.json")).json()
    body = document["paths"]["/v1/events"]["post"]["requestBody"]["content"]
    for one in body["application/cloudevents+json"]["examples"].values():
        assert (await post(door, one["value"], key="admin")).status_code == 201
    references = {
        r for r in json.dumps(document).split('"') if r.startswith("#/components/schemas/")
    }
    known = document["components"]["schemas"]
    assert all(r.removeprefix("#/components/schemas/") in known for r in references)


async def test_the_day_that_the_data_names_is_the_day_it_happened(door: Door) -> None:
    """The warning stays: many a day that is not that of `time` is a slip."""
    data = {**event()["data"], "certified_on": "2026-06-29"}
    answer = await post(door, event(data=data))
    assert [w.split()[0] for w in answer.json()["warnings"]] == ["/data/certified_on"]
    assert door.log.rows[SOURCE, ID][1].occurred == date(2026, 6, 29)
    # The unit is the one that has this code on the day of sending.
    assert door.log.rows[SOURCE, ID][1].sent == date(2026, 6, 30)
