"""What activities measures by looking: the log's end, the relay, what was refused."""

import asyncpg

from services.activities.relay import LEADER_LOCK
from shared import instruments as measured

_STATE = """
SELECT c.position AS log, r.position AS relayed,
       (SELECT extract(epoch FROM now() - l.recorded_at)
        FROM log l WHERE l.position = r.position + 1) AS delay,
       (SELECT count(*) FROM pg_locks
        WHERE locktype = 'advisory' AND granted
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND classid = ($1::bigint >> 32)::oid AND objid = ($1::bigint & 4294967295)::oid
          AND objsubid = 1) AS leaders,
       c.recorded - (now() AT TIME ZONE 'Asia/Ho_Chi_Minh')::date AS ahead,
       (SELECT extract(epoch FROM now() - min(xact_start)) FROM pg_stat_activity
        WHERE datname = current_database() AND backend_type = 'client backend'
          AND (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL)) AS oldest,
       (SELECT max(n_dead_tup) FROM pg_stat_all_tables
        WHERE schemaname IN ('activities', 'metrics', 'registry') AND n_dead_tup > n_live_tup) AS dead
FROM counter c, relay r WHERE c.one AND r.one
"""


class Watch:
    """Looks into the log's database; any replica may, all say the same."""

    def __init__(self, pool: asyncpg.Pool, quarantine_rows: int) -> None:
        self._pool = pool
        self._quarantine_rows = quarantine_rows

    async def look(self) -> None:
        """Measure once. Raises what the database raises."""
        row = await self._pool.fetchrow(_STATE, LEADER_LOCK)
        if row is None:
            raise RuntimeError("the counter row is missing: run `hocvuso migrate`")
        measured.LOG_POSITION.set(row["log"])
        measured.RELAY_POSITION.set(row["relayed"])
        measured.RELAY_LAG.set(max(row["log"] - row["relayed"], 0))
        measured.RELAY_DELAY.set(max(float(row["delay"] or 0), 0.0))
        measured.RELAY_LEADERS.set(row["leaders"])
        measured.RECORDED_AHEAD.set(max(row["ahead"] or 0, 0))
        measured.OLDEST_TRANSACTION.set(max(float(row["oldest"] or 0), 0.0))
        measured.DEAD_ROWS.set(row["dead"] or 0)
        for used in await self._pool.fetch("SELECT partner, rows FROM quarantine_use"):
            measured.QUARANTINE.set(used["rows"], used["partner"])
            measured.QUARANTINE_FILL.set(used["rows"] / self._quarantine_rows, used["partner"])
