"""PostgreSQL's binary COPY from rows that were packed before, without an object for each value.

A row is the number of its columns (2 bytes), then for each its length (4 bytes, -1: null) and the
bytes. Most columns of a batch hold values that came before (days, units, measures): whoever keeps
these columns packed joins rows of pieces, at a fraction of the cost of a value at a time. Format:
PostgreSQL manual, "COPY", binary format.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import date
from struct import Struct
from typing import Any

import msgspec

from shared.db import Connection

HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TRAILER = b"\xff\xff"
NULL = b"\xff\xff\xff\xff"

_FIRST_DAY = date(2000, 1, 1).toordinal()
_FIXED = Struct(">ii")
_LENGTH = Struct(">i")


def day_number(day: date) -> int:
    """A day as PostgreSQL counts it."""
    return day.toordinal() - _FIRST_DAY


def day_of(number: int) -> date:
    """The day with this number."""
    return date.fromordinal(number + _FIRST_DAY)


def fixed(number: int) -> bytes:
    """A column of 4 bytes: int or, by its `day_number`, date."""
    return _FIXED.pack(4, number)


def text(value: str) -> bytes:
    """A column of text."""
    data = value.encode()
    return _LENGTH.pack(len(data)) + data


def document(value: Any) -> bytes:
    """A column of jsonb (its version, then JSON)."""
    data = msgspec.json.encode(value)
    return _LENGTH.pack(len(data) + 1) + b"\x01" + data


async def framed(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """What COPY wants before and after the rows."""
    yield HEADER
    async for piece in pieces:
        yield piece
    yield TRAILER


async def copy(
    connection: Connection, table: str, rows: bytes, columns: Sequence[str] | None = None
) -> None:
    """Add packed rows to a table; `columns` as packed, None: all in the table's order."""
    if rows:
        await connection.copy_to_table(
            table,
            source=framed(_whole(rows)),
            columns=None if columns is None else list(columns),
            format="binary",
        )


async def _whole(rows: bytes) -> AsyncIterator[bytes]:
    yield rows
