"""Invitations of staff in the database: made, listed, accepted once, revoked."""

import secrets
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import msgspec

from services.activities.keys import audit, delegation
from services.activities.keys.model import INVITE, READ, WRITE, Key
from services.activities.keys.refusals import ended
from services.activities.keys.store import KeyStore
from shared import auth
from shared.auth.grants import Grant, Within, check_grant
from shared.clock import Clock
from shared.db import Connection
from shared.domain.units import Unit
from shared.problems import Problem

CODE_PREFIX = "hvi_"
ACCEPT_WITHIN = timedelta(days=7)
LONGEST = timedelta(days=366)
SOURCE = "https://hocvuso.example/staff/"

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
    " i.accepted_at, coalesce(k.prefix, i.key_prefix) AS key_prefix, i.granted_by,"
    " coalesce(i.revoked_at, k.revoked_at) AS revoked_at, k.last_used"
)
# The key that it became, or that key's successor by rotation.
FROM = "FROM invitation i LEFT JOIN key k ON k.invitation = i.id AND k.rotated_to IS NULL"


def rights_of(role: str, unit: Unit, id: str, by: Key) -> dict[str, Any]:
    """What the key will be allowed; Problem for units that have no staff.

    Each person posts under a source of their own, so that nobody takes the ids of others; it lies
    under the inviter's, who may not give what they do not have.
    """
    if unit.level not in EDITORS:
        raise Problem(
            "unit-without-staff",
            "Staff is invited for a province, commune or hamlet.",
            pointer="/unit",
            hint="Organisations post with keys of their own: POST /v1/keys.",
        )
    roles, scopes = ["reader"], [READ]
    if role != "reader":
        roles, scopes = [EDITORS[unit.level]], [WRITE, READ]
    if role == "administrator":
        scopes.append(INVITE)
    types = None if by.types is None else list(by.types)
    under = SOURCE if not by.sources else by.sources[0].rstrip("/") + "/"
    return {
        "roles": roles,
        "scopes": scopes,
        "types": types,
        "sources": [under + id],
        "subtree": unit.unit_id,
    }


class Invitations:
    """The invitations of one database."""

    def __init__(self, pool: asyncpg.Pool, keys: KeyStore, clock: Clock) -> None:
        self._pool, self._keys, self._clock = pool, keys, clock

    async def create(
        self, role: str, unit: Unit, label: str, expires_at: datetime, by: Key, within: Within
    ) -> tuple[str, str]:
        """An invitation's id and its code, which is nowhere kept; Problem (403) for rights that the
        inviter does not have."""
        id, code = secrets.token_hex(4), CODE_PREFIX + secrets.token_urlsafe(32)
        now = self._clock.now()
        rights = rights_of(role, unit, id, by)
        async with self._pool.acquire() as connection, connection.transaction():
            await delegation.lock(connection)
            giver = await self._giver(connection, by.prefix)
            ends = min(filter(None, (expires_at, giver.expires_at)))
            check_grant(giver, Grant(**_grant(rights), expires_at=ends), within)
            await connection.execute(
                "INSERT INTO invitation (id, digest, role, unit, label, rights, created_at,"
                " created_by, granted_by, accept_until, expires_at)"
                " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
                id, auth.digest(code), role, unit.unit_id, label,
                msgspec.json.encode(rights).decode(), now, by.prefix, giver.prefix,
                min(now + ACCEPT_WITHIN, ends), ends,
            )  # fmt: skip
            said = {"role": role, "unit": unit.unit_id, "label": label, "expires_at": ends}
            await audit.record(connection, by, "invitation.created", said, about=id, at=now)
        return id, code

    async def _giver(self, connection: Connection, prefix: str) -> Key:
        """The newest key of a rotation, whose rights are given; Problem (401) once it has ended."""
        row = await delegation.head(connection, prefix)
        if row is None or ended(row, self._clock.now()):
            raise auth.wrong_key()
        return delegation.as_giver(row)

    async def accept(self, code: str, within: Within) -> dict[str, Any]:
        """Turn a code into a key; Problem (404) unless it is open. It works once."""
        now, digest = self._clock.now(), auth.digest(code)
        known = "SELECT true FROM invitation WHERE digest = $1"
        if not await self._pool.fetchval(known, digest):
            raise _wrong()  # before anybody is kept waiting
        async with self._pool.acquire() as connection, connection.transaction():
            await delegation.lock(connection)
            row = await connection.fetchrow(
                "SELECT i.* FROM invitation i"
                " WHERE i.digest = $1 AND i.accepted_at IS NULL AND i.revoked_at IS NULL"
                " AND i.accept_until > $2 FOR UPDATE",
                digest, now,
            )  # fmt: skip
            if row is None:
                raise _wrong()
            rights = msgspec.json.decode(row["rights"])
            rights.setdefault("sources", [f"{SOURCE}{row['id']}"])
            try:
                giver = await self._giver(connection, row["granted_by"])
                grant = Grant(**_grant(rights), expires_at=row["expires_at"])
                check_grant(delegation.without_end(giver), grant, within)
            except Problem:
                raise _wrong() from None
            name = f"staff-{row['unit'].partition('@')[0].lower()}-{row['id']}"
            self_made = Key(f"invitation-{row['id']}", name, frozenset(rights["roles"]))
            account = None if giver.is_administrator else giver.quota_account
            text = await self._keys.create(
                name, **rights, expires_at=row["expires_at"], granted_by=giver.prefix,
                invitation=row["id"], account=account, by=self_made, within=connection,
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

    async def below(self, prefix: str) -> set[str]:
        """The keys whose invitations are the caller's to end: its own, and all that it gave."""
        async with self._pool.acquire() as connection:
            newest = await delegation.head(connection, prefix)
            if newest is None:
                return set()
            given = await delegation.given_by(connection, newest["prefix"])
        return {newest["prefix"], *given}

    async def revoke(self, id: str, by: Key) -> None:
        """Withdraw an invitation, and end the keys that it became with all that they gave."""
        async with self._pool.acquire() as connection, connection.transaction():
            await delegation.lock(connection)
            row = await connection.fetchrow(
                "SELECT revoked_at FROM invitation WHERE id = $1 FOR UPDATE", id
            )
            if row is None or row["revoked_at"] is not None:
                return
            now = self._clock.now()
            await connection.execute("UPDATE invitation SET revoked_at = $2 WHERE id = $1", id, now)
            await audit.record(connection, by, "invitation.revoked", about=id, at=now)
            made = await connection.fetch("SELECT prefix FROM key WHERE invitation = $1", id)
            ending: list[str] = []
            for key in made:
                ending += await self._keys.revoke(key["prefix"], by, within=connection)
        self._keys.forget(ending)

    def _shown(self, row: asyncpg.Record) -> dict[str, Any]:
        now = self._clock.now()
        if row["revoked_at"] is not None:
            state = "revoked"
        elif row["accepted_at"] is not None:
            state = "accepted" if row["expires_at"] > now else "expired"
        else:
            state = "open" if row["accept_until"] > now else "expired"
        return dict(row) | {"state": state}


def _grant(rights: dict[str, Any]) -> dict[str, Any]:
    return {name: rights[name] for name in ("roles", "scopes", "types", "sources", "subtree")}


def _wrong() -> Problem:
    return Problem(
        "invitation-wrong",
        "No open invitation has this code: it was used, has ended or was withdrawn.",
        status=404,
        pointer="/code",
        hint="Ask for a new invitation.",
    )
