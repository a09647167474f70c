"""What an event in the log says by now, and which later events made it so: for its receipt."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

import asyncpg
import msgspec
from pydantic import BaseModel, Field

from services.activities.log import amend, store
from shared.contracts.record import Content
from shared.db import Connection

State = Literal["standing", "corrected", "revoked"]


class Change(BaseModel):
    """A later event that changed this one: a correction, a revocation (of it, or of what it refers
    to), or a link of persons."""

    type: str
    source: str | None = Field(description="null where it is another partner's")
    id: str | None
    position: int
    recorded_at: datetime
    standing: bool = Field(description="false: it was revoked itself")


class Named(BaseModel):
    """The event that a correction or revocation is about."""

    source: str
    id: str


@dataclass
class Present:
    """The state of an event now; `amends` is set for corrections and revocations."""

    state: State
    unit_id: str
    occurred: date
    changes: list[Change] = field(default_factory=list)
    amends: Named | None = None


async def present(connection: Connection, first: asyncpg.Record, partner: str | None) -> Present:
    """Of the event whose first row this is; `partner` sees what its own events are called (None:
    of anybody)."""
    if first["type"] in amend.AMENDMENTS:
        return await _of_amendment(connection, first, partner)
    origin = first["position"]
    rows = await connection.fetch(
        """
        SELECT position, type, source, id, partner, recorded_at, key_kind, key, void,
               effective
        FROM log WHERE origin = $1 AND origin <> position ORDER BY position
        """,
        origin,
    )
    amendments = await store.amendments_of(connection, origin)
    found: dict[tuple[str, str], Change] = {}
    newest = {(first["key_kind"], first["key"]): first}
    for row in rows:
        newest[row["key_kind"], row["key"]] = row
        if (row["source"], row["id"]) != (first["source"], first["id"]):
            known = found.get((row["source"], row["id"]))
            at = row["position"] if known is None else known.position
            found[row["source"], row["id"]] = _change(row, at, partner, amendments)
    unit_id, occurred = first["unit_id"], first["occurred"]
    stands = False
    for row in newest.values():
        if not row["void"]:
            stands = True
            if row["effective"] is not None:
                content = msgspec.json.decode(row["effective"], type=Content)
                unit_id, occurred = content.unitid, content.occurred
    changes = list(found.values())
    corrected = any(c.type == amend.CORRECTED and c.standing for c in changes)
    state: State = "corrected" if corrected else "standing"
    return Present(state if stands else "revoked", unit_id, occurred, changes)


async def _of_amendment(
    connection: Connection, first: asyncpg.Record, partner: str | None
) -> Present:
    """Its rows restate other events; what it is itself, the amendments of its root say."""
    position = first["position"]
    root = await store.root_of(connection, position)
    amendments = await store.amendments_of(connection, root)
    rows = await connection.fetch(
        "SELECT position, type, source, id, partner, recorded_at FROM log"
        " WHERE position = ANY($1::bigint[])",
        [a.position for a in amendments if a.target == position],
    )
    changes = [_change(row, row["position"], partner, amendments) for row in rows]
    state: State = "standing"
    if not amend.stands(position, amendments):
        state = "revoked"
    elif any(c.type == amend.CORRECTED and c.standing for c in changes):
        state = "corrected"
    data: dict[str, Any] = msgspec.json.decode(first["data"])
    named = data["corrects" if first["type"] == amend.CORRECTED else "revokes"]
    return Present(
        state,
        first["unit_id"],
        first["occurred"],
        changes,
        Named(source=named["source"], id=named["id"]),
    )


def _change(
    row: asyncpg.Record, position: int, partner: str | None, amendments: list[amend.Amendment]
) -> Change:
    own = partner in (None, row["partner"])
    return Change(
        type=row["type"],
        source=row["source"] if own else None,
        id=row["id"] if own else None,
        position=position,
        recorded_at=row["recorded_at"],
        standing=amend.stands(position, amendments),
    )
