"""Building the CloudEvents envelope of what is emitted."""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from hocvuso_client.errors import Refused
from hocvuso_client.ids import MakeId
from hocvuso_client.typed import EventData, moment, to_json

TYPE_PREFIX = "vn.hocvuso."
SCHEMAS = "https://hocvuso.example/schemas/"
MAX_EVENT_BYTES = 256 * 1024


class EventId(NamedTuple):
    """The idempotency key of an event; ask for its receipt with it."""

    source: str
    id: str


@dataclass(frozen=True, slots=True)
class Queued:
    """An event as it will be posted; `seq` is its place in the queue."""

    seq: int
    source: str
    id: str
    raw: bytes = field(repr=False)


def envelope(
    event: EventData | Mapping[str, Any],
    *,
    type: str | None,
    subject: str | None,
    source: str | None,
    time: dt.datetime | None,
    id: str | None,
    make_id: MakeId,
) -> dict[str, Any]:
    """A complete CloudEvents object out of typed data, data with a `type`, or a whole event.

    Raises ValueError for what is missing, and for a time without an offset.
    """
    given: dict[str, Any] = {"specversion": "1.0"}
    if isinstance(event, EventData):
        given["type"] = TYPE_PREFIX + event.TYPE
        given["dataschema"] = f"{SCHEMAS}{event.TYPE}/{event.VERSION}"
        given["data"] = event.to_data()
    elif type is not None:
        given["type"] = TYPE_PREFIX + type.removeprefix(TYPE_PREFIX)
        given["data"] = to_json(event, "data")
    else:
        given |= to_json(event, "event")
    if source is not None:
        given.setdefault("source", source)
    if subject is not None:
        given["subject"] = subject
    if time is not None:
        given["time"] = moment(time, "time")
    elif "time" not in given:
        given["time"] = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")
    for name in ("source", "type", "data"):
        if not given.get(name):
            raise ValueError(f"an event needs {name}")
    if id is not None:
        given["id"] = id
    elif not given.get("id"):
        given["id"] = make_id(given)
    return given


def queued(event: Mapping[str, Any], seq: int = 0) -> Queued:
    """The event as bytes. Raises Refused for one that is larger than the service takes."""
    raw = json.dumps(event, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    if len(raw) > MAX_EVENT_BYTES:
        raise Refused(
            {"code": "body-too-large", "detail": f"An event may have {MAX_EVENT_BYTES} bytes."}, 413
        )
    return Queued(seq, str(event["source"]), str(event["id"]), raw)
