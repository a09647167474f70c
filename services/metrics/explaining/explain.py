"""What became of events: which objectives they count for, or why they count for none.

One pass over up to `MOST` positions: evidence by origin, all evidence of the subjects concerned,
the plans' use of the measures, and of the log only the rows of events that serve nothing.
"""

from collections.abc import Mapping
from typing import Any

import asyncpg

from services.metrics.counting.contribute import THING, Evidence
from services.metrics.definition_rows import StoredRows
from services.metrics.evaluating.joined import Joined, load_joined
from services.metrics.explaining.judging import Explanation, Judge, Known, Plans
from services.metrics.explaining.log_rows import read_rows
from services.metrics.projecting import store
from services.metrics.projecting.store import Subject
from shared.clock import Clock
from shared.contracts.record import LogRecord
from shared.db import Connection
from shared.domain.history import DefinitionHistory
from shared.lane_consumer import LogReader

MOST = 1_000
"""Positions in one question."""


class Explainer:
    """Answers questions about events."""

    def __init__(
        self, pool: asyncpg.Pool, definitions: DefinitionHistory, reader: LogReader, clock: Clock
    ) -> None:
        self._pool = pool
        self._definitions = definitions
        self._reader = reader
        self._clock = clock
        self._plans: tuple[Any, Plans] | None = None

    async def explain(
        self, positions: list[int], *, records: bool = False
    ) -> tuple[int, list[Explanation]]:
        """The watermark and one explanation per position, in order. `records`: with the rows.

        Raises Problem (503) when the log is needed and cannot be read.
        """
        async with self._pool.acquire() as connection:
            known = await _look_up(connection, positions)
        unknown = {
            position
            for position in positions
            if 0 < position <= known.watermark
            and (records or position not in known.subjects)
            and position not in known.parked
            and position not in known.dismissed
        }
        at = await read_rows(self._reader, sorted(unknown), known.watermark)
        of_event: dict[int, list[LogRecord]] = {}
        for row in at.values():
            of_event.setdefault(row.origin, []).append(row)
        async with (
            self._pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            more = await _look_up(connection, list(of_event))
            waiting = await _look_up(connection, list(at), subjects=False)
            known.subjects |= more.subjects
            known.parked |= waiting.parked
            known.dismissed |= waiting.dismissed
            plans = await self._plans_now(connection)
            wanted = sorted(set().union(*known.subjects.values()))
            combinations = store.Combinations()
            evidence = await store.load_evidence(connection, store.LIVE, wanted, combinations)
            joins = await _joins(connection, plans, evidence)
            mates = {s for one in joins.values() for group in one.mates.values() for s in group}
            more_evidence = sorted(mates - evidence.keys())
            evidence |= await store.load_evidence(
                connection, store.LIVE, more_evidence, combinations
            )
        judge = Judge(plans, known, evidence, joins)
        found: dict[int, Explanation] = {}
        unread = []
        for position in dict.fromkeys(positions):
            record = at.get(position)
            rows_of = of_event.get(record.origin, []) if record is not None else []
            explained = judge.explain(position, record, rows_of)
            if explained is not None:
                found[position] = explained
            else:
                unread.append(position)
        if unread:
            # They have evidence, but no plan of today uses it: their rows say what they are.
            _, rest = await self.explain(unread, records=True)
            found |= {explained.position: explained for explained in rest}
        return known.watermark, [found[position] for position in positions]

    async def _plans_now(self, connection: Connection) -> Plans:
        live, _ = await store.load_measures(connection)
        definitions = await self._definitions.get(StoredRows(connection))
        today = self._clock.today()
        version = (definitions.position, today, tuple(live))
        if self._plans is None or self._plans[0] != version:
            self._plans = (version, Plans(definitions, live, today, self._definitions.catalogue))
        return self._plans[1]


async def _joins(
    connection: Connection, plans: Plans, evidence: Mapping[Subject, dict[int, Evidence]]
) -> dict[str, Joined]:
    """What today's tree joins for each plan, if any of the evidence can be joined at all."""
    rows = [row for of_subject in evidence.values() for row in of_subject.values()]
    if not any(row.detail is not None and THING in row.detail for row in rows):
        return {}
    return {
        root: await load_joined(connection, plans.live, plans.places, root, None)
        for root in sorted(plans.within)
    }


async def _look_up(connection: Connection, positions: list[int], *, subjects: bool = True) -> Known:
    """What waits at these positions, and the subjects of the events that begin there."""
    known = Known(watermark=0, parked={}, dismissed={}, subjects={})
    known.watermark = await connection.fetchval("SELECT min(through) FROM progress")
    if not positions:
        return known
    for row in await connection.fetch(
        "SELECT position, problem FROM parked WHERE position = ANY ($1::bigint[])", positions
    ):
        known.parked[row["position"]] = row["problem"]
    for row in await connection.fetch(
        "SELECT position, reason FROM dismissed WHERE position = ANY ($1::bigint[])", positions
    ):
        known.dismissed[row["position"]] = row["reason"]
    if subjects:
        for row in await connection.fetch(
            "SELECT DISTINCT origin, lane, subject FROM evidence WHERE origin = ANY ($1::bigint[])",
            positions,
        ):
            known.subjects.setdefault(row["origin"], set()).add((row["lane"], row["subject"]))
    return known
