"""What we use of aiokafka beyond its documented interface; nothing else imports its inner modules.

Why: a consumer hides topic ids, the borders of a fetch and the gaps in a log (see
`services/activities/intake/kafka.py`), and aiokafka has neither Metadata v10 nor CreateAcls. These
names may move with any release: `tests/shared/test_aiokafka_internals.py` fails on each new one,
until its release notes were read and the tests of intake have passed on it.
"""

from aiokafka.client import AIOKafkaClient
from aiokafka.conn import collect_hosts, create_conn
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.offset import OffsetRequest
from aiokafka.protocol.types import (
    Array,
    Boolean,
    CompactArray,
    CompactString,
    Int8,
    Int16,
    Int32,
    Schema,
    String,
    TaggedFields,
)
from aiokafka.record.control_record import ABORT_MARKER, ControlRecord
from aiokafka.record.memory_records import MemoryRecords

TESTED_RELEASE = "0.14.0"
"""The release of aiokafka for which this module was read."""

__all__ = [
    "ABORT_MARKER", "TESTED_RELEASE", "AIOKafkaClient", "Array", "Boolean", "CompactArray",
    "CompactString", "ControlRecord", "FetchRequest", "Int8", "Int16", "Int32", "MemoryRecords",
    "OffsetRequest", "Request", "RequestStruct", "Response", "Schema", "String", "TaggedFields",
    "collect_hosts", "create_conn",
]  # fmt: skip
