"""Who reported what in each of the last weeks: on time, late, a confirmed nil, or silence."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta

import asyncpg

from services.registry.journal.store import standing

WEEKS = 8
STATES = ("on_time", "late", "nil", "silent")
"""`late`: at least half of what came in was recorded more than a week after it happened."""

_BY_WEEK = """
SELECT v.place, a.type, date_trunc('week', a.occurred)::date AS monday,
       sum(a.n)::bigint AS n, sum(a.late)::bigint AS late
FROM unnest($1::text[], $2::text[]) AS v (place, unit_id)
JOIN arrival a ON a.unit_id = v.unit_id
WHERE a.type = ANY($3) AND a.occurred BETWEEN $4 AND $5
GROUP BY v.place, a.type, monday
"""

States = dict[tuple[str, str, date], str]


@dataclass(frozen=True)
class ByWeek:
    """`mondays`: the weeks, oldest first; what is not in `states` is silent."""

    mondays: list[date]
    states: States

    def state(self, place: str, type: str, monday: date) -> str:
        """One of STATES."""
        return self.states.get((place, type, monday), "silent")

    def counts(self, place: str, types: list[str], monday: date) -> dict[str, int]:
        """How many types are in which state."""
        found = dict.fromkeys(STATES, 0)
        for type in types:
            found[self.state(place, type, monday)] += 1
        return found

    def silent(self, place: str, types: list[str]) -> list[str]:
        """The types of which nothing came in the last week."""
        return [type for type in types if self.state(place, type, self.mondays[-1]) == "silent"]


async def by_week(
    pool: asyncpg.Pool, below: dict[str, list[str]], types: list[str], sunday: date
) -> ByWeek:
    """The weeks up to a Sunday, for places with all units below each."""
    first = sunday - timedelta(days=7 * WEEKS - 1)
    mondays = [first + timedelta(weeks=n) for n in range(WEEKS)]
    pairs = [(place, unit) for place, units in below.items() for unit in units]
    rows = await pool.fetch(
        _BY_WEEK, [p for p, _ in pairs], [u for _, u in pairs], types, first, sunday
    )
    states: States = {}
    places = defaultdict(list)
    for place, unit in pairs:
        places[unit].append(place)
    for fact in await standing(pool, ["nil.reported"], sorted(places)):
        start, end = (date.fromisoformat(fact.data[name]) for name in ("from", "to"))
        for monday in mondays:
            if start <= monday + timedelta(days=6) and end >= monday:
                for place in places[fact.unit_id]:
                    states[place, fact.data["event_type"], monday] = "nil"
    for row in rows:
        late = 2 * row["late"] >= row["n"]
        states[row["place"], row["type"], row["monday"]] = "late" if late else "on_time"
    return ByWeek(mondays, states)
