"""Invitations of staff in the database: made, listed, accepted once, revoked."""

import secrets
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import msgspec

from services.activities.keys import audit
from services.activities.keys.model import INVITE, WRITE, Key
from services.activities.keys.store import KeyStore
from shared import auth
from shared.clock import Clock
from shared.domain.units import Unit
from shared.problems import Problem

CODE_PREFIX = "hvi_"
ACCEPT_WITHIN = timedelta(days=7)
LONGEST = timedelta(days=366)
SOURCE = "https://hocvuso.example/staff/"
"""Each person posts under a source of their own, so that nobody takes the ids of others."""

MOST_LISTED = 1_000
EDITORS = {
    "nation": "department",
    "province": "department",
    "district": "department",
    "commune": "commune",
    "hamlet": "hamlet",
}
"""Level of the unit -> the role that its staff posts under."""

COLUMNS = (
    "i.id, i.role, i.unit, i.label, i.created_at, i.created_by, i.accept_until, i.expires_at,"
    " i.accepted_at, i.key_prefix, coalesce(i.revoked_at, k.revoked_at) AS revoked_at, k.last_used"
)
FROM = "FROM invitation i LEFT JOIN key k ON k.prefix = i.key_prefix"


def rights_of(role: str, unit: Unit, by: Key) -> dict[str, Any]:
    """What the key will be allowed; Problem for units that have no staff."""
    if unit.level not in EDITORS:
        raise Problem(
            "unit-without-staff",
            "Staff is invited for a province, commune or hamlet.",
            pointer="/unit",
            hint="Organisations post with keys of their own: POST /v1/keys.",
        )
    roles, scopes = ["reader"], list[str]()
    if role != "reader":
        roles, scopes = [EDITORS[unit.level]], [WRITE]
    if role == "administrator":
        scopes.append(INVITE)
    types = None if by.types is None else list(by.types)
    return {"roles": roles, "scopes": scopes, "types": types, "subtree": unit.unit_id}


class Invitations:
    """The invitations of one database."""

    def __init__(self, pool: asyncpg.Pool, keys: KeyStore, clock: Clock) -> None:
        self._pool, self._keys, self._clock = pool, keys, clock

    async def create(
        self, role: str, unit: Unit, label: str, expires_at: datetime, by: Key
    ) -> tuple[str, str]:
        """An invitation's id and its code, which is nowhere kept."""
        id, code = secrets.token_hex(4), CODE_PREFIX + secrets.token_urlsafe(32)
        now = self._clock.now()
        rights = rights_of(role, unit, by)
        ends = min(filter(None, (expires_at, by.expires_at)))
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(
                "INSERT INTO invitation (id, digest, role, unit, label, rights, created_at,"
                " created_by, accept_until, expires_at)"
                " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                id, auth.digest(code), role, unit.unit_id, label,
                msgspec.json.encode(rights).decode(), now, by.prefix,
                min(now + ACCEPT_WITHIN, ends), ends,
            )  # fmt: skip
            said = {"role": role, "unit": unit.unit_id, "label": label, "expires_at": ends}
            await audit.record(connection, by, "invitation.created", said, about=id, at=now)
        return id, code

    async def accept(self, code: str) -> dict[str, Any]:
        """Turn a code into a key; Problem (404) unless it is open. It works once."""
        now = self._clock.now()
        async with self._pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow(
                "SELECT i.* FROM invitation i JOIN key k ON k.prefix = i.created_by"
                " WHERE i.digest = $1 AND i.accepted_at IS NULL AND i.revoked_at IS NULL"
                " AND i.accept_until > $2 AND k.revoked_at IS NULL"
                " AND (k.expires_at IS NULL OR k.expires_at > $2) FOR UPDATE OF i",
                auth.digest(code), now,
            )  # fmt: skip
            if row is None:
                raise Problem(
                    "invitation-wrong",
                    "No open invitation has this code: it was used, has ended or was withdrawn.",
                    status=404,
                    pointer="/code",
                    hint="Ask for a new invitation.",
                )
            rights = msgspec.json.decode(row["rights"])
            name = f"staff-{row['unit'].partition('@')[0].lower()}-{row['id']}"
            self_made = Key(f"invitation-{row['id']}", name, frozenset(rights["roles"]))
            text = await self._keys.create(
                name, **rights, sources=[f"{SOURCE}{row['id']}"], expires_at=row["expires_at"],
                by=self_made, within=connection,
            )  # fmt: skip
            prefix = auth.key_prefix(text)
            await connection.execute(
                "UPDATE invitation SET accepted_at = $2, key_prefix = $3 WHERE id = $1",
                row["id"], now, prefix,
            )  # fmt: skip
            said = {"key": prefix}
            await audit.record(
                connection, self_made, "invitation.accepted", said, about=row["id"], at=now
            )
        return dict(row) | {"key": text, "prefix": prefix}

    async def all(self) -> list[dict[str, Any]]:
        """The newest invitations with their state, newest first."""
        rows = await self._pool.fetch(
            f"SELECT {COLUMNS} {FROM} ORDER BY i.created_at DESC, i.id LIMIT $1", MOST_LISTED
        )
        return [self._shown(row) for row in rows]

    async def one(self, id: str) -> dict[str, Any]:
        """One invitation; Problem (404)."""
        row = await self._pool.fetchrow(f"SELECT {COLUMNS} {FROM} WHERE i.id = $1", id)
        if row is None:
            raise Problem(
                "invitation-unknown",
                "There is no such invitation.",
                status=404,
                hint="GET /v1/invitations lists them.",
            )
        return self._shown(row)

    async def revoke(self, id: str, by: Key) -> None:
        """Withdraw an invitation, and end the key that it became."""
        async with self._pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow(
                "SELECT key_prefix, revoked_at FROM invitation WHERE id = $1 FOR UPDATE", id
            )
            if row is None or row["revoked_at"] is not None:
                return
            now = self._clock.now()
            await connection.execute("UPDATE invitation SET revoked_at = $2 WHERE id = $1", id, now)
            await audit.record(connection, by, "invitation.revoked", about=id, at=now)
            if row["key_prefix"] is not None:
                await self._keys.revoke(row["key_prefix"], by, within=connection)

    def _shown(self, row: asyncpg.Record) -> dict[str, Any]:
        now = self._clock.now()
        if row["revoked_at"] is not None:
            state = "revoked"
        elif row["accepted_at"] is not None:
            state = "accepted" if row["expires_at"] > now else "expired"
        else:
            state = "open" if row["accept_until"] > now else "expired"
        return dict(row) | {"state": state}
