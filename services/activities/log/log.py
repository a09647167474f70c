"""The event log as the front door sees it: submit events, get answers after the commit.

Group commit: while one transaction is being written, what arrives waits in a queue; the next
transaction takes all of it. So a single event costs one commit when idle and a share of one under
load, and every answer still means "durable".
"""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter

import asyncpg
from opentelemetry import trace

from services.activities.log import store
from services.activities.log.append import Append, Context
from services.activities.log.books import Limits
from services.activities.log.model import (
    Also,
    Answers,
    Candidate,
    Delivery,
    GiveUp,
    InDoubt,
    Outcome,
    Status,
    Submission,
    Told,
)
from services.activities.log.things import Things
from services.activities.log.units import UnitCache
from shared import telemetry
from shared.clock import Clock
from shared.contracts.definitions import Catalogue
from shared.db import place, repeated
from shared.instruments import (
    APPEND_DURATION,
    APPEND_EVENTS,
    APPEND_FAILURES,
    APPEND_WAITING,
    MEASUREMENTS,
)
from shared.problems import Problem

log = logging.getLogger(__name__)
tracer = trace.get_tracer("hocvuso.activities.log")

GROUP_EVENTS = 4_000
"""Events of one transaction; bounds the time the counter is locked."""

WAITING_EVENTS = 20_000
"""Events that may wait for a transaction before new ones are told to come back later."""

ANSWER_S = 25
"""Callers give up after 30 seconds, and then know less than we can tell them."""

DOUBT_S = 10
"""How long to ask whether an unanswered commit happened."""


