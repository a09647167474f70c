"""The CloudEvents Kafka binding, against the CloudEvents SDK and by its words."""

import json
from datetime import datetime
from typing import Any

import pytest
from cloudevents.core.bindings import kafka as sdk
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from cloudevents.v1 import kafka as former_sdk
from cloudevents.v1.http import CloudEvent as FormerEvent

from services.activities.intake.messages import event_of
from services.activities.intake.model import Message
from shared.problems import Problem
from tests.activities.fake import CCCD
from tests.intake.conftest import STRUCTURED, attended, binary, raw


def message(value: bytes | None, headers: Any, **more: Any) -> Message:
    return Message(0, 0, 0, value, tuple(headers), **more)


def problem(value: bytes | None, headers: Any, **more: Any) -> Problem:
    found = event_of(message(value, headers, **more))
    assert isinstance(found, Problem)
    return found


@pytest.mark.parametrize(
    ("mode", "former"), [("to_binary", False), ("to_structured", False), ("to_binary", True)]
)
def test_what_the_sdk_writes_is_read(mode: str, former: bool) -> None:
    event = attended("sdk", partitionkey="khoá", datacontenttype="application/json")
    data = event.pop("data")
    sent: Any
    if former:
        made = FormerEvent(dict(event), data)
        sent = getattr(former_sdk, mode)(made)
        del event["partitionkey"]  # it makes the message's key of it
    else:
        times = {**event, "time": datetime.fromisoformat(event["time"])}
        sent = getattr(sdk, mode)(CloudEvent(times, data), JSONFormat())
    headers = [(k, v if isinstance(v, bytes) else v.encode()) for k, v in sent.headers.items()]
    value = sent.value if isinstance(sent.value, bytes) else sent.value.encode()
    found = event_of(message(value, headers))
    assert isinstance(found, bytes), found.code
    read = json.loads(found)
    for made_of in (read, event):
        made_of.pop("datacontenttype", None)
    assert read == {**event, "data": data}


def test_the_former_sdk_forgets_to_say_that_it_is_structured() -> None:
    """It writes no `application/cloudevents+json`: the partner is told, nothing is guessed."""
    event = attended("sdk", datacontenttype="application/json")
    data = event.pop("data")
    sent = former_sdk.to_structured(FormerEvent(event, data))
    value = sent.value if isinstance(sent.value, bytes) else sent.value.encode()
    assert problem(value, sent.headers.items()).code == "content-type-unsupported"


def test_binary_attributes_are_utf8_and_are_not_percent_encoded() -> None:
    value, headers = binary(attended("b"), partitionkey="Đắk Lắk 100%41")
    found = event_of(message(value, headers))
    assert isinstance(found, bytes)
    assert json.loads(found) == attended("b", partitionkey="Đắk Lắk 100%41")


@pytest.mark.parametrize(
    "kind",
    ["application/cloudevents+json", "Application/CloudEvents+JSON; charset=utf-8"],
)
def test_structured_is_taken_as_it_is(kind: str) -> None:
    body = raw(attended("s"))
    assert event_of(message(body, [("Content-Type", kind.encode())])) == body


@pytest.mark.parametrize(
    ("value", "headers", "code"),
    [
        (None, STRUCTURED, "message-without-value"),
        (b"{}", [], "content-type-unsupported"),
        (b"{}", [("content-type", None)], "content-type-unsupported"),
        (b"{}", [("content-type", b"\xff")], "content-type-unsupported"),
        (b"{}", [("content-type", b"application/cloudevents+avro")], "content-type-unsupported"),
        (b"[]", [("content-type", b"application/cloudevents-batch+json")], "content-type-unsupported"),
        (b"{}", [("content-type", b"application/cloudevents+json; charset=utf-16")], "content-type-unsupported"),
        (b"{}", [("ce_specversion", b"1.0"), ("content-type", b"text/xml")], "content-type-unsupported"),
        (b"{}", [("ce_specversion", b"1.0"), ("ce_id", b"\xff")], "attribute-malformed"),
        (b"{}", [("ce_specversion", b"1.0"), ("ce_specversion", b"1.0")], "attribute-repeated"),
        (b"{}", [("ce_specversion", b"1.0"), ("ce_data", b"{}")], "attribute-repeated"),
        (b'{"a":1}, "id": "x"', [("ce_specversion", b"1.0")], "json-invalid"),
        (b"x" * 262_145, STRUCTURED, "body-too-large"),
    ],
)  # fmt: skip
def test_what_is_no_event(value: Any, headers: Any, code: str) -> None:
    assert problem(value, headers).code == code


def test_an_unreadable_message() -> None:
    assert problem(None, (), readable=False).code == "message-unreadable"


def test_no_refusal_repeats_what_was_sent() -> None:
    found = problem(b"{}", [("ce_specversion", b"1.0"), (f"ce_{CCCD}", b"\xff")])
    assert CCCD not in json.dumps(found.body())
