"""Comparing shadow tables with the live ones, and putting them in their place.

All of it is set-based and runs while every lane is locked.
"""

from datetime import date

from services.metrics.contribute import Marks
from services.metrics.store import Combinations
from shared.db import Connection

_KEY = ("lane", "subject", "origin")
_EVIDENCE = (
    ("evidence", _KEY, ""),
    ("evidence_past", (*_KEY, "revision"), ", revision, replaced, replaced_by"),
)
"""Tables of evidence, what names a row, what a row says beyond the common columns."""

Difference = tuple[int, str, date, date, tuple[int, int], tuple[int, int]]


async def tally_differences(
    connection: Connection, measures: list[int], limit: int = 1000
) -> list[Difference]:
    """Tallies of these measures that are not the same in both, at most `limit`."""
    rows = await connection.fetch(
        """
        SELECT measure, unit_id, occurred, recorded,
               coalesce(a.n, 0) AS n, coalesce(a.total, 0) AS total,
               coalesce(b.n, 0) AS new_n, coalesce(b.total, 0) AS new_total
        FROM (SELECT * FROM tally WHERE measure = ANY($1::smallint[])) a
        FULL JOIN (SELECT * FROM tally_next WHERE measure = ANY($1::smallint[])) b
          USING (measure, unit_id, occurred, recorded)
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
    """Replace these measures' tallies and marks by those of the shadow tables."""
    await connection.execute("DELETE FROM tally WHERE measure = ANY($1::smallint[])", measures)
    await connection.execute("INSERT INTO tally SELECT * FROM tally_next")
    for table, key, _ in _EVIDENCE:
        await _strip(connection, combinations, set(measures), table)
        await _add(connection, combinations, table, key)


async def _add(
    connection: Connection, combinations: Combinations, table: str, key: tuple[str, ...]
) -> None:
    """Add the shadow table's marks to the rows that are there, and the rows that are not."""
    same = " AND ".join(f"n.{column} = e.{column}" for column in key)
    pairs = await connection.fetch(
        f"""
        SELECT DISTINCT e.combination AS old, n.combination AS new
        FROM {table} e JOIN {table}_next n ON {same}
        """
    )
    await combinations.reload(connection)
    joined = {
        (r["old"], r["new"]): _join(combinations.marks[r["old"]], combinations.marks[r["new"]])
        for r in pairs
    }
    await combinations.know(connection, set(joined.values()))
    await connection.execute(
        f"""
        UPDATE {table} e
        SET combination = m.joined,
            detail = nullif(coalesce(e.detail, '{{}}') || coalesce(n.detail, '{{}}'), '{{}}')
        FROM {table}_next n,
             unnest($1::int[], $2::int[], $3::int[]) AS m (old, new, joined)
        WHERE {same} AND m.old = e.combination AND m.new = n.combination
        """,
        [old for old, _ in joined],
        [new for _, new in joined],
        [combinations.number[marks] for marks in joined.values()],
    )
    await connection.execute(
        f"INSERT INTO {table} SELECT * FROM {table}_next ON CONFLICT DO NOTHING"
    )


async def _strip(
    connection: Connection, combinations: Combinations, measures: set[int], table: str
) -> None:
    """Take these measures out of all evidence; rows that then serve none go."""
    await combinations.reload(connection)
    stripped = {
        number: _without(marks, measures)
        for number, marks in combinations.marks.items()
        if not measures.isdisjoint(marks[::2])
    }
    empty = [number for number, marks in stripped.items() if not marks]
    await connection.execute(f"DELETE FROM {table} WHERE combination = ANY($1::int[])", empty)
    rest = {number: marks for number, marks in stripped.items() if marks}
    await combinations.know(connection, set(rest.values()))
    await connection.execute(
        f"""
        UPDATE {table} e SET combination = m.new
        FROM unnest($1::int[], $2::int[]) AS m (old, new) WHERE e.combination = m.old
        """,
        list(rest),
        [combinations.number[marks] for marks in rest.values()],
    )


def _join(old: Marks, new: Marks) -> Marks:
    pairs = dict(zip(old[::2], old[1::2], strict=True)) | dict(
        zip(new[::2], new[1::2], strict=True)
    )
    return tuple(number for pair in sorted(pairs.items()) for number in pair)


def _without(marks: Marks, measures: set[int]) -> Marks:
    pairs = zip(marks[::2], marks[1::2], strict=True)
    return tuple(number for pair in pairs if pair[0] not in measures for number in pair)
