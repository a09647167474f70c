"""Keys in the database: looked up by prefix, compared by hash, remembered for some seconds.

A client of an OpenID Connect issuer is a row of the same table: the same rights, without a secret.
"""

import contextlib
import time
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from services.activities.keys import audit
from services.activities.keys.files import ensure_admin_key as ensure_admin_key
from services.activities.keys.files import ensure_service_key as ensure_service_key
from services.activities.keys.model import ADMINISTRATOR, Key
from services.activities.keys.refusals import Refused, ended, ended_key
from services.activities.keys.refusals import unknown_key as unknown_key
from services.activities.keys.rights import Rights
from shared import auth
from shared.clock import Clock
from shared.db import Connection
from shared.oidc import Issuers
from shared.problems import Problem

CACHE_SECONDS = 20.0
"""A revoked key may be accepted this long by other processes; at once refused by this one."""

CACHE_SIZE = 10_000
RIGHTS = "name, roles, scopes, types, sources, subtree, era"
COLUMNS = (
    f"prefix, {RIGHTS}, created_at, expires_at, revoked_at, last_used, last_path, rotated_to,"
    " issuer, client_id, token_subject"
)

SYSTEM = Key("hocvuso", "hocvuso", frozenset({ADMINISTRATOR}))
"""Who acts where no key does: tests and commands on the server itself."""


