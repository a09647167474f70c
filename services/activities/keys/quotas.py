"""How many events a partner may hand in: counted on all paths, over all processes.

Every process counts what it takes in at once and adds it to the database each second, where it
reads what the others have added. So a process knows the others' events at most about a second
late: with P processes a partner can exceed its quota by what the other P-1 take from it in that
second. A kill -9 forgets at most the last second. The minute slides: what was handed in during the
minute before counts for the part of it that lies within the last 60 seconds.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from math import ceil
from typing import Literal

from services.activities.log.store import committed
from shared.clock import VIETNAM, Clock
from shared.db import Connection
from shared.problems import Problem

Span = Literal["minute", "day"]
Slot = tuple[Span, datetime]
"""A calendar minute or a day in Vietnam, by the instant at which it starts."""

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
PAUSE_S = 1.0
"""A path that waits for its quota looks again this often at least."""


@dataclass
class Account:
    """What one partner may hand in, and has."""

    per_minute: int | None = None
    per_day: int | None = None
    known: dict[Slot, int] = field(default_factory=dict)
    flying: dict[Slot, int] = field(default_factory=dict)
    pending: dict[Slot, int] = field(default_factory=dict)

    def used(self, slot: Slot) -> int:
        """As known by now."""
        found = self.known.get(slot, 0) + self.flying.get(slot, 0) + self.pending.get(slot, 0)
        return max(found, 0)

    def add(self, number: int, now: datetime) -> None:
        """Count events; fewer than none gives them back."""
        for slot in (_minute(now), _day(now)):
            self.pending[slot] = self.pending.get(slot, 0) + number


def _minute(now: datetime) -> Slot:
    return "minute", now.replace(second=0, microsecond=0)


def _day(now: datetime) -> Slot:
    return _day_of(now.replace(second=0, microsecond=0))


@lru_cache(maxsize=8)
def _day_of(minute: datetime) -> Slot:
    local = minute.astimezone(VIETNAM).replace(hour=0, minute=0)
    return "day", local.astimezone(minute.tzinfo)


class Quotas:
    """The accounts of the partners that have a quota; the others cost one look-up."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._accounts: dict[str, Account] = {}
        self._doubt: str | None = None
        """The transaction of an exchange that failed; empty where none began."""

    def spend(self, partner: str, number: int) -> None:
        """Count events that are about to be taken in. Raises Problem (429); then none counts."""
        account = self._accounts.get(partner)
        if account is None:
            return
        now = self._clock.now()
        wait = _wait(account, number, now)
        if wait is not None:
            raise _exceeded(account, number, now, *wait)
        account.add(number, now)

    async def pause(self, partner: str, number: int) -> None:
        """As `spend`, but wait for the quota of the minute, in parts if `number` is more than it.

        Raises Problem (429) when the quota of the day is used up.
        """
        left = number
        while left > 0:
            account = self._accounts.get(partner)
            if account is None:
                return
            part = min(left, account.per_minute or left)
            try:
                self.spend(partner, part)
            except Problem as problem:
                if problem.extra.get("quota") == "day":
                    self.give_back(partner, number - left)
                    raise
                await asyncio.sleep(min(problem.retry_after or 1, PAUSE_S))
            else:
                left -= part

    def too_many(self, partner: str, number: int) -> bool:
        """Whether no minute has room for so many at once."""
        account = self._accounts.get(partner)
        return account is not None and number > (account.per_minute or number)

    def give_back(self, partner: str, number: int) -> None:
        """Events that were counted and then not taken in, because the log was not there."""
        account = self._accounts.get(partner)
        if account is not None and number:
            account.add(-number, self._clock.now())

    def state(self, partner: str) -> dict[str, int | None] | None:
        """Limits and what is left of them now; None for a partner without a quota."""
        account = self._accounts.get(partner)
        if account is None:
            return None
        now = self._clock.now()
        return {
            "per_minute": account.per_minute,
            "per_day": account.per_day,
            "left_this_minute": _left(account.per_minute, _sliding(account, now)),
            "left_today": _left(account.per_day, account.used(_day(now))),
        }

    # -- between processes -----------------------------------------------------------------------

    @property
    def spent(self) -> bool:
        """Whether this process has counted anything since the last exchange."""
        return any(account.pending for account in self._accounts.values())

    async def exchange(self, connection: Connection) -> None:
        """Add what this process counted to the database; learn limits and all processes' sums.

        A commit that was never answered is looked up first, so that nothing is added twice.
        """
        await self._settle(connection)
        now = self._clock.now()
        moving: list[tuple[str, str, datetime, int]] = []
        for partner, account in self._accounts.items():
            account.flying, account.pending = account.pending, {}
            moving += [(partner, *slot, n) for slot, n in account.flying.items() if n]
        if moving:
            xid = ""
            try:
                async with connection.transaction():
                    xid = await connection.fetchval("SELECT pg_current_xact_id()::text")
                    await _add(connection, moving)
            except BaseException:
                self._doubt = xid
                raise
        found = await _load(connection, (_minute(now), _minute(now - MINUTE), _day(now)))
        for partner, new in found.items():
            old = self._accounts.get(partner)
            if old is not None:
                new.pending = old.pending
        self._accounts = found

    async def _settle(self, connection: Connection) -> None:
        """What an exchange that failed had counted: it is written if its commit came to be, else it
        is still to be written. Until this is known it counts here as before."""
        if self._doubt is None:
            return
        done = bool(self._doubt) and await committed(connection, self._doubt)
        self._doubt = None
        for account in self._accounts.values():
            if not done:
                for slot, number in account.flying.items():
                    account.pending[slot] = account.pending.get(slot, 0) + number
                account.flying = {}

    async def forget(self, connection: Connection) -> None:
        """Remove what no quota looks at any more."""
        now = self._clock.now()
        await connection.execute(
            "DELETE FROM quota_use WHERE (span = 'minute' AND starts < $1) OR starts < $2",
            now - 10 * MINUTE,
            now - 7 * DAY,
        )


