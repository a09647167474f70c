"""The client for asyncio: the same promises as `Client`, with a task instead of a thread.

Make it inside a running loop (`async with AsyncClient(...)`); close it in the same loop.
"""

import asyncio
import contextlib
import datetime as dt
import logging
import time as clock
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx

from hocvuso_client.adirect import AsyncDirect
from hocvuso_client.answers import Counts, Result
from hocvuso_client.engine import OnResult, batch_request
from hocvuso_client.envelope import EventId, queued
from hocvuso_client.errors import ClientClosed, HocvusoError, NotDelivered, QueueFull
from hocvuso_client.ids import MakeId, random_id
from hocvuso_client.options import DEFAULT_TIMEOUT, Options, unreachable
from hocvuso_client.store import Durability
from hocvuso_client.typed import EventData

logger = logging.getLogger("hocvuso_client")
T = TypeVar("T")


class AsyncClient(AsyncDirect):
    """Posts events to one hocvuso service; see `Client` for what the arguments mean.

    `on_result` is called in the loop. Writing to the spool happens in a thread, so that an fsync
    does not hold up the loop.
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
        transport: httpx.AsyncBaseTransport | None = None,
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
        self._changed = asyncio.Condition()
        self._not_before = 0.0
        self._linger_until = 0.0
        self._flushing = 0
        self._stop = False
        self._last_seq = 2**62 if self._store.waiting() else 0
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        if self._store.waiting():
            # Left by a client that ended before it was answered.
            self._start()
        return self

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

    async def emit(
        self,
        event: EventData | Mapping[str, Any],
        *,
        type: str | None = None,
        subject: str | None = None,
        source: str | None = None,
        time: dt.datetime | None = None,
        id: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the same arguments as Client.emit
    ) -> EventId:
        """Keep an event for sending, as `Client.emit` does."""
        made = self.event(event, type=type, subject=subject, source=source, time=time, id=id)
        return (await self.emit_many([made], timeout=timeout))[0]

    async def emit_many(
        self,
        events: Iterable[Mapping[str, Any]],
        *,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> list[EventId]:
        """Keep whole events (see `event`), with one write to the spool; their ids in order."""
        made = [queued(self._options.event(
            one, type=None, subject=None, source=None, time=None, id=None
        )) for one in events]  # fmt: skip
        if not made:
            return []
        async with self._changed:
            self._check_open()
            room = await self._wait(
                lambda: self._stop or self._store.waiting() < self._options.max_waiting, timeout
            )
            self._check_open()
            if not room:
                raise QueueFull(
                    f"{self._store.waiting()} events wait and no room came free in time."
                )
            if not self._store.waiting():
                self._linger_until = clock.monotonic() + self._options.linger
            self._last_seq = await self._blocking(lambda: self._store.add(made))
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

    async def flush(self, timeout: float | None = None) -> Counts:  # noqa: ASYNC109
        """Send at once and wait until everything emitted so far is acknowledged.

        Raises NotDelivered like `Client.flush`.
        """
        engine = self._engine
        async with self._changed:
            self._check_open()
            mark, tried = self._last_seq, engine.attempts
            self._flushing += 1
            if engine.blocked:
                self._not_before = 0.0
            self._start()
            self._changed.notify_all()
            try:
                await self._wait(
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

    async def close(self, timeout: float = 30.0) -> None:  # noqa: ASYNC109
        """Flush and end. With a spool what is left stays there; without, NotDelivered is raised."""
        if self._stop:
            return
        trouble: NotDelivered | None = None
        try:
            await self.flush(timeout)
        except NotDelivered as left:
            trouble = left
        finally:
            self._stop = True
            if self._task is not None:
                self._task.cancel()
                await asyncio.gather(self._task, return_exceptions=True)
            await super().close()
            self._store.close()
        if trouble is not None and self._store.kept_in is None:
            raise trouble

    # -- the sending task ---------------------------------------------------------------------

    def _check_open(self) -> None:
        if self._stop:
            raise ClientClosed("The client is closed.")

    async def _wait(self, until: Callable[[], bool], timeout: float | None) -> bool:  # noqa: ASYNC109
        """Wait for a condition; False when the time is over first."""
        try:
            async with asyncio.timeout(timeout):
                return await self._changed.wait_for(until)
        except TimeoutError:
            return False

    async def _blocking(self, work: Callable[[], T]) -> T:
        """Work of the store: in a thread when it touches the disk."""
        return await asyncio.to_thread(work) if self._store.kept_in else work()

    def _start(self) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="hocvuso-client")

    def _pause(self) -> float | None:
        waiting = self._store.waiting()
        if not waiting:
            return None
        now = clock.monotonic()
        full = self._flushing or waiting >= self._engine.max_events
        return max(0.0, self._not_before - now, 0.0 if full else self._linger_until - now)

    async def _run(self) -> None:
        while True:
            async with self._changed:
                while (pause := self._pause()) != 0.0:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(pause):
                            await self._changed.wait()
            try:
                wait = await self._send()
            except Exception as error:
                # The task must live, else events would wait for nobody: a full disk, say.
                wait = self._engine.failed(HocvusoError(f"{type(error).__name__} while sending."))
            async with self._changed:
                self._not_before = clock.monotonic() + wait
                self._changed.notify_all()

    async def _send(self) -> float:
        batch = await self._blocking(self._engine.next)
        if not batch:
            return 0.0
        body, kind = batch_request([event.raw for event in batch])
        try:
            answer = await self._http.post("/v1/events", content=body, headers=kind)
        except httpx.TransportError as error:
            return self._engine.failed(unreachable(error, self._http.base_url))
        wait = await self._blocking(
            lambda: self._engine.answered(batch, answer.status_code, answer.headers, answer.content)
        )
        self._tell()
        return wait

    def _tell(self) -> None:
        """Call back in the loop, not in the thread that wrote to the spool."""
        answered, self._answered[:] = list(self._answered), []
        for result in answered:
            try:
                if self._on_result is not None:
                    self._on_result(result)
            except Exception:
                logger.exception("on_result failed")
