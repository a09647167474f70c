"""What wears the log's database unseen: a clock that ran ahead, old transactions, dead rows."""

import asyncpg

from deploy.doctor.model import Finding, ok, skip, warn
from shared.instruments import DEAD_ROWS_LIMIT, OLD_TRANSACTION_SECONDS

_AHEAD = """
SELECT recorded - (now() AT TIME ZONE 'Asia/Ho_Chi_Minh')::date AS days, recorded FROM counter
WHERE one
"""
_OLDEST = """
SELECT extract(epoch FROM now() - min(xact_start))::float AS seconds,
  (array_agg(coalesce(nullif(application_name, ''), 'unnamed') || ', pid ' || pid ORDER BY xact_start))[1]
    AS who
FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
  AND (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL)
"""
_DEAD = """
SELECT schemaname || '.' || relname AS name, n_dead_tup AS rows FROM pg_stat_all_tables
WHERE schemaname IN ('activities', 'metrics', 'registry') AND n_dead_tup > n_live_tup
ORDER BY n_dead_tup DESC LIMIT 1
"""


async def check_wear(connection: asyncpg.Connection) -> list[Finding]:
    """In the database of activities."""
    return [
        await _recorded(connection),
        await _transactions(connection),
        await _dead(connection),
    ]


async def _recorded(connection: asyncpg.Connection) -> Finding:
    row = await connection.fetchrow(_AHEAD)
    if row is None or row["days"] is None or row["days"] <= 0:
        return ok("recorded day", "not ahead of today")
    return warn(
        "recorded day",
        f"events are recorded under {row['recorded']}, {row['days']} days ahead of today: the clock"
        " was ahead once, and a recorded day is never smaller than the one before",
        "keep the clock right (NTP); until that day comes, what is recorded belongs to it: questions of"
        " an earlier known_at and reconciliations of today do not find it (docs/runbooks.md, ClockAhead)",
    )


async def _transactions(connection: asyncpg.Connection) -> Finding:
    part = "old transactions"
    sees = await connection.fetchval("SELECT pg_has_role('pg_read_all_stats', 'USAGE')")
    row = await connection.fetchrow(_OLDEST)
    if row is not None and (row["seconds"] or 0) > OLD_TRANSACTION_SECONDS:
        return warn(
            part, f"one is open for {row['seconds'] / 3600:.1f} hours ({row['who']})",
            "end it, or the session that forgot it: SELECT pg_terminate_backend(PID); meanwhile no"
            " row that was changed since can be cleared away",
        )  # fmt: skip
    if not sees:
        return skip(
            part, "this role sees its own only: GRANT pg_read_all_stats TO hocvuso_activities"
        )
    return ok(part, f"none is older than {OLD_TRANSACTION_SECONDS // 3600:.0f} hour")


async def _dead(connection: asyncpg.Connection) -> Finding:
    row = await connection.fetchrow(_DEAD)
    if row is None or row["rows"] <= DEAD_ROWS_LIMIT:
        return ok("dead rows", "they are cleared away as they should")
    return warn(
        "dead rows", f"{row['name']} holds {row['rows']:,} rows that nobody sees any more",
        f"end old transactions, then VACUUM {row['name']}; if it stays large, VACUUM FULL at a quiet"
        " hour (it locks the table meanwhile)",
    )  # fmt: skip
