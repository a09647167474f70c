"""Comparing shadow tables with the live ones, and putting them in their place.

All of it is set-based and runs while every lane is locked.
"""

from datetime import date
from typing import NamedTuple

from services.metrics.contribute import Marks
from services.metrics.store import Combinations
from shared.db import Connection

_KEY = ("lane", "subject", "origin")
_EVIDENCE = (
    ("evidence", _KEY, ""),
    ("evidence_past", (*_KEY, "revision"), ", revision, replaced, replaced_by"),
)
"""Tables of evidence, what names a row, what a row says beyond the common columns."""

_SAID = ("position", "recorded", "since", "until", "revision", "unit_id")

Difference = tuple[int, str, date, date, tuple[int, int], tuple[int, int]]


def _sums(tally: str) -> str:
    """SQL: what the rows of each key add up to, for the measures $1."""
    return f"""
        SELECT measure, unit_id, occurred, recorded,
               sum(n)::bigint AS n, sum(total)::bigint AS total
        FROM {tally} WHERE measure = ANY($1::smallint[]) GROUP BY 1, 2, 3, 4"""


async def tally_differences(
    connection: Connection, measures: list[int], limit: int = 1000
) -> list[Difference]:
    """Tallies of these measures that are not the same in both, at most `limit`."""
    rows = await connection.fetch(
        f"""
        SELECT measure, unit_id, occurred, recorded,
               coalesce(a.n, 0) AS n, coalesce(a.total, 0) AS total,
               coalesce(b.n, 0) AS new_n, coalesce(b.total, 0) AS new_total
        FROM ({_sums("tally")}) a
        FULL JOIN ({_sums("tally_next")}) b USING (measure, unit_id, occurred, recorded)
        WHERE (coalesce(a.n, 0), coalesce(a.total, 0))
              <> (coalesce(b.n, 0), coalesce(b.total, 0))
        ORDER BY 1, 2, 3, 4 LIMIT $2
        """,
        measures,
        limit,
    )
    return [(r[0], r[1], r[2], r[3], (r[4], r[5]), (r[6], r[7])) for r in rows]


async def evidence_differences(connection: Connection) -> int:
    """How many rows of evidence, present or past, are not the same in both (for a rebuild of
    everything)."""
    found = 0
    for table, _, more in _EVIDENCE:
        columns = (
            "origin, position, recorded, since, until, combination, lane, subject, unit_id,"
            f" detail{more}"
        )
        found += await connection.fetchval(
            f"""
            SELECT (SELECT count(*) FROM (SELECT {columns} FROM {table}
                                          EXCEPT SELECT {columns} FROM {table}_next) a)
                 + (SELECT count(*) FROM (SELECT {columns} FROM {table}_next
                                          EXCEPT SELECT {columns} FROM {table}) b)
            """
        )
    return found


async def merge(connection: Connection, combinations: Combinations, measures: list[int]) -> None:
    """Give these measures the tallies and marks of the shadow tables. What is the same already is
    not written again: mostly a rebuild proves what is there."""
    # The statements of counting are kept on indexes; whole tables are joined by hashing.
    await connection.execute(
        "SET LOCAL enable_seqscan = on; SET LOCAL enable_hashjoin = on;"
        " SET LOCAL enable_mergejoin = on; ANALYZE evidence_next; ANALYZE tally_next"
    )
    # A compaction under way would bring back what is deleted here.
    await connection.execute("LOCK TABLE tally IN SHARE ROW EXCLUSIVE MODE")
    await connection.execute(
        f"""
        WITH wrong AS (
          SELECT measure, unit_id, occurred, recorded, b.n, b.total
          FROM ({_sums("tally")}) a
          FULL JOIN ({_sums("tally_next")}) b USING (measure, unit_id, occurred, recorded)
          WHERE (a.n, a.total) IS DISTINCT FROM (b.n, b.total)
        ), gone AS (
          DELETE FROM tally t USING wrong w
          WHERE (t.measure, t.unit_id, t.occurred, t.recorded)
              = (w.measure, w.unit_id, w.occurred, w.recorded)
        )
        INSERT INTO tally SELECT * FROM wrong WHERE n IS NOT NULL AND (n <> 0 OR total <> 0)
        """,
        measures,
    )
    for table, key, more in _EVIDENCE:
        said = [name for name in (*_SAID, *more.replace(",", " ").split()) if name not in key]
        await _marks(connection, combinations, set(measures), (table, key, said))


