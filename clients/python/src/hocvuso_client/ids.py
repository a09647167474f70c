"""Ids of events: ordered random ones, and ones that the same content always gets again."""

import hashlib
import hmac
import json
import os
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

MakeId = Callable[[Mapping[str, Any]], str]
"""Gets the event without an id (source, type, subject, time, data), gives its id."""

_lock = threading.Lock()
_last = 0


def uuid7() -> uuid.UUID:
    """UUID version 7 (RFC 9562, section 5.7): milliseconds, then 12 bits that grow, then chance."""
    global _last
    with _lock:
        now = time.time_ns()
        # Method 3 of section 6.2: sub-millisecond precision, made to grow within this process.
        _last = max(_last + 1, (now // 1_000_000 << 12) | (now % 1_000_000) * 4096 // 1_000_000)
        stamp = _last
    bits = (stamp >> 12) << 80 | 0x7 << 76 | (stamp & 0xFFF) << 64 | 0b10 << 62
    return uuid.UUID(int=bits | int.from_bytes(os.urandom(8), "big") >> 2)


def random_id(_: Mapping[str, Any]) -> str:
    """A UUID version 7; the default."""
    return str(uuid7())


def content_id(secret: bytes, content: Any, salt: str = "") -> str:
    """A UUID version 8 out of JSON content: the same content, the same id.

    Keyed, because ids are not secret and an identity number could be guessed from a plain digest of
    the content around it. The secret must stay the same for as long as a resend may happen.
    """
    if len(secret) < 16:
        raise ValueError("the secret for ids has at least 16 bytes")
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    digest = hmac.digest(secret, f"{salt}\0{text}".encode(), hashlib.sha256)
    number = int.from_bytes(digest[:16], "big")
    number = number & ~(0xF << 76) | 0x8 << 76
    return str(uuid.UUID(int=number & ~(0b11 << 62) | 0b10 << 62))


def deterministic_ids(secret: bytes) -> MakeId:
    """For `Client(ids=...)`: what has the same source, type, subject, time and data is the same
    event, however often it is emitted."""
    if len(secret) < 16:
        raise ValueError("the secret for ids has at least 16 bytes")

    def make(event: Mapping[str, Any]) -> str:
        named = ("source", "type", "subject", "time", "data")
        return content_id(secret, [event.get(name) for name in named])

    return make
