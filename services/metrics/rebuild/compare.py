"""What the live tables say otherwise than the shadow tables: cell by cell, row by row.

Run in a snapshot in which both stand at the same row of every lane. Queries that make a table may
use parallel workers; `INSERT ... SELECT` may not.
"""

from datetime import date

from services.metrics.counting.contribute import Marks
from services.metrics.projecting.store import Combinations
from services.metrics.rebuild.reading import Reading
from shared.db import Connection

Difference = tuple[int, str, date, date, tuple[int, int], tuple[int, int]]
"""measure, unit, occurred, recorded, (n, total) live, (n, total) rebuilt"""

_TALLY = """
SELECT measure, unit_id, occurred, recorded, sum(n)::bigint AS n, sum(total)::bigint AS total
FROM (
  SELECT measure, unit_id, occurred, recorded, -n AS n, -total AS total
  FROM tally WHERE measure IN ({measures})
  UNION ALL
  SELECT m.measure, u.unit_id, s.occurred, s.recorded, s.n, s.total
  FROM sum_next s JOIN effect_next m USING (effect) JOIN unit_next u USING (unit)
) both_sides
GROUP BY 1, 2, 3, 4 HAVING sum(n) <> 0 OR sum(total) <> 0
"""
"""What is to be added to live tallies. One pass over both sides, no join: equal ones cancel out."""

CURRENT, PAST = "evidence", "evidence_past"
_ENDED = {
    CURRENT: ("NULL::date AS replaced, NULL::bigint AS replaced_by", ""),
    PAST: ("d.replaced, d.replaced_by", "JOIN ended_next d USING (position)"),
}
_CHANGES = """
SELECT e.position IS NOT NULL AS was, n.position IS NOT NULL AS now,
       e.lane AS was_lane, e.subject AS was_subject, e.origin AS was_origin,
       e.revision AS was_revision, e.position AS was_position,
       n.lane, n.subject, n.origin, n.revision, n.position, n.recorded, n.since, n.until,
       n.combination, n.unit_id, n.detail, n.replaced, n.replaced_by
FROM (
  SELECT e.*, m.now, m.alone FROM {table} e JOIN marks_next m ON m.old = e.combination
  {touched_live} WHERE m.now <> 0
) e FULL JOIN (
  SELECT s.*, u.unit_id, {ended} FROM said_next s JOIN unit_next u USING (unit)
  {join} {touched_said}
  WHERE s.combination <> 0 {without}
) n ON n.position = e.position
WHERE e.position IS NULL OR n.position IS NULL
   OR e.lane <> n.lane OR e.subject <> n.subject OR e.origin <> n.origin
   OR e.revision <> n.revision OR e.recorded <> n.recorded OR e.since <> n.since
   OR e.until IS DISTINCT FROM n.until OR e.unit_id <> n.unit_id OR e.now <> n.combination
   OR CASE WHEN e.alone THEN e.detail IS DISTINCT FROM n.detail
           ELSE NOT coalesce(e.detail, '{{}}') @> coalesce(n.detail, '{{}}') END
   {past}
"""


def change_table(table: str) -> str:
    """Where the differences of a table are kept."""
    return "change_next" if table == CURRENT else "change_past_next"


def _changes(table: str, *, touched: bool) -> str:
    ended, join = _ENDED[table]
    past = table == PAST
    return _CHANGES.format(
        table=table,
        ended=ended,
        join=join,
        touched_live="JOIN touched_next t ON t.lane = e.lane AND t.subject = e.subject"
        if touched
        else "",
        touched_said="JOIN touched_next t ON t.lane = s.lane AND t.subject = s.subject"
        if touched
        else "",
        without=""
        if past
        else "AND NOT EXISTS (SELECT FROM ended_next d WHERE d.position = s.position)",
        past="OR e.replaced <> n.replaced OR e.replaced_by <> n.replaced_by" if past else "",
    )


async def tallies(connection: Connection, measures: list[int]) -> None:
    """Find the tallies of these measures that differ."""
    chosen = ", ".join(str(int(number)) for number in measures)
    await connection.execute(
        "DROP TABLE IF EXISTS tally_change_next; ANALYZE sum_next, effect_next, unit_next;"
        f"CREATE UNLOGGED TABLE tally_change_next AS {_TALLY.format(measures=chosen)}"
    )


async def tally_differences(
    connection: Connection, measures: list[int], limit: int = 1000
) -> list[Difference]:
    """The tallies of these measures that differ, at most `limit`; in the same snapshot."""
    rows = await connection.fetch(
        """
        SELECT c.measure, c.unit_id, c.occurred, c.recorded, t.n, t.total,
               t.n + c.n AS now_n, t.total + c.total AS now_total
        FROM (SELECT * FROM tally_change_next WHERE measure = ANY($1::smallint[])
              ORDER BY 1, 2, 3, 4 LIMIT $2) c,
          LATERAL (SELECT coalesce(sum(n), 0)::bigint AS n, coalesce(sum(total), 0)::bigint AS total
                   FROM tally t WHERE (t.measure, t.unit_id, t.occurred, t.recorded)
                                    = (c.measure, c.unit_id, c.occurred, c.recorded)) t
        ORDER BY 1, 2, 3, 4
        """,
        measures,
        limit,
    )
    return [(r[0], r[1], r[2], r[3], (r[4], r[5]), (r[6], r[7])) for r in rows]


