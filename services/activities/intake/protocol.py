"""Requests that aiokafka does not have: topic ids (Metadata v10) and access rules (CreateAcls v1).

Layouts: Apache Kafka's protocol guide.
"""

from collections.abc import Sequence
from io import BytesIO
from typing import Any

from shared.aiokafka_internals import (
    Array,
    Boolean,
    CompactArray,
    CompactString,
    Int8,
    Int16,
    Int32,
    Request,
    RequestStruct,
    Response,
    Schema,
    String,
    TaggedFields,
)

TEXT = CompactString("utf-8")
NO_ID = bytes(16)


class _Uuid:
    """16 bytes."""

    @classmethod
    def encode(cls, value: bytes) -> bytes:
        return value

    @classmethod
    def decode(cls, data: BytesIO) -> bytes:
        return data.read(16)

    @classmethod
    def repr(cls, value: bytes) -> str:
        return value.hex()


class TopicsResponse(Response):  # type: ignore[misc]
    """Metadata v10: brokers, and per topic its id and partitions."""

    API_KEY = 3
    API_VERSION = 10
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32),
                ("host", TEXT),
                ("port", Int32),
                ("rack", TEXT),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_id", TEXT),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("name", TEXT),
                ("topic_id", _Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("authorized_operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_authorized_operations", Int32),
        ("tags", TaggedFields),
    )


class _TopicsRequest(RequestStruct):  # type: ignore[misc]
    API_KEY = 3
    API_VERSION = 10
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = TopicsResponse
    SCHEMA = Schema(
        ("topics", CompactArray(("topic_id", _Uuid), ("name", TEXT), ("tags", TaggedFields))),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class TopicsRequest(Request[_TopicsRequest]):  # type: ignore[misc]
    """Asks for topics by name; never creates one."""

    API_KEY = 3

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def build(self, kind: type[_TopicsRequest]) -> _TopicsRequest:
        return kind([(NO_ID, name, {}) for name in self._names], False, False, False, {})


class AclsResponse(Response):  # type: ignore[misc]
    """CreateAcls v1: one result per rule."""

    API_KEY = 30
    API_VERSION = 1
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("results", Array(("error_code", Int16), ("error_message", String("utf-8")))),
    )


class _AclsRequest(RequestStruct):  # type: ignore[misc]
    API_KEY = 30
    API_VERSION = 1
    RESPONSE_TYPE = AclsResponse
    SCHEMA = Schema(
        (
            "creations",
            Array(
                ("resource_type", Int8),
                ("resource_name", String("utf-8")),
                ("resource_pattern_type", Int8),
                ("principal", String("utf-8")),
                ("host", String("utf-8")),
                ("operation", Int8),
                ("permission_type", Int8),
            ),
        )
    )


class AclsRequest(Request[_AclsRequest]):  # type: ignore[misc]
    """Creates access rules; those that are there already stay."""

    API_KEY = 30

    def __init__(self, rules: Sequence[tuple[int, str, int, str, str, int, int]]) -> None:
        self._rules = rules

    def build(self, kind: type[_AclsRequest]) -> _AclsRequest:
        return kind(list(self._rules))


def field(struct: Any, name: str) -> Any:
    """A field of a response by name."""
    return struct.get_item(name)
