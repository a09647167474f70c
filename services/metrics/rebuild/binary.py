"""Rows in PostgreSQL's binary COPY format, both ways, without an object for each value.

A row is the number of its columns (2 bytes), then for each its length (4 bytes, -1: null) and the
bytes. Columns of fixed width make rows that `struct` reads and writes as one piece; that costs a
fraction of a column at a time. Format: PostgreSQL manual, "COPY", binary format.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date, timedelta
from struct import Struct
from typing import Any

import msgspec

HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TRAILER = b"\xff\xff"
NULL = b"\xff\xff\xff\xff"
KEY_BYTES = 16
"""Width of the keys that `shared.contracts.record.lane_of` makes."""

_FIRST_DAY = date(2000, 1, 1).toordinal()
_HEAD = Struct(">hihi")
_PLACE = Struct(">iqiqii")
_FIXED = Struct(">ii")
_ONE_DAY = timedelta(days=1)

SAID_COLUMNS = (
    "lane", "subject", "origin", "position", "revision", "recorded", "since", "until",
    "combination", "unit", "hard", "detail",
)  # fmt: skip
PLAIN_END = _FIXED.pack(1, 0)[:4] + b"\x00" + NULL
"""The last two columns of a row of `said` that is neither hard nor has details."""


def day_number(day: date) -> int:
    """A day as PostgreSQL counts it."""
    return day.toordinal() - _FIRST_DAY


def day_of(number: int) -> date:
    """The day with this number."""
    return date.fromordinal(number + _FIRST_DAY)


def fixed(number: int) -> bytes:
    """A column of 4 bytes."""
    return _FIXED.pack(4, number)


def head(lane: int, key_bytes: int = KEY_BYTES) -> bytes:
    """A row of `said` up to its key."""
    return _HEAD.pack(len(SAID_COLUMNS), 2, lane, key_bytes)


def place(origin: int, position: int, revision: int) -> bytes:
    """Where a row of the log stands."""
    return _PLACE.pack(8, origin, 8, position, 4, revision)


def until(day: date | None) -> bytes:
    """A day or none."""
    return NULL if day is None else fixed(day_number(day))


def end(hard: bool, detail: dict[str, Any] | None) -> bytes:
    """The last two columns of a row of `said`."""
    flag = _FIXED.pack(1, 0)[:4] + (b"\x01" if hard else b"\x00")
    if detail is None:
        return flag + NULL
    document = b"\x01" + msgspec.json.encode(detail)
    return flag + len(document).to_bytes(4, "big") + document


class Rows:
    """Rows of columns with fixed width that come as a stream: whole rows of each piece."""

    def __init__(self, layout: Struct, take: Callable[[Any], Awaitable[None]]) -> None:
        self._layout, self._take = layout, take
        self._rest = b""
        self._begun = False

    async def __call__(self, data: bytes) -> None:
        """Take what arrived; `take` gets an iterator over tuples."""
        data = self._rest + data if self._rest else bytes(data)
        if not self._begun:
            if len(data) < len(HEADER):
                self._rest = data
                return
            data, self._begun = data[len(HEADER) :], True
        width = self._layout.size
        whole = len(data) - len(data) % width
        self._rest = data[whole:]
        if whole:
            await self._take(self._layout.iter_unpack(memoryview(data)[:whole]))

    def close(self) -> None:
        """Raises ValueError when the stream ended within a row."""
        if self._rest != TRAILER:
            raise ValueError("the rows do not have the width expected")


async def framed(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """What COPY wants before and after the rows."""
    yield HEADER
    async for piece in pieces:
        yield piece
    yield TRAILER
