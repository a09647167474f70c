"""Making, rotating, narrowing and ending keys, with all that was given by them."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from services.activities.keys import audit, delegation
from services.activities.keys.model import ADMINISTRATOR, Key
from services.activities.keys.refusals import ended, unknown_key
from shared import auth
from shared.auth.grants import Within, check_grant, grant_of
from shared.clock import Clock
from shared.db import Connection
from shared.problems import Problem

RIGHTS = "name, roles, scopes, types, sources, subtree, era"
GIVEN = f"{RIGHTS}, granted_by, invitation, account"
COLUMNS = (
    f"prefix, {GIVEN}, created_at, expires_at, revoked_at, last_used, last_path, rotated_to,"
    " issuer, client_id, token_subject"
)

SYSTEM = Key("hocvuso", "hocvuso", frozenset({ADMINISTRATOR}))
"""Who acts where no key does: tests and commands on the server itself."""


class KeyIssuer:
    """Administration of the keys of one database. `within` of a method: do it in this transaction."""

    def __init__(self, pool: asyncpg.Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    def forget(self, prefixes: Sequence[str]) -> None:
        """Believe nothing any more that is remembered of these keys."""

    async def create(
        self,
        name: str,
        *,
        roles: list[str],
        scopes: list[str],
        types: list[str] | None = None,
        sources: list[str] | None = None,
        subtree: str | None = None,
        era: str | None = None,
        expires_at: datetime | None = None,
        granted_by: str | None = None,
        invitation: str | None = None,
        account: str | None = None,
        by: Key = SYSTEM,
        within: Connection | None = None,
    ) -> str:
        """Make a key; its text, which is nowhere kept. It ends with the key `granted_by`."""
        new = auth.make_key()
        given = (name, roles, scopes, types, sources, subtree, era, granted_by, invitation, account)
        detail = dict(zip(GIVEN.split(", "), given, strict=True)) | {"expires_at": expires_at}
        async with self._transaction(within) as connection:
            await self._insert(connection, new, given, expires_at)
            await self._record(connection, by, "key.created", new.prefix, detail)
        return new.text

    @contextlib.asynccontextmanager
    async def _transaction(self, within: Connection | None) -> AsyncIterator[Connection]:
        if within is not None:
            yield within
            return
        async with self._pool.acquire() as connection, connection.transaction():
            yield connection

    async def _insert(
        self,
        connection: Connection,
        new: auth.NewKey,
        given: tuple[Any, ...],
        expires_at: datetime | None,
    ) -> None:
        await connection.execute(
            f"INSERT INTO key (prefix, digest, {GIVEN}, created_at, expires_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
            new.prefix, new.digest, *given, self._clock.now(), expires_at,
        )  # fmt: skip

    async def all(self) -> list[dict[str, Any]]:
        """Every key and client, newest first; without what could be used."""
        rows = await self._pool.fetch(f"SELECT {COLUMNS} FROM key ORDER BY created_at DESC, prefix")
        return [dict(row) for row in rows]

    async def one(self, prefix: str) -> dict[str, Any]:
        """One key; raises Problem (404)."""
        row = await self._pool.fetchrow(f"SELECT {COLUMNS} FROM key WHERE prefix = $1", prefix)
        if row is None:
            raise unknown_key()
        return dict(row)

    async def rotate(
        self, prefix: str, overlap: timedelta, by: Key = SYSTEM, unit_within: Within | None = None
    ) -> str:
        """Make a key with the same rights; the old one ends after the overlap, and what it gave is
        its successor's.

        Raises Problem (403 for rights that `by` does not have, 404 unknown, 409 ended already, or a
        client, whose secrets its issuer has).
        """
        new, now = auth.make_key(), self._clock.now()
        async with self._pool.acquire() as connection, connection.transaction():
            await delegation.lock(connection)
            row = await self._theirs(connection, prefix, by, unit_within)
            if row["issuer"] is not None:
                raise Problem(
                    "key-is-client",
                    "This is a client of an OpenID Connect issuer; it has no key here.",
                    status=409,
                    hint="Change its secret at the issuer.",
                )
            if ended(row, now):
                raise Problem(
                    "key-ended",
                    "The key is revoked or expired; there is nothing to overlap with.",
                    status=409,
                    hint="Make a new key: POST /v1/keys.",
                )
            if row["rotated_to"] is not None:
                raise Problem(
                    "key-rotated-already",
                    "The key was rotated before; its successor is in use.",
                    status=409,
                    hint=f"Rotate its successor, {row['rotated_to']}.",
                )
            given = tuple(row[name] for name in GIVEN.split(", "))
            await self._insert(connection, new, given, row["expires_at"])
            await delegation.hand_over(connection, prefix, new.prefix)
            end = min(filter(None, (row["expires_at"], now + overlap)))
            await connection.execute(
                "UPDATE key SET expires_at = $2, rotated_to = $3 WHERE prefix = $1",
                prefix, end, new.prefix,
            )  # fmt: skip
            detail = {"successor": new.prefix, "ends": end}
            await self._record(connection, by, "key.rotated", prefix, detail)
        self.forget([prefix])
        return new.text

    async def revoke(
        self,
        prefix: str,
        by: Key = SYSTEM,
        within: Connection | None = None,
        *,
        heir: str | None = None,
        unit_within: Within | None = None,
    ) -> list[str]:
        """End a key or client and all that it gave, or hand that over to the key `heir`; the
        prefixes that ended. Raises Problem (403, 404 unknown, 409 the last administrator's)."""
        async with self._transaction(within) as connection:
            await delegation.lock(connection)
            row = await self._theirs(connection, prefix, by, unit_within)
            now = self._clock.now()
            if heir is not None:
                await self._inherit(connection, prefix, heir, by, unit_within)
            falling = [prefix, *await delegation.given_by(connection, prefix)]
            others = await connection.fetchval(
                "SELECT count(*) FROM key WHERE prefix <> ALL ($1) AND revoked_at IS NULL"
                " AND $2 = ANY (roles) AND (expires_at IS NULL OR expires_at > $3)",
                falling, ADMINISTRATOR, now,
            )  # fmt: skip
            if ADMINISTRATOR in row["roles"] and not others:
                raise Problem(
                    "last-administrator",
                    "This is the only administrator's key left.",
                    status=409,
                    hint="Make another administrator's key first.",
                )
            ending = await delegation.end(connection, falling, now)
            for one, name in ending:
                detail = {"name": name, "with": prefix if one != prefix else None}
                await self._record(connection, by, "key.revoked", one, detail)
        self.forget(falling)
        return [one for one, _ in ending]

    async def narrow(
        self, prefix: str, without: list[str], by: Key, unit_within: Within | None
    ) -> dict[str, Any]:
        """Take scopes from a key and from all that it gave; the key as it is then."""
        async with self._pool.acquire() as connection, connection.transaction():
            await delegation.lock(connection)
            await self._theirs(connection, prefix, by, unit_within)
            narrowed = [prefix, *await delegation.given_by(connection, prefix)]
            for one in narrowed:
                await delegation.narrow(connection, one, without)
            await self._record(connection, by, "key.narrowed", prefix, {"without": without})
        self.forget(narrowed)
        return await self.one(prefix)

    async def _theirs(
        self, connection: Connection, prefix: str, by: Key, unit_within: Within | None
    ) -> asyncpg.Record:
        """The row of a key that `by` may administer: none that has more than they have themselves."""
        row = await connection.fetchrow(f"SELECT {COLUMNS} FROM key WHERE prefix = $1", prefix)
        if row is None:
            raise unknown_key()
        if unit_within is not None:
            try:
                check_grant(delegation.without_end(by), grant_of(row), unit_within)
            except Problem as problem:
                raise Problem(
                    "key-stands-above",
                    "This key has rights that yours does not have.",
                    status=403,
                    hint=problem.hint,
                ) from None
        return row

    async def _inherit(
        self, connection: Connection, prefix: str, heir: str, by: Key, unit_within: Within | None
    ) -> None:
        """Hand what a key gave over to another one, which must have had it to give."""
        row = await self._theirs(connection, heir, by, unit_within)
        below = await delegation.given_by(connection, prefix)
        if ended(row, self._clock.now()) or heir == prefix or heir in below:
            raise Problem(
                "heir-unfit",
                "What the key gave cannot be handed over to this one: it has ended, or ends with it.",
                status=409,
                pointer="/hand_over_to",
                hint="Name a key that goes on working.",
            )
        if not unit_within:
            raise TypeError("handing over needs the tree of units")
        # Sources are names of their own: those that were given stay what they are.
        giver = replace(delegation.as_giver(row), sources=None)
        for given in await delegation.direct(connection, prefix):
            check_grant(giver, grant_of(given), unit_within)
        await delegation.hand_over(connection, prefix, heir)
        await self._record(connection, by, "key.handed_over", prefix, {"to": heir})

    async def _record(
        self, connection: Connection, by: Key, action: str, about: str, detail: dict[str, Any]
    ) -> None:
        said = {name: value for name, value in detail.items() if value is not None}
        await audit.record(connection, by, action, said, about=about, at=self._clock.now())
