"""What to post next and what an answer means; no waiting and no network, so both clients share it."""

import gzip
import logging
from collections.abc import Callable, Mapping, Sequence

from hocvuso_client import answers
from hocvuso_client.answers import Backoff, Counts, Result
from hocvuso_client.envelope import Queued
from hocvuso_client.errors import BadAnswer, EventsRefused, HocvusoError, ProblemError
from hocvuso_client.masking import hide_numbers
from hocvuso_client.store import Store

logger = logging.getLogger("hocvuso_client")

MAX_BATCH_EVENTS = 1_000
MAX_BATCH_BYTES = 10 * 1024 * 1024
GZIP_FROM = 1_024
BLOCKED_SECONDS = 30.0
"""How long to wait before trying again what will not succeed before somebody mends it."""

EVENT_TRIES = 8
"""How often a single event is sent again that the service refuses "for now"."""

POISON = frozenset({400, 409, 413, 422})
"""Refusals of a whole request that one event of it may have caused."""

MOST_REFUSED = 1_000
"""So many refusals are held for `flush` to raise; all are counted."""

OnResult = Callable[[Result], None]


def batch_request(raws: Sequence[bytes]) -> tuple[bytes, dict[str, str]]:
    """Body and headers of `POST /v1/events` for a batch; compressed when that is worth it."""
    body = b"[" + b",".join(raws) + b"]"
    headers = {"Content-Type": "application/cloudevents-batch+json"}
    if len(body) >= GZIP_FROM:
        body = gzip.compress(body, compresslevel=5, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return body, headers


class Engine:
    """Takes batches from a store and digests their answers.

    `blocked`: the last answer was one that somebody has to mend first (a wrong key, a wrong
    address); `trouble`: the last thing that went wrong, None after a success.
    """

    def __init__(
        self, store: Store, max_events: int, max_bytes: int, on_result: OnResult | None
    ) -> None:
        if not 1 <= max_events <= MAX_BATCH_EVENTS or not 1 <= max_bytes <= MAX_BATCH_BYTES:
            raise ValueError(
                f"a batch has at most {MAX_BATCH_EVENTS} events and {MAX_BATCH_BYTES} bytes"
            )
        self.store = store
        self.max_events = max_events
        self.counts = Counts()
        self.trouble: HocvusoError | None = None
        self.blocked = False
        self.attempts = 0
        self._max_bytes = max_bytes
        self._most = self._limit = max_events
        self._on_result = on_result
        self._backoff = Backoff()
        self._tries: dict[int, int] = {}
        self._refused: list[Result] = []
        self._refusals = 0

    def next(self) -> list[Queued]:
        """The next batch; empty when nothing waits."""
        return self.store.oldest(self._limit, self._max_bytes - 2)

    def answered(
        self, batch: Sequence[Queued], status: int, headers: Mapping[str, str], content: bytes
    ) -> float:
        """Digest an answer; seconds to wait before the next batch."""
        if status == 200:
            try:
                results = answers.batch_results(content, len(batch))
            except BadAnswer as bad:
                return self.failed(bad)
            return self._results(batch, results)
        problem = answers.problem(status, headers, content)
        if answers.may_pass(problem):
            return self.failed(problem, problem.retry_after)
        if status == 429 and len(batch) > 1:
            # More at once than the quota ever allows: smaller batches from now on.
            self.attempts += 1
            self._most = max(1, min(len(batch) // 2, int(problem.body.get("limit") or len(batch))))
            self._limit = self._most
            return 0.0
        if status in POISON and len(batch) > 1:
            # One of them spoils the request: halve until it is alone.
            self.attempts += 1
            self._limit = max(1, len(batch) // 2)
            return 0.0
        if status in POISON:
            self.attempts += 1
            self._refuse(batch[0], Result(batch[0].source, batch[0].id, "rejected", None, problem))
            return 0.0
        return self.block(problem)

    def block(self, error: HocvusoError) -> float:
        """Somebody has to mend something before anything is taken; seconds to the next try."""
        self.attempts += 1
        self.trouble, self.blocked = error, True
        logger.error("hocvuso refuses the request, events wait: %s", error)
        return max(BLOCKED_SECONDS, getattr(error, "retry_after", None) or 0.0)

    def refusals(self) -> EventsRefused | None:
        """What was refused since this was asked last, as the error to raise; None for nothing."""
        refused, count = self._refused, self._refusals
        self._refused, self._refusals = [], 0
        return EventsRefused(refused, count, self.store.rejected_in) if count else None

    def failed(self, error: HocvusoError, wanted: float | None = None) -> float:
        """No good answer; the batch stays. Seconds to wait before it is sent again."""
        self.attempts += 1
        self.trouble, self.blocked = error, False
        wait = self._backoff.next(wanted)
        logger.warning("hocvuso: trying again in %.1f s: %s", wait, error)
        return wait

    def _results(self, batch: Sequence[Queued], results: Sequence[Result]) -> float:
        done, again = [], 0
        for event, result in zip(batch, results, strict=True):
            if result.problem is not None and result.problem.retryable:
                tried = self._tries[event.seq] = self._tries.get(event.seq, 0) + 1
                if tried < EVENT_TRIES:
                    again += 1
                    self.trouble = result.problem
                    continue
            self._tries.pop(event.seq, None)
            if result.status == "rejected":
                self._refuse(event, result)
            else:
                done.append((event, result))
        if done:
            self.store.remove([event for event, _ in done])
        for _, result in done:
            self._tell(result)
        self.attempts += 1
        self.blocked = False
        self._limit = min(self._most, self._limit * 2)
        if again:
            return self._backoff.next()
        self._backoff.reset()
        self.trouble = None
        return 0.0

    def _refuse(self, event: Queued, result: Result) -> None:
        problem = result.problem or ProblemError({}, 422)
        self.store.reject(event, problem.body)
        logger.error("hocvuso rejected an event (id %s): %s", hide_numbers(event.id), problem)
        self._refusals += 1
        if len(self._refused) < MOST_REFUSED:
            self._refused.append(result)
        self._tell(result)

    def _tell(self, result: Result) -> None:
        self.counts.add(result.status)
        if self._on_result is None:
            return
        try:
            self._on_result(result)
        except Exception:
            # The caller's mistake must not stop the sending of everybody's events.
            logger.exception("on_result failed")
