"""Messages that are handed in together, and what is written with them in one transaction."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from opentelemetry import trace

from services.activities.ingest.answers import Result
from services.activities.ingest.door import Door, Path
from services.activities.intake import answers, outbox, store
from services.activities.intake.messages import event_of, header
from services.activities.intake.model import Kind, Message, Page, Partner, Trouble
from services.activities.intake.store import Move
from shared import telemetry
from shared.clock import Clock
from shared.db import Connection

tracer = trace.get_tracer("hocvuso.activities.intake")

MOST_MESSAGES = 1_000


@dataclass
class Batch:
    """Some messages of one partner, with the steps of their partitions. Use `take`."""

    who: Partner
    topic_id: UUID
    messages: list[Message] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    removed: list[Trouble] = field(default_factory=list)

    async def take(self, door: Door, clock: Clock) -> None:
        """Append the events, move the positions and keep the answers: all or nothing.

        Raises Fenced when the positions are not ours to move, Problem when the log did not take it.
        """
        who, topic_id = self.who, self.topic_id

        async def fence(connection: Connection) -> None:
            await store.advance(connection, who, topic_id, self.moves)

        async def keep(connection: Connection, results: Sequence[Result]) -> None:
            await store.count(
                connection, who.name, topic_id, answers.counted(self.messages, results)
            )
            await outbox.keep_receipts(
                connection,
                who.name,
                answers.receipts(who, topic_id, self.messages, results, self.moves),
            )
            await store.note(connection, who.name, topic_id, self.removed, clock.now())

        with telemetry.span(
            tracer,
            f"process {who.intake}",
            context=telemetry.root_context(),
            kind=trace.SpanKind.CONSUMER,
            links=telemetry.links(header(message, "traceparent") for message in self.messages),
            attributes={
                "messaging.system": "kafka",
                "messaging.operation.type": "process",
                "messaging.operation.name": "process",
                "messaging.destination.name": who.intake,
                "messaging.batch.message_count": len(self.messages),
            },
        ):
            await door.take(
                [event_of(message) for message in self.messages],
                who.key(),
                Path.KAFKA,
                traceparent=telemetry.traceparent(),
                also=fence,
                told=keep,
            )


def batches(who: Partner, topic_id: UUID, pages: Sequence[Page]) -> Iterator[Batch]:
    """The pages in batches of bounded size; each partition's messages stay in order."""
    batch = Batch(who, topic_id)
    for page in pages:
        at = page.start
        removed = [
            Trouble(Kind.REMOVED, "missing between messages", page.partition, first, last)
            for first, last in page.removed
        ]
        left = list(page.messages)
        while left or at < page.next:
            room = MOST_MESSAGES - len(batch.messages)
            taken, left = left[:room], left[room:]
            end = taken[-1].offset + 1 if left else page.next
            batch.messages += taken
            batch.moves.append(Move(page.partition, at, end))
            batch.removed += [t for t in removed if at <= (t.first or 0) < end]
            at = end
            if len(batch.messages) >= MOST_MESSAGES:
                yield batch
                batch = Batch(who, topic_id)
    if batch.moves:
        yield batch
