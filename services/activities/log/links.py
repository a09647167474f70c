"""Which pseudonyms are one person (`person.linked`), and who speaks for them.

References of different schemes (identity number, phone, account) are possible doubles until they
are linked; so are the references of one number that earlier versions spelt otherwise, once the
number is seen (`respelt`). The canonical ref of a group of linked refs is the one seen first in
the log; the log keeps the original refs, only the count keys change.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from shared.contracts.record import lane_of
from shared.db import Connection
from shared.problems import Problem

PERSON_KINDS = ("person", "mentor")


class Links:
    """The canonical refs that one transaction needs."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._any = False
        self._data: list[Mapping[str, Any]] = []
        self._former: Mapping[str, Iterable[str]] = {}
        self._respelt: dict[str, set[str]] = {}
        self.canonical: dict[str, str] = {}

    async def prepare(
        self,
        data: list[Mapping[str, Any]],
        former: Mapping[str, Iterable[str]],
        links_position: int,
    ) -> None:
        """Load what the events of this transaction need; free while nothing was ever linked.

        `former`: the former references of their persons; empty in a log that can hold none.
        """
        self._any, self._data, self._former = links_position > 0, data, former
        await self.learn(data)
        await self._notice()

    async def _notice(self) -> None:
        """Find which former references the log has, not yet linked to those of today."""
        self._respelt.clear()
        pairs = [(ref, old) for ref, olds in self._former.items() for old in olds]
        if not pairs:
            return
        keys = {lane_of(kind, [old])[0]: old for _, old in pairs for kind in PERSON_KINDS}
        rows = await self._connection.fetch(
            """
            SELECT u.key FROM unnest($1::bytea[]) AS u (key)
            CROSS JOIN LATERAL (
              SELECT 1 FROM log WHERE log.key = u.key AND key_kind IN ('person', 'mentor') LIMIT 1
            ) AS l
            """,
            list(keys),
        )
        there = {keys[r["key"]] for r in rows}
        rows = await self._connection.fetch(
            "SELECT ref FROM canonical_person WHERE ref = ANY($1::text[])",
            [old for _, old in pairs],
        )
        there |= {r["ref"] for r in rows}
        rows = await self._connection.fetch(
            "SELECT ref, former FROM respelt WHERE ref = ANY($1::text[])", list(self._former)
        )
        linked = {(r["ref"], r["former"]) for r in rows}
        for ref, old in pairs:
            if old in there and (ref, old) not in linked:
                self._respelt.setdefault(ref, set()).add(old)

    def unlinked(self, refs: Iterable[str]) -> list[tuple[str, str]]:
        """Of these references those with former ones to be linked to them, as pairs."""
        if not self._respelt:
            return []
        return [(ref, old) for ref in refs for old in sorted(self._respelt.get(ref, ()))]

    async def unite(self, position: int, pairs: list[tuple[str, str]]) -> set[str]:
        """Link references of one number to its former ones; what `add` returns."""
        self._any = True
        await self._connection.executemany(
            "INSERT INTO respelt VALUES ($1, $2, $3)", [(ref, old, position) for ref, old in pairs]
        )
        former = await self._settle({ref for pair in pairs for ref in pair})
        for ref, _ in pairs:
            self._respelt.pop(ref, None)
        return former

    async def learn(self, data: Iterable[Mapping[str, Any]]) -> None:
        """Load the canonical refs of all refs named in these data objects."""
        if not self._any:
            return
        refs = {
            value
            for item in data
            for name, value in item.items()
            if name.endswith("_ref") and isinstance(value, str)
        }
        rows = await self._connection.fetch(
            "SELECT ref, canonical FROM canonical_person WHERE ref = ANY($1::text[])", sorted(refs)
        )
        self.canonical.update({r["ref"]: r["canonical"] for r in rows})

    async def roll_back(self) -> None:
        """Learn again what rolled-back links may have changed."""
        self.canonical.clear()
        await self.learn(self._data)
        await self._notice()

    async def add(self, origin: int, ref_a: str, ref_b: str) -> set[str]:
        """Link two refs; the refs whose canonical ref changed, with their former ones."""
        self._any = True
        await self._connection.execute(
            "INSERT INTO person_link VALUES ($1, $2, $3, true)", origin, ref_a, ref_b
        )
        return await self._settle({ref_a, ref_b})

    async def restate(self, origin: int, data: Mapping[str, Any] | None) -> set[str]:
        """Let a link be what its event says now, or (None) nothing; what `add` returns."""
        self._any = True
        before = await self._connection.fetchrow(
            "SELECT ref_a, ref_b FROM person_link WHERE origin = $1", origin
        )
        if before is None:
            return set()
        refs = set(before)
        if data is None:
            await self._connection.execute(
                "UPDATE person_link SET standing = false WHERE origin = $1", origin
            )
        else:
            now = data["person_ref"], data["same_as_ref"]
            await self._connection.execute(
                "UPDATE person_link SET standing = true, ref_a = $2, ref_b = $3 WHERE origin = $1",
                origin,
                *now,
            )
            refs.update(now)
        return await self._settle(refs)

    async def _settle(self, start: set[str]) -> set[str]:
        """Recompute the groups around some refs; all former canonical refs that lost a ref."""
        former: set[str] = set()
        done: set[str] = set()
        for ref in sorted(start):
            if ref in done:
                continue
            group = await self.group(ref)
            done |= group
            chosen = await self._first_seen(group)
            rows = await self._connection.fetch(
                "SELECT ref, canonical FROM canonical_person WHERE ref = ANY($1::text[])",
                sorted(group),
            )
            before = {r["ref"]: r["canonical"] for r in rows}
            former |= {
                before.get(member, member)
                for member in group
                if before.get(member, member) != chosen
            }
            await self._connection.execute(
                """
                INSERT INTO canonical_person SELECT ref, $2 FROM unnest($1::text[]) AS u (ref)
                ON CONFLICT (ref) DO UPDATE SET canonical = excluded.canonical
                """,
                sorted(group),
                chosen,
            )
            self.canonical.update(dict.fromkeys(group, chosen))
        return former

    async def group(self, ref: str) -> set[str]:
        """All refs connected with one by standing links."""
        rows = await self._connection.fetch(
            """
            WITH RECURSIVE linked (ref) AS (
              SELECT $1::text
              UNION
              SELECT CASE WHEN p.ref_a = l.ref THEN p.ref_b ELSE p.ref_a END
              FROM linked l JOIN (
                SELECT ref_a, ref_b FROM person_link WHERE standing
                UNION ALL SELECT ref, former FROM respelt
              ) p ON l.ref IN (p.ref_a, p.ref_b)
            )
            SELECT ref FROM linked
            """,
            ref,
        )
        return {r["ref"] for r in rows}

    async def _first_seen(self, group: set[str]) -> str:
        """The ref that the log saw first; among refs never seen, the smallest."""
        keys = {lane_of(kind, [ref])[0]: ref for ref in group for kind in PERSON_KINDS}
        rows = await self._connection.fetch(
            """
            SELECT key, min(position) AS first FROM log
            WHERE key = ANY($1::bytea[]) AND key_kind IN ('person', 'mentor') GROUP BY key
            """,
            list(keys),
        )
        seen = sorted((r["first"], keys[r["key"]]) for r in rows)
        return seen[0][1] if seen else min(group)


def check_link(data: Mapping[str, Any]) -> None:
    """Raise Problem: a link, or what a correction makes of it, names one reference twice."""
    if data["person_ref"] == data["same_as_ref"]:
        raise Problem(
            "link-to-itself",
            "Both references are the same.",
            pointer="/data/same_as",
            hint="Name two different references (schemes or values) of the person.",
        )


async def origins_of(connection: Connection, refs: set[str]) -> list[int]:
    """Origins of the events that are or were counted for any of these (canonical) refs."""
    rows = await connection.fetch(
        """
        SELECT DISTINCT origin FROM log
        WHERE key = ANY($1::bytea[]) AND key_kind IN ('person', 'mentor') ORDER BY 1
        """,
        [lane_of(kind, [ref])[0] for ref in sorted(refs) for kind in PERSON_KINDS],
    )
    return [r["origin"] for r in rows]
