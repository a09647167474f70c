"""What can go wrong, one class for each thing a caller may want to do about it.

`str()` of every error is one line: what happened, where, and what to do. No error repeats the data
of an event.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hocvuso_client.masking import hide_numbers

if TYPE_CHECKING:
    from hocvuso_client.answers import Result


class HocvusoError(Exception):
    """The base of every error of this library."""


class ProblemError(HocvusoError):
    """The service refused a request or an event: a problem details object (RFC 9457).

    `code` is stable (the service's page of errors lists all), `pointer` a JSON pointer (RFC 6901)
    into what was sent, `retry_after` seconds, `body` the whole object.
    """

    def __init__(
        self, body: Mapping[str, Any], status: int, retry_after: float | None = None
    ) -> None:
        self.body = dict(body)
        self.status = status
        self.retry_after = retry_after
        self.code = str(self.body.get("code", f"http-{status}"))
        self.detail = str(self.body.get("detail", f"The service answered HTTP {status}."))
        self.hint: str | None = self.body.get("hint")
        self.pointer: str | None = self.body.get("pointer")
        self.trace_id: str | None = self.body.get("trace_id")
        self.retryable = bool(self.body.get("retryable", False))
        super().__init__(self.code)

    def __str__(self) -> str:
        where = f" (at {self.pointer})" if self.pointer else ""
        parts = [f"{self.code}: {self.detail}{where}"]
        if self.hint:
            parts.append(self.hint)
        if self.trace_id and self.status >= 500:
            parts.append(f"Trace {self.trace_id}.")
        return " ".join(parts)


class Unauthenticated(ProblemError):
    """401: the key is missing, wrong, expired or revoked."""


class Forbidden(ProblemError):
    """403: the key is good but may not do this."""


class NotFound(ProblemError):
    """404: there is no such event, stream or type."""


class Conflict(ProblemError):
    """409: the same source and id were posted with other content, or an offset lies ahead."""


class Refused(ProblemError):
    """Another 4xx: the request or the event is wrong; sending it again does not help."""


class TooLarge(ProblemError):
    """413: a body, an event or a line is over its limit."""


class Throttled(ProblemError):
    """429: the quota of the key is used up until `retry_after`."""


class Unavailable(ProblemError):
    """408 or 5xx: the service cannot answer now; the same request may succeed later."""


class Unreachable(HocvusoError):
    """No answer: the connection failed, was cut or timed out. What was sent may be written."""


class BadAnswer(HocvusoError):
    """An answer that is not what the service gives (a proxy's page, say)."""


class WrongService(HocvusoError):
    """Another service than activities answers at the address; the message says which."""


class EventsRefused(HocvusoError):
    """The service refused events for good; `refused` are their results (at most 1,000), `count` of
    them since the last `flush`."""

    def __init__(self, refused: Sequence["Result"], count: int, kept: str | None) -> None:
        self.refused = tuple(refused)
        self.count = count
        first = self.refused[0]
        where = f" All are listed in {kept}." if kept else ""
        super().__init__(
            f"{count} events were refused and will not be counted; the first, id"
            f" {hide_numbers(first.id or '?')}: {first.problem}{where}"
        )


class NotDelivered(HocvusoError):
    """Events wait that are not acknowledged. `left` of them; `cause` is the last trouble."""

    def __init__(self, left: int, cause: HocvusoError | None, kept: str | None) -> None:
        self.left = left
        self.cause = cause
        why = f" Last trouble: {cause}" if cause else ""
        where = f" They are kept in {kept}." if kept else " They are in memory only."
        super().__init__(f"{left} events are not acknowledged.{where}{why}")


class QueueFull(HocvusoError):
    """`emit` waited and no room came free: the service takes less than is emitted."""


class SpoolInUse(HocvusoError):
    """Another process (or another client of this one) has the spool open."""


class ClientClosed(HocvusoError):
    """The client was closed; make a new one."""


class NotCounted(HocvusoError):
    """An event is not counted yet, or is parked; `receipt` is the last one seen, if any."""

    def __init__(self, message: str, receipt: Any = None) -> None:
        super().__init__(message)
        self.receipt = receipt


_BY_STATUS: dict[int, type[ProblemError]] = {
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    408: Unavailable,
    409: Conflict,
    413: TooLarge,
    429: Throttled,
}


def problem_error(
    body: Mapping[str, Any], status: int, retry_after: float | None = None
) -> ProblemError:
    """The error of the class that fits the HTTP status."""
    kind = _BY_STATUS.get(status, Unavailable if status >= 500 else Refused)
    return kind(body, status, retry_after)
