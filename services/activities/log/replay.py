"""Pages of the log with their completeness marker."""

import asyncpg
import msgspec

from services.activities.log.rows import WIRE_SQL, to_wire
from shared.contracts.record import LANES, Through
from shared.db import Connection


async def lane_lasts(connection: Connection, lanes: list[int], through: int) -> dict[int, int]:
    """The last position <= `through` of each lane (0 where there is none)."""
    rows = await connection.fetch(
        """
        SELECT u.lane, coalesce(
          (SELECT position FROM log WHERE lane = u.lane AND position <= $2
           ORDER BY position DESC LIMIT 1), 0) AS last
        FROM unnest($1::smallint[]) AS u (lane)
        """,
        lanes,
        through,
    )
    return {r["lane"]: r["last"] for r in rows}


SPAN = 100_000
"""How far one page looks when it looks for some types only: a rare type must not time out."""


async def replay(
    pool: asyncpg.Pool, after: int, lanes: list[int], limit: int, types: list[str] | None = None
) -> bytes:
    """At most `limit` rows after a position as NDJSON lines, then a `Through` line.

    `types`: only first rows of events of these short types, and every row that revises one.
    """
    async with pool.acquire() as connection:
        counter = await connection.fetchrow("SELECT epoch, position FROM counter WHERE one")
        if counter is None:
            raise RuntimeError("the counter row is missing: run `hocvuso migrate`")
        every = len(lanes) == LANES
        end: int = counter["position"] if types is None else min(counter["position"], after + SPAN)
        known = [lanes, types] if types is not None else [] if every else [lanes]
        rows = await connection.fetch(
            WIRE_SQL
            + "WHERE position > $1 AND position <= $2"
            + (" AND lane = ANY($4::smallint[])" if known else "")
            + (
                " AND (type = ANY($5::text[]) OR revision > 0 OR effective IS NOT NULL)"
                if types is not None
                else ""
            )
            + " ORDER BY position LIMIT $3",
            after,
            end,
            limit,
            *known,
        )
        through = rows[-1]["position"] if len(rows) == limit else max(end, after)
        marker = Through(
            epoch=counter["epoch"],
            through=through,
            last=await lane_lasts(connection, lanes, through),
        )
    lines = [to_wire(row, counter["epoch"]) for row in rows]
    return b"\n".join([*lines, msgspec.json.encode(marker)]) + b"\n"


async def rows_of(pool: asyncpg.Pool, positions: list[int], through: int) -> bytes:
    """The rows at these positions and, until `through`, all rows of their events; NDJSON lines."""
    async with pool.acquire() as connection:
        epoch = await connection.fetchval("SELECT epoch FROM counter WHERE one")
        rows = await connection.fetch(
            WIRE_SQL
            + """
            WHERE position = ANY ($1::bigint[])
            UNION ALL
            """
            + WIRE_SQL
            + """
            WHERE origin <> position AND position <= $2 AND position <> ALL ($1::bigint[])
              AND origin IN (SELECT origin FROM log WHERE position = ANY ($1::bigint[]))
            UNION ALL
            """
            + WIRE_SQL
            + """
            WHERE position <> ALL ($1::bigint[]) AND position <= $2
              AND position IN (SELECT origin FROM log WHERE position = ANY ($1::bigint[]))
            ORDER BY position
            """,
            positions,
            through,
        )
    return b"".join(to_wire(row, epoch) + b"\n" for row in rows)
