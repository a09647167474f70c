"""The shapes that travel from the log to the projections, on Kafka and on `GET /v1/log` alike.

A row is a CloudEvents 1.0 JSON object with extension attributes that place it in the log. Its
personal references are pseudonyms already. `effective_content()` is what it says today of the
event it belongs to: itself for a first row, the corrected content for a revision, `None` for void.
"""

import hashlib
from datetime import date
from typing import Any

import msgspec

from shared.contracts.topics import EVENT_TYPE_PREFIX

FACT_LANES = 64
DEFINITION_LANE = 64
LANES = FACT_LANES + 1


class Content(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an event says: its short type, unit, day and pseudonymised data."""

    type: str
    unitid: str
    occurred: date
    time: str
    data: dict[str, Any]


class LogRecord(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """One row of the log.

    `position` is gapless and commit-ordered, `prev` the previous position of the same lane
    (0 for its first). `origin` is the position of the first row of the event that this row
    speaks of; `keyindex` says which of the type's count keys the row serves (0: the primary one, whose
    row stands for the event when events are counted); the pair (`origin`, `key`) holds the highest `revision` as its truth.
    """

    specversion: str = "1.0"
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
    revision: int = 0
    keyindex: int = 0
    keykind: str
    key: bytes
    traceparent: str | None = None
    data: dict[str, Any]
    void: bool = False
    effective: Content | None = None

    @property
    def short_type(self) -> str:
        return self.type.removeprefix(EVENT_TYPE_PREFIX)

    def effective_content(self) -> Content | None:
        """What counts now, or `None` when the event (or its part under this key) is void."""
        if self.void:
            return None
        if self.effective is not None:
            return self.effective
        return Content(
            type=self.short_type,
            unitid=self.unitid,
            occurred=self.occurred,
            time=self.time,
            data=self.data,
        )


class Through(msgspec.Struct, kw_only=True):
    """A completeness marker: `last` holds the last position <= `through` of each lane named.

    Design, section 5: `prev` cannot see a lost tail, this can.
    """

    epoch: str
    through: int
    last: dict[int, int]


def lane_of(kind: str, values: list[str]) -> tuple[bytes, int]:
    """The key (16 bytes) and lane of a count key: SHA-256 over its canonical JSON.

    The first 8 bytes modulo 64 are the lane (design, section 3).
    """
    digest = hashlib.sha256(msgspec.json.encode([kind, *values])).digest()
    return digest[:16], int.from_bytes(digest[:8], "big") % FACT_LANES


class LaneProgress(msgspec.Struct, kw_only=True):
    """How far one projection is in one lane."""

    last: int
    through: int


class Progress(msgspec.Struct, kw_only=True):
    """Message of the progress topic: what a projection has counted, and what readers can see.

    `lanes` holds only lanes that moved. `watermark` is the smallest `through` of all lanes;
    `refreshed` is the position up to which the indicator tables are complete. `parked` holds the
    positions newly parked, or all that are parked now when `parked_complete`.
    """

    epoch: str
    projection: str
    at: str
    lanes: dict[int, LaneProgress] = msgspec.field(default_factory=dict)
    watermark: int = 0
    refreshed: int | None = None
    parked: list[int] = msgspec.field(default_factory=list)
    parked_complete: bool = False


record_decoder = msgspec.json.Decoder(LogRecord)
through_decoder = msgspec.json.Decoder(Through)
progress_decoder = msgspec.json.Decoder(Progress)
encode = msgspec.json.Encoder().encode
