"""The broker as the intake needs it: topics with their ids, fetches with their borders, rules.

On aiokafka's client rather than its consumer: a consumer hides the topic id, the first offset and
the gaps, resets offsets by itself, and fetches ahead without bound.
"""

import asyncio
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from aiokafka import errors
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from services.activities.intake.model import Page, Topic
from services.activities.intake.pages import read_page
from services.activities.intake.protocol import AclsRequest, TopicsRequest, field
from shared.aiokafka_internals import AIOKafkaClient, FetchRequest, OffsetRequest
from shared.broker import Broker, options_of
from shared.kafka import REQUEST_TIMEOUT_MS

READ_COMMITTED = 1
WAIT_MS = 250
FETCH_BYTES = 8 * 1024 * 1024
PARTITION_BYTES = 2 * 1024 * 1024
EARLIEST, LATEST = -2, -1
REPLICAS = 3


class OutOfRange(Exception):
    """The broker holds nothing at this offset; what it holds is [first, high)."""

    def __init__(self, partition: int, first: int, high: int) -> None:
        super().__init__(f"partition {partition} holds offsets from {first} to before {high}")
        self.partition, self.first, self.high = partition, first, high


class Kafka:
    """A connection to the brokers; an async context manager. Raises KafkaError throughout."""

    def __init__(self, broker: Broker | str, client_id: str = "hocvuso-intake") -> None:
        self._options = {
            **options_of(broker),
            "client_id": client_id,
            "request_timeout_ms": REQUEST_TIMEOUT_MS,
            "metadata_max_age_ms": 30_000,
        }

    async def __aenter__(self) -> Self:
        self._client = AIOKafkaClient(**self._options)
        self._admin = AIOKafkaAdminClient(**self._options)
        try:
            async with asyncio.timeout(2 * REQUEST_TIMEOUT_MS / 1000):
                await self._client.bootstrap()
                await self._admin.start()
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._close()

    async def _close(self) -> None:
        for closing in (self._client.close(), self._admin.close()):
            task = asyncio.ensure_future(closing)
            # A client whose broker is gone may not heed a cancellation: see shared/kafka.py.
            await asyncio.wait({task}, timeout=5)
            if task.done() and not task.cancelled():
                task.exception()

    async def topic(self, name: str) -> Topic | None:
        """A topic's id and leaders; None when there is no such topic."""
        answer = await self._client.send(self._any_node(), TopicsRequest([name]))
        (found,) = field(answer, "topics")
        code, _, topic_id, _, partitions = found[:5]
        if code == errors.UnknownTopicOrPartitionError.errno:
            return None
        if code:
            raise errors.for_code(code)(name)
        return Topic(UUID(bytes=topic_id), {number: leader for _, number, leader, *_ in partitions})

    def _any_node(self) -> Any:
        node = self._client.get_random_node()
        if node is None:
            raise errors.KafkaConnectionError("no broker is known")
        return node

    async def create(self, name: str, partitions: int, configs: Mapping[str, str]) -> None:
        """Make a topic, with three replicas where there are as many brokers, unless it exists."""
        replicas = min(REPLICAS, len(self._client.cluster.brokers()))
        answer = await self._admin.create_topics(
            [NewTopic(name, partitions, max(1, replicas), topic_configs=dict(configs))]
        )
        for topic, code, *_ in answer.topic_errors:
            if code and code != errors.TopicAlreadyExistsError.errno:
                raise errors.for_code(code)(topic)

    async def compacted(self, name: str) -> bool:
        """Whether cleanup.policy lets messages vanish by key."""
        answers = await self._admin.describe_configs(
            [ConfigResource(ConfigResourceType.TOPIC, name)]
        )
        for answer in answers:
            for code, message, _, _, entries in answer.resources:
                if code:
                    raise errors.for_code(code)(message)
                for entry in entries:
                    if entry[0] == "cleanup.policy":
                        return "compact" in (entry[1] or "")
        return False

    async def allow(self, entries: list[Any]) -> str | None:
        """Create access rules; why the broker refused them, or None."""
        answer = await self._client.send(self._any_node(), AclsRequest(entries))
        for code, message in field(answer, "results"):
            if code:
                return str(message or errors.for_code(code).__name__)
        return None

    async def offsets(self, topic: str, leaders: Mapping[int, int], which: int) -> dict[int, int]:
        """The earliest or latest offset of each partition (latest: of what is committed)."""
        found: dict[int, int] = {}
        for node, partitions in _by_leader(leaders).items():
            request = OffsetRequest(
                -1, READ_COMMITTED, [(topic, [(number, which) for number in partitions])]
            )
            answer = await self._client.send(node, request)
            for _, parts in field(answer, "topics"):
                for number, code, *_, offset in parts:
                    if code:
                        raise errors.for_code(code)(f"offsets of {topic} {number}")
                    found[number] = offset
        return found

    async def fetch(
        self, topic: str, leaders: Mapping[int, int], positions: Mapping[int, int]
    ) -> list[Page]:
        """A page of each partition at its position; waits a moment when there is nothing.

        Raises OutOfRange for a position that the broker does not hold, and CorruptRecordException.
        """
        answers = await asyncio.gather(
            *(
                self._client.send(
                    node,
                    FetchRequest(
                        WAIT_MS,
                        1,
                        FETCH_BYTES,
                        READ_COMMITTED,
                        [(topic, [(n, positions[n], PARTITION_BYTES) for n in partitions])],
                    ),
                )
                for node, partitions in _by_leader({n: leaders[n] for n in positions}).items()
            )
        )
        pages = []
        for answer in answers:
            for _, parts in field(answer, "topics"):
                for part in parts:
                    page = await self._page(topic, leaders, positions, part)
                    if page is not None:
                        pages.append(page)
        return pages

    async def _page(
        self,
        topic: str,
        leaders: Mapping[int, int],
        positions: Mapping[int, int],
        part: tuple[Any, ...],
    ) -> Page | None:
        # Fetch v4: number, code, high, stable, aborted, records; from v5 on with `first`.
        number, code, high, stable, *rest, data = part
        position = positions[number]
        if code == errors.OffsetOutOfRangeError.errno or (not code and high < position):
            # A broker in memory says nothing of an offset beyond its end, so it is asked; its
            # latest offset, in turn, may be that of the last batch's first message.
            first = await self.offsets(topic, {number: leaders[number]}, EARLIEST)
            end = await self.offsets(topic, {number: leaders[number]}, LATEST)
            last = max(end[number], high)
            if first[number] <= position <= last:
                return None
            raise OutOfRange(number, first[number], last)
        if code:
            raise errors.for_code(code)(f"fetch of {topic} {number}")
        aborted: Any = next((x for x in rest if isinstance(x, list)), None)
        first_offset = rest[0] if rest and isinstance(rest[0], int) else 0
        return read_page(
            number,
            position,
            data or b"",
            aborted or (),
            first=max(0, first_offset),
            high=stable if stable >= 0 else high,
        )


def _by_leader(leaders: Mapping[int, int]) -> dict[int, list[int]]:
    """Node -> partitions; raises when one has no leader just now."""
    nodes: dict[int, list[int]] = {}
    for number, leader in sorted(leaders.items()):
        if leader < 0:
            raise errors.LeaderNotAvailableError(f"partition {number} has no leader")
        nodes.setdefault(leader, []).append(number)
    return nodes
