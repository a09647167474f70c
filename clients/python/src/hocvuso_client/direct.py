# Made from adirect.py by unasync.py; do not edit.
"""Requests that are answered before they return: batches, receipts, rights, streams."""

import time as clock
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import quote

import httpx

from hocvuso_client import answers, receipts, services, streams
from hocvuso_client.answers import Backoff, Result
from hocvuso_client.concurrency import sleep
from hocvuso_client.engine import batch_request
from hocvuso_client.errors import (
    BadAnswer,
    HocvusoError,
    NotFound,
    Throttled,
    TooLarge,
    Unavailable,
)
from hocvuso_client.options import (
    DEFAULT_TIMEOUT,
    DELIVER_TRIES,
    PATIENCE,
    STREAM_TRIES,
    headers,
    unreachable,
    within,
)
from hocvuso_client.receipts import Receipt
from hocvuso_client.streams import AnswersLost, Segments, StreamAnswer


class Direct:
    """One hocvuso service, asked without a queue; `Client` adds the queue."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        timeout: httpx.Timeout | float = DEFAULT_TIMEOUT,
        transport: httpx.BaseTransport | None = None,
        trust_env: bool = True,
    ) -> None:
        self._http = httpx.Client(
            base_url=url,
            headers=headers(key),
            timeout=timeout,
            transport=transport,
            trust_env=trust_env,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self._http.base_url)!r})"

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def deliver(
        self,
        raws: Sequence[bytes],
        *,
        dry_run: bool = False,
        atomic: bool = False,
        tries: int = DELIVER_TRIES,
    ) -> list[Result]:
        """Post one batch of events (JSON texts) and wait for its results, in order.

        Tries again as the service says; raises the ProblemError of a refused request, Unreachable
        or Unavailable after `tries`, and all of these (and Throttled) rather than wait for more
        than five minutes. A batch too large for the service or the quota goes in halves. `dry_run`
        judges and writes nothing, `atomic` writes all or nothing.
        """
        body, kind = batch_request(raws)
        flags = {name: "true" for name, on in (("dry_run", dry_run), ("atomic", atomic)) if on}
        try:
            answer = self._request(
                "POST", "/v1/events", tries=tries, content=body, headers=kind, params=flags
            )
        except (Throttled, TooLarge) as error:
            if atomic or len(raws) < 2 or answers.may_pass(error):
                raise
        else:
            try:
                return answers.batch_results(answer.content, len(raws))
            except BadAnswer as bad:
                raise self._told(bad) from None
        half = len(raws) // 2
        first = self.deliver(raws[:half], dry_run=dry_run, tries=tries)
        return first + self.deliver(raws[half:], dry_run=dry_run, tries=tries)

    def rights(self) -> dict[str, Any]:
        """What the key may do: name, roles, types, sources, subtree."""
        return dict(self._json("/v1/keys/self"))

    def receipt(self, source: str, id: str, *, patience: float = PATIENCE) -> Receipt:
        """How far an event has come. Raises NotFound for one that is not in the log."""
        asked = {"source": source, "id": id}
        return receipts.read(self._json("/v1/events", params=asked, patience=patience))

    def wait_counted(
        self,
        source: str,
        id: str,
        timeout: float = 60.0,
    ) -> Receipt:
        """Wait until an event is counted. Raises NotCounted when that will not be (parked,
        refused) or the time is over."""
        until = clock.monotonic() + timeout
        pause, seen = receipts.POLL_FIRST, None
        while True:
            try:
                seen = self.receipt(source, id, patience=until - clock.monotonic())
            except NotFound:
                pass  # perhaps it still waits in the queue
            else:
                receipts.check(seen)
                if seen.counted:
                    return seen
            left = until - clock.monotonic()
            if left <= 0:
                raise receipts.too_late(timeout, seen)
            sleep(min(pause, left))
            pause = min(pause * 1.5, receipts.POLL_LONGEST)

    def stream_offset(self, name: str) -> int:
        """How many lines of a stream are committed."""
        seen = self._json(f"/v1/streams/{quote(name, safe='')}", tries=STREAM_TRIES)
        return int(seen["committed"])

    def stream(
        self,
        name: str,
        lines: streams.Lines,
        *,
        acks: Literal["all", "errors"] = "errors",
        segment_lines: int = streams.SEGMENT_LINES,
        segment_bytes: int = streams.SEGMENT_BYTES,
    ) -> Iterator[StreamAnswer | AnswersLost]:
        """Send events, one a line, from where the stream stands; yields answers as `acks` says.

        `lines` are the same at every call: JSON texts, objects, or the path of an NDJSON file; what
        is committed is skipped. Goes on after a cut; raises after too many tries without progress.
        """
        work = Segments(lines, self.stream_offset(name), segment_lines, segment_bytes)
        address = f"/v1/streams/{quote(name, safe='')}"
        backoff = Backoff()
        while body := work.body():
            start = work.start
            try:
                answer = self._request(
                    "PUT",
                    address,
                    tries=1,
                    content=body,
                    params={"offset": str(start), "acks": acks},
                    headers={"Content-Type": "application/x-ndjson"},
                )
                found, committed, problem = streams.read_answer(answer.content)
            except HocvusoError as error:
                if not streams.may_go_on(error) or backoff.failures >= STREAM_TRIES:
                    raise
                sleep(backoff.next(getattr(error, "retry_after", None)))
                moved = work.move_to(self.stream_offset(name))
                if moved:
                    backoff.reset()
                    yield AnswersLost(start, work.start - 1)
                continue
            yield from found
            if work.move_to(committed):
                backoff.reset()
            if problem is not None and not streams.may_go_on(problem):
                raise problem
            if work.start == start or problem is not None:
                if backoff.failures >= STREAM_TRIES:
                    raise problem or Unavailable({"detail": "The stream does not go on."}, 503)
                sleep(backoff.next(problem.retry_after if problem else None))

    def _json(self, path: str, **how: Any) -> Any:
        """The JSON of an answer to GET."""
        answer = self._request("GET", path, **how)
        try:
            return answer.json()
        except ValueError:
            raise self._told(BadAnswer("an answer that is not JSON")) from None

    def _request(
        self,
        method: str,
        path: str,
        *,
        tries: int = DELIVER_TRIES,
        patience: float = PATIENCE,
        **how: Any,
    ) -> httpx.Response:
        """One request, tried again while that may help and `patience` seconds are not over; the
        answer is a success."""
        backoff, until = Backoff(), clock.monotonic() + patience
        while True:
            error: HocvusoError
            try:
                timeout = within(self._http.timeout, until - clock.monotonic())
                answer = self._http.request(method, path, timeout=timeout, **how)
            except httpx.TransportError as cut:
                error, wanted = unreachable(cut, self._http.base_url), None
            else:
                if answer.is_success:
                    return answer
                problem = answers.problem(answer.status_code, answer.headers, answer.content)
                if not answers.may_pass(problem):
                    raise self._told(problem) from None
                error, wanted = problem, problem.retry_after
            if backoff.failures + 1 >= tries or clock.monotonic() + (wanted or 0) > until:
                raise error from None
            sleep(min(backoff.next(wanted), max(0.0, until - clock.monotonic())))

    def _told(self, error: HocvusoError) -> HocvusoError:
        """The error, or that another service answers at this address."""
        if not services.suspicious(error):
            return error
        try:
            seen = self._http.get(services.OPENAPI)
        except httpx.TransportError:
            return error
        return services.wrong(self._http.base_url, seen.status_code, seen.content, error)
