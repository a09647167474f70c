"""What a credential may do: asked of activities, which owns the keys, and believed for seconds.

Credentials are remembered by a digest, so none is kept in memory. Sessions are asked for each time:
whoever signs out is out at once.
"""

import time
from datetime import datetime
from typing import Any

import httpx

from shared.auth.credentials import digest, is_session, wrong_key
from shared.auth.principal import Principal
from shared.problems import Problem

CACHE_SIZE = 10_000


class Introspector:
    """Asks `GET /v1/keys/self` of activities, at most once per key and `seconds`."""

    def __init__(self, activities: httpx.AsyncClient, seconds: float) -> None:
        self._activities = activities
        self._seconds = seconds
        self._known: dict[bytes, tuple[float, Principal]] = {}

    async def check(self, text: str) -> Principal:
        """Who a credential that holds is; raise the problem that activities answered otherwise."""
        hashed, now = digest(text), time.monotonic()
        known = self._known.get(hashed)
        if known is not None and known[0] > now:
            return known[1]
        try:
            answer = await self._activities.get(
                "/v1/keys/self", headers={"Authorization": f"Bearer {text}"}
            )
        except httpx.HTTPError as error:
            raise _cannot_check(type(error).__name__) from error
        if answer.status_code in (401, 403):
            raise _refused(answer)
        if answer.status_code != 200:
            raise _cannot_check(f"HTTP {answer.status_code}")
        principal = _principal(answer.json())
        if not is_session(text):
            if len(self._known) >= CACHE_SIZE:
                self._known.clear()
            self._known[hashed] = (now + self._seconds, principal)
        return principal

    def forget(self) -> None:
        """Ask anew for everybody: rights have just been changed through this service."""
        self._known.clear()


def _refused(answer: httpx.Response) -> Problem:
    """What activities says of a token (its client may be unknown); of a key always the same."""
    try:
        body = answer.json()
    except ValueError:
        return wrong_key()
    code = str(body.get("code", ""))
    if code in ("", "key-wrong") or "detail" not in body:
        return wrong_key()
    return Problem(code, str(body["detail"]), status=answer.status_code, hint=body.get("hint"))


def _principal(body: dict[str, Any]) -> Principal:
    return Principal(
        str(body.get("prefix", "")),
        str(body.get("name", "")),
        frozenset(body.get("roles", ())),
        frozenset(body.get("scopes", ())),
        types=_texts(body.get("types")),
        sources=_texts(body.get("sources")),
        subtree=body.get("subtree"),
        era=body.get("era"),
        expires_at=_instant(body.get("expires_at")),
        kind=body.get("kind", "key"),
        session=body.get("session"),
        authenticated_at=_instant(body.get("authenticated_at")),
        recent=bool(body.get("recent", True)),
    )


def _texts(values: list[str] | None) -> tuple[str, ...] | None:
    return None if values is None else tuple(values)


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _cannot_check(reason: str) -> Problem:
    return Problem(
        "key-not-checkable",
        f"activities, which knows the keys, did not answer ({reason}).",
        status=503,
        hint="Send the same request again in a moment.",
        retryable=True,
        retry_after=2,
    )
