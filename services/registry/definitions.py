"""Projects the definition lane into this schema, and folds it into what the routes ask.

One table holds every row of lane 64 with its position and recorded day; what the rows mean is
folded in memory by `shared.domain.tree` and the two small folds below, so registry cannot
disagree with activities and metrics about the tree, and any replica has the same answers. About
30,000 rows make a fold of well under a second.
"""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import asyncpg
import msgspec

from services.registry.columns import DEFINITION as COLUMNS
from services.registry.following import StoredProjection
from services.registry.plans.amendments import amended
from shared import progress
from shared.contracts.record import DEFINITION_LANE, Content, LogRecord
from shared.db import Connection
from shared.domain.plan_document import why_refused
from shared.domain.tree import UnitTree
from shared.lanes import Lane

CHUNK = 2_000
STATEMENTS = frozenset(
    {"plan.amended", "central_document.issued", "ranking.published", "disclosure.published"}
)


class DefinitionProjection(StoredProjection):
    """The projection of lane 64; `applied` is set after each commit."""

    def __init__(self, pool: asyncpg.Pool, held: progress.Claim, applied: asyncio.Event) -> None:
        super().__init__(pool, held)
        self._applied = applied

    async def store(self, connection: Connection, records: list[LogRecord]) -> None:
        """Keep the rows as they are."""
        if records:
            await connection.copy_records_to_table(
                "definition", records=[_row(r) for r in records], columns=COLUMNS
            )

    async def apply(self, records: list[LogRecord], lanes: dict[int, Lane]) -> None:
        """Store the rows and the lane's progress in one transaction, then say so."""
        await super().apply(records, lanes)
        if records:
            self._applied.set()


def _row(record: LogRecord) -> tuple[Any, ...]:
    content = record.effective_content()
    return (
        record.position,
        record.origin,
        record.revision,
        record.recorded,
        record.short_type if content is None else content.type,
        record.source,
        record.id,
        None if content is None else msgspec.to_builtins(content),
    )


@dataclass(frozen=True)
class PlanVersion:
    """One published version of a plan."""

    plan: str
    version: int
    document: dict[str, Any]
    position: int
    recorded: date
    unit_id: str


@dataclass(frozen=True)
class Population:
    """One declared denominator, with who says so."""

    unit_id: str
    population: str
    number: int
    as_of: date
    authority: str
    source_ref: str | None
    position: int
    recorded: date


@dataclass(frozen=True)
class Statement:
    """Another definition as it stands: an amendment, a central document, a published ranking."""

    type: str
    unit_id: str
    data: dict[str, Any]
    position: int
    recorded: date


