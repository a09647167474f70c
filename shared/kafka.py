"""Kafka clients with the settings that every process shares.

Exactness never depends on the broker (see `shared/lanes.py`): producers may be non-idempotent
(the embedded broker knows no idempotent ones) and no offsets are stored.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from time import monotonic
from typing import Any, Protocol

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaError,
    TopicAlreadyExistsError,
    UnknownError,
    for_code,
)

from shared.aiokafka_internals import collect_hosts, create_conn
from shared.broker import Broker, options_of

log = logging.getLogger(__name__)

REQUEST_TIMEOUT_MS = 10_000
LONG_WAIT_MS = 1_000
SHORT_WAIT_MS = 20
QUIET_WAIT_MS = 500
IDLE_SHARE = 20
"""A fetch waits for a twentieth of the time since the last row: five percent later, then."""

REPLICAS = 3
"""Copies of a new topic, where there are as many brokers."""


def producer(servers: Broker | str, client_id: str) -> AIOKafkaProducer:
    """A producer that waits for all in-sync replicas; the caller starts and stops it."""
    return AIOKafkaProducer(
        **options_of(servers),
        client_id=client_id,
        acks="all",
        linger_ms=2,
        max_batch_size=512 * 1024,
        max_request_size=4 * 1024 * 1024,
        request_timeout_ms=REQUEST_TIMEOUT_MS,
        metadata_max_age_ms=30_000,
    )


class Client(Protocol):
    """Any of aiokafka's."""

    async def start(self) -> None:
        """Connect."""
        ...


async def start(client: Client, servers: Broker | str) -> None:
    """Start a client; where no broker lets it in, raise what the brokers have against it."""
    try:
        await client.start()
    except KafkaConnectionError as error:
        raise (await why_not(servers)) or error from error


async def why_not(servers: Broker | str) -> KafkaError | OSError | None:
    """Why the first broker that answers does not let us in; None when one does.

    A client tells only that it could not connect. Here a wrong password is a
    SaslAuthenticationFailed, a certificate that we do not trust an SSLError.
    """
    options = options_of(servers)
    worst: KafkaError | OSError | None = None
    for host, port, _ in collect_hosts(options.pop("bootstrap_servers"), randomize=False):
        try:
            connection = await create_conn(
                host, port, **options, client_id="hocvuso-why", request_timeout_ms=2_000
            )
        except (KafkaError, OSError) as error:
            if worst is None or isinstance(worst, ConnectionRefusedError):
                worst = error
        else:
            connection.close()
            return None
    return worst


async def ensure_topics(servers: Broker | str, topics: dict[str, int]) -> None:
    """Create the topics (name -> partitions) that do not exist; others are left as they are.

    Raises KafkaError, also for a topic that may not be seen and not be made.
    """
    admin = AIOKafkaAdminClient(
        **options_of(servers), request_timeout_ms=REQUEST_TIMEOUT_MS, client_id="hocvuso-topics"
    )
    await start(admin, servers)
    try:
        existing = set(await admin.list_topics())
        brokers = (await admin.describe_cluster())["brokers"]
        missing = [
            NewTopic(name, partitions, max(1, min(REPLICAS, len(brokers))))
            for name, partitions in topics.items()
            if name not in existing
        ]
        if missing:
            with contextlib.suppress(TopicAlreadyExistsError):
                answer = await admin.create_topics(missing)
                for topic, code, *_ in answer.topic_errors:
                    if code not in (0, TopicAlreadyExistsError.errno):
                        raise for_code(code)(topic)
    finally:
        await admin.close()


