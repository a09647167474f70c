"""Reading what the service answers: results of events, problems, when to try again. Pure."""

import email.utils
import json
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from hocvuso_client.errors import BadAnswer, ProblemError, problem_error

Status = Literal["accepted", "duplicate", "rejected"]
RETRIED = frozenset({408, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one event. `problem` is there when it was rejected."""

    source: str | None
    id: str | None
    status: Status
    position: int | None
    problem: ProblemError | None = None
    warnings: tuple[str, ...] = ()
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(slots=True)
class Counts:
    """How many events were answered how."""

    accepted: int = 0
    duplicate: int = 0
    rejected: int = 0

    def add(self, status: Status) -> None:
        setattr(self, status, getattr(self, status) + 1)


def result(body: Mapping[str, Any]) -> Result:
    """One entry of a batch's or stream's answer. Raises BadAnswer."""
    status = body.get("status")
    if status not in ("accepted", "duplicate", "rejected"):
        raise BadAnswer("a result has no status that this library knows")
    problem = body.get("problem")
    return Result(
        body.get("source"),
        body.get("id"),
        cast(Status, status),
        body.get("position"),
        problem_error(problem, int(problem.get("status", 422))) if problem else None,
        tuple(body.get("warnings", ())),
        body,
    )


def batch_results(content: bytes, count: int) -> list[Result]:
    """The results of a batch of `count` events, in its order. Raises BadAnswer."""
    try:
        body = json.loads(content)
        results = [result(one) for one in body["results"]]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BadAnswer("HTTP 200 without the results of a batch; is a proxy in between?") from None
    if len(results) != count:
        raise BadAnswer(f"{len(results)} results for {count} events")
    return results


def may_pass(found: ProblemError) -> bool:
    """Whether the same request may succeed later. A quota smaller than the request never does."""
    if found.status == 429 and found.body.get("retryable") is False:
        return False
    return found.retryable or found.status in RETRIED


def problem(status: int, headers: Mapping[str, str], content: bytes) -> ProblemError:
    """An answer that is no success as an error, whatever its body is."""
    try:
        body = json.loads(content)
    except ValueError:
        body = None
    return problem_error(body if isinstance(body, dict) else {}, status, retry_after(headers))


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds of Retry-After (RFC 9110, section 10.2.3: seconds or a date); None without one."""
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    if text.isdecimal():
        return float(text)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except ValueError:
        return None


@dataclass(slots=True)
class Backoff:
    """Exponential, with full jitter; never sooner than the service asks for."""

    first: float = 0.25
    longest: float = 30.0
    failures: int = 0

    def next(self, wanted: float | None = None) -> float:
        """Seconds until the next try."""
        ceiling = min(self.first * 2 ** min(self.failures, 16), self.longest)
        self.failures += 1
        chosen = random.uniform(ceiling / 2, ceiling)  # noqa: S311 - spreads load, guards nothing
        if wanted is None:
            return chosen
        # Everybody was told the same second: come a little after it, not all at once.
        return wanted + random.uniform(0, min(chosen, 0.1 * wanted + 0.05))  # noqa: S311

    def reset(self) -> None:
        self.failures = 0