async def know_marks(connection: Connection, reading: Reading, measures: set[int]) -> None:
    """Say for each combination of the live tables what of it these measures are, by the number of
    this rebuild (0: nothing), and whether that is all of it."""
    known = Combinations()
    await known.reload(connection)
    rows = []
    for number, marks in known.marks.items():
        chosen, rest = restricted(marks, measures), without(marks, measures)
        rows.append((number, reading.combinations.of(chosen) if chosen else 0, not rest))
    await connection.execute(
        "DROP TABLE IF EXISTS marks_next;"
        "CREATE UNLOGGED TABLE marks_next (old int NOT NULL, now int NOT NULL, alone bool NOT NULL)"
    )
    await connection.copy_records_to_table("marks_next", records=rows)
    await connection.execute("ANALYZE marks_next")


async def evidence(connection: Connection) -> int:
    """Find the rows of evidence, present and past, that differ; how many. Needs `know_marks`."""
    found = 0
    for table in (CURRENT, PAST):
        name = change_table(table)
        await connection.execute(
            f"DROP TABLE IF EXISTS {name}; CREATE UNLOGGED TABLE {name} AS"
            f" {_changes(table, touched=False)}"
        )
        found += await connection.fetchval(f"SELECT count(*) FROM {name}")
    return found


async def touched_evidence(connection: Connection) -> None:
    """Look again at the subjects of which rows were counted since. Needs `know_marks`."""
    await _touch_other_sides(connection)
    await connection.execute("ANALYZE touched_next")
    for table in (CURRENT, PAST):
        name = change_table(table)
        await connection.execute(
            f"""
            DELETE FROM {name} c USING touched_next t
            WHERE (c.lane = t.lane AND c.subject = t.subject)
               OR (c.was_lane = t.lane AND c.was_subject = t.subject);
            INSERT INTO {name} {_changes(table, touched=True)}
            """
        )


async def _touch_other_sides(connection: Connection) -> None:
    """Where evidence stands under another subject than its own, both are looked at again, or
    neither: seen from one side only, it would be one row too many or one too few."""
    while True:
        added = await connection.fetchval(
            f"""
            WITH moved AS (
              SELECT was_lane, was_subject, lane, subject FROM {change_table(CURRENT)} WHERE was AND now
              UNION SELECT was_lane, was_subject, lane, subject FROM {change_table(PAST)} WHERE was AND now
            ), other_side AS (
              SELECT m.lane, m.subject FROM moved m
                JOIN touched_next t ON (t.lane, t.subject) = (m.was_lane, m.was_subject)
              UNION
              SELECT m.was_lane, m.was_subject FROM moved m
                JOIN touched_next t ON (t.lane, t.subject) = (m.lane, m.subject)
            ), added AS (
              INSERT INTO touched_next (lane, subject)
              SELECT lane, subject FROM other_side EXCEPT SELECT lane, subject FROM touched_next
              RETURNING 1
            )
            SELECT count(*) FROM added
            """
        )
        if not added:
            return


async def touched_differ(connection: Connection) -> bool:
    """Whether subjects of which rows were counted since had other evidence in the live tables."""
    for table in (CURRENT, PAST):
        if await connection.fetchval(
            f"""
            SELECT EXISTS (
              SELECT FROM {change_table(table)} c JOIN touched_next t
                ON t.lane = coalesce(c.was_lane, c.lane) AND t.subject = coalesce(c.was_subject, c.subject)
              UNION ALL
              SELECT FROM {change_table(table)} c JOIN touched_next t
                ON t.lane = c.lane AND t.subject = c.subject)
            """
        ):
            return True
    return False


async def changed_measures(connection: Connection) -> list[int]:
    """The measures with tallies that differ."""
    rows = await connection.fetch("SELECT DISTINCT measure FROM tally_change_next ORDER BY 1")
    return [row["measure"] for row in rows]


async def index_changes(connection: Connection) -> None:
    """Changes are going to be looked up lane by lane."""
    for table in (CURRENT, PAST):
        name = change_table(table)
        await connection.execute(
            f"CREATE INDEX ON {name} (lane); CREATE INDEX ON {name} (was_lane); ANALYZE {name}"
        )


async def forget_changes(connection: Connection) -> None:
    """All changes are written."""
    await connection.execute("TRUNCATE change_next, change_past_next")


def restricted(marks: Marks, measures: set[int]) -> Marks:
    """What of the marks these measures are."""
    pairs = zip(marks[::2], marks[1::2], strict=True)
    return tuple(number for pair in pairs if pair[0] in measures for number in pair)


def without(marks: Marks, measures: set[int]) -> Marks:
    """The marks of all other measures."""
    pairs = zip(marks[::2], marks[1::2], strict=True)
    return tuple(number for pair in pairs if pair[0] not in measures for number in pair)