@dataclass
class Definitions:
    """Everything the definition rows up to `position` say, with corrections applied."""

    tree: UnitTree = field(default_factory=UnitTree)
    position: int = 0
    _plans: dict[int, PlanVersion] = field(default_factory=dict)
    _populations: dict[int, Population] = field(default_factory=dict)
    _declared: dict[str, set[int]] = field(default_factory=dict)
    _restated: dict[str, list[tuple[date, int, Population | None]]] = field(default_factory=dict)
    _statements: dict[int, Statement] = field(default_factory=dict)

    async def catch_up(self, pool: asyncpg.Pool) -> bool:
        """Fold the rows stored since; True when there were any."""
        changed = False
        while True:
            rows = await pool.fetch(
                f"SELECT {', '.join(COLUMNS)} FROM definition WHERE position > $1"
                f" ORDER BY position LIMIT {CHUNK}",
                self.position,
            )
            for row in rows:
                self.apply(_record(row))
            changed = changed or bool(rows)
            if len(rows) < CHUNK:
                return changed
            await asyncio.sleep(0)

    def apply(self, record: LogRecord) -> None:
        """Take one row, in position order."""
        self.tree.apply(record)
        self.position = record.position
        content = record.effective_content()
        origin = record.origin
        self._plans.pop(origin, None)
        self._statements.pop(origin, None)
        gone = self._populations.pop(origin, None)
        if gone is not None:
            self._declared[gone.unit_id].discard(origin)
            # What was known before it was corrected or revoked stays known as of then.
            before = self._restated.setdefault(gone.unit_id, [])
            before += [(gone.recorded, origin, gone), (record.recorded, origin, None)]
        if content is None:
            return
        data = content.data
        if content.type == "plan.published":
            if why_refused(data["plan"], data["document"]) is not None:
                return  # as if never published, here and in metrics
            self._plans[origin] = PlanVersion(
                data["plan"],
                data["version"],
                data["document"],
                record.position,
                record.recorded,
                content.unitid,
            )
        elif content.type == "population.declared":
            self._declared.setdefault(content.unitid, set()).add(origin)
            self._populations[origin] = Population(
                content.unitid,
                data["population"],
                data["number"],
                date.fromisoformat(data["as_of"]),
                data["authority"],
                data.get("source_ref"),
                record.position,
                record.recorded,
            )
        elif content.type in STATEMENTS:
            self._statements[origin] = Statement(
                content.type, content.unitid, data, record.position, record.recorded
            )

    def plans(self) -> list[PlanVersion]:
        """The newest version of every plan, by id."""
        newest: dict[str, PlanVersion] = {}
        for plan in self._plans.values():
            known = newest.get(plan.plan)
            if known is None or plan.version > known.version:
                newest[plan.plan] = plan
        return [newest[plan] for plan in sorted(newest)]

    def plan(self, plan: str, on: date | None = None) -> PlanVersion | None:
        """The newest version of a plan, with the amendments that are valid on a day."""
        found = next((p for p in self.plans() if p.plan == plan), None)
        if found is None or on is None:
            return found
        document = found.document
        for statement in self.statements("plan.amended"):
            data = statement.data
            if data["plan"] == plan and date.fromisoformat(data["valid_from"]) <= on:
                after = amended(document, data)
                # One that leaves no plan changes nothing.
                document = document if why_refused(plan, after) else after
        return replace(found, document=document)

    def statements(self, type: str) -> list[Statement]:
        """Every standing statement of a type, in the order of the log."""
        found = (s for _, s in sorted(self._statements.items()))
        return [s for s in found if s.type == type]

    def plan_versions(self, plan: str) -> list[PlanVersion]:
        """All versions of a plan, oldest first."""
        return sorted((p for p in self._plans.values() if p.plan == plan), key=lambda p: p.version)

    def populations(self, unit_id: str, known_at: date | None = None) -> list[Population]:
        """What was declared for a unit, as known by the end of a day (all), newest day first."""
        found = {origin: self._populations[origin] for origin in self._declared.get(unit_id, ())}
        if known_at is not None:
            stands = {n: p for n, p in found.items() if p.recorded <= known_at}
            found = {}
            for recorded, origin, said in self._restated.get(unit_id, ()):
                if recorded > known_at:
                    continue
                found.pop(origin, None)
                if said is not None:
                    found[origin] = said
            found |= stands
        return sorted(found.values(), key=lambda p: (p.as_of, p.position), reverse=True)


def _record(row: asyncpg.Record) -> LogRecord:
    """A stored row as the record that the shared folds take."""
    stored = row["content"]
    content = None if stored is None else msgspec.convert(stored, Content)
    return LogRecord(
        id=row["id"],
        source=row["source"],
        type=row["type"],
        subject="",
        time="" if content is None else content.time,
        epoch="",
        position=row["position"],
        prev=0,
        lane=DEFINITION_LANE,
        recorded=row["recorded"],
        occurred=row["recorded"] if content is None else content.occurred,
        unitid="" if content is None else content.unitid,
        origin=row["origin"],
        revision=row["revision"],
        keykind="definition",
        key=b"",
        data={},
        void=content is None,
        effective=content,
    )