async def _add(connection: Connection, rows: list[tuple[str, str, datetime, int]]) -> None:
    rows.sort()
    await connection.execute(
        """
        INSERT INTO quota_use AS u (partner, span, starts, events)
        SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::bigint[])
        ON CONFLICT (partner, span, starts) DO UPDATE SET events = u.events + excluded.events
        """,
        [row[0] for row in rows],
        [row[1] for row in rows],
        [row[2] for row in rows],
        [row[3] for row in rows],
    )


async def _load(connection: Connection, slots: Iterable[Slot]) -> dict[str, Account]:
    wanted = list(slots)
    found: dict[str, Account] = {}
    rows = await connection.fetch(
        """
        SELECT q.partner, q.per_minute, q.per_day, u.span, u.starts, u.events
        FROM quota q LEFT JOIN (
          SELECT u.* FROM quota_use u
          JOIN unnest($1::text[], $2::timestamptz[]) AS s (span, starts) USING (span, starts)
        ) u USING (partner)
        """,
        [span for span, _ in wanted],
        [starts for _, starts in wanted],
    )
    for row in rows:
        account = found.setdefault(row["partner"], Account(row["per_minute"], row["per_day"]))
        if row["span"] is not None:
            account.known[row["span"], row["starts"]] = row["events"]
    return found


# -- arithmetic ------------------------------------------------------------------------------------


def _sliding(account: Account, now: datetime) -> float:
    """Events within the last 60 seconds, those of the minute before taken as evenly spread."""
    gone = now.second + now.microsecond / 1_000_000
    before = account.used(_minute(now - MINUTE))
    return account.used(_minute(now)) + before * (60 - gone) / 60


def _left(limit: int | None, used: float) -> int | None:
    return None if limit is None else max(int(limit - used), 0)


def _wait(account: Account, number: int, now: datetime) -> tuple[Span, float] | None:
    """None: there is room. Else which quota is used up, and the seconds until there is room."""
    day = _day(now)
    if account.per_day is not None and account.used(day) + number > account.per_day:
        return "day", (day[1] + DAY - now).total_seconds()
    limit = account.per_minute
    if limit is None or _sliding(account, now) + number <= limit:
        return None
    gone = now.second + now.microsecond / 1_000_000
    current, before = account.used(_minute(now)), account.used(_minute(now - MINUTE))
    room = limit - number - current
    if room >= 0 and before > 0:
        return "minute", 60 * (1 - room / before) - gone
    room = max(limit - number, 0)
    return "minute", 60 - gone + 60 * max(1 - room / current, 0) if current else 60 - gone


def _exceeded(account: Account, number: int, now: datetime, quota: Span, seconds: float) -> Problem:
    limits: dict[Span, int | None] = {"minute": account.per_minute, "day": account.per_day}
    left = {
        "minute": _left(account.per_minute, _sliding(account, now)),
        "day": _left(account.per_day, account.used(_day(now))),
    }
    limit = limits[quota]
    never = limit is not None and number > limit
    after = max(ceil(seconds), 1)
    widths = {"minute": 60, "day": 86_400}
    policy = [f'"{n}";q={v};w={widths[n]}' for n, v in limits.items() if v is not None]
    return Problem(
        "quota-exceeded",
        f"The quota of {limit:,} events per {quota} does not leave room for {number:,} more.",
        status=429,
        hint=f"Send at most {limit:,} events at once."
        if never
        else "Send the same request again after the time in Retry-After.",
        retryable=not never,
        retry_after=after,
        extra={"quota": quota, "limit": limit, "left": left[quota]},
        # draft-ietf-httpapi-ratelimit-headers-10: q quota, w window, r left, t seconds until more.
        headers={
            "RateLimit-Policy": ", ".join(policy),
            "RateLimit": f'"{quota}";r={left[quota]};t={after}',
        },
    )
