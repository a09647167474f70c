"""Why a unit is behind: what came in from it, and what did not."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import asyncpg

from services.registry.journal.store import Fact, standing

QUIET = timedelta(days=28)
"""Without an event for so long, a unit counts as silent."""

_ARRIVED = """
SELECT v.place, a.type, sum(a.n)::bigint AS n, sum(a.late)::bigint AS late,
       max(a.occurred) AS last, max(a.last_recorded) AS recorded
FROM unnest($1::text[], $2::text[]) AS v (place, unit_id)
JOIN arrival a ON a.unit_id = v.unit_id
WHERE a.type = ANY($3) AND a.occurred BETWEEN $4 AND $5
GROUP BY v.place, a.type
"""


@dataclass
class Come:
    """What came in of one type from one place."""

    n: int
    late: int
    last: date
    recorded: date


Places = dict[str, list[str]]
"""A unit to show -> itself and all units below it, former ones included."""


@dataclass(frozen=True)
class Known:
    """All that is known of what places reported."""

    come: dict[tuple[str, str], Come]
    nil: dict[str, list[Fact]]

    def reason(
        self, place: str, types: list[str], flags: list[str], as_of: date
    ) -> tuple[str, dict[str, Any]]:
        """The reason and the facts behind it: parked, nil_reported, no_events, late_data or slow.

        Silent since four weeks is `no_events`, unless the unit itself has said that nothing
        happened: a nil report is not silence.
        """
        come = [c for name in types if (c := self.come.get((place, name))) is not None]
        n, late = sum(c.n for c in come), sum(c.late for c in come)
        last = max((c.last for c in come), default=None)
        nil = [f for f in self.nil.get(place, []) if f.data["event_type"] in types]
        said = max((date.fromisoformat(f.data["to"]) for f in nil), default=None)
        facts = {
            "reported": n,
            "late": late,
            "last_event": last,
            "last_recorded": max((c.recorded for c in come), default=None),
            "nil_until": said,
        }
        silent = last is None or last < as_of - QUIET
        if "parked" in flags:
            return "parked", facts
        if silent and said is not None and said >= as_of - QUIET:
            return "nil_reported", facts
        if silent:
            return "no_events", facts
        return ("late_data" if 2 * late >= n else "slow"), facts


async def known(
    pool: asyncpg.Pool, places: Places, types: list[str], start: date, as_of: date
) -> Known:
    """What came in from places since a day."""
    pairs = [(place, unit_id) for place, below in places.items() for unit_id in below]
    rows = await pool.fetch(
        _ARRIVED, [p for p, _ in pairs], [u for _, u in pairs], types, start, as_of
    )
    come = {
        (r["place"], r["type"]): Come(r["n"], r["late"], r["last"], r["recorded"]) for r in rows
    }
    of = defaultdict(list)
    for place, unit_id in pairs:
        of[unit_id].append(place)
    nil: dict[str, list[Fact]] = defaultdict(list)
    facts = await standing(pool, ["nil.reported"], sorted(of), since=start, until=as_of)
    for fact in facts:
        for place in of[fact.unit_id]:
            nil[place].append(fact)
    return Known(come, dict(nil))


def types_of(objective: dict[str, Any]) -> list[str]:
    """The event types that an objective counts."""
    measure = objective.get("measure") or {}
    found = [name for part in measure.get("of", []) for name in part["types"]]
    if measure.get("count") == "reported":
        found.append("figure.reported")
    return sorted(set(found))
