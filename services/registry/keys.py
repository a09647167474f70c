"""Whether a key holds: asked of activities, remembered for some seconds.

Activities owns the keys; its answer is believed for some seconds. Keys are looked up by a digest,
so none is kept in memory.
"""

import time

import httpx

from shared import auth
from shared.problems import Problem

CACHE_SIZE = 10_000


class KeyChecker:
    """Asks `GET /v1/keys/self` of activities, at most once per key and `seconds`."""

    def __init__(self, activities: httpx.AsyncClient, seconds: float) -> None:
        self._activities = activities
        self._seconds = seconds
        self._good_until: dict[bytes, float] = {}

    async def check(self, text: str) -> None:
        """Return when the key holds; raise the problem that activities answered otherwise."""
        digest, now = auth.digest(text), time.monotonic()
        if self._good_until.get(digest, 0) > now:
            return
        try:
            answer = await self._activities.get(
                "/v1/keys/self", headers={"Authorization": f"Bearer {text}"}
            )
        except httpx.HTTPError as error:
            raise _cannot_check(type(error).__name__) from error
        if answer.status_code in (401, 403):
            raise auth.wrong_key()
        if answer.status_code != 200:
            raise _cannot_check(f"HTTP {answer.status_code}")
        if len(self._good_until) >= CACHE_SIZE:
            self._good_until.clear()
        self._good_until[digest] = now + self._seconds


def _cannot_check(reason: str) -> Problem:
    return Problem(
        "key-not-checkable",
        f"activities, which knows the keys, did not answer ({reason}).",
        status=503,
        hint="Send the same request again in a moment.",
        retryable=True,
        retry_after=2,
    )