class _Pair(NamedTuple):
    """What to do with rows that have one combination and shall have another."""

    old: int
    new: int | None
    target: Marks
    alone: bool


async def _marks(
    connection: Connection,
    combinations: Combinations,
    measures: set[int],
    where: tuple[str, tuple[str, ...], list[str]],
) -> None:
    """Take these measures out of a table's evidence and add the shadow table's marks; rows that
    then serve no measure go, rows that are not there come."""
    table, key, said = where
    same = " AND ".join(f"n.{column} = e.{column}" for column in key)
    await combinations.reload(connection)
    rows = await connection.fetch(
        f"""
        SELECT DISTINCT e.combination AS old, n.combination AS new
        FROM {table} e LEFT JOIN {table}_next n ON {same}
        """
    )
    pairs = []
    for row in rows:
        rest = _without(combinations.marks[row["old"]], measures)
        new = combinations.marks[row["new"]] if row["new"] is not None else ()
        pairs.append(_Pair(row["old"], row["new"], _join(rest, new), not rest))
    await combinations.know(connection, {pair.target for pair in pairs if pair.target})
    number = combinations.number
    gone = [pair.old for pair in pairs if not pair.target]
    lost = [
        pair
        for pair in pairs
        if pair.new is None and pair.target and number[pair.target] != pair.old
    ]
    await connection.execute(
        f"""
        DELETE FROM {table} e WHERE combination = ANY($1::int[])
          AND NOT EXISTS (SELECT FROM {table}_next n WHERE {same})
        """,
        gone,
    )
    await connection.execute(
        f"""
        UPDATE {table} e SET combination = m.target
        FROM unnest($1::int[], $2::int[]) AS m (old, target)
        WHERE m.old = e.combination AND NOT EXISTS (SELECT FROM {table}_next n WHERE {same})
        """,
        [pair.old for pair in lost],
        [number[pair.target] for pair in lost],
    )
    met = [pair for pair in pairs if pair.new is not None]
    detail = """CASE WHEN m.alone THEN n.detail
        ELSE nullif(coalesce(e.detail, '{}') || coalesce(n.detail, '{}'), '{}') END"""
    await connection.execute(
        f"""
        UPDATE {table} e
        SET combination = m.target, detail = {detail},
            {", ".join(f"{name} = n.{name}" for name in said)}
        FROM {table}_next n,
             unnest($1::int[], $2::int[], $3::int[], $4::bool[]) AS m (old, new, target, alone)
        WHERE {same} AND m.old = e.combination AND m.new = n.combination
          AND (m.target <> m.old OR e.detail IS DISTINCT FROM {detail}
               OR ({", ".join(f"e.{name}" for name in said)})
                  IS DISTINCT FROM ({", ".join(f"n.{name}" for name in said)}))
        """,
        [pair.old for pair in met],
        [pair.new for pair in met],
        [number[pair.target] for pair in met],
        [pair.alone for pair in met],
    )
    await connection.execute(
        f"INSERT INTO {table} SELECT * FROM {table}_next ON CONFLICT DO NOTHING"
    )


def _join(old: Marks, new: Marks) -> Marks:
    pairs = dict(zip(old[::2], old[1::2], strict=True)) | dict(
        zip(new[::2], new[1::2], strict=True)
    )
    return tuple(number for pair in sorted(pairs.items()) for number in pair)


def _without(marks: Marks, measures: set[int]) -> Marks:
    pairs = zip(marks[::2], marks[1::2], strict=True)
    return tuple(number for pair in pairs if pair[0] not in measures for number in pair)
