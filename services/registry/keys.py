"""Whether a key holds, and what it may do: asked of activities, remembered for some seconds.

Activities owns the keys; its answer is believed for some seconds. Keys are looked up by a digest,
so none is kept in memory.
"""

import time
from dataclasses import dataclass
from typing import Any

import httpx

from shared import auth
from shared.problems import Problem

CACHE_SIZE = 10_000
ADMINISTRATOR = "administrator"


@dataclass(frozen=True)
class Rights:
    """What activities says of a key. `sources`: URI prefixes, None = all; `subtree`: its unit_id."""

    name: str
    roles: frozenset[str]
    scopes: frozenset[str]
    sources: tuple[str, ...] | None
    subtree: str | None

    @property
    def is_administrator(self) -> bool:
        return ADMINISTRATOR in self.roles


class KeyChecker:
    """Asks `GET /v1/keys/self` of activities, at most once per key and `seconds`."""

    def __init__(self, activities: httpx.AsyncClient, seconds: float) -> None:
        self._activities = activities
        self._seconds = seconds
        self._known: dict[bytes, tuple[float, Rights]] = {}

    async def check(self, text: str) -> Rights:
        """The rights of a key that holds; raise the problem that activities answered otherwise."""
        digest, now = auth.digest(text), time.monotonic()
        known = self._known.get(digest)
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
        rights = _rights(answer.json())
        if len(self._known) >= CACHE_SIZE:
            self._known.clear()
        self._known[digest] = (now + self._seconds, rights)
        return rights


def _refused(answer: httpx.Response) -> Problem:
    """What activities says of a token (its client may be unknown); of a key always the same."""
    try:
        body = answer.json()
    except ValueError:
        return auth.wrong_key()
    code = str(body.get("code", ""))
    if code in ("", "key-wrong") or "detail" not in body:
        return auth.wrong_key()
    return Problem(code, str(body["detail"]), status=answer.status_code, hint=body.get("hint"))


def _rights(body: dict[str, Any]) -> Rights:
    sources = body.get("sources")
    return Rights(
        str(body.get("name", "")),
        frozenset(body.get("roles", ())),
        frozenset(body.get("scopes", ())),
        None if sources is None else tuple(sources),
        body.get("subtree"),
    )


def _cannot_check(reason: str) -> Problem:
    return Problem(
        "key-not-checkable",
        f"activities, which knows the keys, did not answer ({reason}).",
        status=503,
        hint="Send the same request again in a moment.",
        retryable=True,
        retry_after=2,
    )
