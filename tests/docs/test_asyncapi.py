"""`docs/asyncapi.yaml` says what the code sends: same names, same shapes, examples that decode."""

import base64
from pathlib import Path
from typing import Any
from uuid import UUID

import jsonschema_rs
import msgspec
import pytest
import yaml

from services.activities.ingest.answers import Result
from services.activities.ingest.intake import Intake
from services.activities.intake import answers
from services.activities.intake.messages import event_of
from services.activities.intake.model import Message, Partner
from services.activities.intake.routes import IntakeOrder
from services.activities.intake.store import Move
from services.activities.log.model import Status
from services.activities.log.rows import WireRow
from services.activities.privacy import Pseudonyms
from shared.clock import clock_from_environment
from shared.contracts import topics
from shared.contracts.definitions import Catalogue
from shared.contracts.record import (
    DEFINITION_LANE,
    Content,
    LaneProgress,
    LogRecord,
    Progress,
    Through,
    lane_of,
    progress_decoder,
    record_decoder,
    through_decoder,
)
from shared.contracts.subjects import subjects
from shared.problems import Problem

ROOT = Path(__file__).parents[2]
SPEC: dict[str, Any] = yaml.safe_load((ROOT / "docs" / "asyncapi.yaml").read_text())
SCHEMAS = SPEC["components"]["schemas"]
DECODERS: dict[str, msgspec.json.Decoder[Any]] = {
    "row": record_decoder,
    "through": through_decoder,
    "progress": progress_decoder,
}
EXAMPLES = [
    pytest.param(name, example["payload"], id=f"{name}-{example['name']}")
    for name, message in SPEC["components"]["messages"].items()
    if name in DECODERS
    for example in message["examples"]
]
PARTNERS = {"structured", "binary", "answer", "checkpoint"}


def resolved(reference: str) -> Any:
    place: Any = SPEC
    for part in reference.removeprefix("#/").split("/"):
        place = place[part]
    return place


def validator(schema: dict[str, Any]) -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for({**schema, "components": SPEC["components"]})


def test_every_reference_leads_somewhere() -> None:
    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if "$ref" in node:
                resolved(node["$ref"])
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(SPEC)


def test_the_topics_are_those_of_the_code() -> None:
    addresses = {name: channel["address"] for name, channel in SPEC["channels"].items()}
    assert addresses == {
        "log": topics.LOG,
        "progress": topics.PROGRESS,
        "intake": topics.intake("{partner}"),
        "receipts": topics.receipts("{partner}"),
    }
    assert DECODERS.keys() | PARTNERS == SPEC["components"]["messages"].keys()
    for channel in SPEC["channels"].values():
        assert channel["bindings"]["kafka"]["topic"] == channel["address"]


@pytest.mark.parametrize("struct", [Content, LogRecord, Through, LaneProgress, Progress])
def test_fields_are_those_of_the_code(struct: type[msgspec.Struct]) -> None:
    schema = SCHEMAS[struct.__name__]
    fields = {field.encode_name: field for field in msgspec.structs.fields(struct)}
    assert schema["properties"].keys() == fields.keys()
    required = {name for name, field in fields.items() if field.required}
    # Always on the wire, since CloudEvents asks for it.
    assert set(schema["required"]) == required | ({"specversion"} & fields.keys())


def test_the_relay_writes_the_same_fields() -> None:
    assert {f.encode_name for f in msgspec.structs.fields(WireRow)} == set(
        SCHEMAS["LogRecord"]["properties"]
    )


@pytest.mark.parametrize(("name", "payload"), EXAMPLES)
def test_examples_are_valid_and_decode(name: str, payload: dict[str, Any]) -> None:
    message = SPEC["components"]["messages"][name]
    validator(message["payload"]).validate(payload)
    decoded = DECODERS[name].decode(msgspec.json.encode(payload))
    # Nothing is lost or renamed: what comes out again is what went in, but for defaults.
    again = msgspec.json.decode(msgspec.json.encode(decoded))
    assert {key: again.get(key, payload[key]) for key in payload} == payload
    validator(message["payload"]).validate(again)


@pytest.mark.parametrize(("name", "payload"), EXAMPLES)
def test_near_misses_are_refused(name: str, payload: dict[str, Any]) -> None:
    check = validator(SPEC["components"]["messages"][name]["payload"])
    assert not check.is_valid({**payload, "unknown": 1})
    for field in resolved(SPEC["components"]["messages"][name]["payload"]["$ref"])["required"]:
        assert not check.is_valid({k: v for k, v in payload.items() if k != field}), field


