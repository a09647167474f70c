"""The shadow tables: what the log says, what was summed up from it, what differs from live.

They need not outlive a crash of the server, so they write no WAL; a rebuild drops those that an
earlier one left behind. None has an index until rows that live counted meanwhile must find theirs.
"""

from collections.abc import AsyncIterator, Iterable
from struct import Struct

from services.metrics.rebuild import binary
from services.metrics.rebuild.counting import Counting, Effects, Ended, Row, Sum
from services.metrics.rebuild.reading import Reading
from shared import binary_copy
from shared.db import Connection

TABLES = (
    "said_next", "late_next", "ended_next", "unit_next", "hard_next", "sum_next", "sum_late_next",
    "effect_next", "tally_change_next", "change_next", "change_past_next", "touched_next",
    "marks_next",
    "evidence_next", "evidence_past_next", "tally_next",
)  # fmt: skip
"""The last three: of rebuilds before this version."""
DROP = f"DROP TABLE IF EXISTS {', '.join(TABLES)}"

_SAID = """
  lane smallint NOT NULL, subject bytea NOT NULL, origin bigint NOT NULL,
  position bigint NOT NULL, revision int NOT NULL, recorded date NOT NULL, since date NOT NULL,
  until date, combination int NOT NULL, unit int NOT NULL, hard bool NOT NULL, detail jsonb
"""
"""A row of the log as this rebuild reads it; combination (0: void) and unit by its own numbers.
hard: its subject cannot be counted by one look at each row."""

_SUM = "effect int NOT NULL, unit int NOT NULL, occurred date NOT NULL, recorded date NOT NULL, n bigint NOT NULL, total bigint NOT NULL"

CREATE = f"""
{DROP};
CREATE UNLOGGED TABLE said_next ({_SAID});
CREATE UNLOGGED TABLE late_next ({_SAID});
CREATE UNLOGGED TABLE ended_next (
  position bigint NOT NULL, replaced date NOT NULL, replaced_by bigint NOT NULL);
CREATE UNLOGGED TABLE unit_next (unit int NOT NULL, unit_id text NOT NULL);
CREATE UNLOGGED TABLE sum_next ({_SUM});
CREATE UNLOGGED TABLE sum_late_next ({_SUM});
CREATE UNLOGGED TABLE effect_next (effect int NOT NULL, measure smallint NOT NULL);
CREATE UNLOGGED TABLE touched_next (lane smallint NOT NULL, subject bytea NOT NULL);
"""

PLAIN_LAYOUT = Struct(">2x4x16s4xq4xq4xi4xi4xi4xi")
_PLAIN = """
SELECT s.subject, s.position, s.origin, s.since, s.recorded, s.unit, s.combination
FROM said_next s {} ORDER BY s.subject, s.position
"""
_SUM_ROW = Struct(">hiiiiiiiiiqiq")
_ENDED_ROW = Struct(">hiqiiiq")
_COLUMNS = "position, recorded, origin, since, until, unit, combination, detail, lane, subject"
FETCH = 2_000


async def prepare(connection: Connection) -> None:
    """Empty shadow tables; those that a crash left are dropped. Whole tables are sorted and joined
    here, not the few rows of a batch: that takes memory of its own."""
    await connection.execute(CREATE)
    await connection.execute("SET work_mem = '64MB'; SET maintenance_work_mem = '128MB'")


async def copy_said(
    connection: Connection, pages: AsyncIterator[bytes], table: str = "said_next"
) -> None:
    """Add rows of `said` as they are read: PostgreSQL takes one page while the next is read."""
    await connection.copy_to_table(
        table, source=binary_copy.framed(pages), format="binary", columns=list(binary.SAID_COLUMNS)
    )


async def name(connection: Connection, reading: Reading, effects: Effects) -> None:
    """Write down what the numbers of units and effects stand for."""
    await connection.execute("TRUNCATE unit_next, effect_next")
    await connection.copy_records_to_table(
        "unit_next", records=[(number, unit) for number, unit in enumerate(reading.units, 1)]
    )
    await connection.copy_records_to_table(
        "effect_next",
        records=[(number, m) for measures, number in effects.number.items() for m in measures],
    )


async def add_sums(
    connection: Connection, sums: Iterable[tuple[Sum, int, int]], table: str = "sum_next"
) -> None:
    """Add sums; the same key may come again."""
    pack = _SUM_ROW.pack
    rows = [
        pack(6, 4, effect, 4, unit, 4, since, 4, recorded, 8, n, 8, total)
        for (effect, unit, since, recorded), n, total in sums
    ]
    await binary_copy.copy(connection, table, b"".join(rows))


async def add_ended(connection: Connection, ended: Iterable[Ended]) -> None:
    """Add rows that others replaced."""
    rows = [_ENDED_ROW.pack(3, 8, position, 4, on, 8, by) for position, on, by in ended]
    await binary_copy.copy(connection, "ended_next", b"".join(rows))


async def mark_hard(connection: Connection, *, some: bool) -> None:
    """Find the subjects that must be folded, if there are some."""
    await connection.execute("ANALYZE said_next (position)")
    if some:
        await connection.execute(
            "CREATE UNLOGGED TABLE hard_next AS"
            " SELECT DISTINCT lane, subject FROM said_next WHERE hard; ANALYZE hard_next"
        )


async def keep_late(connection: Connection, *, touched: bool) -> None:
    """Late rows are counted: put them to the others. `touched`: remember their subjects."""
    if touched:
        await connection.execute(
            """
            INSERT INTO touched_next SELECT DISTINCT lane, subject FROM late_next l
            WHERE NOT EXISTS (SELECT FROM touched_next t
                              WHERE t.lane = l.lane AND t.subject = l.subject)
            """
        )
    await connection.execute("INSERT INTO said_next SELECT * FROM late_next; TRUNCATE late_next")


async def plain_rows(connection: Connection, rows: binary.Rows, *, some_hard: bool) -> None:
    """Stream the rows of all plain subjects, by subject and position."""
    without = "WHERE NOT EXISTS (SELECT FROM hard_next h WHERE h.subject = s.subject)"
    query = _PLAIN.format(without if some_hard else "")
    await connection.copy_from_query(query, output=rows, format="binary")
    rows.close()


HARD_SUBJECTS = f"""
SELECT true AS new, {_COLUMNS} FROM said_next WHERE (lane, subject) IN (SELECT lane, subject FROM hard_next)
ORDER BY lane, subject, position
"""
LATE_SUBJECTS = f"""
SELECT true AS new, {_COLUMNS} FROM late_next
UNION ALL
SELECT false, {", ".join("s." + c for c in _COLUMNS.split(", "))}
FROM (SELECT DISTINCT lane, subject FROM late_next) l
JOIN said_next s ON s.subject = l.subject AND s.lane = l.lane
ORDER BY lane, subject, position
"""


async def subjects(
    connection: Connection, query: str, counting: Counting
) -> AsyncIterator[list[Row]]:
    """The rows of one subject after the other, inside the caller's transaction."""
    rows: list[Row] = []
    before: tuple[int, bytes] | None = None
    async for (
        new,
        position,
        recorded,
        origin,
        since,
        until,
        unit,
        number,
        detail,
        *subject,
    ) in connection.cursor(query, prefetch=FETCH):
        this = (subject[0], subject[1])
        if this != before and rows:
            yield rows
            rows = []
        before = this
        evidence = counting.evidence(since, origin, until, unit, number, detail)
        rows.append(Row(position, recorded, origin, evidence, new))
    if rows:
        yield rows
