"""Erasing a person: every reference becomes a random one, so that nobody can find its events again.

What happened stays, as somebody unknown's, so totals do not change; the log is rewritten in place,
under its lock, and gets a new epoch: whoever counted the old one starts over (docs/privacy.md).
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from services.activities.keys import audit
from services.activities.keys.store import SYSTEM
from services.activities.log import store
from services.activities.log.links import Links
from services.activities.privacy import Pseudonyms
from shared.contracts.record import lane_of
from shared.db import Connection
from shared.identity.former import former
from shared.identity.numbers import normal

KINDS = ("person", "mentor", "household", "device", "organisation")
"""Kinds of count keys whose value is a reference."""


@dataclass(frozen=True)
class Erased:
    """What an erasure changed: events, references, statements of xAPI and refused events."""

    events: int
    references: int
    statements: int
    refused: int


async def references_of(
    connection: Connection, pseudonyms: Pseudonyms, scheme: str, value: str, year: int
) -> set[str]:
    """Every reference of a person: of all spellings of the number and all that is linked to them.

    Raises `shared.identity.numbers.Impossible` for what is no number.
    """
    spelt = normal(scheme, value, year).value
    known = {pseudonyms.of(scheme, spelt)}
    known |= {pseudonyms.of(scheme, old) for old in former(scheme, value, spelt)}
    links = Links(connection)
    return set().union(*[await links.group(ref) for ref in sorted(known)])


async def erase(connection: Connection, refs: set[str], *, dry_run: bool) -> Erased:
    """Replace the references of one person everywhere, in one transaction; a dry run only counts."""
    patterns = [f"%{ref}%" for ref in sorted(refs)]
    async with connection.transaction():
        await store.lock(connection)
        keys = {lane_of(kind, [ref])[0]: (kind, ref) for ref in refs for kind in KINDS}
        found = await connection.fetch(
            """
            SELECT position, source, id, key FROM log
            WHERE key = ANY($1::bytea[]) OR data::text LIKE ANY($2) OR effective::text LIKE ANY($2)
            """,
            list(keys),
            patterns,
        )
        events = {(row["source"], row["id"]) for row in found}
        statements = await connection.fetchval(
            "SELECT count(*) FROM xapi_statement WHERE person = ANY($1)", sorted(refs)
        )
        refused = await connection.fetchval(
            "SELECT count(*) FROM quarantine WHERE event::text LIKE ANY($1)", patterns
        )
        done = Erased(len(events), len(refs), statements, refused)
        if dry_run:
            return done
        kinds: dict[str, set[str]] = {ref: set() for ref in refs}
        for row in found:
            if row["key"] in keys:
                kind, ref = keys[row["key"]]
                kinds[ref].add(kind)
        fresh = {ref: _unknown(ref, kinds[ref]) for ref in sorted(refs)}
        await _rewrite(connection, fresh, keys, [row["position"] for row in found])
        await _forget(connection, sorted(refs), patterns)
        await connection.execute("UPDATE counter SET epoch = gen_random_uuid()::text WHERE one")
        detail = {"events": done.events, "statements": statements, "refused": refused}
        await audit.record(connection, SYSTEM, "person.erased", detail)
    return done


def _unknown(ref: str, kinds: set[str]) -> str:
    """A reference that belongs to nobody, whose count keys lie in the lanes of the former ones:
    the events of one subject stay in one lane."""
    scheme = ref.partition(":")[0]
    lanes = {kind: lane_of(kind, [ref])[1] for kind in sorted(kinds)}
    while True:
        digest = "".join(secrets.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") for _ in range(32))
        made = f"{scheme}:{digest}"
        if all(lane_of(kind, [made])[1] == lane for kind, lane in lanes.items()):
            return made


async def _rewrite(
    connection: Connection,
    fresh: Mapping[str, str],
    keys: Mapping[bytes, tuple[str, str]],
    positions: list[int],
) -> None:
    """The rows of the log, and what is kept beside it, under the new references."""
    await connection.execute("ALTER TABLE log DISABLE TRIGGER append_only")
    for start in range(0, len(positions), 1_000):
        rows = await connection.fetch(
            "SELECT position, key, data, effective FROM log WHERE position = ANY($1::bigint[])",
            positions[start : start + 1_000],
        )
        changed = []
        for row in rows:
            kind, ref = keys.get(row["key"], ("", ""))
            key = lane_of(kind, [fresh[ref]])[0] if ref else row["key"]
            texts = [_replaced(row[name], fresh) for name in ("data", "effective")]
            changed.append((row["position"], key, *texts, secrets.token_bytes(32)))
        await connection.executemany(
            "UPDATE log SET key = $2, data = $3::json, effective = $4::json, content_mac = $5"
            " WHERE position = $1",
            changed,
        )
    await connection.execute("ALTER TABLE log ENABLE TRIGGER append_only")
    for old, new in fresh.items():
        for table, columns in (
            ("canonical_person", ("ref", "canonical")),
            ("person_link", ("ref_a", "ref_b")),
            ("respelt", ("ref", "former")),
        ):
            for column in columns:
                await connection.execute(
                    f"UPDATE {table} SET {column} = $2 WHERE {column} = $1", old, new
                )
        await connection.execute(
            "UPDATE amendment SET data = replace(data::text, $1, $2)::json"
            " WHERE data::text LIKE '%' || $1 || '%'",
            old,
            new,
        )


def _replaced(text: str | None, fresh: Mapping[str, str]) -> str | None:
    if text is None:
        return None
    for old, new in fresh.items():
        text = text.replace(old, new)
    msgspec.json.decode(text)
    return text


async def _forget(connection: Connection, refs: list[str], patterns: list[str]) -> None:
    """Delete what is only kept for the person's sake or that of its sender."""
    await connection.execute("DELETE FROM xapi_statement WHERE person = ANY($1)", refs)
    await connection.execute(
        """
        WITH gone AS (
          DELETE FROM quarantine WHERE event::text LIKE ANY($1) RETURNING partner, bytes
        ), sums AS (SELECT partner, count(*) AS rows, sum(bytes) AS bytes FROM gone GROUP BY partner)
        UPDATE quarantine_use u SET rows = greatest(0, u.rows - s.rows),
          bytes = greatest(0, u.bytes - s.bytes)
        FROM sums s WHERE u.partner = s.partner
        """,
        patterns,
    )
