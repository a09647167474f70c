"""Errors as RFC 9457 problem details: one shape, stable codes, for every service.

A problem names the field (`pointer`, RFC 6901), the rule (`detail`) and the fix (`hint`), says
whether the same request may succeed later (`retryable`), and never echoes a personal identifier.
"""

import logging
from typing import TYPE_CHECKING, Any

import asyncpg
import msgspec
from opentelemetry import trace
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from shared.db import GONE, is_gone
from shared.identity.leaks import leaks
from shared.refused_parameters import unstorable, words

if TYPE_CHECKING:
    from fastapi import FastAPI

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"


class Problem(Exception):
    """Something the caller can understand and mend; becomes a problem details answer."""

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        status: int = 422,
        hint: str | None = None,
        pointer: str | None = None,
        retryable: bool = False,
        retry_after: int | None = None,
        extra: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.status = status
        self.hint = hint
        self.pointer = pointer
        self.retryable = retryable
        self.retry_after = retry_after
        self.extra = extra or {}
        self.headers = headers or {}

    def body(self) -> dict[str, Any]:
        """The problem details object (RFC 9457, section 3) with our extension members."""
        members: dict[str, Any] = {
            "type": f"urn:hocvuso:problem:{self.code}",
            "title": self.code.replace("-", " ").capitalize(),
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
            "retryable": self.retryable,
        }
        if self.pointer is not None:
            members["pointer"] = self.pointer
        if self.hint is not None:
            members["hint"] = self.hint
        return members | self.extra


def problem_response(problem: Problem) -> Response:
    """The HTTP answer of a problem, with Retry-After and the trace to quote to the ops team."""
    body = problem.body()
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        body["trace_id"] = trace.format_trace_id(context.trace_id)
    headers = dict(problem.headers)
    if problem.retry_after is not None:
        headers["Retry-After"] = str(problem.retry_after)
    if problem.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(msgspec.json.encode(body), problem.status, headers, media_type=MEDIA_TYPE)


def _shown(text: str) -> str:
    """What may be repeated of a request; an address may hold a person's number."""
    return "The request" if leaks(text) else text


def expected(error: Exception, method: str, path: str) -> Problem | None:
    """What to tell the caller of a request that ended in this error; None: the fault is ours."""
    if isinstance(error, Problem):
        return error
    found = unstorable(error) if isinstance(error, asyncpg.DataError) else None
    if found is not None:
        rule, fix = found
        return Problem("invalid-parameter", f"{method} request: {rule}", hint=fix)
    if not is_gone(error):
        return None
    log.warning("%s failed: %s: %s", _shown(path), type(error).__name__, error)
    return Problem(
        "database-unavailable",
        f"The database does not answer just now ({type(error).__name__}).",
        status=503,
        hint="Send the same request again after the time in Retry-After.",
        retryable=True,
        retry_after=5,
    )


def install(app: "FastAPI") -> None:
    """Make every error of `app` a problem details answer."""

    # Relay, intake and worker know problems, too, but serve nothing: they are spared the framework.
    from fastapi.exceptions import RequestValidationError

    @app.exception_handler(RequestValidationError)
    async def on_parameters(_: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        where = ["..." if leaks(str(part)) else str(part) for part in first["loc"]]
        rule, fix = words(first)
        return problem_response(
            Problem(
                "invalid-parameter",
                f"{' '.join(where)}: {rule}",
                pointer="/" + "/".join(where[1:]),
                hint=fix,
            )
        )

    @app.exception_handler(HTTPException)
    async def on_http(request: Request, error: HTTPException) -> Response:
        if isinstance(error.__cause__, Problem):
            return problem_response(error.__cause__)  # of a body that the framework tried to read
        codes = {404: "not-found", 405: "method-not-allowed", 413: "body-too-large"}
        hints = {404: "See /docs for the addresses of this service."}
        problem = Problem(
            codes.get(error.status_code, "http-error"),
            f"{_shown(f'{request.method} {request.url.path}')}: {error.detail}",
            status=error.status_code,
            hint=hints.get(error.status_code),
        )
        response = problem_response(problem)
        response.headers.update(error.headers or {})
        return response

    async def on_trouble(request: Request, error: Exception) -> Response:
        problem = expected(error, request.method, request.url.path)
        if problem is None:
            raise error
        return problem_response(problem)

    for kind in (Problem, asyncpg.DataError, OSError, *GONE):
        app.add_exception_handler(kind, on_trouble)

    @app.exception_handler(Exception)
    async def on_bug(request: Request, error: Exception) -> Response:
        # The type only: the message may repeat what a caller sent.
        trace.get_current_span().set_attribute("error.type", type(error).__qualname__)
        return problem_response(
            Problem(
                "internal-error",
                f"{request.method} {request.url.path} failed on our side.",
                status=500,
                hint="Send the same request again later; if it goes on, tell the operators"
                " the trace_id.",
                retryable=True,
            )
        )
