"""A Kafka message as an event: CloudEvents Kafka protocol binding 1.0.2, both modes. Pure.

Structured: header `content-type: application/cloudevents+json`, the value is the event. Binary:
attributes in headers `ce_NAME`, `content-type` says what the value, the data, is (section 3.2).
The binding has no batch mode; Kafka batches by itself.
"""

from services.activities.ingest.binary import joined
from services.activities.ingest.envelope import is_json
from services.activities.ingest.problems import MAX_EVENT_BYTES
from services.activities.intake.model import Message
from shared.bodies import too_large
from shared.identity.leaks import leaks
from shared.problems import Problem

SINGLE = "application/cloudevents+json"
PREFIX = "ce_"


def event_of(message: Message) -> bytes | Problem:
    """The event as JSON, for the door to judge; or why the message holds none."""
    try:
        return _event(message)
    except Problem as problem:
        if problem.pointer is not None and leaks(problem.pointer):
            problem.pointer = None
        return problem


def _event(message: Message) -> bytes:
    if not message.readable:
        raise Problem(
            "message-unreadable",
            "The message cannot be read as Kafka wrote it.",
            status=400,
            hint="Names of headers are UTF-8. Neighbours of such a message in its record batch are"
            " refused with it: send them again.",
        )
    if message.value is None:
        raise Problem(
            "message-without-value",
            "The message has no value: deleting by a null value has no meaning here.",
            status=400,
            hint="To take an event back, send event.revoked that names it.",
        )
    if len(message.value) > MAX_EVENT_BYTES:
        raise too_large(MAX_EVENT_BYTES, "An event")
    kind = content_type(message)
    base = kind.partition(";")[0].strip().lower()
    if base.startswith("application/cloudevents"):
        if base == SINGLE and _utf8(kind):
            return message.value
    elif any(name == PREFIX + "specversion" for name, _ in message.headers) and (
        not base or (is_json(kind) and _utf8(kind))
    ):
        attributes = [
            (name[len(PREFIX) :], value or b"")
            for name, value in message.headers
            if name.startswith(PREFIX)
        ]
        return joined(attributes, message.value, "UTF-8")
    raise Problem(
        "content-type-unsupported",
        "The headers of the message do not say that it is one CloudEvent in JSON.",
        status=415,
        hint=f"Send header content-type: {SINGLE} with the whole event as value; or binary mode:"
        " content-type: application/json with ce_specversion and the other ce_ headers. One event"
        " a message.",
    )


def content_type(message: Message) -> str:
    """The header of this name, "" without one; the first if there are several."""
    return header(message, "content-type") or ""


def header(message: Message, name: str) -> str | None:
    """A header as text; None when it is missing or no text."""
    for found, value in message.headers:
        if found.lower() == name and value is not None:
            try:
                return value.decode("ascii")
            except UnicodeDecodeError:
                return None
    return None


def _utf8(kind: str) -> bool:
    _, _, parameters = kind.partition(";")
    return "charset" not in parameters.lower() or "utf-8" in parameters.lower()
