"""Joining rows of tallies that have the same key, in the background.

Counting appends (`store.add_tallies`): a unit that gets one fact per batch gets one row per batch.
A pass replaces such rows by their sum, in one statement: whoever reads sees the rows or their sum.
It deletes what it read and adds up what it deleted, so rows that are appended meanwhile stay, and
two passes at a time cannot count a row twice. A rebuild appends differences: it need not wait.
"""

import time
from datetime import date, timedelta

import asyncpg

from shared.clock import Clock

PASS_SECONDS = 10.0
"""How often the rows of today are looked at; each such look reads what was recorded since
yesterday. Everything is looked at once when a worker starts to refresh, and once a day."""
ROWS_WORTH_JOINING = 4
"""Fewer rows of one key are left alone: each row is then written again less than once on average."""

_JOIN = """
WITH many AS (
  SELECT measure, unit_id, occurred, recorded FROM tally
  WHERE measure = $1 AND recorded >= $2
  GROUP BY 1, 2, 3, 4 HAVING count(*) >= $3
), gone AS (
  DELETE FROM tally t USING many m
  WHERE (t.measure, t.unit_id, t.occurred, t.recorded)
      = (m.measure, m.unit_id, m.occurred, m.recorded)
  RETURNING t.*
), joined AS (
  INSERT INTO tally (measure, unit_id, occurred, recorded, n, total)
  SELECT measure, unit_id, occurred, recorded, sum(n)::bigint, sum(total)::bigint
  FROM gone GROUP BY 1, 2, 3, 4 HAVING sum(n) <> 0 OR sum(total) <> 0
  ORDER BY 1, 2, 3, 4 RETURNING 1
)
SELECT (SELECT count(*) FROM gone) - (SELECT count(*) FROM joined)
"""


async def compact(
    pool: asyncpg.Pool, since: date = date.min, *, least: int = ROWS_WORTH_JOINING
) -> int:
    """Join the rows of keys that have at least `least`, of recorded days from `since` on, one
    measure after the other; how many rows there are fewer."""
    fewer = 0
    for row in await pool.fetch("SELECT id FROM measure ORDER BY id"):
        fewer += await pool.fetchval(_JOIN, row["id"], since, least)
    return fewer


class Compactor:
    """When to compact what. Started anew, it looks at everything first."""

    def __init__(self, pool: asyncpg.Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock
        self._whole: date | None = None
        self._next = 0.0
        self.touched = True
        """Whether anything was counted since the last pass began; the caller says so."""

    def due(self) -> bool:
        """Whether the last pass is long enough ago, and there is anything to join."""
        late = time.monotonic() >= self._next
        return late and (self.touched or self._whole != self._clock.today())

    async def run(self) -> int:
        """One pass; how many rows there are fewer."""
        today, self.touched = self._clock.today(), False
        since = date.min if self._whole != today else today - timedelta(days=1)
        try:
            fewer = await compact(self._pool, since)
        except BaseException:
            self.touched = True
            raise
        finally:
            self._next = time.monotonic() + PASS_SECONDS
        self._whole = today
        return fewer
