"""Feeds a projection from the bus, and from the log where the bus has gaps.

One loop for every projection. It starts at the end of the topic, reads from the log all that the
stored progress lacks, then follows the topic. A hole, a marker that shows a lost tail, or silence
(the relay sends a marker every second or two) sends it back to the log. So the broker may lose, double or
reorder anything, or be away: then the log alone feeds the projection, more slowly.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from time import monotonic
from typing import Any, Protocol

import httpx
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from shared import answers, kafka
from shared.broker import Broker
from shared.contracts import topics
from shared.contracts.record import LogRecord, Through, record_decoder, through_decoder
from shared.instruments import HEALED, PROJECTED
from shared.lanes import Lane, Verdict, behind
from shared.peers import LOST, READ

log = logging.getLogger(__name__)

BATCH = 5_000
SILENCE_SECONDS = 4.5
LOG_PAGE = 5_000
PATIENCE_SECONDS = 15.0
"""How long reading the log goes on asking while activities restarts."""
_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS = 0.2, 3.0
_AWAY = frozenset({502, 503, 504})
DECODED_AT_ONCE = 128 * 1024
"""Bytes; about a millisecond."""


class Projection(Protocol):
    """What a service does with rows that are proven to be next in their lanes."""

    @property
    def lanes(self) -> dict[int, Lane]:
        """The lanes held, after all that was applied. `apply` and the loop work on copies."""
        ...

    async def bind(self, epoch: str) -> None:
        """Learn which log this is; raise EpochChanged when it is not the one counted so far."""
        ...

    async def apply(self, records: list[LogRecord], lanes: dict[int, Lane]) -> None:
        """Count `records` (in position order within each lane) and store `lanes`, atomically.

        `lanes` holds every lane that moved, with or without records. May return when that is on
        its way, before it is stored. Raises LanesLost.
        """
        ...

    async def settle(self) -> None:
        """Wait until all that was applied is stored; raises what has failed meanwhile."""
        ...


async def decoded(lines: bytes) -> list[LogRecord]:
    """Rows from lines of JSON; lets others run now and then: a batch before may be on its way."""
    decode = record_decoder.decode_lines
    records: list[LogRecord] = []
    at = 0
    while at < len(lines):
        end = lines.find(b"\n", at + DECODED_AT_ONCE)
        end = len(lines) if end < 0 else end
        records += decode(lines[at:end])
        at = end + 1
        await asyncio.sleep(0)
    return records


class LogReader:
    """Reads rows and the completeness marker from `/v1/log` of activities."""

    def __init__(self, client: httpx.AsyncClient, patience_s: float = PATIENCE_SECONDS) -> None:
        self._client = client
        self._patience = patience_s

    async def read(
        self,
        after: int,
        lanes: list[int],
        page: int = LOG_PAGE,
        types: list[str] | None = None,
    ) -> AsyncIterator[tuple[list[LogRecord], Through]]:
        """Pages of rows of `lanes` after a position, each closed by a marker for those lanes.

        Ends with the page that reaches the log's end as of its own reading. `types`: without first
        rows of other (short) types; then a page may be empty before the end.
        """
        async for body, marker in self.pages(after, lanes, page, types):
            yield await decoded(body), marker

    async def pages(
        self,
        after: int,
        lanes: list[int],
        page: int = LOG_PAGE,
        types: list[str] | None = None,
    ) -> AsyncIterator[tuple[bytes, Through]]:
        """As `read`, the rows of each page as they came: one JSON object in a line."""
        asked = {"type": types} if types is not None else {}
        while True:
            question = {"after": after, "lane": lanes, "limit": page, **asked}
            answer = await self._insist("GET", "/v1/log", params=question)
            body, _, last = answers.content(answer).rstrip(b"\n").rpartition(b"\n")
            marker = through_decoder.decode(last)
            yield body, marker
            rows = body.count(b"\n") + bool(body)
            if marker.through <= after or (types is None and rows < page):
                return
            after = marker.through

    async def _insist(self, method: str, path: str, **how: Any) -> httpx.Response:
        """The answer to a read, asked again for a while when its connection is lost or activities is
        not there: whoever has read a million rows must not begin anew. Raises httpx.HTTPError."""
        wait, deadline = _FIRST_WAIT_SECONDS, monotonic() + self._patience
        while True:
            try:
                answer = await self._client.request(method, path, **how)
                answer.raise_for_status()
                return answer
            except (*LOST, httpx.HTTPStatusError) as error:
                away = not isinstance(error, httpx.HTTPStatusError) or (
                    error.response.status_code in _AWAY
                )
                if not away or monotonic() + wait > deadline:
                    raise
                log.info("reading the log again in %.1f s: %s", wait, type(error).__name__)
            await asyncio.sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT_SECONDS)

    async def rows_of(self, positions: list[int], through: int) -> list[LogRecord]:
        """The rows at these positions, and every row until `through` of the events they belong to,
        by position. Raises httpx.HTTPError."""
        question = {"positions": positions, "through": through}
        answer = await self._insist("POST", "/v1/log/rows", json=question, extensions=READ)
        return [record_decoder.decode(line) for line in answers.content(answer).splitlines()]


class LaneConsumer:
    """Follows the log for one projection until cancelled or its lanes are lost."""

    def __init__(
        self,
        projection: Projection,
        reader: LogReader,
        servers: Broker | str,
        client_id: str,
        *,
        on_healed: Callable[[int], Any] = lambda _: None,
        silence_seconds: float = SILENCE_SECONDS,
        batch: int = BATCH,
    ) -> None:
        self._projection = projection
        self._reader = reader
        self._servers = servers
        self._client_id = client_id
        self._on_healed = on_healed
        self._silence = silence_seconds
        self._batch = batch
        self.rows_from_bus = 0
        self.rows_from_log = 0

    async def run(self) -> None:
        """Catch up from the log, then follow the topic; on silence, start over."""
        try:
            consumer = await kafka.tail(self._servers, topics.LOG, self._client_id)
        except (KafkaError, OSError, TimeoutError) as error:
            await self._without(error)
            return
        try:
            await self.catch_up(list(self._projection.lanes))
            await self._follow(consumer)
        except KafkaError as error:  # it may not read the topic, say
            await self._without(error)
        finally:
            await kafka.stop_quietly(consumer)

    async def _without(self, error: Exception) -> None:
        """Count what is in the log now: the broker is of no use for a while."""
        log.warning(
            "broker not usable, reading the log directly: %s: %s", type(error).__name__, error
        )
        await self.catch_up(list(self._projection.lanes))
        await asyncio.sleep(min(1.0, self._silence / 3))

    async def catch_up(self, numbers: list[int]) -> None:
        """Read the given lanes from the log up to its end."""
        if not numbers:
            return
        start = min(self._projection.lanes[number].through for number in numbers)
        async for records, marker in self._reader.read(start, numbers):
            await self._take(records, [marker], from_log=True)
        await self._projection.settle()

    async def _follow(self, consumer: AIOKafkaConsumer) -> None:
        loop = asyncio.get_running_loop()
        heard = loop.time()
        waiting = kafka.Waiting(consumer, self._servers)
        settled = False
        while True:
            try:
                # getmany's own time-out does not hold while the broker is gone.
                async with asyncio.timeout(self._silence):
                    batches = await consumer.getmany(
                        # Soon after rows: then they are settled. Later markers wake it.
                        timeout_ms=int(400 * self._silence) if settled else 200,
                        max_records=self._batch,
                    )
            except TimeoutError:
                batches = {}
            if not batches:
                await self._projection.settle()
                settled = True
                if loop.time() - heard > self._silence:
                    log.warning("no message for %.1f s, starting over from the log", self._silence)
                    return
                continue
            heard = loop.time()
            rows: list[bytes] = []
            markers: list[Through] = []
            held = self._projection.lanes
            for messages in batches.values():
                for message in messages:
                    if message.key is None:
                        markers.append(through_decoder.decode(message.value))
                    elif message.key[0] in held:
                        rows.append(message.value)
            waiting.heard(bool(rows))
            settled = settled and not rows
            await self._take(await decoded(b"\n".join(rows)), markers, from_log=False)

    async def _take(
        self, records: list[LogRecord], markers: list[Through], *, from_log: bool
    ) -> None:
        """Apply what is next in its lane; read the lanes with gaps from the log."""
        stored = self._projection.lanes
        lanes = {number: Lane(lane.last, lane.through) for number, lane in stored.items()}
        epoch = records[0].epoch if records else markers[0].epoch if markers else None
        if epoch is not None:
            await self._projection.bind(epoch)
        gaps: set[int] = set()
        wanted: list[LogRecord] = []
        for record in records:
            lane = lanes.get(record.lane)
            if lane is None or record.lane in gaps:
                continue
            verdict = lane.offer(record)
            if verdict is Verdict.APPLY:
                wanted.append(record)
            elif verdict is Verdict.HOLE:
                gaps.add(record.lane)
        for marker in markers:
            gaps.update(behind(lanes, marker))
        moved = {n: lane for n, lane in lanes.items() if lane != stored[n]}
        if moved:
            await self._projection.apply(wanted, moved)
            PROJECTED.add(len(wanted), "log" if from_log else "bus")
        if from_log:
            self.rows_from_log += len(wanted)
        else:
            self.rows_from_bus += len(wanted)
        if gaps:
            if from_log:
                # The log itself has no holes: activities would have broken its first promise.
                raise RuntimeError(f"the log is not complete in lanes {sorted(gaps)}")
            HEALED.add(len(gaps))
            self._on_healed(len(gaps))
            log.info("reading lanes %s from the log (the bus has a gap)", sorted(gaps))
            await self.catch_up(sorted(gaps))
