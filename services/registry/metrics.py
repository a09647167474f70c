"""Asking metrics: its answers as they are, its problems passed on."""

from typing import Any

import httpx
import msgspec

from shared import answers
from shared.problems import Problem

SLOW = httpx.Timeout(30, connect=2)


async def ask_metrics(metrics: httpx.AsyncClient, path: str, params: dict[str, Any]) -> Any:
    """The JSON that metrics answers; parameters that are None are left out."""
    return msgspec.json.decode(await ask_metrics_raw(metrics, path, params))


async def ask_metrics_raw(metrics: httpx.AsyncClient, path: str, params: dict[str, Any]) -> bytes:
    """The same, as it came: for whoever knows its shape, since a table has a megabyte."""
    given = {name: value for name, value in params.items() if value is not None}
    try:
        answer = await metrics.get(path, params=given, timeout=SLOW)
    except httpx.HTTPError as error:
        raise _no_answer(type(error).__name__) from error
    content = answers.content(answer)
    if answer.status_code == 200:
        return content
    body = msgspec.json.decode(content) if content else {}
    if answer.status_code >= 500 and "code" not in body:
        raise _no_answer(f"HTTP {answer.status_code}")
    raise Problem(
        body.get("code", "metrics-refused"),
        body.get("detail", "metrics refused the question."),
        status=answer.status_code,
        hint=body.get("hint"),
        pointer=body.get("pointer"),
        retryable=bool(body.get("retryable")),
    )


def _no_answer(reason: str) -> Problem:
    return Problem(
        "metrics-not-available",
        f"Numbers of other days, and what stands behind them, come from metrics, which did not"
        f" answer ({reason}).",
        status=503,
        hint="Send the same request again in a moment; the current table (without as_of and"
        " known_at) does not need it.",
        retryable=True,
        retry_after=2,
    )
