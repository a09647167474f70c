"""What metrics measures by looking: how far each group of lanes is counted, and what is stuck.

Lag is measured against the log itself, asked of activities, never against the bus: end offsets say
nothing (design, section 5). A delay is the time for which a row was seen in the log and not yet
counted, so it starts anew with this process.
"""

import time
from collections import deque
from collections.abc import Callable

import asyncpg
import httpx

from shared import instruments as measured
from shared.contracts.record import LANES, through_decoder
from shared.instruments import lane_group

_KEPT = 20_000
"""Looks that are remembered: a day and more at one in five seconds."""

_STATE = """
SELECT (SELECT count(*) FROM parked) AS parked,
       (SELECT count(*) FROM (SELECT DISTINCT lane, subject FROM parked) s) AS subjects,
       (SELECT count(*) FROM worker WHERE heartbeat > now() - interval '10 seconds') AS workers,
       (SELECT extract(epoch FROM now() - min(heartbeat)) FROM worker) AS heartbeat,
       (SELECT count(*) FROM measure WHERE state = 'building') AS building,
       (SELECT min(through) FROM progress) AS watermark,
       (SELECT position FROM shown WHERE one) AS shown
"""


class Delays:
    """Since when each lane's end has been waiting to be counted. Pure; times are seconds.

    Under a steady load there is always something that waits, but never the same for long.
    """

    def __init__(self) -> None:
        self._seen: deque[tuple[float, dict[int, int]]] = deque(maxlen=_KEPT)

    def look(self, now: float, ends: dict[int, int], counted: dict[int, int]) -> dict[int, float]:
        """For each lane: since how long a row is in the log (`ends`) and not `counted`."""
        if self._seen and any(ends.get(n, 0) < end for n, end in self._seen[-1][1].items()):
            self._seen.clear()  # another log, or another count of it
        self._seen.append((now, ends))
        while len(self._seen) > 1 and not any(
            end > counted.get(lane, 0) for lane, end in self._seen[0][1].items()
        ):
            self._seen.popleft()
        delays = dict.fromkeys(ends, 0.0)
        waiting = {lane for lane, end in ends.items() if end > counted.get(lane, 0)}
        for at, then in self._seen:
            if not waiting:
                break
            for lane in [n for n in waiting if then.get(n, 0) > counted.get(n, 0)]:
                delays[lane] = now - at
                waiting.discard(lane)
        return delays


class Watch:
    """Looks into the database of metrics and at the end of the log."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        activities: httpx.AsyncClient,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pool = pool
        self._activities = activities
        self._clock = clock
        self._delays = Delays()
        self._unshown = Delays()

    async def look(self) -> None:
        """Measure what the own database knows. Raises what it raises."""
        row = await self._pool.fetchrow(_STATE)
        assert row is not None  # noqa: S101 - a SELECT without FROM
        measured.PARKED_ROWS.set(row["parked"])
        measured.PARKED_SUBJECTS.set(row["subjects"])
        measured.WORKERS.set(row["workers"])
        if row["heartbeat"] is not None:
            measured.HEARTBEAT_AGE.set(max(float(row["heartbeat"]), 0.0))
        measured.MEASURES_BUILDING.set(row["building"])
        shown, watermark = row["shown"] or 0, row["watermark"] or 0
        measured.REFRESH_POSITION.set(shown)
        # The tables are as one lane, whose rows wait to be shown.
        unshown = self._unshown.look(self._clock(), {0: watermark}, {0: shown})
        measured.REFRESH_AGE.set(unshown[0])

    async def look_at_log(self) -> None:
        """Measure how far the lanes are behind the log. Raises httpx.HTTPError, database errors."""
        rows = await self._pool.fetch("SELECT lane, last, through FROM progress")
        # After the progress: what is counted meanwhile must not look like a lag below zero.
        answer = await self._activities.get("/v1/log", params={"after": 2**62, "limit": 1})
        answer.raise_for_status()
        ends = through_decoder.decode(answer.content.splitlines()[-1]).last
        last = {row["lane"]: row["last"] for row in rows}
        delays = self._delays.look(self._clock(), ends, last)
        end = max(ends.values(), default=0)
        groups: dict[str, list[int]] = {}
        for lane in range(LANES):
            groups.setdefault(lane_group(lane), []).append(lane)
        through = {row["lane"]: row["through"] for row in rows}
        for group, lanes in groups.items():
            behind = [n for n in lanes if ends.get(n, 0) > last.get(n, 0)]
            reached = min(through.get(n, 0) for n in lanes)
            measured.PROJECTION_POSITION.set(reached, group)
            first = min((last.get(n, 0) for n in behind), default=end)
            measured.PROJECTION_LAG.set(end - first, group)
            measured.PROJECTION_DELAY.set(max(delays.get(n, 0.0) for n in lanes), group)
