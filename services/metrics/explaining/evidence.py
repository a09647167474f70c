"""The events that a cell counts, page by page, as they were known on any day."""

from collections.abc import Callable, Iterable
from datetime import date

import asyncpg
import msgspec

from services.metrics.counting.contribute import since_for
from services.metrics.counting.states import Decides, counted_in
from services.metrics.counting.windows import Window
from services.metrics.evaluating.cell import Cell
from services.metrics.evaluating.moments import Moment, Moments
from services.metrics.evaluating.sums import load
from services.metrics.evaluating.versions import (
    VERSIONS,
    Version,
    fact_units,
    known_evidence,
    load_versions,
    serving,
)
from services.metrics.explaining.cursors import read_cursor
from services.metrics.explaining.log_rows import read_rows
from services.metrics.explaining.parts import Part, counted_part, window_of
from services.metrics.projecting.store import Combinations, Subject
from shared.db import Connection
from shared.lane_consumer import LogReader

MOST = 500
ROUNDS = 40
"""How often a page may look further when what it found does not count."""


class Proof(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One event that a cell counts. Never says for whom.

    `position`: of its first row; `said_at`: of the row that says what counts, if a correction does.
    `unit_id`, `since`, `until`: as counted. `weight`: how much of the cell's count it is.
    """

    position: int
    said_at: int | None = None
    source: str | None = None
    id: str | None = None
    type: str | None = None
    unit_id: str
    occurred: date | None = None
    since: date
    until: date | None = None
    recorded: date
    weight: int


class Page(msgspec.Struct, kw_only=True):
    """What `GET /v1/evidence` says. The weights of all pages add up to `counted`; `figure`: `n` when
    subjects are counted, `total` when their figures are summed."""

    plan: str
    plan_version: int
    objective: str
    part: str
    unit_id: str
    as_of: date
    known_at: date | None
    tree: date
    position: int
    figure: str
    counted: int
    cell: Cell
    events: list[Proof]
    next: str | None


class EvidencePages:
    """Answers which events stand behind a cell."""

    def __init__(self, moments: Moments, reader: Callable[[], LogReader]) -> None:
        self._moments = moments
        self._reader = reader

    async def ask(
        self,
        *,
        plan: str,
        objective: str,
        unit: str | None,
        as_of: date | None,
        known_at: date | None,
        tree: str,
        part: str,
        cursor: str | None,
        limit: int,
    ) -> Page:
        """A page of the events behind a cell, by position."""
        after = read_cursor(cursor, 18)
        async with self._moments.snapshot() as connection:
            moment = await self._moments.at(connection, plan, as_of, known_at, tree)
            chosen = moment.objective(objective)
            unit_id = moment.resolve(unit)
            (cell,) = await moment.cells(connection, [chosen], [unit_id])
            what = counted_part(moment, chosen, part)
            look = _Look(connection, moment, what, window_of(moment, chosen), unit_id)
            proofs: list[Proof] = []
            counted = 0
            more: int | None = None
            if not moment.early:
                await look.prepare()
                counted = await look.counted()
                proofs, more = await look.page(after, limit)
        await _name(proofs, self._reader(), moment.position)
        return Page(
            plan=plan,
            plan_version=moment.version,
            objective=objective,
            part=part,
            unit_id=unit_id,
            as_of=moment.as_of,
            known_at=known_at,
            tree=moment.places.day,
            position=moment.position,
            figure=what.figure,
            counted=counted,
            cell=cell,
            events=proofs,
            next=str(more) if more is not None else None,
        )


class _Look:
    """Looks through the evidence of one part of one cell."""

    def __init__(
        self, connection: Connection, moment: Moment, part: Part, window: Window, unit_id: str
    ) -> None:
        self._connection = connection
        self._moment = moment
        self._part = part
        self._window = window
        self._unit = unit_id
        self._combinations = Combinations()
        self._serving: list[int] = []
        self._units: list[str] = []

    async def prepare(self) -> None:
        """Find which rows can matter at all."""
        moment, number = self._moment, self._part.number
        self._serving = await serving(self._connection, self._combinations, number)
        inside = [
            unit_id
            for unit_id in await fact_units(self._connection, number)
            if moment.places.covers(self._unit, unit_id, moment.root)
        ]
        if self._part.measure.kind == "latest":
            sums = await self._sums(inside)
            reporting = {name: sums[name] for name in inside if sums.get(name, 0) > 0}
            inside = moment.places.speaking(self._unit, reporting, moment.root)
        self._units = inside

    async def _sums(self, units: Iterable[str], column: str = "n") -> dict[str, int]:
        slot = (self._part.number, self._window)
        sums = (await load(self._connection, [slot], known_at=self._moment.known_at))[slot]
        at = ("n", "total").index(column)
        return {unit_id: sums[unit_id][at] for unit_id in units if unit_id in sums}

    async def counted(self) -> int:
        """What all weights add up to, from the tallies."""
        return sum((await self._sums(self._units, self._part.figure)).values())

    async def page(self, after: int, limit: int) -> tuple[list[Proof], int | None]:
        """The next events that count, and after which position to go on."""
        proofs: list[Proof] = []
        for _ in range(ROUNDS):
            rows = await self._connection.fetch(
                f"""
                SELECT origin, lane, subject FROM {VERSIONS} v
                WHERE combination = ANY($1::int[]) AND unit_id = ANY($2::text[]) AND origin > $3
                  AND since <= $4
                  AND CASE WHEN $5::date IS NULL THEN replaced IS NULL
                      ELSE recorded <= $5 AND (replaced IS NULL OR replaced > $5) END
                ORDER BY origin FETCH FIRST $6 ROWS WITH TIES
                """,
                self._serving,
                self._units,
                after,
                self._window.end,
                self._moment.known_at,
                limit,
            )
            for row in rows:
                after = max(after, row["origin"])
            proofs += await self._judge(rows)
            if len(rows) < limit:
                return proofs, None
            if len(proofs) >= limit:
                break
        return proofs, after

    async def _judge(self, rows: Iterable[asyncpg.Record]) -> list[Proof]:
        origins: dict[Subject, set[int]] = {}
        for row in rows:
            origins.setdefault((row["lane"], row["subject"]), set()).add(row["origin"])
        versions = await load_versions(self._connection, origins, self._combinations)
        units = set(self._units)
        found = []
        for subject, asked in origins.items():
            known_at = self._moment.known_at
            said = {v.evidence.origin: v for v in versions[subject] if v.known(known_at)}
            part, known = self._part, known_evidence(versions[subject], known_at)
            found += [
                self._proof(one, said[one.origin])
                for one in counted_in(part.measure, part.number, known, self._window)
                if one.origin in asked and one.unit_id in units
            ]
        return sorted(found, key=lambda proof: proof.position)

    def _proof(self, one: Decides, version: Version) -> Proof:
        return Proof(
            position=one.origin,
            said_at=version.position if version.position != one.origin else None,
            unit_id=one.unit_id,
            since=since_for(self._part.measure, version.evidence),
            until=version.evidence.until,
            recorded=version.recorded,
            weight=one.total if self._part.figure == "total" else one.n,
        )


async def _name(proofs: list[Proof], reader: LogReader, through: int) -> None:
    """Add what only the log knows: source, id, type, day."""
    if not proofs:
        return
    rows = await read_rows(reader, [p.position for p in proofs], through)
    for proof in proofs:
        first = rows.get(proof.position)
        if first is None:
            continue
        said = rows.get(proof.said_at or 0, first).effective_content() or first
        proof.source, proof.id, proof.type = first.source, first.id, first.short_type
        proof.occurred = said.occurred