async def tail(servers: Broker | str, topic: str, client_id: str) -> AIOKafkaConsumer:
    """A consumer of all partitions of `topic`, without a group, positioned at the end.

    What lies before is read from the log itself, which also fills whatever is missed later.
    Raises KafkaError when the topic has no partitions yet, or may not be read.
    """
    # Without a group, a consumer that names its topic is given all its partitions.
    consumer = AIOKafkaConsumer(
        topic,
        **options_of(servers),
        client_id=client_id,
        enable_auto_commit=False,
        auto_offset_reset="latest",
        fetch_max_wait_ms=LONG_WAIT_MS if _long_poll(servers) else SHORT_WAIT_MS,
        request_timeout_ms=REQUEST_TIMEOUT_MS,
        max_partition_fetch_bytes=4 * 1024 * 1024,
        metadata_max_age_ms=30_000,
    )
    try:
        await _within(2 * REQUEST_TIMEOUT_MS / 1000, start(consumer, servers))
        assigned = consumer.assignment()
        if not assigned:
            raise KafkaError(f"topic {topic} does not exist yet")
        await _within(REQUEST_TIMEOUT_MS / 1000, consumer.seek_to_end(*assigned))
    except BaseException:
        await stop_quietly(consumer)
        raise
    return consumer


class Waiting:
    """How long a consumer's fetches wait at the broker, by how long it has been since the last row.

    A broker with long polls answers at once, so they wait long always. One without is asked often while
    rows come and, the longer none came, the less often: an idle system must not ask fifty times a
    second, and what comes first after a silence is half a second late at most.
    """

    def __init__(self, consumer: AIOKafkaConsumer, servers: Broker | str) -> None:
        self._fetcher = None if _long_poll(servers) else consumer._fetcher
        self._rows_at = monotonic()

    def quiet(self) -> None:
        """Wait long from the first fetch on."""
        self._rows_at = monotonic() - QUIET_WAIT_MS * IDLE_SHARE / 1000
        self.heard(rows=False)

    def heard(self, rows: bool) -> None:
        """After each look; `rows`: whether it brought any (markers and progress are none)."""
        if rows:
            self._rows_at = monotonic()
        if self._fetcher is not None:
            idle_ms = int(1000 * (monotonic() - self._rows_at))
            # aiokafka reads it for every fetch; it has no public way to change it.
            self._fetcher._fetch_max_wait_ms = min(
                max(idle_ms // IDLE_SHARE, SHORT_WAIT_MS), QUIET_WAIT_MS
            )


def _long_poll(servers: Broker | str) -> bool:
    return isinstance(servers, Broker) and servers.long_poll


async def acknowledged(sent: Iterable[Awaitable[Any]]) -> None:
    """Wait until the broker has taken everything. Raises KafkaError, TimeoutError."""
    async with asyncio.timeout(3 * REQUEST_TIMEOUT_MS / 1000):
        await asyncio.gather(*sent)


async def insisting(send: Callable[[], Awaitable[Any]]) -> None:
    """Send, again and again for a while as long as the broker answers UnknownError.

    The embedded broker, started again, takes messages for a topic that is not made again yet, and
    once it is, refuses as many as it took. Apache Kafka means a fault of its own that may pass.
    """
    deadline = asyncio.get_running_loop().time() + REQUEST_TIMEOUT_MS / 1000
    while True:
        try:
            await send()
            return
        except UnknownError:
            if asyncio.get_running_loop().time() > deadline:
                raise
        await asyncio.sleep(0.005)


async def _within(seconds: float, work: Coroutine[Any, Any, Any]) -> None:
    """Wait for a client's work in bounded time, although it may not heed a cancellation.

    `asyncio.wait_for` waits for the cancelled work to end; with a broker that is gone, a client
    may keep it waiting for ever. Raises TimeoutError, or what the work raised.
    """
    task = asyncio.ensure_future(work)
    done, _ = await asyncio.wait({task}, timeout=seconds)
    if not done:
        task.cancel()
        raise TimeoutError(f"the broker's client did not answer within {seconds:.0f} s")
    if task.cancelled():
        raise TimeoutError("the broker's client gave up by itself")
    task.result()


async def stop_quietly(*clients: AIOKafkaConsumer | AIOKafkaProducer | None) -> None:
    """Stop clients whose broker may be gone, in bounded time."""
    for client in clients:
        if client is not None:
            with contextlib.suppress(Exception):
                await _within(5, client.stop())
