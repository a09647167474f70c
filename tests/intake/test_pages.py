"""Record batches as a broker may hold them: gaps are told apart, nothing is read twice."""

import struct
from uuid import UUID

import pytest
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from services.activities.intake.batch import MOST_MESSAGES, batches
from services.activities.intake.model import Message, Page, Partner
from services.activities.intake.pages import read_page

CONTROL = 0x20


def batch(
    base: int,
    *offsets: int,
    last: int | None = None,
    producer: int = -1,
    transactional: bool = False,
    control: bytes | None = None,
    headers: list[tuple[str, bytes]] | None = None,
) -> bytes:
    """A record batch with messages at these offsets that ends at `last`."""
    builder = DefaultRecordBatchBuilder(2, 0, transactional, producer, 0, 0, 1_000_000)
    for offset in offsets:
        key = control if control is not None else None
        builder.append(offset - base, 1000 + offset, key, b"v%d" % offset, headers or [])
    data = bytearray(builder.build())
    struct.pack_into(">q", data, 0, base)
    end = (last if last is not None else offsets[-1]) - base
    struct.pack_into(">i", data, 23, end)
    if control is not None:
        (flags,) = struct.unpack_from(">h", data, 21)
        struct.pack_into(">h", data, 21, flags | CONTROL)
    return seal(data)


def seal(data: bytearray) -> bytes:
    """With the right checksum (CRC-32C from the attributes on)."""
    from aiokafka.record._crc32c import crc as crc32c

    struct.pack_into(">I", data, 17, crc32c(bytes(data[21:])))
    return bytes(data)


def marker(offset: int, producer: int, *, commit: bool) -> bytes:
    key = struct.pack(">hh", 0, int(commit))
    return batch(offset, offset, producer=producer, transactional=True, control=key)


def page(start: int, data: bytes, aborted: tuple[tuple[int, int], ...] = ()):  # type: ignore[no-untyped-def]
    return read_page(0, start, data, aborted, first=0, high=100)


def offsets(found) -> list[int]:  # type: ignore[no-untyped-def]
    return [m.offset for m in found.messages]


def test_plain_batches() -> None:
    found = page(0, batch(0, 0, 1, 2) + batch(3, 3))
    assert offsets(found) == [0, 1, 2, 3]
    assert (found.next, found.removed) == (4, ())
    assert [m.value for m in found.messages][-1] == b"v3"


def test_from_the_middle_of_a_batch() -> None:
    found = page(2, batch(0, 0, 1, 2, 3))
    assert (offsets(found), found.next, found.removed) == ([2, 3], 4, ())


def test_a_cut_batch_at_the_end_waits() -> None:
    found = page(0, batch(0, 0, 1) + batch(2, 2, 3)[:-5])
    assert (offsets(found), found.next) == ([0, 1], 2)


def test_nothing() -> None:
    found = page(7, b"")
    assert (offsets(found), found.next) == ([], 7)


def test_what_compaction_removed_is_told() -> None:
    found = page(1, batch(3, 3, 5, last=7) + batch(10, 10))
    assert offsets(found) == [3, 5, 10]
    assert found.removed == ((1, 2), (4, 4), (6, 7), (8, 9))
    assert found.next == 11


def test_markers_of_transactions_are_no_gap() -> None:
    data = batch(0, 0, 1, producer=5, transactional=True) + marker(2, 5, commit=True) + batch(3, 3)
    found = page(0, data)
    assert (offsets(found), found.removed, found.next) == ([0, 1, 3], (), 4)


def test_only_markers_are_passed() -> None:
    found = page(2, marker(2, 5, commit=True))
    assert (offsets(found), found.next) == ([], 3)


def test_aborted_messages_are_not_taken_others_of_the_producer_are() -> None:
    data = (
        batch(0, 0, producer=5, transactional=True)
        + batch(1, 1, producer=6, transactional=True)
        + marker(2, 5, commit=False)
        + batch(3, 3, producer=5, transactional=True)
        + marker(4, 6, commit=True)
        + marker(5, 5, commit=True)
    )
    found = page(0, data, ((5, 0),))
    assert (offsets(found), found.removed, found.next) == ([1, 3], (), 6)


def test_batches_keep_order_and_borders_and_say_what_is_missing() -> None:
    who = Partner("p", frozenset(), None, None, None, None, "all", 1, 1, None, False, 1, 0)
    many = tuple(Message(0, n, 0, b"", ()) for n in range(5, 1505))
    pages = [
        Page(0, 3, many, 1510, 0, 2000, ((3, 4), (1505, 1509))),
        Page(1, 7, (), 8, 0, 8),  # only a marker
        Page(2, 4, (), 4, 0, 4),  # nothing
        Page(3, 0, (Message(3, 0, 0, b"", ()),), 1, 0, 1),
    ]
    found = list(batches(who, UUID(int=1), pages))
    assert [len(b.messages) for b in found] == [MOST_MESSAGES, 501]
    assert [(m.partition, m.expected, m.next) for b in found for m in b.moves] == [
        (0, 3, 1005),
        (0, 1005, 1510),
        (1, 7, 8),
        (3, 0, 1),
    ]
    assert [[(t.first, t.last) for t in b.removed] for b in found] == [[(3, 4)], [(1505, 1509)]]
    for one in found:
        assert len({m.partition for m in one.moves}) == len(one.moves)


def test_a_wrong_checksum_stops() -> None:
    data = bytearray(batch(0, 0, 1))
    data[-1] ^= 1
    with pytest.raises(CorruptRecordException):
        page(0, bytes(data))


def test_a_batch_with_an_unreadable_header_is_refused_message_by_message() -> None:
    data = bytearray(batch(0, 0, 1, headers=[("zzzz", b"1")]))
    at = data.index(b"zzzz")
    data[at] = 0xFF
    found = page(0, seal(data) + batch(2, 2))
    assert [(m.offset, m.readable) for m in found.messages] == [(0, False), (1, False), (2, True)]
    assert (found.next, found.removed) == (3, ())