def test_example_rows_are_what_the_log_would_hold() -> None:
    catalogue = Catalogue.load()
    for example in SPEC["components"]["messages"]["row"]["examples"]:
        record = record_decoder.decode(msgspec.json.encode(example["payload"]))
        ref = "cccd:KDMFRYEYL3GH6YCBRKXQZRNLLB7UFQSX"
        key, lane = lane_of("person", [ref])
        assert (record.key, record.lane) == (key, lane)
        assert base64.b64decode(example["payload"]["key"]) == key
        assert record.prev < record.position and record.origin <= record.position
        content = record.effective_content()
        if content is not None:
            kind = catalogue[content.type]
            schema = catalogue.stored_schema(content.type, kind.latest)
            jsonschema_rs.validator_for(schema).validate(content.data)
            (subject,) = subjects(
                kind, content.data, unit_id=content.unitid, source=record.source, event_id=record.id
            )
            assert (subject.kind, list(subject.values)) == ("person", [ref])
    assert SCHEMAS["lane"]["maximum"] == DEFINITION_LANE


def partner() -> Partner:
    return Partner("vnpt", frozenset({"telecom"}), None, None, None, None, "all", 3, 72, None,
                   False, 1, 0)  # fmt: skip


def test_the_topics_of_a_partner_are_made_as_told() -> None:
    who = partner()
    for channel, topic in (("intake", who.intake), ("receipts", who.receipts)):
        binding = SPEC["channels"][channel]["bindings"]["kafka"]
        assert binding["partitions"] == IntakeOrder(roles=["telecom"]).partitions
        made = who.topic_configs()[topic]
        for name, value in binding["topicConfiguration"].items():
            assert made[name] == (value[0] if isinstance(value, list) else str(value)), name


@pytest.mark.parametrize("mode", ["structured", "binary"])
def test_messages_of_a_partner_are_taken(mode: str) -> None:
    message = SPEC["components"]["messages"][mode]
    judge = Intake(Catalogue.load(), Pseudonyms(bytes(32)), clock_from_environment())
    for example in message["examples"]:
        headers = [(name, value.encode()) for name, value in example["headers"].items()]
        validator(message["headers"]).validate(example["headers"])
        validator(message["payload"]).validate(example["payload"])
        body = msgspec.json.encode(example["payload"])
        event = event_of(Message(0, 0, 0, body, tuple(headers)))
        assert isinstance(event, bytes)
        judged = judge.judge(event, partner().key(), None)
        assert judged.problem is None and judged.candidate is not None
        for name in message["headers"]["required"]:
            left = tuple(header for header in headers if header[0] != name)
            event = event_of(Message(0, 0, 0, body, left))
            lacks_type = mode == "binary" and name == "content-type"  # then it is JSON
            assert (
                lacks_type
                or isinstance(event, Problem)
                or judge.judge(event, partner().key(), None).problem
            )


def test_receipts_are_as_told() -> None:
    answer = validator(SCHEMAS["Answer"])
    checkpoint = validator(SCHEMAS["Checkpoint"])
    topic_id = UUID(int=1)
    messages = [Message(2, offset, 0, b"", ()) for offset in (7, 8, 9)]
    results = [
        Result("https://a.example", "1", Status.ACCEPTED, 5, None, ("unusual",)),
        Result("https://a.example", "1", Status.DUPLICATE, 5),
        Result(None, None, Status.REJECTED, None, event_problem()),
    ]
    moves = [Move(2, 7, 10)]
    found = answers.receipts(partner(), topic_id, messages, results, moves)
    bodies = [msgspec.json.decode(r.body) for r in found]
    assert [r.key for r in found] == ["1", "1", None, None]
    for body in bodies[:3]:
        answer.validate(body)
    checkpoint.validate(bodies[3])
    assert set().union(*bodies[:3]) == SCHEMAS["Answer"]["properties"].keys()
    assert bodies[3].keys() == SCHEMAS["Checkpoint"]["properties"].keys()
    for name, check in (("answer", answer), ("checkpoint", checkpoint)):
        for example in SPEC["components"]["messages"][name]["examples"]:
            check.validate(example["payload"])
            assert not check.is_valid({**example["payload"], "unknown": 1})
    refused = SPEC["components"]["messages"]["answer"]["examples"][1]["payload"]["problem"]
    assert refused == event_problem().body()


def event_problem() -> Problem:
    found = event_of(Message(0, 0, 0, None, ()))
    assert isinstance(found, Problem)
    return found
