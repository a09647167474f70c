"""Rows of the table `said`, packed, and how rows of fixed width are read (`shared.binary_copy`).

Columns of fixed width make rows that `struct` reads and writes as one piece; that costs a fraction
of a column at a time.
"""

from collections.abc import Awaitable, Callable
from datetime import date
from struct import Struct
from typing import Any

from shared.binary_copy import HEADER, NULL, TRAILER, day_number, document, fixed

KEY_BYTES = 16
"""Width of the keys that `shared.contracts.record.lane_of` makes."""

_HEAD = Struct(">hihi")
_PLACE = Struct(">iqiqii")
_FLAG = (1).to_bytes(4, "big")

SAID_COLUMNS = (
    "lane", "subject", "origin", "position", "revision", "recorded", "since", "until",
    "combination", "unit", "hard", "detail",
)  # fmt: skip
PLAIN_END = _FLAG + b"\x00" + NULL
"""The last two columns of a row of `said` that is neither hard nor has details."""


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
    flag = _FLAG + (b"\x01" if hard else b"\x00")
    return flag + (NULL if detail is None else document(detail))


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
