"""Typed events, envelopes, ids and errors: what a caller builds and reads."""

import datetime as dt
import json
import uuid
from typing import Any

import pytest

from hocvuso_client import (
    Person,
    Refused,
    account,
    cccd,
    content_id,
    deterministic_ids,
    phone,
    uuid7,
)
from hocvuso_client.answers import Backoff, retry_after
from hocvuso_client.envelope import envelope, queued
from hocvuso_client.errors import Conflict, Throttled, Unavailable, problem_error
from hocvuso_client.events import (
    TYPES,
    Changes,
    CitizenCertified,
    ContestHeld,
    EventCorrected,
    EventKey,
)
from hocvuso_client.ids import random_id

NUMBER = "066099000001"
VIETNAM = dt.timezone(dt.timedelta(hours=7))
TIME = dt.datetime(2026, 6, 30, 9, 12, tzinfo=VIETNAM)


def certified(**more: Any) -> CitizenCertified:
    return CitizenCertified(person=cccd(NUMBER), target_groups=["adult"], platform="vneid", **more)


def make(event: Any, **how: Any) -> dict[str, Any]:
    given = {"type": None, "subject": "24133", "source": "https://s.example/a", "time": TIME}
    return envelope(event, **{**given, "id": None, "make_id": random_id, **how})


def test_typed_data_becomes_a_whole_event() -> None:
    event = make(certified(certified_on=dt.date(2026, 6, 30)))
    assert event["type"] == "vn.hocvuso.citizen.certified"
    assert event["dataschema"].endswith("/schemas/citizen.certified/1")
    assert event["time"] == "2026-06-30T09:12:00+07:00"
    assert event["data"] == {
        "person": {"scheme": "cccd", "value": NUMBER},
        "target_groups": ["adult"],
        "platform": "vneid",
        "certified_on": "2026-06-30",
    }
    assert uuid.UUID(event["id"]).version == 7


def test_words_of_python_lose_their_underscore() -> None:
    data = ContestHeld(contest="c", from_=dt.date(2026, 8, 1)).to_data()
    assert data == {"contest": "c", "from": "2026-08-01"}


def test_parts_nest() -> None:
    data = EventCorrected(
        corrects=EventKey(source="https://s.example/a", id="1"),
        changes=Changes(time=TIME, data={"person": cccd(NUMBER), "age": None}),
        reason="x",
    ).to_data()
    assert data["changes"] == {
        "time": "2026-06-30T09:12:00+07:00",
        "data": {"person": {"scheme": "cccd", "value": NUMBER}, "age": None},
    }


@pytest.mark.parametrize("event", [certified(note=f"gọi {NUMBER}"), cccd(NUMBER), account("an.n")])
def test_no_repr_shows_a_person(event: object) -> None:
    assert NUMBER not in repr(event) and "an.n" not in repr(event)
    assert NUMBER not in repr(queued(make(certified())))


def test_naive_times_are_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        make(certified(), time=dt.datetime(2026, 6, 30, 9, 12))  # noqa: DTZ001
    naive = Changes(time=dt.datetime(2026, 6, 30))  # noqa: DTZ001
    with pytest.raises(ValueError, match="time zone"):
        make({"changes": naive}, type="event.corrected")


@pytest.mark.parametrize("missing", ["source", "type", "data"])
def test_what_is_missing_is_named(missing: str) -> None:
    event = {"source": "https://s.example/a", "type": "vn.hocvuso.x", "data": {"a": 1}}
    del event[missing]
    with pytest.raises(ValueError, match=missing):
        make(event, source=None)


