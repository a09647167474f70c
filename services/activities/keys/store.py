"""Keys in the database: looked up by prefix, compared by hash, remembered for some seconds.

A client of an OpenID Connect issuer is a row of the same table: the same rights, without a secret.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from services.activities.keys.files import ensure_admin_key as ensure_admin_key
from services.activities.keys.files import ensure_service_keys as ensure_service_keys
from services.activities.keys.issuing import COLUMNS as COLUMNS
from services.activities.keys.issuing import RIGHTS as RIGHTS
from services.activities.keys.issuing import SYSTEM as SYSTEM
from services.activities.keys.issuing import KeyIssuer
from services.activities.keys.model import Key
from services.activities.keys.refusals import Refused, ended, ended_key
from services.activities.keys.refusals import unknown_key as unknown_key
from services.activities.keys.rights import Rights
from services.activities.keys.sessions import Limits, Sessions
from shared import auth
from shared.auth.principal import Kind
from shared.auth.scopes import SERVICE_SCOPES
from shared.clock import Clock
from shared.oidc import Issuers
from shared.problems import Problem

CACHE_SECONDS = 20.0
"""A revoked key may be accepted this long by other processes; at once refused by this one."""

CACHE_SIZE = 10_000


class KeyStore(KeyIssuer):
    """The keys of one database, and whose credential a request shows."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        clock: Clock,
        rights: Rights | None = None,
        issuers: Issuers | None = None,
        sessions: Limits | None = None,
    ) -> None:
        """`issuers`: whose access tokens are taken beside keys; `sessions`: how long they last."""
        super().__init__(pool, clock)
        self.rights = rights or Rights(clock)
        self.issuers = issuers
        self.sessions = Sessions(pool, clock, sessions or Limits())
        self._cache: dict[bytes, tuple[Key, float]] = {}

    async def authenticate(self, header: str | None, scope: Mapping[str, Any] | None = None) -> Key:
        """The key of an Authorization header, or the client of a token; raises Problem (401, 403
        for a client that is not known here, 503 when its issuer cannot be asked).

        `scope`: the request's ASGI scope; of its address the network is noted if it is refused.
        """
        try:
            text = auth.bearer(header, tokens=self.issuers is not None)
            if auth.is_session(text):
                return await self._session(text)
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

    async def _session(self, text: str) -> Key:
        found = None if "\x00" in text else await self.sessions.find(text)
        if found is None:
            raise auth.ended_session()
        return self.sessions.principal(self.key(found), found)

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

    def forget(self, prefixes: Sequence[str]) -> None:
        for digest in [d for d, (key, _) in self._cache.items() if key.prefix in prefixes]:
            del self._cache[digest]

    def key(self, row: Any) -> Key:
        """A row of the table as a key whose denied uses are noted."""
        prefix = row["prefix"]
        kind: Kind = "client" if row["issuer"] is not None else "key"
        if not row["roles"] and set(row["scopes"]) & set(SERVICE_SCOPES):
            kind = "service"
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
            account=row["account"],
            kind=kind,
            on_denied=lambda path: self.rights.uses.note(prefix, path, "denied"),
        )
