"""Rows of the log between Python, PostgreSQL and the wire."""

from datetime import date, datetime
from typing import NamedTuple

import asyncpg
import msgspec

from shared.contracts.topics import EVENT_TYPE_PREFIX

encode = msgspec.json.Encoder().encode


class Row(NamedTuple):
    """One row to insert: its fields are the columns of the table, in the order COPY writes them."""

    position: int
    prev: int
    lane: int
    ordinal: int
    recorded: date
    recorded_at: datetime
    source: str
    id: str
    type: str
    subject: str
    unit_id: str
    time: str
    occurred: date
    origin: int
    revision: int
    key_index: int
    key_kind: str
    key: bytes
    content_mac: bytes
    partner: str
    traceparent: str | None
    data: str
    void: bool
    effective: str | None


COLUMNS = Row._fields


class WireRow(msgspec.Struct, omit_defaults=True):
    """A row on its way out: same JSON as shared.contracts.record.LogRecord, data untouched."""

    id: str
    source: str
    type: str
    subject: str
    time: str
    epoch: str
    position: int
    prev: int
    lane: int
    recorded: date
    occurred: date
    unitid: str
    origin: int
    keykind: str
    key: bytes
    data: msgspec.Raw
    revision: int = 0
    keyindex: int = 0
    traceparent: str | None = None
    void: bool = False
    effective: msgspec.Raw | None = None
    # Required by CloudEvents 1.0; declared without default so that it is always written.
    specversion: str = msgspec.field(default_factory=lambda: "1.0")


WIRE_SQL = """
SELECT position, prev, lane, source, id, type, subject, unit_id, time, recorded, occurred, origin,
       revision, key_index, key_kind, key, traceparent, data, void, effective
FROM log
"""


def to_wire(row: asyncpg.Record, epoch: str) -> bytes:
    """One row as the JSON that travels on the topic and on GET /v1/log."""
    effective = row["effective"]
    return encode(
        WireRow(
            id=row["id"],
            source=row["source"],
            type=EVENT_TYPE_PREFIX + row["type"],
            subject=row["subject"],
            time=row["time"],
            epoch=epoch,
            position=row["position"],
            prev=row["prev"],
            lane=row["lane"],
            recorded=row["recorded"],
            occurred=row["occurred"],
            unitid=row["unit_id"],
            origin=row["origin"],
            keykind=row["key_kind"],
            key=row["key"],
            data=msgspec.Raw(row["data"].encode()),
            revision=row["revision"],
            keyindex=row["key_index"],
            traceparent=row["traceparent"],
            void=row["void"],
            effective=None if effective is None else msgspec.Raw(effective.encode()),
        )
    )
