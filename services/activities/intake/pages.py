"""From the bytes of a fetch to messages, and to what is missing between them. Pure.

Written on the record batches themselves, since a consumer hides what matters here: whether a gap
between two offsets is a marker of a transaction, an aborted message, or a message that is gone.
"""

from collections.abc import Sequence
from typing import Any

from aiokafka.errors import CorruptRecordException, UnsupportedCodecError

from services.activities.intake.model import Message, Page
from shared.aiokafka_internals import ABORT_MARKER, ControlRecord, MemoryRecords


def read_page(
    partition: int,
    start: int,
    data: bytes,
    aborted: Sequence[tuple[int, int]],
    *,
    first: int,
    high: int,
) -> Page:
    """The committed messages from `start` on.

    `aborted`: (producer id, first offset) of aborted transactions in it, as the broker says.
    Raises CorruptRecordException when a checksum is wrong: the broker's disk, not the partner;
    UnsupportedCodecError when the topic was not created here and holds what cannot be unpacked.
    """
    batches = MemoryRecords(data)
    waiting = sorted(aborted, key=lambda one: one[1])
    aborting: set[int] = set()
    messages: list[Message] = []
    removed: list[tuple[int, int]] = []
    at = start
    while batches.has_next():
        batch: Any = batches.next_batch()
        if not batch.validate_crc():
            raise CorruptRecordException(f"wrong checksum in partition {partition} from {at} on")
        if batch.next_offset <= at:
            continue
        if batch.base_offset > at:
            removed.append((at, batch.base_offset - 1))
            at = batch.base_offset
        if batch.is_control_batch or batch.is_transactional:
            while waiting and waiting[0][1] <= batch.base_offset:
                aborting.add(waiting.pop(0)[0])
        if batch.is_control_batch:
            if ControlRecord.parse(next(batch).key) == ABORT_MARKER:
                aborting.discard(batch.producer_id)
        elif not (batch.is_transactional and batch.producer_id in aborting):
            found = _messages(partition, batch)
            for message in found:
                if message.offset < at:
                    continue
                if message.offset > at:
                    removed.append((at, message.offset - 1))
                messages.append(message)
                at = message.offset + 1
            if at < batch.next_offset:
                removed.append((at, batch.next_offset - 1))
        at = batch.next_offset
    return Page(partition, start, tuple(messages), at, first, high, tuple(removed))


def _messages(partition: int, batch: Any) -> list[Message]:
    """The messages of a batch; if one cannot be read, none can: each is then said unreadable."""
    base, end, at = batch.base_offset, batch.next_offset, batch.max_timestamp
    try:
        return [Message(partition, r.offset, r.timestamp, r.value, tuple(r.headers)) for r in batch]
    except UnsupportedCodecError:
        raise
    except Exception:
        # Such as the name of a header that is no UTF-8: any producer can write one.
        return [Message(partition, o, at, None, (), readable=False) for o in range(base, end)]
