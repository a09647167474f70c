"""Uses and quotas whose commit was never answered are looked up: written once, not twice, not never."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from services.activities.keys.rights import Rights
from shared.clock import FixedClock
from tests.keys.conftest import Api
from tests.keys.orders import ORDER


class Cut:
    """A connection that is lost around its next commit: before it, or after it and unanswered."""

    def __init__(self, connection: Any, when: str) -> None:
        self._connection, self._when = connection, when

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        async with self._connection.transaction():
            yield
            if self._when == "before":
                raise ConnectionResetError
        raise ConnectionResetError


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_commit_without_an_answer_counts_once(
    service: Any, api: Api, clock: FixedClock, when: str
) -> None:
    key = await api("POST", "/v1/keys", {**ORDER, "name": "so-tttt"})
    await api("PUT", "/v1/quotas/so-tttt", {"per_day": 1_000})
    rights, pool = Rights(clock), service[0].state.pool

    async def stored() -> tuple[int | None, int | None]:
        uses = "SELECT sum(times) FROM key_use WHERE prefix = $1 AND outcome = 'accepted'"
        quota = "SELECT events FROM quota_use WHERE partner = 'so-tttt' AND span = 'day'"
        async with pool.acquire() as connection:
            return await connection.fetchval(uses, key["prefix"]), await connection.fetchval(quota)

    def left() -> Any:
        state = rights.quotas.state("so-tttt")
        return state and state["left_today"]

    await rights.write(pool)
    rights.uses.note(key["prefix"], "/v1/events", "accepted", 7)
    rights.quotas.spend("so-tttt", 7)
    async with pool.acquire() as connection:
        for part in (rights.quotas.exchange, rights.uses.write):
            with pytest.raises(ConnectionResetError):
                await part(Cut(connection, when))
    assert await stored() == ((7, 7) if when == "after" else (None, None))
    assert left() == 993  # what is in doubt is spent
    rights.uses.note(key["prefix"], "/v1/events", "accepted", 2)
    rights.quotas.spend("so-tttt", 2)
    for _ in range(2):
        await rights.write(pool)
        assert await stored() == (9, 9)
        assert left() == 991