@dataclass
class _Waiting:
    submission: Submission
    answer: "asyncio.Future[list[Outcome]]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Log:
    """Appends to the log of one database; any number of processes may do so at once."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        catalogue: Catalogue,
        clock: Clock,
        *,
        limits: Limits | None = None,
    ) -> None:
        self.pool = pool
        self._context = Context(
            catalogue, Things(), UnitCache(catalogue), clock, limits or Limits()
        )
        self._queue: deque[_Waiting] = deque()
        self._events_waiting = 0
        self._wake = asyncio.Event()
        self._stopping = False
        self._writer: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the writer."""
        APPEND_FAILURES.add(0)  # a series that begins with its first failures shows no increase
        MEASUREMENTS.look("log", lambda: APPEND_WAITING.set(self._events_waiting))
        self._writer = asyncio.create_task(self._write_forever(), name="log-writer")

    async def stop(self) -> None:
        """Write what waits, then stop."""
        self._stopping = True
        self._wake.set()
        if self._writer is not None:
            await self._writer

    async def submit(
        self,
        candidates: Sequence[Candidate],
        *,
        atomic: bool = False,
        dry_run: bool = False,
        also: Also | None = None,
        told: Told | None = None,
        delivery: Delivery | None = None,
    ) -> list[Outcome]:
        """Append events and answer each, in input order, after the commit.

        `atomic`: all or nothing; `dry_run`: judge everything, write nothing; `also`: written in
        the same transaction, also when there are no candidates; `told`: the same, given the answers;
        `delivery`: how they came in, for the books and the quarantine (without one nothing is
        counted or kept). Raises what `also` raised to give the submission up.
        Raises Problem `overloaded` (503) when too much is waiting, `log-unavailable` (503) when
        the database failed; then nothing is known to be written and sending again is safe.
        """
        submission = Submission(candidates, atomic, dry_run, also, told, delivery)
        if also is None and told is None and not (candidates or (submission.size and not dry_run)):
            return []
        if self._events_waiting + submission.size > WAITING_EVENTS and self._events_waiting:
            raise Problem(
                "overloaded",
                "Too many events are waiting to be written.",
                status=503,
                hint="Send the same request again after the time in Retry-After.",
                retryable=True,
                retry_after=1,
            )
        waiting = _Waiting(submission)
        self._events_waiting += submission.size
        self._queue.append(waiting)
        self._wake.set()
        if also is not None or told is not None:
            return await waiting.answer  # whoever writes along must know how it ended
        try:
            async with asyncio.timeout(ANSWER_S):
                return await asyncio.shield(waiting.answer)
        except TimeoutError as error:
            # It may still be written; then the same request is answered as a duplicate.
            waiting.answer.cancel()
            raise _unavailable() from error

    async def _write_forever(self) -> None:
        while not self._stopping:
            await self._wake.wait()
            self._wake.clear()
            while self._queue:
                group = self._take()
                try:
                    await self._write(group)
                except asyncio.CancelledError:
                    raise
                except Exception as error:
                    await self._write_apart(group, error)

    def _take(self) -> list[_Waiting]:
        group: list[_Waiting] = []
        events = 0
        while self._queue and events < GROUP_EVENTS:
            waiting = self._queue.popleft()
            events += waiting.submission.size
            group.append(waiting)
        self._events_waiting -= events
        return group

    async def _write(self, group: list[_Waiting]) -> None:
        submissions = [w.submission for w in group]
        candidates = [c for s in submissions for c in s.candidates]
        started = perf_counter()
        with telemetry.span(
            tracer,
            "INSERT activities.log",
            context=telemetry.root_context(),
            kind=trace.SpanKind.CLIENT,
            links=telemetry.links(c.traceparent for c in candidates),
            attributes={
                "db.system.name": "postgresql",
                "db.operation.name": "INSERT",
                "db.collection.name": "activities.log",
                "hocvuso.events": len(candidates),
                **place(self.pool),
            },
        ) as span:
            outcomes = await self._append(submissions)
            positions = [
                o.position
                for answers in outcomes
                if isinstance(answers, list)
                for o in answers
                if o.position is not None and o.status is Status.ACCEPTED
            ]
            if positions:
                span.set_attribute("hocvuso.position.first", min(positions))
                span.set_attribute("hocvuso.position.last", max(positions))
            context = span.get_span_context()
        APPEND_DURATION.record(perf_counter() - started, span=context)
        APPEND_EVENTS.record(len(candidates))
        for waiting, answers in zip(group, outcomes, strict=True):
            if waiting.answer.done():
                continue
            if isinstance(answers, GiveUp | Problem):
                waiting.answer.set_exception(answers)
            else:
                waiting.answer.set_result(answers)

    async def _append(self, submissions: Sequence[Submission]) -> Answers:
        """Append a group. A commit without an answer is looked up, so that nothing is written,
        booked or answered twice; where that fails too, it stays InDoubt."""
        answers: Answers | None = None
        try:
            async with self.pool.acquire() as connection:
                answers = await repeated(lambda: Append.run(connection, self._context, submissions))
            return answers
        except InDoubt as doubt:
            log.warning("a commit was not answered: %s", doubt.__cause__)
            cause = doubt.__cause__
            try:
                async with asyncio.timeout(DOUBT_S), self.pool.acquire() as connection:
                    if await store.committed(connection, doubt.xid):
                        return doubt.answers
            except Exception:
                # Whatever the reason (asyncpg has internal errors of no common kind): not known.
                raise doubt from cause
            raise cause or doubt from None
        except Exception as error:
            if answers is None:
                raise
            # Committed, and lost when the connection went back into the pool.
            log.warning("a connection was lost after its commit: %s", type(error).__name__)
            return answers

    async def _write_apart(self, group: list[_Waiting], error: Exception) -> None:
        """After a failed group: each submission alone, so that one never harms its neighbours."""
        log.warning("group of %d failed: %s: %s", len(group), type(error).__name__, error)
        for waiting in group:
            try:
                # A database that hangs would let every one of them wait as long as the first.
                if len(group) == 1 or isinstance(error, (InDoubt, TimeoutError)):
                    raise error
                await self._write([waiting])
            except asyncio.CancelledError:
                raise
            except Exception as alone:
                log.error("append failed: %s: %s", type(alone).__name__, alone)
                APPEND_FAILURES.add(1)
                if not waiting.answer.done():
                    waiting.answer.set_exception(_unavailable())


def _unavailable() -> Problem:
    return Problem(
        "log-unavailable",
        "The event log could not be written just now.",
        status=503,
        hint="Send the same request again: what was written already is answered as a duplicate.",
        retryable=True,
        retry_after=2,
    )
