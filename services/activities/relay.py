"""The relay: carries the log to Kafka, and what the projections report back (`listener.py`).

The log is the outbox. Rows go out in position order; after each batch every partition gets a
marker that says how far each of its lanes goes, so that a lost tail is seen (design, section 5).
A second relay, a restart or a broker that lost everything can only cause re-sends, which the
projections skip. Run: `python -m services.activities.relay`.
"""

import asyncio
import logging
from collections.abc import Sequence
from time import monotonic, perf_counter

import asyncpg
import msgspec
from aiokafka import AIOKafkaProducer
from opentelemetry import trace

from services.activities.listener import ProgressListener
from services.activities.log.replay import lane_lasts
from services.activities.log.rows import WIRE_SQL, to_wire
from services.activities.quarantine import store as quarantine
from services.activities.receipts import receipts
from services.activities.settings import ActivitiesSettings
from shared import exposition, kafka, telemetry
from shared.broker import Broker
from shared.clock import Clock, clock_from_environment
from shared.contracts import topics
from shared.contracts.record import LANES, Through
from shared.db import connect_pool_when_there
from shared.garbage import calm_collector
from shared.instruments import (
    MEASUREMENTS,
    RELAY_HEARTBEAT,
    SEND_DURATION,
    SENT,
    watch_pool,
)
from shared.worker import forever, run_until_stopped

log = logging.getLogger(__name__)
tracer = trace.get_tracer("hocvuso.activities.relay")

BATCH = 2_000
HEARTBEAT_SECONDS = 1.5
"""Between two markers while nothing comes; projections take three times that for a silence."""
LEADER_LOCK = 0x68763031
_ABOUT = ("kafka", "send", topics.LOG)


class Relay:
    """Publishes rows after the stored position; one at a time leads, others stand by."""

    def __init__(
        self, pool: asyncpg.Pool, servers: Broker | str, partitions: int, clock: Clock
    ) -> None:
        self._pool = pool
        self._servers = servers
        self._place = (Broker(servers) if isinstance(servers, str) else servers).place()
        self._partitions = partitions
        self._clock = clock
        self._wake = asyncio.Event()
        self._heard = monotonic()

    async def run(self) -> None:
        """Lead until something fails; the caller starts it again."""
        async with self._pool.acquire() as leader:
            await leader.execute("SET statement_timeout = 0")
            await leader.execute("SET idle_in_transaction_session_timeout = 0")
            # A standby waits for as long as the leader lives.
            await leader.execute("SELECT pg_advisory_lock($1)", LEADER_LOCK, timeout=30 * 86_400)
            MEASUREMENTS.look("relay", lambda: RELAY_HEARTBEAT.set(monotonic() - self._heard))
            try:
                await leader.add_listener("hocvuso_log", lambda *_: self._wake.set())
                await self._lead(leader)
            finally:
                # Closing frees the lock whatever state the connection is in.
                leader.terminate()

    async def _lead(self, leader: asyncpg.pool.PoolConnectionProxy) -> None:
        await kafka.ensure_topics(self._servers, {topics.LOG: self._partitions, topics.PROGRESS: 1})
        producer = kafka.producer(self._servers, "hocvuso-relay")
        try:
            await kafka.start(producer, self._servers)
            partitions = sorted(await producer.partitions_for(topics.LOG))
            epoch = await leader.fetchval("SELECT epoch FROM counter WHERE one")
            position = await leader.fetchval("SELECT position FROM relay WHERE one")
            lasts = await lane_lasts(leader, list(range(LANES)), position)
            log.info("relaying from position %d to %d partitions", position, len(partitions))
            await self._send_markers(producer, epoch, position, partitions, lasts)
            while True:
                self._wake.clear()
                rows = await leader.fetch(
                    WIRE_SQL + "WHERE position > $1 ORDER BY position LIMIT $2", position, BATCH
                )
                if rows:
                    lasts.update({row["lane"]: row["position"] for row in rows})
                    await self._publish(producer, epoch, rows, partitions, lasts)
                    position = rows[-1]["position"]
                    async with leader.transaction():
                        await leader.execute("UPDATE relay SET position = $1 WHERE one", position)
                        mark = {receipts.PUBLISHED_LANE: position}
                        await receipts.mark(leader, "published", mark, self._clock.now())
                    continue
                # Silence would look like a broken bus to the projections.
                await self._send_markers(producer, epoch, position, partitions, lasts)
                try:
                    async with asyncio.timeout(HEARTBEAT_SECONDS):
                        await self._wake.wait()
                except TimeoutError:
                    await leader.execute("SELECT 1")
        finally:
            await kafka.stop_quietly(producer)

    async def _publish(
        self,
        producer: AIOKafkaProducer,
        epoch: str,
        rows: Sequence[asyncpg.Record],
        partitions: Sequence[int],
        lasts: dict[int, int],
    ) -> None:
        started = perf_counter()
        with telemetry.span(
            tracer,
            f"send {topics.LOG}",
            context=telemetry.root_context(),
            # The messages carry the context of their requests, not of this span.
            kind=trace.SpanKind.CLIENT,
            links=telemetry.links(row["traceparent"] for row in rows),
            attributes={
                "messaging.system": "kafka",
                "messaging.operation.type": "send",
                "messaging.operation.name": "send",
                "messaging.destination.name": topics.LOG,
                "messaging.batch.message_count": len(rows),
                "hocvuso.position.first": rows[0]["position"],
                "hocvuso.position.last": rows[-1]["position"],
                **self._place,
            },
        ) as span:
            sent = [
                await producer.send(
                    topics.LOG,
                    to_wire(row, epoch),
                    key=bytes([row["lane"]]),
                    partition=partitions[row["lane"] % len(partitions)],
                    headers=_headers(row["traceparent"]),
                )
                for row in rows
            ]
            await kafka.acknowledged(sent)
            await self._send_markers(producer, epoch, rows[-1]["position"], partitions, lasts)
            context = span.get_span_context()
        SEND_DURATION.record(perf_counter() - started, *_ABOUT, None, span=context)
        SENT.add(len(rows), *_ABOUT)

    async def _send_markers(
        self,
        producer: AIOKafkaProducer,
        epoch: str,
        through: int,
        partitions: Sequence[int],
        lasts: dict[int, int],
    ) -> None:
        markers = {
            partition: msgspec.json.encode(
                Through(
                    epoch=epoch,
                    through=through,
                    last={n: last for n, last in lasts.items() if n % len(partitions) == index},
                )
            )
            for index, partition in enumerate(partitions)
        }

        async def send() -> None:
            await kafka.acknowledged(
                [
                    await producer.send(topics.LOG, marker, partition=partition)
                    for partition, marker in markers.items()
                ]
            )

        await kafka.insisting(send)
        self._heard = monotonic()


