"""The events that prove tasks: how much of what happened where and when, as known on a day.

Types that name nobody come from the journal, with what a filter may name. Types that name people
are counted only; of those `known_at` knows the day of the first event of a type, source, unit and
day, not of each.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import asyncpg

from services.registry.journal.types import reduced
from services.registry.tasks.territory import Area
from shared.contracts.definitions import Catalogue
from shared.domain.closing import Proof

_KEPT = """
SELECT type, unit_id, occurred, content -> 'data' AS data, count(*) AS n FROM (
  SELECT DISTINCT ON (origin) type, unit_id, occurred, content
  FROM journal
  WHERE type = ANY($1) AND ($3::date IS NULL OR recorded <= $3)
  ORDER BY origin, revision DESC, content IS NULL
) newest
WHERE content IS NOT NULL AND unit_id = ANY($2) AND occurred <= $4
GROUP BY 1, 2, 3, 4
"""
_COUNTED = """
SELECT type, unit_id, occurred, sum(n)::bigint AS n FROM (
  SELECT type, unit_id, occurred, n FROM arrival
  WHERE type = ANY($1) AND unit_id = ANY($2) AND ($3::date IS NULL OR first_recorded <= $3)
  UNION ALL
  SELECT type, first_unit, first_occurred, -1 FROM restated
  WHERE type = ANY($1) AND first_unit = ANY($2)
  UNION ALL
  SELECT type, unit_id, occurred, 1 FROM restated
  WHERE type = ANY($1) AND unit_id = ANY($2)
) said
WHERE occurred <= $4
GROUP BY 1, 2, 3 HAVING sum(n) > 0
"""


@dataclass(frozen=True)
class Evidence:
    """`n` events of a type for a unit and a day that say the same in `data`."""

    unit_id: str
    occurred: date
    data: Mapping[str, Any]
    n: int


@dataclass(frozen=True)
class Amounts:
    """What came in for one proof: days with amounts, oldest first. `lead`: of what bodies did
    themselves, by unit_id or organisation id (None: at the plan's own unit, nobody named). `area`:
    of all that happened in their area, by unit_id (None: the plan's)."""

    lead: Mapping[str | None, list[tuple[date, int]]]
    area: Mapping[str | None, list[tuple[date, int]]]


async def load(
    pool: asyncpg.Pool, types: set[str], units: list[str], on: date, known_at: date | None
) -> dict[str, list[Evidence]]:
    """All standing events of some types in some units until a day, by type."""
    single = types & reduced().keys()
    found: dict[str, list[Evidence]] = {}
    for row in await pool.fetch(_KEPT, sorted(types), units, known_at, on):
        one = Evidence(row["unit_id"], row["occurred"], row["data"], row["n"])
        found.setdefault(row["type"], []).append(one)
    counted = sorted(types - single - found.keys())
    for row in await pool.fetch(_COUNTED, counted, units, known_at, on):
        one = Evidence(row["unit_id"], row["occurred"], {}, row["n"])
        found.setdefault(row["type"], []).append(one)
    return found


def amounts(
    proof: Proof,
    types: tuple[str, ...],
    evidence: Mapping[str, list[Evidence]],
    area: Area,
    organisations: Mapping[str, str],
    catalogue: Catalogue,
) -> Amounts:
    """What counts for a proof, by body and day. `types`: those of the proof, or those it is
    compared with. `organisations`: ids of the plan's organisations, by id and by name."""
    matches = proof.compiled(catalogue) if types == proof.types and proof.filter else None
    lead: dict[str | None, dict[date, int]] = {}
    wide: dict[str | None, dict[date, int]] = {}
    for name in types:
        for one in evidence.get(name, ()):
            if matches is not None and not matches.matches(one.data, name):
                continue
            amount = one.n
            if proof.sum is not None:
                amount *= int(one.data.get(proof.sum) or 0)
            for body in area.bodies_of(one.unit_id):
                days = wide.setdefault(body, {})
                days[one.occurred] = days.get(one.occurred, 0) + amount
            if area.is_top(one.unit_id):
                named = one.data.get("reporter") or area.own_code(one.unit_id)
                whose = organisations.get(named) if named else None
                if whose and not area.may_speak(one.unit_id, whose, organisations):
                    continue
                days = lead.setdefault(whose, {})
                days[one.occurred] = days.get(one.occurred, 0) + amount
    # A commune's own are those of its hamlets too: it answers for its area.
    lead |= {body: days for body, days in wide.items() if body is not None}
    return Amounts(_ordered(lead), _ordered(wide))


def _ordered(
    found: Mapping[str | None, dict[date, int]],
) -> dict[str | None, list[tuple[date, int]]]:
    return {body: sorted(days.items()) for body, days in found.items()}


def reached(days: list[tuple[date, int]], need: int, start: date) -> tuple[int, date | None]:
    """How much came from `start` on, and the day on which it was enough."""
    total, since = 0, None
    for day, amount in days:
        if day < start:
            continue
        total += amount
        if since is None and total >= need:
            since = day
    return total, since
