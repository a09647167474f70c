"""The answers on the receipts topic. Pure.

They hold what a batch's answer holds, and where the message was. A message's own key is not
repeated, since it may be a person's number; the receipt's key is the event's id.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

from services.activities.ingest.answers import Result, encode
from services.activities.intake.model import Acks, Message, Partner
from services.activities.intake.outbox import ReceiptMessage
from services.activities.intake.store import Count, Move
from services.activities.log.model import Status


def receipts(
    who: Partner,
    topic_id: UUID,
    messages: Sequence[Message],
    results: Sequence[Result],
    moves: Iterable[Move],
) -> list[ReceiptMessage]:
    """What to send: answers as the partner wants them, then how far each partition is done."""
    found = [
        _answer(who, topic_id, message, result)
        for message, result in zip(messages, results, strict=True)
        if _wanted(who.acks, result)
    ]
    for move in moves:
        body = {
            "topic": who.intake,
            "topic_id": str(topic_id),
            "partition": move.partition,
            "committed": move.next,
        }
        found.append(ReceiptMessage(move.partition, None, encode(body)))
    return found


def counted(messages: Sequence[Message], results: Sequence[Result]) -> list[Count]:
    """How many messages of each partition became what."""
    found: dict[int, Count] = {}
    for message, result in zip(messages, results, strict=True):
        count = found.setdefault(message.partition, Count(message.partition))
        count.read_ms = max(count.read_ms, message.at)
        if result.status is Status.ACCEPTED:
            count.accepted += 1
        elif result.status is Status.DUPLICATE:
            count.duplicates += 1
        else:
            count.rejected += 1
    return list(found.values())


def _wanted(acks: Acks, result: Result) -> bool:
    return acks == "all" or (acks == "errors" and result.status is Status.REJECTED)


def _answer(who: Partner, topic_id: UUID, message: Message, result: Result) -> ReceiptMessage:
    body = {
        "topic": who.intake,
        "topic_id": str(topic_id),
        "partition": message.partition,
        "offset": message.offset,
        **result.body(),
    }
    if result.problem is not None:
        body["problem"] = result.problem.body()
    return ReceiptMessage(message.partition, result.id, encode(body))
