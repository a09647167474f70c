"""Taking away access rules (DeleteAcls v1), which no client of ours does.

Layout: Apache Kafka's protocol guide.
"""

from typing import Any

from services.activities.intake.kafka import Kafka
from services.activities.intake.protocol import field
from shared.aiokafka_internals import (
    Array,
    Int8,
    Int16,
    Int32,
    Request,
    RequestStruct,
    Response,
    Schema,
    String,
)

_TEXT = String("utf-8")
_RULE = (
    ("resource_type", Int8),
    ("resource_name", _TEXT),
    ("resource_pattern_type", Int8),
    ("principal", _TEXT),
    ("host", _TEXT),
    ("operation", Int8),
    ("permission_type", Int8),
)
Rule = tuple[int, str, int, str, str, int, int]


class _Answer(Response):  # type: ignore[misc]
    API_KEY = 31
    API_VERSION = 1
    _MATCHED = Array(("error_code", Int16), ("error_message", _TEXT), *_RULE)
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "results",
            Array(("error_code", Int16), ("error_message", _TEXT), ("matched", _MATCHED)),
        ),
    )


class _Struct(RequestStruct):  # type: ignore[misc]
    API_KEY = 31
    API_VERSION = 1
    RESPONSE_TYPE = _Answer
    SCHEMA = Schema(("filters", Array(*_RULE)))


class _Taken(Request[_Struct]):  # type: ignore[misc]
    API_KEY = 31

    def __init__(self, rule: Rule) -> None:
        self._rule = rule

    def build(self, kind: type[_Struct]) -> _Struct:
        return kind([self._rule])


async def take_away(kafka: Kafka, rule: Rule) -> int:
    """Delete this rule; how many there were."""
    answer: Any = await kafka._client.send(kafka._any_node(), _Taken(rule))
    [(code, message, matched)] = field(answer, "results")
    assert not code, message
    return len(matched)
