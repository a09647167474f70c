"""Handing refused events in again, as they are or mended; through the door like any other."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import asyncpg

from services.activities.ingest.answers import Result
from services.activities.ingest.door import Door
from services.activities.ingest.masks import merged
from services.activities.keys import audit
from services.activities.keys.model import Key
from services.activities.log.books import problem_to_keep
from services.activities.log.model import Status
from services.activities.quarantine import store
from services.activities.quarantine.store import Refused
from shared.clock import Clock
from shared.db import Connection
from shared.problems import Problem


class Replayer:
    """Replays rows with the rights of the key that asks, in the name of the row's partner."""

    def __init__(self, pool: asyncpg.Pool, door: Door, clock: Clock) -> None:
        self._pool = pool
        self._door = door
        self._clock = clock

    async def replay(
        self,
        refused: Refused,
        changes: dict[str, Any] | None,
        key: Key,
        traceparent: str | None,
        *,
        dry_run: bool = False,
    ) -> Result:
        """The answer for the event; when it is in the log now, the row is resolved.

        That is decided in the transaction of the append, so of two replays at once one finds it
        closed. Raises Problem: closed, unreadable, or changes that are no merge patch.
        """
        if refused.state != "open":
            raise closed(refused)
        if refused.event is None:
            raise Problem(
                "quarantine-unreadable",
                "What came could not be read as a JSON object, so only its size is kept.",
                hint="Post the event again in readable form, then dismiss this number.",
            )
        event = refused.event if changes is None else merged(refused.event, changes)

        async def also(connection: Connection) -> None:
            now = await store.locked(connection, refused)
            if now is None or now.state != "open":
                raise closed(now or refused)

        async def told(connection: Connection, results: Sequence[Result]) -> None:
            result = results[0]
            if result.status is Status.REJECTED and result.problem is not None:
                body = problem_to_keep(result.problem, result.position)
                await store.note_replay(
                    connection, refused.number, body, mended=changes is not None
                )
            else:
                await store.close(
                    connection, refused.number, "resolved", key.name, self._clock.now(),
                    position=result.position,
                )  # fmt: skip
            outcome = {"partner": refused.partner, "mended": changes is not None,
                       "status": result.status.value, "position": result.position}  # fmt: skip
            await self._record(connection, key, "quarantine.replayed", refused, outcome)

        return await self._door.replay(
            event,
            refused.digest if event == refused.event else None,
            replace(key, name=refused.partner),
            traceparent=traceparent,
            dry_run=dry_run,
            also=None if dry_run else also,
            told=None if dry_run else told,
        )

    async def dismiss(self, refused: Refused, reason: str, key: Key) -> None:
        """Close a row for good: nothing is to be done about it. Raises Problem when it is closed."""
        async with self._pool.acquire() as connection, connection.transaction():
            now = await store.locked(connection, refused)
            if now is None or now.state != "open":
                raise closed(now or refused)
            await store.close(
                connection, refused.number, "dismissed", key.name, self._clock.now(), reason=reason
            )
            about = {"partner": refused.partner}
            await self._record(connection, key, "quarantine.dismissed", refused, about)

    async def _record(
        self,
        connection: Connection,
        key: Key,
        action: str,
        refused: Refused,
        detail: dict[str, Any],
    ) -> None:
        number, now = str(refused.number), self._clock.now()
        await audit.record(connection, key, action, detail, about=number, at=now)


def closed(refused: Refused) -> Problem:
    """Why nothing more can be done about a row."""
    return Problem(
        "quarantine-closed",
        f"Number {refused.number} is {refused.state} already.",
        status=409,
        hint="GET it to see by whom and when.",
    )
