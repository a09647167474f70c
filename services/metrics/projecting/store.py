"""The SQL of evidence, tallies, measures and definitions: whole batches, keys sorted.

Statements work on either generation of the tables: the live ones or a rebuild's (`Tables`).
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple

from services.metrics.counting.contribute import Evidence, Marks
from shared import binary_copy
from shared.db import Connection
from shared.domain.measures import Measure, from_definition, to_definition

Subject = tuple[int, bytes]
"""Lane and key."""


class Tables(NamedTuple):
    """Where a batch is counted."""

    evidence: str = "evidence"
    tally: str = "tally"
    past: str = "evidence_past"


LIVE = Tables()


class Stored(NamedTuple):
    """One row of evidence to write, in the order of its columns."""

    lane: int
    subject: bytes
    origin: int
    position: int
    revision: int
    recorded: date
    since: date
    until: date | None
    combination: int
    unit_id: str
    detail: dict[str, Any] | None


TALLY_COLUMNS = ("unit_id", "occurred", "recorded", "n", "total", "measure")
"""A row of tallies to write, in the order of its columns."""

_EVIDENCE = ", ".join(f"e.{name}" for name in Stored._fields)


class Replaced(NamedTuple):
    """A row of evidence that a row of the log replaces or voids, on which day and where."""

    lane: int
    subject: bytes
    origin: int
    on: date
    by: int


async def force_indexes(connection: Connection) -> None:
    """Keep the hot statements on their indexes: a plan flip cost a factor of five."""
    await connection.execute(
        "SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off;"
        " SET LOCAL enable_mergejoin = off; SET LOCAL plan_cache_mode = force_generic_plan"
    )


class Combinations:
    """Numbers for sets of marks, shared by all workers through the table `combination`."""

    def __init__(self) -> None:
        self.number: dict[Marks, int] = {}
        self.marks: dict[int, Marks] = {}

    async def know(self, connection: Connection, wanted: Iterable[Marks]) -> None:
        """Make sure that every one of `wanted` has a number (in its own small transaction)."""
        new = [list(marks) for marks in wanted if marks not in self.number]
        if not new:
            return
        for marks in sorted(new):
            await connection.execute(
                "INSERT INTO combination (marks) VALUES ($1) ON CONFLICT DO NOTHING", marks
            )
        await self.reload(connection)

    async def reload(self, connection: Connection) -> None:
        """Learn what others have added."""
        for row in await connection.fetch("SELECT id, marks FROM combination"):
            marks = tuple(row["marks"])
            self.number[marks] = row["id"]
            self.marks[row["id"]] = marks


async def load_evidence(
    connection: Connection, tables: Tables, subjects: list[Subject], combinations: Combinations
) -> dict[Subject, dict[int, Evidence]]:
    """The current evidence of the given subjects, by origin."""
    if not subjects:
        return {}
    rows = await connection.fetch(
        f"""
        SELECT e.lane, e.subject, e.since, e.origin, e.until, e.unit_id, e.combination, e.detail
        FROM unnest($1::smallint[], $2::bytea[]) AS s (lane, subject)
        JOIN {tables.evidence} e ON e.lane = s.lane AND e.subject = s.subject
        """,
        [lane for lane, _ in subjects],
        [key for _, key in subjects],
    )
    if any(row[6] not in combinations.marks for row in rows):
        await combinations.reload(connection)
    marks = combinations.marks
    found: dict[Subject, dict[int, Evidence]] = {}
    for lane, subject, since, origin, until, unit_id, combination, detail in rows:
        found.setdefault((lane, subject), {})[origin] = Evidence(
            since, origin, until, unit_id, marks[combination], detail
        )
    return found


async def retire_evidence(connection: Connection, tables: Tables, replaced: list[Replaced]) -> None:
    """Move rows that are void, or about to be written anew, to the past."""
    if not replaced:
        return
    replaced.sort()
    await force_indexes(connection)
    await connection.execute(
        f"""
        WITH gone AS (
          DELETE FROM {tables.evidence} e
          USING unnest($1::smallint[], $2::bytea[], $3::bigint[], $4::date[], $5::bigint[])
            AS v (lane, subject, origin, replaced, replaced_by)
          WHERE e.lane = v.lane AND e.subject = v.subject AND e.origin = v.origin
          RETURNING {_EVIDENCE}, v.replaced, v.replaced_by
        )
        INSERT INTO {tables.past} ({", ".join(Stored._fields)}, replaced, replaced_by)
        SELECT * FROM gone
        """,
        [row.lane for row in replaced],
        [row.subject for row in replaced],
        [row.origin for row in replaced],
        [row.on for row in replaced],
        [row.by for row in replaced],
    )


async def insert_past(
    connection: Connection, tables: Tables, rows: list[tuple[Stored, date, int]]
) -> None:
    """Write what was said and replaced within one batch: row, day and position of its end."""
    if rows:
        await connection.copy_records_to_table(
            tables.past,
            records=[(*row, on, by) for row, on, by in rows],
            columns=[*Stored._fields, "replaced", "replaced_by"],
        )


async def insert_evidence(connection: Connection, tables: Tables, rows: bytes) -> None:
    """Write new rows (`packing`); in the order of the primary key they cost less index traffic."""
    await binary_copy.copy(connection, tables.evidence, rows, Stored._fields)


async def add_tallies(connection: Connection, tables: Tables, rows: bytes) -> None:
    """Append rows (`packing`); a key may have several, their sum counts (`compacting.py` joins them).

    In the order of the index: neighbours are written one after the other.
    """
    await binary_copy.copy(connection, tables.tally, rows, TALLY_COLUMNS)


async def mark_dirty(connection: Connection, pairs: set[tuple[int, str]]) -> None:
    """Say which (measure, unit) must be evaluated again."""
    if pairs:
        ordered = sorted(pairs)
        await connection.execute(
            "INSERT INTO dirty SELECT * FROM unnest($1::smallint[], $2::text[])",
            [pair[0] for pair in ordered],
            [pair[1] for pair in ordered],
        )


async def load_measures(connection: Connection) -> tuple[dict[int, Measure], dict[int, Measure]]:
    """Measures by number: those that are counted live, and those still to be built."""
    live: dict[int, Measure] = {}
    building: dict[int, Measure] = {}
    for row in await connection.fetch("SELECT id, definition, state FROM measure ORDER BY id"):
        target = live if row["state"] == "live" else building
        target[row["id"]] = from_definition(row["definition"])
    return live, building


async def add_measures(connection: Connection, measures: Mapping[str, Measure]) -> int:
    """Add those that are not known by fingerprint, as building; how many were new."""
    known = {r["fingerprint"] for r in await connection.fetch("SELECT fingerprint FROM measure")}
    added = 0
    for fingerprint in sorted(measures.keys() - known):
        status = await connection.execute(
            "INSERT INTO measure (fingerprint, definition) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            fingerprint,
            to_definition(measures[fingerprint]),
        )
        added += int(status.rsplit(" ", 1)[1])
    return added