def _headers(traceparent: str | None) -> list[tuple[str, bytes]]:
    headers = [("content-type", b"application/cloudevents+json; charset=UTF-8")]
    if traceparent:
        headers.append(("traceparent", traceparent.encode()))
    return headers


async def prune_daily(pool: asyncpg.Pool) -> None:
    """Forget old marks once a day."""
    async with pool.acquire() as connection:
        await receipts.prune(connection)
    await asyncio.sleep(86_400)


async def expire_daily(pool: asyncpg.Pool, clock: Clock, days: int) -> None:
    """Forget refused events that are too old, once a day."""
    gone = await quarantine.expire(pool, clock.now(), days)
    if gone:
        log.info("forgot %d refused events last refused more than %d days ago", gone, days)
    await asyncio.sleep(86_400)


async def main(stop: asyncio.Event) -> None:
    """Run the relay until told to stop."""
    calm_collector()
    telemetry.setup("hocvuso-relay")
    settings = ActivitiesSettings()
    pool = await connect_pool_when_there(
        settings.activities_database_url, "activities", low=1, high=4
    )
    broker = settings.broker()
    relay = Relay(pool, broker, settings.kafka_partitions, clock_from_environment())
    listener = ProgressListener(pool, broker)
    tasks = [
        asyncio.create_task(forever("relay", relay.run)),
        asyncio.create_task(forever("progress listener", listener.run, longest_wait_s=2)),
        asyncio.create_task(forever("prune marks", lambda: prune_daily(pool))),
        asyncio.create_task(
            forever(
                "expire the quarantine",
                lambda: expire_daily(pool, clock_from_environment(), settings.quarantine_days),
            )
        ),
    ]
    watch_pool("relay", pool)
    async with exposition.serve(settings.process_metrics_host, settings.relay_metrics_port):
        await stop.wait()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    pool.terminate()
    telemetry.shutdown()


if __name__ == "__main__":
    run_until_stopped(main)
