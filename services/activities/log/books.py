"""The books: every element that came in, counted once, in the transaction that answers it.

And what was refused goes to the quarantine there too. So books, quarantine and log always agree,
whatever crashes; the cost is one statement per group of events, not per event.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import msgspec

from services.activities.log.model import Delivery, Kept, Outcome, Status, Submission
from services.activities.log.store import Counter
from shared.db import Connection
from shared.problems import Problem

SOURCES_A_DAY = 200
"""Sources that one partner may invent in refused events a day; the others are booked without."""

_POINTER = re.compile(r"[A-Za-z0-9_./~$-]*", re.ASCII)
UNDONE = "atomic-batch-refused"
CONFLICT = "event-conflict"


@dataclass
class Limits:
    """What the quarantine may hold for one partner; and who has invented which sources today."""

    rows: int = 100_000
    bytes: int = 500 * 1024 * 1024
    _sources: dict[str, set[str]] = field(default_factory=dict)
    _day: date = date.min

    def booked_source(self, partner: str, source: str | None, day: date) -> str:
        """The source under which a refused event is booked; "" for none, or one too many."""
        if source is None:
            return ""
        if day != self._day:
            self._sources, self._day = {}, day
        known = self._sources.setdefault(partner, set())
        if source not in known:
            if len(known) >= SOURCES_A_DAY:
                return ""
            known.add(source)
        return source


@dataclass(slots=True)
class _Line:
    """One line of the books; `counts` are accepted, duplicate, rejected, not kept."""

    counts: list[int] = field(default_factory=lambda: [0, 0, 0, 0])
    first: int | None = None
    last: int | None = None


@dataclass(slots=True)
class _Refused:
    kept: Kept
    problem: dict[str, Any]
    delivery: Delivery
    line: _Line
    times: int = 1


_PLACE = {Status.ACCEPTED: 0, Status.DUPLICATE: 1, Status.REJECTED: 2}
_NOT_KEPT = 3


class Books:
    """What one transaction adds to the books."""

    def __init__(self, connection: Connection, limits: Limits) -> None:
        self._connection = connection
        self._limits = limits
        self._lines: dict[tuple[str, str, str, str], _Line] = {}
        self._refused: list[tuple[Kept, dict[str, Any], Delivery]] = []
        self._counted: list[tuple[str | None, str, Delivery]] = []
        self._pending: dict[tuple[str, bytes], _Refused] = {}

    def note(self, submission: Submission, outcomes: Sequence[Outcome]) -> None:
        """Count a submission; a dry run is none. Keeps what is refused for `keep_refused`."""
        delivery = submission.delivery
        if delivery is None or submission.dry_run:
            return
        for kept, why in delivery.refused:
            self._refused.append((kept, problem_to_keep(why), delivery))
        for index, (c, outcome) in enumerate(zip(submission.candidates, outcomes, strict=True)):
            problem = outcome.problem
            if problem is None:
                line = self._line(c.source, delivery, c.type)
                line.counts[_PLACE[outcome.status]] += 1
                if outcome.status is Status.ACCEPTED:
                    line.first = outcome.position if line.first is None else line.first
                    line.last = outcome.position
            elif problem.code == UNDONE or delivery.keep is None:
                self._counted.append((c.source, c.type, delivery))
            else:
                self._refused.append(
                    (delivery.keep(index), problem_to_keep(problem, outcome.position), delivery)
                )

    def _line(self, source: str, delivery: Delivery, type: str) -> _Line:
        key = (source, delivery.partner, type, delivery.path)
        line = self._lines.get(key)
        if line is None:
            line = self._lines[key] = _Line()
        return line

    async def keep_refused(self, now: datetime, counter: Counter, before: int) -> None:
        """Put what was refused into the quarantine, within its limits, and count it.

        `before`: the log's position before this group, in which a good event with the same source
        and id may stand too.
        """
        for source, type, delivery in self._counted:
            self._refuse(source, type, delivery, counter.recorded)
        for kept, problem, delivery in self._refused:
            line = self._refuse(kept.source, kept.type, delivery, counter.recorded)
            if delivery.keep is None:
                continue
            key = (delivery.partner, kept.digest)
            earlier = self._pending.get(key)
            times = 1 if earlier is None else earlier.times + 1
            self._pending[key] = _Refused(kept, problem, delivery, line, times)
        if not self._pending:
            return
        room = await self._room()
        known = await self._known()
        fresh = [entry for key, entry in self._pending.items() if key not in known]
        for entry in fresh:
            partner, size = entry.delivery.partner, _size(entry.kept)
            rows, used = room[partner]
            if rows >= self._limits.rows or used + size > self._limits.bytes:
                entry.line.counts[_NOT_KEPT] += entry.times
                del self._pending[partner, entry.kept.digest]
            else:
                room[partner] = (rows + 1, used + size)
        await self._write(self._pending.values(), now, counter, before)
        await self._connection.executemany(
            "UPDATE quarantine_use SET rows = $2, bytes = $3 WHERE partner = $1",
            [(partner, *used) for partner, used in room.items()],
        )

    def _refuse(self, source: str | None, type: str, delivery: Delivery, day: date) -> _Line:
        booked = self._limits.booked_source(delivery.partner, source, day)
        line = self._line(booked, delivery, type)
        line.counts[_PLACE[Status.REJECTED]] += 1
        return line

    async def _room(self) -> dict[str, tuple[int, int]]:
        """What each partner's quarantine holds; locks it before any of its rows is touched."""
        rows = await self._connection.fetch(
            """
            INSERT INTO quarantine_use SELECT u, 0, 0 FROM unnest($1::text[]) AS u
            ON CONFLICT (partner) DO UPDATE SET rows = quarantine_use.rows
            RETURNING partner, rows, bytes
            """,
            sorted({partner for partner, _ in self._pending}),
        )
        return {r["partner"]: (r["rows"], r["bytes"]) for r in rows}

    async def _known(self) -> set[tuple[str, bytes]]:
        rows = await self._connection.fetch(
            "SELECT partner, digest FROM quarantine"
            " JOIN unnest($1::text[], $2::bytea[]) AS u (partner, digest) USING (partner, digest)",
            [partner for partner, _ in self._pending],
            [digest for _, digest in self._pending],
        )
        return {(r["partner"], r["digest"]) for r in rows}

    async def _write(
        self, entries: Iterable[_Refused], now: datetime, counter: Counter, before: int
    ) -> None:
        rows = [
            (
                e.delivery.partner, e.kept.source, e.kept.id, e.kept.type, e.delivery.path,
                e.problem["code"], _json(e.problem),
                None if e.kept.event is None else _json(e.kept.event),
                e.kept.digest, e.kept.size, e.delivery.traceparent, e.times,
                counter.position if e.problem["code"] == CONFLICT else before,
            )
            for e in entries
        ]  # fmt: skip
        if not rows:
            return
        # Refused again: told anew and open again, unless its partner has dismissed it.
        await self._connection.execute(
            """
            INSERT INTO quarantine AS q (partner, source, id, type, path, code, problem, event,
              digest, bytes, traceparent, times, after_position, day, first_seen, last_seen)
            SELECT u.*, $14::date, $15::timestamptz, $15::timestamptz
            FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
              $7::json[], $8::json[], $9::bytea[], $10::int[], $11::text[], $12::bigint[],
              $13::bigint[]) AS u
            ON CONFLICT (partner, digest) DO UPDATE SET
              path = excluded.path, code = excluded.code, problem = excluded.problem,
              traceparent = excluded.traceparent, times = q.times + excluded.times,
              last_seen = excluded.last_seen, after_position = excluded.after_position,
              state = CASE WHEN q.state = 'dismissed' THEN q.state ELSE 'open' END
            """,
            *map(list, zip(*rows, strict=True)), counter.recorded, now,
        )  # fmt: skip

    def columns(self, day: date) -> tuple[list[Any], ...]:
        """The lines as the columns that `store.save` takes."""
        rows = [
            (source, day, partner, type, path, *line.counts, line.first, line.last)
            for (source, partner, type, path), line in sorted(self._lines.items())
        ]
        return tuple(map(list, zip(*rows, strict=True))) if rows else tuple([] for _ in range(11))


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _size(kept: Kept) -> int:
    return kept.size if kept.event is not None else 0


def problem_to_keep(problem: Problem, position: int | None = None) -> dict[str, Any]:
    """A problem to keep; without its pointer where that repeats a name nobody should write."""
    body = problem.body()
    if not _POINTER.fullmatch(body.get("pointer", "")):
        del body["pointer"]
    return body if position is None else {**body, "position": position}
