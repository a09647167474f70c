"""Tells a reported zero from a confirmed nil and from silence, for the cells of a table.

A cell that counts 0 says one of three things: events came and none counts, or a report said 0 (no
flag); the unit confirmed that nothing happened (`nil_reported`); or nobody has reported anything
(`nothing_reported`).
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import asyncpg

from services.registry.journal.store import standing
from services.registry.progress.reasons import types_of
from shared.domain.tree import UnitTree

NOTHING, NIL = "nothing_reported", "nil_reported"

_EVER = "SELECT type, unit_id FROM reported WHERE unit_id = ANY($1) AND type = ANY($2)"
# Of each pair that was ever reported, one event is looked for, not all of them read.
_UNTIL = """
SELECT r.type, r.unit_id FROM reported r, LATERAL (
  SELECT FROM arrival a
  WHERE a.type = r.type AND a.unit_id = r.unit_id AND a.occurred <= $3
    AND ($4::date IS NULL OR a.first_recorded <= $4)
  LIMIT 1
) said
WHERE r.unit_id = ANY($1) AND r.type = ANY($2)
"""
_STAMP = """
SELECT greatest((SELECT max(last_position) FROM reported), (SELECT max(position) FROM journal), 0)
"""


async def stamp(pool: asyncpg.Pool) -> int:
    """Changes whenever an answer of `silence` may have changed."""
    return int(await pool.fetchval(_STAMP))


@dataclass(frozen=True)
class Silence:
    """Which units have reported which types, or confirmed that there was nothing to report."""

    reported: dict[str, set[str]] = field(default_factory=dict)
    nil: dict[str, set[str]] = field(default_factory=dict)

    def flag(self, unit_id: str, types: list[str]) -> str | None:
        """The flag of a cell that counts 0; None: the zero was reported."""
        if not types or any(unit_id in self.reported.get(name, ()) for name in types):
            return None
        return NIL if any(unit_id in self.nil.get(name, ()) for name in types) else NOTHING


async def silence(
    pool: asyncpg.Pool,
    tree: UnitTree,
    area: frozenset[str],
    objectives: list[dict[str, Any]],
    *,
    until: date | None,
    known_at: date | None,
) -> Silence:
    """What the units of `area` have reported until a day; None: ever."""
    types = sorted({name for objective in objectives for name in types_of(objective)})
    units = sorted(area)
    if until is None:
        rows = await pool.fetch(_EVER, units, types)
    else:
        rows = await pool.fetch(_UNTIL, units, types, until, known_at)
    above: dict[str, list[str]] = {}
    found = Silence(defaultdict(set), defaultdict(set))
    for row in rows:
        found.reported[row["type"]].update(_upwards(tree, row["unit_id"], above))
    for fact in await standing(pool, ["nil.reported"], units, known_at=known_at, until=until):
        found.nil[fact.data["event_type"]].update(_upwards(tree, fact.unit_id, above))
    return found


def _upwards(tree: UnitTree, unit_id: str, known: dict[str, list[str]]) -> list[str]:
    """A unit, all above it, and whoever took its territory wholly."""
    if unit_id not in known:
        unit = tree.unit(unit_id)
        heirs = [s.unit_id for s in unit.successors if s.part == "whole"] if unit else []
        known[unit_id] = [unit_id, *(a.unit_id for a in tree.ancestors(unit_id)), *heirs]
    return known[unit_id]