def test_helpers_check_numbers_and_echo_none() -> None:
    assert phone("0905 000.001") == Person("phone", "0905000001")
    for call, wrong in ((cccd, "66099000001"), (cccd, "6609900000x1"), (phone, "905000001")):
        with pytest.raises(ValueError) as caught:
            call(wrong)
        assert wrong not in str(caught.value)
    with pytest.raises(ValueError, match="leading zeros"):
        cccd("66099000001")
    with pytest.raises(TypeError, match="text"):
        cccd(66099000001)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("0905 000.001", "0905000001"), ("+84905000001", "+84905000001"),
        ("84905000001", "84905000001"), ("01681234567", "0381234567"),
        ("+84 168 123 4567", "0381234567"), ("+84 (0) 38 123 4567", "0381234567"),
        ("038–123–4567", "0381234567"), ("0262 3812 345", "02623812345"),
    ],
)  # fmt: skip
def test_a_phone_number_is_sent_as_it_is_dialled_today(text: str, sent: str) -> None:
    assert phone(text) == Person("phone", sent)


@pytest.mark.parametrize(
    ("call", "number"),
    [
        (cccd, "123456789012"),
        (cccd, "000000000000"),
        (cccd, "066399000001"),
        (phone, "09123456789"),
    ],
)
def test_numbers_of_nobody_are_refused_before_they_are_sent(call: Any, number: str) -> None:
    with pytest.raises(ValueError) as caught:
        call(number)
    assert number not in str(caught.value)
    assert cccd("066 099 000 001") == cccd("066–099–000–001") == Person("cccd", "066099000001")


def test_ids_of_version_7_grow() -> None:
    made = [uuid7() for _ in range(5_000)]
    assert made == sorted(made) and len(set(made)) == 5_000
    assert all(one.version == 7 and one.variant == uuid.RFC_4122 for one in made)


def test_the_same_content_gets_the_same_id_and_only_with_the_same_secret() -> None:
    ids = deterministic_ids(b"s" * 32)
    one, same = make(certified(), make_id=ids), make(certified(), make_id=ids)
    assert one["id"] == same["id"] and uuid.UUID(one["id"]).version == 8
    assert make(certified(age=30), make_id=ids)["id"] != one["id"]
    assert make(certified(), make_id=deterministic_ids(b"t" * 32))["id"] != one["id"]
    assert content_id(b"s" * 32, {"a": 1, "b": 2}) == content_id(b"s" * 32, {"b": 2, "a": 1})
    with pytest.raises(ValueError, match="16 bytes"):
        deterministic_ids(b"short")


def test_an_event_too_large_is_refused_when_emitted() -> None:
    with pytest.raises(Refused, match="body-too-large"):
        queued(make({"note": "x" * 300_000}, type="class.held"))


def test_errors_read_as_one_line() -> None:
    body = {"code": "value-not-allowed", "detail": "Not in the list.", "hint": "Did you mean x?",
            "pointer": "/data/platform"}  # fmt: skip
    error = problem_error(body, 422)
    assert str(error) == ("value-not-allowed: Not in the list. (at /data/platform) Did you mean x?")
    assert (error.code, error.pointer, error.hint) == (
        "value-not-allowed", "/data/platform", "Did you mean x?"
    )  # fmt: skip
    assert isinstance(problem_error({}, 409), Conflict)
    assert isinstance(problem_error({}, 429), Throttled)
    assert isinstance(problem_error({}, 502), Unavailable)
    assert str(problem_error({}, 502)) == "http-502: The service answered HTTP 502."


def test_retry_after_is_seconds_or_a_date() -> None:
    assert retry_after({"retry-after": "7"}) == 7.0
    assert retry_after({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0.0
    assert retry_after({"retry-after": "soon"}) is None
    assert retry_after({}) is None


def test_backoff_grows_with_jitter_and_obeys_the_service() -> None:
    backoff = Backoff(first=1, longest=10)
    waits = [backoff.next() for _ in range(8)]
    assert all(0.5 <= wait <= 10 for wait in waits) and min(waits[5:]) >= 5
    assert 60 <= backoff.next(60.0) <= 70


def test_every_type_has_a_class() -> None:
    assert len(TYPES) >= 63
    for name, kind in TYPES.items():
        assert name == kind.TYPE and kind.VERSION.isdecimal()
    assert json.dumps(certified().to_data())
