"""Sums of tallies per unit, in one statement for any number of windows."""

from collections.abc import Iterable, Mapping
from datetime import date

from services.metrics.counting.windows import Window
from services.metrics.evaluating.joined import Joined
from services.metrics.projecting import spans
from shared.db import Connection
from shared.domain.measures import Measure
from shared.domain.places import Sums

Slot = tuple[int, Window]
"""Which measure (its number), in which window."""

# What to read is known when it is asked for: a plan for any values would read too much. And the rows
# of the last days, which statistics do not know yet, are joined by hashing, not each with every part.
_PLANNED = """
SELECT set_config('plan_cache_mode', 'force_custom_plan', true),
       set_config('enable_nestloop', $1, true)
"""

_SUM = """
WITH part AS (
  SELECT * FROM unnest($1::int[], $2::smallint[], $3::smallint[], $4::bool[], $5::date[],
                       $6::date[], $7::date[], $8::date[])
    AS p (number, measure, level, by_recorded, since, before, known_since, known_before)
), found AS (
  SELECT p.number, t.unit_id, t.n, t.total
  FROM part p, LATERAL (
    SELECT unit_id, sum(n) AS n, sum(total) AS total FROM tally_span s
    WHERE s.measure = p.measure AND s.level = p.level
      AND s.occurred >= p.since AND s.occurred < p.before AND s.recorded < p.known_before {units}
    GROUP BY unit_id
  ) t
  WHERE p.level > 0 AND NOT p.by_recorded
  UNION ALL
  SELECT p.number, t.unit_id, t.n, t.total
  FROM part p, LATERAL (
    SELECT unit_id, sum(n) AS n, sum(total) AS total FROM tally_span s
    WHERE s.measure = p.measure AND s.level = p.level
      AND s.recorded >= p.known_since AND s.recorded < p.known_before
      AND s.occurred >= p.since AND s.occurred < p.before {units}
    GROUP BY unit_id
  ) t
  WHERE p.level > 0 AND p.by_recorded
  UNION ALL
  SELECT p.number, t.unit_id, t.n, t.total
  FROM part p, LATERAL (
    SELECT unit_id, sum(n) AS n, sum(total) AS total FROM tally s
    WHERE s.measure = p.measure AND s.occurred >= p.since AND s.occurred < p.before
      AND s.recorded < p.known_before {units}
    GROUP BY unit_id
  ) t
  WHERE p.level = 0 AND NOT p.by_recorded
  UNION ALL
  SELECT p.number, t.unit_id, t.n, t.total
  FROM part p JOIN (
    SELECT measure, unit_id, occurred, recorded, n, total FROM tally s
    WHERE s.recorded >= $9 AND s.recorded < $10 AND s.measure = ANY($11::smallint[]) {units}
  ) t ON t.measure = p.measure AND t.recorded >= p.known_since AND t.recorded < p.known_before
    AND t.occurred >= p.since AND t.occurred < p.before
  WHERE p.level = 0 AND p.by_recorded
)
SELECT number, unit_id, sum(n)::bigint, sum(total)::bigint FROM found GROUP BY 1, 2
"""


async def load(
    connection: Connection,
    slots: Iterable[Slot],
    *,
    known_at: date | None = None,
    units: Mapping[int, list[str]] | None = None,
) -> dict[Slot, dict[str, tuple[int, int]]]:
    """n and total per unit, as known at a day, of all units or at least of `units` (by measure).

    Needs one snapshot (repeatable read) for all its statements.
    """
    wanted = list(slots)
    found: dict[Slot, dict[str, tuple[int, int]]] = {slot: {} for slot in wanted}
    if not wanted:
        return found
    summed = await spans.states(connection)
    parts = [
        (number, slot[0], part)
        for number, slot in enumerate(wanted)
        for part in spans.cover(slot[1], known_at, summed.get(slot[0]))
    ]
    late = [(measure, part) for _, measure, part in parts if part.level == 0 and part.by_recorded]
    arguments = [
        [number for number, _, _ in parts],
        [measure for _, measure, _ in parts],
        [part.level for _, _, part in parts],
        [part.by_recorded for _, _, part in parts],
        [part.occurred[0] for _, _, part in parts],
        [part.occurred[1] for _, _, part in parts],
        [part.recorded[0] for _, _, part in parts],
        [part.recorded[1] for _, _, part in parts],
        min((part.recorded[0] for _, part in late), default=date.max),
        max((part.recorded[1] for _, part in late), default=date.min),
        sorted({measure for measure, _ in late}),
    ]
    await connection.execute(_PLANNED, "off")
    if units is None:
        rows = await connection.fetch(_SUM.format(units=""), *arguments)
    else:
        some = sorted({unit_id for names in units.values() for unit_id in names})
        chosen = "AND s.unit_id = ANY($12::text[])"
        rows = await connection.fetch(_SUM.format(units=chosen), *arguments, some)
    await connection.execute(_PLANNED, "on")
    for number, unit_id, n, total in rows:
        found[wanted[number]][unit_id] = (n, total)
    return found


NOTHING_JOINED: Mapping[str, Joined] = {}


class Known:
    """Sums already loaded, by the measure's wording. `joined`: what the tree joins, by the unit of
    the plan, if they do not say so already."""

    def __init__(
        self,
        numbers: Mapping[str, int],
        sums: Mapping[Slot, Sums],
        joined: Mapping[str, Joined] = NOTHING_JOINED,
    ) -> None:
        self._numbers = numbers
        self._sums = sums
        self._joined = joined

    def __call__(self, measure: Measure, window: Window, root: str) -> Sums:
        """The sums of a slot; nothing for a measure that does not exist yet."""
        number = self._numbers.get(measure.fingerprint())
        if number is None:
            return {}
        found = self._sums.get((number, window), {})
        joined = self._joined.get(root)
        return found if joined is None else joined.add_to(found, number, window)