class KeyStore:
    """The keys of one database."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        clock: Clock,
        rights: Rights | None = None,
        issuers: Issuers | None = None,
    ) -> None:
        """`issuers`: whose access tokens are taken beside keys."""
        self._pool = pool
        self._clock = clock
        self.rights = rights or Rights(clock)
        self.issuers = issuers
        self._cache: dict[bytes, tuple[Key, float]] = {}

    async def authenticate(self, header: str | None, scope: Mapping[str, Any] | None = None) -> Key:
        """The key of an Authorization header, or the client of a token; raises Problem (401, 403
        for a client that is not known here, 503 when its issuer cannot be asked).

        `scope`: the request's ASGI scope; of its address the network is noted if it is refused.
        """
        try:
            text = auth.bearer(header, tokens=self.issuers is not None)
            digest = auth.digest(text)
            cached = self._cache.get(digest)
            if cached is not None and cached[1] > time.monotonic():
                key = cached[0]
                if key.expires_at is None or key.expires_at > self._clock.now():
                    return key
            if self.issuers is not None and auth.is_token(text):
                return await self._client(self.issuers, text, digest)
            return await self._look_up(text, digest)
        except Problem as problem:
            client = (scope or {}).get("client")
            prefix = problem.prefix if isinstance(problem, Refused) else ""
            self.rights.uses.note_refused(client[0] if client else None, problem.code, prefix)
            raise

    async def _look_up(self, text: str, digest: bytes) -> Key:
        prefix = auth.key_prefix(text)
        if "\x00" in prefix or len(prefix) > 64:
            raise auth.wrong_key()
        row = await self._pool.fetchrow(
            f"SELECT digest, {COLUMNS} FROM key WHERE prefix = $1 AND digest IS NOT NULL", prefix
        )
        if row is None or not auth.matches(text, row["digest"]):
            raise auth.wrong_key()
        if ended(row, self._clock.now()):
            raise ended_key(prefix)
        key = self.key(row)
        self._remember(digest, key)
        return key

    async def _client(self, issuers: Issuers, token: str, digest: bytes) -> Key:
        """The client that a token was issued to. It is remembered for some seconds too, so that its
        rights change as fast as those of keys; never longer than the token holds."""
        identity = await issuers.verify(token)
        row = await self._pool.fetchrow(
            f"SELECT {COLUMNS} FROM key"
            " WHERE issuer = $1 AND client_id = $2 AND revoked_at IS NULL"
            " AND (token_subject IS NULL OR token_subject = $3)",
            identity.issuer, identity.client_id or identity.subject, identity.subject,
        )  # fmt: skip
        if row is None or ended(row, self._clock.now()):
            raise Refused(
                "client-unknown",
                "The token is good, but its client has no rights here.",
                prefix="" if row is None else row["prefix"],
                status=403,
                hint="Ask the administrator to register it: hocvuso keys client.",
            )
        key = self.key(row)
        key.expires_at = min(filter(None, (row["expires_at"], identity.expires_at)))
        self._remember(digest, key)
        return key

    def _remember(self, digest: bytes, key: Key) -> None:
        if len(self._cache) >= CACHE_SIZE:
            self._cache.clear()
        self._cache[digest] = (key, time.monotonic() + CACHE_SECONDS)

    def _forget(self, prefix: str) -> None:
        for digest in [d for d, (key, _) in self._cache.items() if key.prefix == prefix]:
            del self._cache[digest]

    def key(self, row: Any) -> Key:
        """A row of the table as a key whose denied uses are noted."""
        prefix = row["prefix"]
        return Key(
            prefix=prefix,
            name=row["name"],
            roles=frozenset(row["roles"]),
            scopes=frozenset(row["scopes"]),
            types=None if row["types"] is None else tuple(row["types"]),
            sources=None if row["sources"] is None else tuple(row["sources"]),
            subtree=row["subtree"],
            era=row["era"],
            expires_at=row["expires_at"],
            on_denied=lambda path: self.rights.uses.note(prefix, path, "denied"),
        )

    # -- administration --------------------------------------------------------------------------

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
        by: Key = SYSTEM,
        within: Connection | None = None,
    ) -> str:
        """Make a key; its text, which is nowhere kept. `within`: in this transaction."""
        new = auth.make_key()
        given = (name, roles, scopes, types, sources, subtree, era)
        detail = dict(zip(RIGHTS.split(", "), given, strict=True)) | {"expires_at": expires_at}
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
        rights: tuple[Any, ...],
        expires_at: datetime | None,
    ) -> None:
        await connection.execute(
            f"INSERT INTO key (prefix, digest, {RIGHTS}, created_at, expires_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            new.prefix, new.digest, *rights, self._clock.now(), expires_at,
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

    async def rotate(self, prefix: str, overlap: timedelta, by: Key = SYSTEM) -> str:
        """Make a key with the same rights; the old one ends after the overlap.

        Raises Problem (404 unknown, 409 ended already, or a client, whose secrets its issuer has).
        """
        new, now = auth.make_key(), self._clock.now()
        async with self._pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow(
                f"SELECT {COLUMNS} FROM key WHERE prefix = $1 FOR UPDATE", prefix
            )
            if row is None:
                raise unknown_key()
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
            rights = tuple(row[name] for name in RIGHTS.split(", "))
            await self._insert(connection, new, rights, row["expires_at"])
            end = min(filter(None, (row["expires_at"], now + overlap)))
            await connection.execute(
                "UPDATE key SET expires_at = $2, rotated_to = $3 WHERE prefix = $1",
                prefix, end, new.prefix,
            )  # fmt: skip
            detail = {"successor": new.prefix, "ends": end}
            await self._record(connection, by, "key.rotated", prefix, detail)
        self._forget(prefix)
        return new.text

    async def revoke(self, prefix: str, by: Key = SYSTEM, within: Connection | None = None) -> None:
        """End a key or client; raises Problem (404 unknown, 409 the last administrator's)."""
        async with self._transaction(within) as connection:
            await connection.execute("LOCK TABLE key IN SHARE ROW EXCLUSIVE MODE")
            row = await connection.fetchrow(
                "SELECT roles, name, revoked_at FROM key WHERE prefix = $1", prefix
            )
            if row is None:
                raise unknown_key()
            others = await connection.fetchval(
                "SELECT count(*) FROM key WHERE prefix <> $1 AND revoked_at IS NULL"
                " AND $2 = ANY (roles) AND (expires_at IS NULL OR expires_at > $3)",
                prefix, ADMINISTRATOR, self._clock.now(),
            )  # fmt: skip
            if ADMINISTRATOR in row["roles"] and not others:
                raise Problem(
                    "last-administrator",
                    "This is the only administrator's key left.",
                    status=409,
                    hint="Make another administrator's key first.",
                )
            if row["revoked_at"] is None:
                await connection.execute(
                    "UPDATE key SET revoked_at = $2 WHERE prefix = $1", prefix, self._clock.now()
                )
                await self._record(connection, by, "key.revoked", prefix, {"name": row["name"]})
        self._forget(prefix)

    async def _record(
        self, connection: Connection, by: Key, action: str, about: str, detail: dict[str, Any]
    ) -> None:
        said = {name: value for name, value in detail.items() if value is not None}
        await audit.record(connection, by, action, said, about=about, at=self._clock.now())
