"""The blocking client: `emit` returns once an event is kept, a thread posts."""

import datetime as dt
import logging
import threading
import time as clock
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import httpx

from hocvuso_client.answers import Counts
from hocvuso_client.direct import Direct
from hocvuso_client.engine import OnResult, batch_request
from hocvuso_client.envelope import EventId, queued
from hocvuso_client.errors import ClientClosed, HocvusoError, NotDelivered, QueueFull
from hocvuso_client.ids import MakeId, random_id
from hocvuso_client.options import DEFAULT_TIMEOUT, Options, unreachable
from hocvuso_client.store import Durability
from hocvuso_client.typed import EventData

logger = logging.getLogger("hocvuso_client")


class Client(Direct):
    """Posts events to one hocvuso service.

    `url` is the address of activities, `key` the partner's key. With `spool` (a directory of this
    process alone) an event is on disk when `emit` returns and is sent by the next client with the
    same spool if this one dies; without, events wait in memory. At most `max_waiting` wait; then
    `emit` blocks. `on_result` is called from the sending thread for every answered event.
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
        self._options = Options(
            source=source,
            spool=Path(spool) if spool is not None else None,
            durability=durability,
            max_batch=max_batch,
            max_batch_bytes=max_batch_bytes,
            linger=linger,
            max_waiting=max_waiting,
            ids=ids,
            on_result=on_result,
        )
        self._store = self._options.store()
        self._engine = self._options.engine(self._store)
        self._changed = threading.Condition()
        self._not_before = 0.0
        self._linger_until = 0.0
        self._flushing = 0
        self._stop = False
        self._last_seq = 0
        self._thread: threading.Thread | None = None
        if self._store.waiting():
            # Left by a client that ended before it was answered.
            self._last_seq = 2**62
            self._start()

    # -- events -------------------------------------------------------------------------------

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
        timeout: float | None = None,
    ) -> EventId:
        """Keep an event for sending; it has its id and, with a spool, is on disk on return.

        `event` is typed data, data together with `type`, or a whole CloudEvents object. `time` needs
        an offset; without one it is now. Waits while `max_waiting` events wait, at most `timeout`
        seconds, then raises QueueFull. Raises ValueError for an incomplete event.
        """
        made = self.event(event, type=type, subject=subject, source=source, time=time, id=id)
        return self.emit_many([made], timeout=timeout)[0]

    def emit_many(
        self, events: Iterable[Mapping[str, Any]], *, timeout: float | None = None
    ) -> list[EventId]:
        """Keep whole events (see `event`), with one write to the spool; their ids in order."""
        made = [queued(self._options.event(
            one, type=None, subject=None, source=None, time=None, id=None
        )) for one in events]  # fmt: skip
        if not made:
            return []
        with self._changed:
            self._check_open()
            room = self._changed.wait_for(
                lambda: self._stop or self._store.waiting() < self._options.max_waiting, timeout
            )
            self._check_open()
            if not room:
                raise QueueFull(
                    f"{self._store.waiting()} events wait and no room came free in time."
                )
            if not self._store.waiting():
                self._linger_until = clock.monotonic() + self._options.linger
            self._last_seq = self._store.add(made)
            self._start()
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

    def flush(self, timeout: float | None = None) -> Counts:
        """Send at once and wait until everything emitted so far is acknowledged.

        Raises NotDelivered when that has not happened after `timeout` seconds, and as soon as the
        service answers what will not pass by itself (a wrong key). Refused events are acknowledged:
        see `on_result` and the spool's rejected.ndjson.
        """
        engine = self._engine
        with self._changed:
            self._check_open()
            mark, tried = self._last_seq, engine.attempts
            self._flushing += 1
            if engine.blocked:
                self._not_before = 0.0
            self._changed.notify_all()
            try:
                self._changed.wait_for(
                    lambda: (
                        self._stop
                        or not self._store.waiting(mark)
                        or (engine.blocked and engine.attempts > tried)
                    ),
                    timeout,
                )
                left = self._store.waiting(mark)
            finally:
                self._flushing -= 1
        if left:
            raise NotDelivered(left, engine.trouble, self._store.kept_in)
        return engine.counts

    def close(self, timeout: float = 30.0) -> None:
        """Flush and end. With a spool what is left stays there; without, NotDelivered is raised."""
        if self._stop:
            return
        trouble: NotDelivered | None = None
        try:
            self.flush(timeout)
        except NotDelivered as left:
            trouble = left
        finally:
            with self._changed:
                self._stop = True
                self._changed.notify_all()
            if self._thread is not None:
                self._thread.join(timeout)
            if self._thread is not None and self._thread.is_alive():
                logger.warning("hocvuso: a request is still under way; its spool stays open")
            else:
                super().close()
                self._store.close()
        if trouble is not None and self._store.kept_in is None:
            raise trouble

    # -- the sending thread -------------------------------------------------------------------

    def _check_open(self) -> None:
        if self._stop:
            raise ClientClosed("The client is closed.")

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="hocvuso-client", daemon=True)
            self._thread.start()

    def _pause(self) -> float | None:
        """Seconds until the next batch is due; None while nothing waits."""
        waiting = self._store.waiting()
        if not waiting:
            return None
        now = clock.monotonic()
        full = self._flushing or waiting >= self._engine.max_events
        return max(0.0, self._not_before - now, 0.0 if full else self._linger_until - now)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._stop and (pause := self._pause()) != 0.0:
                    self._changed.wait(pause)
                if self._stop:
                    return
            try:
                wait = self._send()
            except Exception as error:
                # The thread must live, else events would wait for nobody: a full disk, say.
                wait = self._engine.failed(HocvusoError(f"{type(error).__name__} while sending."))
            with self._changed:
                self._not_before = clock.monotonic() + wait
                self._changed.notify_all()

    def _send(self) -> float:
        batch = self._engine.next()
        if not batch:
            return 0.0
        body, kind = batch_request([event.raw for event in batch])
        try:
            answer = self._http.post("/v1/events", content=body, headers=kind)
        except httpx.TransportError as error:
            return self._engine.failed(unreachable(error, self._http.base_url))
        return self._engine.answered(batch, answer.status_code, answer.headers, answer.content)
