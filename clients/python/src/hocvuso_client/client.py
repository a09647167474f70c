# Made from aclient.py by unasync.py; do not edit.
"""The client with a queue: `emit` returns once an event is kept, a worker beside the caller posts.

With asyncio, make it inside a running loop and close it in the same one.
"""

import datetime as dt
import logging
import time as clock
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from hocvuso_client import services
from hocvuso_client.answers import Counts, Result
from hocvuso_client.concurrency import Monitor, Worker, in_thread
from hocvuso_client.direct import Direct
from hocvuso_client.engine import OnResult, batch_request
from hocvuso_client.envelope import EventId, queued
from hocvuso_client.errors import ClientClosed, HocvusoError, NotDelivered, QueueFull
from hocvuso_client.ids import MakeId, random_id
from hocvuso_client.options import (
    CLOSE_TIMEOUT,
    DEFAULT_TIMEOUT,
    EMIT_TIMEOUT,
    FLUSH_TIMEOUT,
    Options,
    unreachable,
)
from hocvuso_client.store import Durability
from hocvuso_client.typed import EventData

logger = logging.getLogger("hocvuso_client")


class Client(Direct):
    """Posts events to one hocvuso service.

    `url` is the address of activities, `key` the partner's key. With `spool` (a directory of this
    process alone) an event is on disk when `emit` returns and is sent by the next client with the
    same spool if this one dies; without, events wait in memory. At most `max_waiting` wait; then
    `emit` waits. `on_result` is called for every answered event, in the loop or, without asyncio, in
    the sending thread.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        source: str | None = None,
        spool: str | Path | None = None,
        durability: Durability = "power",
        max_batch: int = 1_000,
        max_batch_bytes: int = 4 * 1024 * 1024,
        linger: float = 0.2,
        max_waiting: int = 100_000,
        ids: MakeId = random_id,
        on_result: OnResult | None = None,
        timeout: httpx.Timeout | float = DEFAULT_TIMEOUT,
        transport: httpx.BaseTransport | None = None,
        trust_env: bool = True,
    ) -> None:
        super().__init__(url, key, timeout=timeout, transport=transport, trust_env=trust_env)
        self._answered: list[Result] = []
        self._on_result = on_result
        self._options = Options(
            source=source,
            spool=Path(spool) if spool is not None else None,
            durability=durability,
            max_batch=max_batch,
            max_batch_bytes=max_batch_bytes,
            linger=linger,
            max_waiting=max_waiting,
            ids=ids,
            on_result=self._answered.append if on_result else None,
        )
        self._store = self._options.store()
        self._engine = self._options.engine(self._store)
        self._slow = self._store.kept_in is not None
        self._changed = Monitor()
        self._worker = Worker(self._run)
        self._not_before = 0.0
        self._linger_until = 0.0
        self._flushing = 0
        self._stop = False
        self._ended = False
        self._left_to_worker = False
        self._last_seq = 0
        if self._store.waiting():
            # Left by a client that ended before it was answered.
            self._last_seq = 2**62
            self._worker.start()

    def __enter__(self) -> Self:
        if self._store.waiting():
            self._worker.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.close()
        except HocvusoError as trouble:
            if error is None:
                raise
            # What broke the block is what its caller must see.
            logger.error("hocvuso: %s", trouble)

    def event(
        self,
        event: EventData | Mapping[str, Any],
        *,
        type: str | None = None,
        subject: str | None = None,
        source: str | None = None,
        time: dt.datetime | None = None,
        id: str | None = None,
    ) -> dict[str, Any]:
        """The complete CloudEvents object that `emit` would keep, with its id."""
        return self._options.event(
            event, type=type, subject=subject, source=source, time=time, id=id
        )

    def emit(
        self,
        event: EventData | Mapping[str, Any],
        *,
        type: str | None = None,
        subject: str | None = None,
        source: str | None = None,
        time: dt.datetime | None = None,
        id: str | None = None,
        timeout: float | None = EMIT_TIMEOUT,
    ) -> EventId:
        """Keep an event for sending; it has its id and, with a spool, is on disk on return.

        `event` is typed data, data together with `type`, or a whole CloudEvents object. `time` needs
        an offset; without one it is now. Waits while `max_waiting` events wait, at most `timeout`
        seconds, then raises QueueFull. Raises ValueError for an incomplete event.
        """
        made = self.event(event, type=type, subject=subject, source=source, time=time, id=id)
        return (self.emit_many([made], timeout=timeout))[0]

    def emit_many(
        self,
        events: Iterable[Mapping[str, Any]],
        *,
        timeout: float | None = EMIT_TIMEOUT,
    ) -> list[EventId]:
        """Keep whole events (see `event`), with one write to the spool; their ids in order."""
        made = [queued(self._options.event(
            one, type=None, subject=None, source=None, time=None, id=None
        )) for one in events]  # fmt: skip
        if not made:
            return []
        with self._changed:
            self._check_open()
            room = self._changed.until(
                lambda: self._stop or self._store.waiting() < self._options.max_waiting, timeout
            )
            self._check_open()
            if not room:
                raise QueueFull(
                    f"{self._store.waiting()} events wait and no room came free in time."
                )
            if not self._store.waiting():
                self._linger_until = clock.monotonic() + self._options.linger
            self._last_seq = in_thread(lambda: self._store.add(made), self._slow)
            self._worker.start()
            self._changed.notify_all()
        return [EventId(event.source, event.id) for event in made]

    @property
    def waiting(self) -> int:
        """How many events are not acknowledged."""
        return self._store.waiting()

    @property
    def counts(self) -> Counts:
        """What became of the events that this client has sent from its queue."""
        return self._engine.counts

    @property
    def trouble(self) -> HocvusoError | None:
        """What stands in the way of sending; None when the last answer was good."""
        return self._engine.trouble

    def flush(self, timeout: float | None = FLUSH_TIMEOUT, *, check: bool = True) -> Counts:
        """Send at once and wait until everything emitted so far is acknowledged.

        Raises NotDelivered when that has not happened after `timeout` seconds, and as soon as the
        service answers what will not pass by itself (a wrong key, a wrong address); EventsRefused
        when events were refused since the last flush, unless `check` is off: then the counts say
        so, and the spool's rejected.ndjson.
        """
        return self._flush(timeout, check=check)

    def close(self, timeout: float = CLOSE_TIMEOUT) -> None:
        """Flush and end, within `timeout` seconds.

        With a spool what is left stays there, and nobody waits for a service that is away; without,
        NotDelivered is raised. Raises EventsRefused like `flush`.
        """
        if self._stop:
            return
        until = clock.monotonic() + timeout
        trouble: HocvusoError | None = None
        try:
            self._flush(timeout, leaving=self._store.kept_in is not None)
        except HocvusoError as error:
            trouble = error
        finally:
            with self._changed:
                self._stop = True
                self._changed.notify_all()
            ended = self._worker.stop(max(0.0, until - clock.monotonic()))
            with self._changed:
                self._left_to_worker = not (ended or self._ended)
            if self._left_to_worker:
                logger.warning("hocvuso: a request is under way; the spool closes when it ends")
            else:
                self._free()
        if isinstance(trouble, NotDelivered) and self._store.kept_in is not None:
            logger.warning("hocvuso: %s The next client with this spool sends them.", trouble)
        elif trouble is not None:
            raise trouble

    # -- the sending worker -------------------------------------------------------------------

    def _check_open(self) -> None:
        if self._stop:
            raise ClientClosed("The client is closed.")

    def _free(self) -> None:
        """Close the connections and the spool."""
        super().close()
        self._store.close()

    def _flush(
        self,
        timeout: float | None,
        *,
        check: bool = True,
        leaving: bool = False,
    ) -> Counts:
        """`flush`; when `leaving`, one failed try is enough to stop waiting."""
        engine = self._engine
        with self._changed:
            self._check_open()
            mark, tried = self._last_seq, engine.attempts
            self._flushing += 1
            if engine.blocked or leaving:
                self._not_before = 0.0
            self._worker.start()
            self._changed.notify_all()
            try:
                self._changed.until(
                    lambda: (
                        self._stop
                        or not self._store.waiting(mark)
                        or (engine.attempts > tried and engine.blocked)
                        or (engine.attempts > tried and leaving and engine.trouble is not None)
                    ),
                    timeout,
                )
                left = self._store.waiting(mark)
            finally:
                self._flushing -= 1
        if left:
            raise NotDelivered(left, engine.trouble, self._store.kept_in)
        refused = engine.refusals() if check else None
        if refused is not None:
            raise refused
        return engine.counts

    def _pause(self) -> float | None:
        """Seconds until the next batch is due; None while nothing waits."""
        waiting = self._store.waiting()
        if not waiting:
            return None
        now = clock.monotonic()
        full = self._flushing or waiting >= self._engine.max_events
        return max(0.0, self._not_before - now, 0.0 if full else self._linger_until - now)

    def _run(self) -> None:
        while self._due():
            try:
                wait = self._send()
            except Exception as error:
                # The worker must live, else events would wait for nobody: a full disk, say.
                wait = self._engine.failed(HocvusoError(f"{type(error).__name__} while sending."))
            with self._changed:
                self._not_before = clock.monotonic() + wait
                self._changed.notify_all()
        with self._changed:
            self._ended = True
        if self._left_to_worker:
            self._free()

    def _due(self) -> bool:
        """Wait until a batch is to be sent; False when the client was closed."""
        with self._changed:
            while not self._stop and (pause := self._pause()) != 0.0:
                self._changed.pause(pause)
            return not self._stop

    def _send(self) -> float:
        """Post one batch; seconds to wait before the next."""
        batch = in_thread(self._engine.next, self._slow)
        if not batch:
            return 0.0
        body, kind = batch_request([event.raw for event in batch])
        try:
            answer = self._http.post("/v1/events", content=body, headers=kind)
        except httpx.TransportError as error:
            return self._engine.failed(unreachable(error, self._http.base_url))
        wait = in_thread(
            lambda: self._engine.answered(
                batch, answer.status_code, answer.headers, answer.content
            ),
            self._slow,
        )
        trouble = self._engine.trouble
        if trouble is not None and services.suspicious(trouble):
            told = self._told(trouble)
            if told is not trouble:
                wait = self._engine.block(told)
        self._tell()
        return wait

    def _tell(self) -> None:
        """Call back where the caller expects it, not in the thread that wrote to the spool."""
        answered, self._answered[:] = list(self._answered), []
        for result in answered:
            try:
                if self._on_result is not None:
                    self._on_result(result)
            except Exception:
                # The caller's mistake must not stop the sending of everybody's events.
                logger.exception("on_result failed")
