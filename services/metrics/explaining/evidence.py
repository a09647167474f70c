"""The events that a cell counts, page by page, as they were known on any day."""

from collections.abc import Callable, Iterable
from datetime import date

import asyncpg
import msgspec

from services.metrics.counting.contribute import since_for
from services.metrics.counting.states import Decides, counted_in
from services.metrics.counting.windows import Window
from services.metrics.evaluating.cell import Cell
from services.metrics.evaluating.joined import Joined
from services.metrics.evaluating.moments import Moment, Moments
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
from services.metrics.explaining.stepping import CellCount
from services.metrics.projecting.store import Combinations
from shared.db import Connection
from shared.domain.objectives import Objective
from shared.lane_consumer import LogReader

MOST = 500
ROUNDS = 40
"""How often a page may look further when what it found does not count."""


class Proof(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One event that a cell counts. Never says for whom.

    `position`: of its first row; `said_at`: of the row that says what counts, if a correction does.
    `unit_id`, `since`, `until`: as counted. `weight`: how much of the cell's count it is. In a share
    of units the first event of each unit that has reached its threshold stands for it (1), the
    others prove it (0), and `in_unit` is how much of that unit's own count each of them is. Where a
    subject needs several (a request and its answer, training and certificate) one stands for it (1),
    the others complete it (0).
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
    in_unit: int | None = None


class Page(msgspec.Struct, kw_only=True):
    """What `GET /v1/evidence` says. The weights of all pages add up to `counted`, which is what the
    cell says; `figure`: `n` when subjects are counted, `total` when their figures are summed, `units`
    when it is the units that have reached a threshold."""

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
            look = _Look(connection, moment, chosen, what, window_of(moment, chosen), unit_id)
            proofs: list[Proof] = []
            more: int | None = None
            if not moment.early:
                await look.prepare()
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
            figure="units" if look.of_units else what.figure,
            counted=look.counted,
            cell=cell,
            events=proofs,
            next=str(more) if more is not None else None,
        )


class _Look:
    """Looks through the evidence of one part of one cell."""

    def __init__(
        self,
        connection: Connection,
        moment: Moment,
        objective: Objective,
        part: Part,
        window: Window,
        unit_id: str,
    ) -> None:
        self._connection = connection
        self._moment = moment
        self._objective = objective
        self._part = part
        self._window = window
        self._unit = unit_id
        self._combinations = Combinations()
        self._serving: list[int] = []
        self._units: list[str] = []
        self._joined = Joined(moment.places, moment.root)
        self._member_of: dict[str, str] | None = None
        self.counted = 0

    @property
    def of_units(self) -> bool:
        """Whether the cell counts the units that have reached a threshold."""
        return self._member_of is not None

    async def prepare(self) -> None:
        """Find which rows can matter at all, and what the cell says."""
        moment, number = self._moment, self._part.number
        self._serving = await serving(self._connection, self._combinations, number)
        self._joined = await moment.joins(self._connection, [number])
        slot = (number, self._window)
        sums = (await moment.sums(self._connection, [slot], self._joined))[slot]
        cell = CellCount(moment, self._objective, self._part, self._unit, sums)
        self.counted = cell.value
        named = {*await fact_units(self._connection, number), *sums, *self._joined_units()}
        inside = [
            unit_id
            for unit_id in sorted(named)
            if moment.places.covers(self._unit, unit_id, moment.root)
        ]
        if cell.of_units:
            members = {unit_id: cell.member_of(unit_id) for unit_id in inside}
            reached = cell.reached()
            self._member_of = {u: m for u, m in members.items() if m is not None and m in reached}
            inside = sorted(self._member_of)
        if self._part.measure.kind == "latest":
            reporting = {name: sums[name][0] for name in inside if sums.get(name, (0, 0))[0] > 0}
            inside = moment.places.speaking(self._unit, reporting, moment.root)
        self._units = inside

    def _joined_units(self) -> set[str]:
        deltas = self._joined.deltas.get(self._part.number, {})
        return {unit_id for unit_id, _ in deltas}

    async def page(self, after: int, limit: int) -> tuple[list[Proof], int | None]:
        """The next events that count, and after which position to go on."""
        if self._member_of is None:
            return await self._page(after, limit)
        found: list[Proof] = []
        at: int | None = 0
        while at is not None:
            some, at = await self._page(at, MOST)
            found += some
        stands: set[str] = set()
        for proof in found:
            member = self._member_of[proof.unit_id]
            proof.in_unit, proof.weight = proof.weight, int(member not in stands)
            stands.add(member)
        return _cut([proof for proof in found if proof.position > after], limit, None)

    async def _page(self, after: int, limit: int) -> tuple[list[Proof], int | None]:
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
                return _cut(proofs, limit, None)
            if len(proofs) >= limit:
                break
        return _cut(proofs, limit, after)

    async def _judge(self, rows: Iterable[asyncpg.Record]) -> list[Proof]:
        asked = {row["origin"] for row in rows}
        mates = self._joined.mates
        groups = {
            mates.get(subject, (subject,))
            for subject in ((row["lane"], row["subject"]) for row in rows)
        }
        wanted = [subject for group in groups for subject in group]
        versions = await load_versions(self._connection, wanted, self._combinations)
        units, part, known_at = set(self._units), self._part, self._moment.known_at
        found: dict[int, Proof] = {}
        for group in groups:
            every = [version for subject in group for version in versions[subject]]
            said = {v.evidence.origin: v for v in every if v.known(known_at)}
            place = self._moment.places.lies_in if group[0] in mates else None
            known = known_evidence(every, known_at)
            if place is not None:
                known = [row for row in known if self._joined.keeps(row)]
            for one in counted_in(part.measure, part.number, known, self._window, place):
                if one.unit_id not in units:
                    continue
                beside = [Decides(origin, unit_id, 0, 0) for origin, unit_id in one.with_it]
                for event in (one, *beside):
                    if event.origin not in asked or event.unit_id not in units:
                        continue
                    proof = self._proof(event, said[event.origin])
                    before = found.get(event.origin)
                    if before is not None:
                        proof.weight += before.weight  # one event, for several
                    found[event.origin] = proof
        return [found[origin] for origin in sorted(found)]

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


def _cut(proofs: list[Proof], limit: int, more: int | None) -> tuple[list[Proof], int | None]:
    """At most `limit` of them, and after which position to go on."""
    if len(proofs) <= limit:
        return proofs, more
    return proofs[:limit], proofs[limit - 1].position


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
