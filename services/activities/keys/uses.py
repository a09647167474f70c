"""What keys were used for: summed up per hour in memory, written within seconds.

Exact numbers of events lie in the books, which are written with the events; these sums also hold
what never came so far: requests without events, missing scopes, exceeded quotas, wrong keys. A
process that is killed (-9) forgets those of its last few seconds; one that is stopped writes them.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Any, Literal

from services.activities.ingest.answers import Result
from services.activities.log.model import Status
from services.activities.log.store import committed
from shared.clock import Clock
from shared.db import Connection

Outcome = Literal["accepted", "duplicate", "rejected", "denied", "over_quota", "request"]
"""What became of an event, or (request, denied) of a request that hands in none."""

MOST_NETWORKS = 1_000
"""Refused requests from more networks than these between two writings count for `other`."""

_OUTCOMES: dict[Status, Outcome] = {
    Status.ACCEPTED: "accepted",
    Status.DUPLICATE: "duplicate",
    Status.REJECTED: "rejected",
}


@dataclass(frozen=True, slots=True)
class _Doubt:
    """What a writing held that failed; `xid` names its transaction, and is empty where none began."""

    xid: str
    used: Counter[tuple[str, str, Outcome]]
    last: dict[str, str]
    refused: Counter[tuple[str, str, str]]


class Uses:
    """Uses that are not written yet."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._used: Counter[tuple[str, str, Outcome]] = Counter()
        self._last: dict[str, str] = {}
        self._refused: Counter[tuple[str, str, str]] = Counter()
        self._doubt: _Doubt | None = None

    def note(self, prefix: str, path: str, outcome: Outcome, times: int = 1) -> None:
        """A key was used."""
        self._used[prefix, path, outcome] += times
        self._last[prefix] = path

    def note_refused(self, address: str | None, code: str, prefix: str = "") -> None:
        """A request was let in by no key; `prefix` if it named one that is known."""
        at = (network(address), code, prefix)
        if at not in self._refused and len(self._refused) >= MOST_NETWORKS:
            at = ("other", code, "")
        self._refused[at] += 1

    async def write(self, connection: Connection) -> None:
        """Add everything to the database; on failure it is kept for the next time.

        A commit that was never answered is looked up first, so that nothing is added twice.
        """
        await self._settle(connection)
        if not self._used and not self._refused:
            return
        used, last, refused = self._used, self._last, self._refused
        self._used, self._last, self._refused = Counter(), {}, Counter()
        xid = ""
        try:
            async with connection.transaction():
                xid = await connection.fetchval("SELECT pg_current_xact_id()::text")
                await self._write(connection, used, last, refused)
        except BaseException:
            self._doubt = _Doubt(xid, used, last, refused)
            raise

    async def _settle(self, connection: Connection) -> None:
        """Take back what the writing before held, unless it was committed after all."""
        doubt = self._doubt
        if doubt is None:
            return
        done = bool(doubt.xid) and await committed(connection, doubt.xid)
        self._doubt = None
        if not done:
            self._used.update(doubt.used)
            self._last = doubt.last | self._last
            self._refused.update(doubt.refused)

    async def _write(
        self,
        connection: Connection,
        used: Counter[tuple[str, str, Outcome]],
        last: dict[str, str],
        refused: Counter[tuple[str, str, str]],
    ) -> None:
        now = self._clock.now()
        hour = now.replace(minute=0, second=0, microsecond=0)
        if used:
            rows = sorted(used.items())
            await connection.execute(
                """
                INSERT INTO key_use AS u (hour, prefix, path, outcome, times)
                SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[], $5::bigint[])
                ON CONFLICT (prefix, hour, path, outcome)
                DO UPDATE SET times = u.times + excluded.times
                """,
                hour, *_columns(rows),
            )  # fmt: skip
            await connection.execute(
                "UPDATE key k SET last_used = $1, last_path = v.path"
                " FROM unnest($2::text[], $3::text[]) AS v (prefix, path)"
                " WHERE k.prefix = v.prefix AND (k.last_used IS NULL OR k.last_used <= $1)",
                now,
                list(last),
                list(last.values()),
            )
        if refused:
            await connection.execute(
                """
                INSERT INTO refused_use AS u (hour, network, code, prefix, times)
                SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[], $5::bigint[])
                ON CONFLICT (hour, network, code, prefix)
                DO UPDATE SET times = u.times + excluded.times
                """,
                hour, *_columns(sorted(refused.items())),
            )  # fmt: skip


def outcome_of(result: Result) -> Outcome:
    """The class under which the answer of one event is counted."""
    if result.problem is not None and result.problem.status == 403:
        return "denied"
    return _OUTCOMES[result.status]


def network(address: str | None) -> str:
    """The network of an address: /24 of IPv4, /48 of IPv6; `unknown` for what is none."""
    try:
        found = ip_address(address or "")
    except ValueError:
        return "unknown"
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None:
            return network(str(found.ipv4_mapped))
        return f"{IPv6Address(int(found) >> 80 << 80)}/48"
    return f"{found.__class__(int(found) >> 8 << 8)}/24"


def _columns(rows: Sequence[tuple[tuple[str, ...], int]]) -> list[list[Any]]:
    columns: list[list[Any]] = [list(column) for column in zip(*(k for k, _ in rows), strict=True)]
    return [*columns, [number for _, number in rows]]
