"""Sums of tallies per unit, in one statement for any number of windows."""

from collections.abc import Iterable, Mapping
from datetime import date

from services.metrics.measures import Measure
from services.metrics.places import Sums
from services.metrics.windows import Window
from shared.db import Connection

Slot = tuple[int, Window]
"""Which measure (its number), in which window."""


async def load(
    connection: Connection,
    slots: Iterable[Slot],
    *,
    known_at: date | None = None,
    units: Mapping[int, list[str]] | None = None,
    tally: str = "tally",
) -> dict[Slot, dict[str, tuple[int, int]]]:
    """n and total per unit, of all units or of `units` (by measure) only, as known at a day."""
    wanted = list(slots)
    found: dict[Slot, dict[str, tuple[int, int]]] = {slot: {} for slot in wanted}
    if not wanted:
        return found
    pairs = [
        (index, unit_id)
        for index, (measure, _) in enumerate(wanted)
        for unit_id in (units or {}).get(measure, ())
    ]
    rows = await connection.fetch(
        f"""
        WITH slot AS (
          SELECT * FROM unnest($1::int[], $2::smallint[], $3::date[], $4::date[])
            AS s (number, measure, first, last)
        ), pair AS (SELECT * FROM unnest($6::int[], $7::text[]) AS p (number, unit_id))
        SELECT s.number, t.unit_id, sum(t.n)::bigint, sum(t.total)::bigint
        FROM slot s
        {"JOIN pair p ON p.number = s.number" if units is not None else ""}
        JOIN {tally} t ON t.measure = s.measure
          {"AND t.unit_id = p.unit_id" if units is not None else ""}
          AND t.occurred BETWEEN s.first AND s.last
          AND ($5::date IS NULL OR t.recorded <= $5)
        WHERE $6::int[] IS NOT NULL AND $7::text[] IS NOT NULL
        GROUP BY 1, 2
        """,
        list(range(len(wanted))),
        [measure for measure, _ in wanted],
        [window.start or date.min for _, window in wanted],
        [window.end for _, window in wanted],
        known_at,
        [number for number, _ in pairs],
        [unit_id for _, unit_id in pairs],
    )
    for number, unit_id, n, total in rows:
        found[wanted[number]][unit_id] = (n, total)
    return found


class Known:
    """Sums already loaded, by the measure's wording."""

    def __init__(self, numbers: Mapping[str, int], sums: Mapping[Slot, Sums]) -> None:
        self._numbers = numbers
        self._sums = sums

    def __call__(self, measure: Measure, window: Window) -> Sums:
        """The sums of a slot; nothing for a measure that does not exist yet."""
        number = self._numbers.get(measure.fingerprint())
        return self._sums.get((number, window), {}) if number is not None else {}
