"""Putting what differs into the live tables: differences only, never what is the same already."""

from services.metrics.counting.contribute import Marks
from services.metrics.projecting.store import Combinations
from services.metrics.rebuild.compare import CURRENT, PAST, change_table, without
from services.metrics.rebuild.reading import Reading
from shared.db import Connection

_KEYS = {
    CURRENT: ("lane", "subject", "origin"),
    PAST: ("lane", "subject", "origin", "revision"),
}
_SAID = ["position", "recorded", "since", "until", "revision", "unit_id"]


async def add_tallies(connection: Connection, measures: list[int]) -> None:
    """Bring tallies of these measures to what was found. Differences are appended: so what is
    counted live or joined since stays right, and nobody must wait."""
    await connection.execute(
        "INSERT INTO tally (measure, unit_id, occurred, recorded, n, total)"
        " SELECT * FROM tally_change_next WHERE measure = ANY($1::smallint[]) ORDER BY 1, 2, 3, 4",
        measures,
    )


async def add_late_tallies(connection: Connection, measures: list[int]) -> None:
    """Add what was counted since to measures that live counting does not know yet."""
    await connection.execute(
        """
        INSERT INTO tally (measure, unit_id, occurred, recorded, n, total)
        SELECT m.measure, u.unit_id, s.occurred, s.recorded, sum(s.n), sum(s.total)
        FROM sum_late_next s JOIN effect_next m USING (effect) JOIN unit_next u USING (unit)
        WHERE m.measure = ANY($1::smallint[])
        GROUP BY 1, 2, 3, 4 HAVING sum(s.n) <> 0 OR sum(s.total) <> 0 ORDER BY 1, 2, 3, 4
        """,
        measures,
    )


class EvidenceDifferences:
    """Writes differences of evidence. `reading`: knows what the numbers in them stand for."""

    def __init__(
        self, connection: Connection, known: Combinations, reading: Reading, measures: set[int]
    ) -> None:
        self._connection = connection
        self._known = known
        self._reading = reading
        self._measures = measures

    async def write(self, *, lane: int | None = None) -> None:
        """Write all that differs, or of one lane: then only what nobody has changed since."""
        for table in (CURRENT, PAST):
            await self._strip(table, lane)
            await self._put(table, lane)

    def _same(self, table: str, side: str) -> str:
        return " AND ".join(f"e.{column} = c.{side}{column}" for column in _KEYS[table])

    async def _strip(self, table: str, lane: int | None) -> None:
        """Take the measures out of rows that do not serve them; rows that serve none go."""
        changes, same = change_table(table), self._same(table, "was_")
        wanted = "c.was AND (NOT c.now OR (c.lane, c.subject, c.origin, c.revision) <>"
        wanted += " (c.was_lane, c.was_subject, c.was_origin, c.was_revision))"
        if lane is not None:
            wanted += f" AND c.was_lane = {lane} AND e.position = c.was_position"
        olds = await self._connection.fetch(
            f"SELECT DISTINCT e.combination FROM {changes} c JOIN {table} e ON {same} WHERE {wanted}"
        )
        if not olds:
            return
        await self._known.reload(self._connection)
        rests = {row[0]: without(self._known.marks[row[0]], self._measures) for row in olds}
        await self._known.know(self._connection, {rest for rest in rests.values() if rest})
        await self._connection.execute(
            f"DELETE FROM {table} e USING {changes} c"
            f" WHERE {same} AND {wanted} AND e.combination = ANY($1::int[])",
            [old for old, rest in rests.items() if not rest],
        )
        kept = {old: rest for old, rest in rests.items() if rest}
        await self._connection.execute(
            f"""
            UPDATE {table} e SET combination = m.target
            FROM {changes} c, unnest($1::int[], $2::int[]) AS m (old, target)
            WHERE {same} AND {wanted} AND m.old = e.combination AND m.target <> m.old
            """,
            list(kept),
            [self._known.number[rest] for rest in kept.values()],
        )

    async def _put(self, table: str, lane: int | None) -> None:
        """Add the measures to rows that are there, and write those that are not."""
        changes, same = change_table(table), self._same(table, "")
        wanted, here = "c.now", ""
        if lane is not None:
            wanted, here = f"c.now AND c.lane = {lane}", "AND e.position = c.position"
        rows = await self._connection.fetch(
            f"SELECT DISTINCT e.combination, c.combination FROM {changes} c"
            f" LEFT JOIN {table} e ON {same} WHERE {wanted}"
        )
        if not rows:
            return
        await self._known.reload(self._connection)
        names = list(self._reading.combinations)
        targets: dict[tuple[int | None, int], tuple[Marks, bool]] = {}
        for old, new in rows:
            rest = without(self._known.marks[old], self._measures) if old is not None else ()
            targets[old, new] = (_join(rest, names[new - 1]), not rest)
        alone = {(None, new): (names[new - 1], True) for _, new in rows}
        await self._known.know(self._connection, {marks for marks, _ in (targets | alone).values()})
        met = [(old, new) for old, new in targets if old is not None]
        columns = [*_SAID, "replaced", "replaced_by"] if table == PAST else _SAID
        said = [name for name in columns if name not in _KEYS[table]]
        await self._connection.execute(
            f"""
            UPDATE {table} e
            SET combination = m.target, {", ".join(f"{name} = c.{name}" for name in said)},
                detail = CASE WHEN m.alone THEN c.detail ELSE
                  nullif(coalesce(e.detail, '{{}}') || coalesce(c.detail, '{{}}'), '{{}}') END
            FROM {changes} c,
                 unnest($1::int[], $2::int[], $3::int[], $4::bool[]) AS m (old, new, target, alone)
            WHERE {same} AND {wanted} {here} AND m.old = e.combination AND m.new = c.combination
            """,
            [old for old, _ in met],
            [new for _, new in met],
            [self._known.number[targets[pair][0]] for pair in met],
            [targets[pair][1] for pair in met],
        )
        written = (*_KEYS[table], *said)
        await self._connection.execute(
            f"""
            INSERT INTO {table} ({", ".join(written)}, combination, detail)
            SELECT {", ".join(f"c.{name}" for name in written)}, m.target, c.detail
            FROM {changes} c JOIN unnest($1::int[], $2::int[]) AS m (new, target)
              ON m.new = c.combination
            WHERE {wanted} ORDER BY c.lane, c.subject, c.origin ON CONFLICT DO NOTHING
            """,
            [new for _, new in alone],
            [self._known.number[marks] for marks, _ in alone.values()],
        )


def _join(old: Marks, new: Marks) -> Marks:
    pairs = dict(zip(old[::2], old[1::2], strict=True)) | dict(
        zip(new[::2], new[1::2], strict=True)
    )
    return tuple(number for pair in sorted(pairs.items()) for number in pair)
