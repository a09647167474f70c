"""Sessions of browsers in the database: begun with a key, ended by whoever holds it or by time.

A session acts with the rights of its key and never outlives it. Its text is `hvs_ID_SECRET`; only the
digest is stored. It is looked up each time, so that it ends at once everywhere.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from services.activities.keys.issuing import COLUMNS
from services.activities.keys.model import Key
from services.activities.keys.refusals import ended
from shared import auth
from shared.clock import Clock
from shared.problems import Problem

RECENT = timedelta(minutes=15)
"""For so long after the key was shown a session may do what is dangerous."""

SEEN_EVERY = timedelta(minutes=1)
MOST = 20
"""Living sessions of one key; a further one ends the oldest."""

_OF_KEY = ", ".join(f"k.{column.strip()}" for column in COLUMNS.split(","))


@dataclass(frozen=True)
class Limits:
    """How long a session lasts: without use, and altogether."""

    idle: timedelta = timedelta(hours=72)
    whole: timedelta = timedelta(days=30)


class Sessions:
    """The sessions of one database."""

    def __init__(self, pool: asyncpg.Pool, clock: Clock, limits: Limits) -> None:
        self._pool, self._clock, self.limits = pool, clock, limits

    async def start(self, key: Key, device: str) -> tuple[str, datetime]:
        """Begin a session of a key; its text and its end. Raises Problem (403) for what is no key."""
        if key.kind != "key":
            raise Problem(
                "session-needs-key",
                "A session begins with a key; sessions, tokens and services begin none.",
                status=403,
                hint="Show the key itself.",
            )
        now, new = self._clock.now(), auth.make_session()
        ends_at = min(filter(None, (key.expires_at, now + self.limits.whole)))
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(
                "INSERT INTO session (id, digest, key_prefix, device, created_at, authenticated_at,"
                " last_seen, ends_at) VALUES ($1, $2, $3, $4, $5, $5, $5, $6)",
                new.prefix, new.digest, key.prefix, device, now, ends_at,
            )  # fmt: skip
            await connection.execute(
                "UPDATE session SET ended_at = $2 WHERE id IN (SELECT id FROM session"
                " WHERE key_prefix = $1 AND ended_at IS NULL AND id <> $4"
                " ORDER BY created_at DESC, id OFFSET $3)",
                key.prefix, now, MOST - 1, new.prefix,
            )  # fmt: skip
        return new.text, ends_at

    async def find(self, text: str) -> asyncpg.Record | None:
        """The row of a living session with that of its key; None otherwise."""
        now = self._clock.now()
        row = await self._pool.fetchrow(
            "SELECT s.id AS session_id, s.digest AS session_digest, s.authenticated_at,"
            f" s.last_seen, s.ends_at, {_OF_KEY} FROM session s JOIN key k"
            " ON k.prefix = s.key_prefix WHERE s.id = $1 AND s.ended_at IS NULL",
            auth.key_prefix(text),
        )
        if row is None or not auth.matches(text, row["session_digest"]) or ended(row, now):
            return None
        if row["ends_at"] <= now or row["last_seen"] + self.limits.idle <= now:
            return None
        if row["last_seen"] + SEEN_EVERY <= now:
            await self._pool.execute(
                "UPDATE session SET last_seen = $2 WHERE id = $1", row["session_id"], now
            )
        return row

    def principal(self, key: Key, row: asyncpg.Record) -> Key:
        """The session as whoever asks: its key's rights, for as long as it lasts."""
        at: datetime = row["authenticated_at"]
        return replace(
            key,
            kind="session",
            session=row["session_id"],
            authenticated_at=at,
            recent=at + RECENT > self._clock.now(),
            expires_at=min(filter(None, (key.expires_at, row["ends_at"]))),
        )

    async def of(self, key: Key) -> list[dict[str, Any]]:
        """Living sessions of a key, the last used first."""
        now = self._clock.now()
        rows = await self._pool.fetch(
            "SELECT id, device, created_at, last_seen, ends_at FROM session"
            " WHERE key_prefix = $1 AND ended_at IS NULL AND ends_at > $2 AND last_seen > $3"
            " ORDER BY last_seen DESC, id",
            key.prefix, now, now - self.limits.idle,
        )  # fmt: skip
        return [dict(row) | {"current": row["id"] == key.session} for row in rows]

    async def end(self, key: Key, id: str | None) -> int:
        """End one session of a key, or all of them; how many there were."""
        done = await self._pool.fetch(
            "UPDATE session SET ended_at = $3 WHERE key_prefix = $1 AND ended_at IS NULL"
            " AND ($2::text IS NULL OR id = $2) RETURNING id",
            key.prefix, id, self._clock.now(),
        )  # fmt: skip
        return len(done)

    async def confirm(self, session: Key, key: Key) -> tuple[str, datetime]:
        """Whoever holds a session has shown its key again: a new text for it, the old one ends.

        Raises Problem (403) when it is another key.
        """
        if key.kind != "key" or key.prefix != session.prefix or session.session is None:
            raise Problem(
                "key-of-another",
                "This is not the key with which the session began.",
                status=403,
                pointer="/key",
                hint="Sign out, and in again with the other key.",
            )
        new, now = auth.make_session(), self._clock.now()
        row = await self._pool.fetchrow(
            "UPDATE session SET id = $2, digest = $3, authenticated_at = $4, last_seen = $4"
            " WHERE id = $1 AND ended_at IS NULL RETURNING ends_at",
            session.session, new.prefix, new.digest, now,
        )  # fmt: skip
        if row is None:
            raise auth.wrong_key()
        return new.text, row["ends_at"]
