"""Whether what a request names is there: an unknown unit is refused, an unknown source or partner
gets a warning beside the answer, since both come into being with their first event or key."""

from difflib import get_close_matches

import asyncpg
from fastapi import Request

from services.activities.log.units import UnitCache
from shared.clock import Clock
from shared.domain.tree import UnitTree
from shared.domain.units import UnknownUnit
from shared.problems import Problem

NEAR = 3
CLOSENESS = 0.6

_PARTNERS = """
SELECT name FROM key UNION SELECT partner FROM intake UNION SELECT partner FROM book
"""


async def current_tree(request: Request) -> UnitTree:
    """The units as of now; a tree of its own, since the append's is exact only under its lock."""
    units: UnitCache = request.app.state.units
    async with request.app.state.pool.acquire() as connection:
        return (await units.up_to(connection, 2**62)).tree


async def check_subtree(request: Request, unit_id: str | None) -> None:
    """Raise Problem (422) unless the log knows the unit that a key is to be bound to.

    An instance without any unit cannot tell: there every one passes.
    """
    if unit_id is None:
        return
    tree = await current_tree(request)
    if tree.unit(unit_id) is None and len(tree):
        raise Problem(
            "unit-unknown",
            "No unit has this unit_id: a key that is bound to it could post nothing.",
            pointer="/subtree",
            hint="Write code@era of a unit that exists, like 66@2025; GET /v1/units of registry"
            " finds it by name.",
        )


async def check_code(request: Request, code: str, era: str | None, pointer: str) -> None:
    """Raise Problem (422) unless a code (or code@era) names a unit of today."""
    tree, clock = await current_tree(request), request.app.state.clock
    if not len(tree):
        return
    try:
        _resolve(tree, code, clock, era)
    except UnknownUnit as unknown:
        raise Problem(
            unknown.code, "No unit of today has this code.", pointer=pointer, hint=unknown.hint
        ) from None


def _resolve(tree: UnitTree, code: str, clock: Clock, era: str | None) -> None:
    tree.resolve(code, clock.today(), era)


async def source_warnings(pool: asyncpg.Pool, source: str | None, partner: str | None) -> list[str]:
    """What to say when nothing ever came from a source; `partner`: only of this one's events."""
    if source is None:
        return []
    seen = await pool.fetchval(
        "SELECT 1 FROM book WHERE source = $1 AND ($2::text IS NULL OR partner = $2) LIMIT 1",
        source,
        partner,
    )
    if seen:
        return []
    rows = await pool.fetch(
        "SELECT DISTINCT source FROM book WHERE source <> '' AND ($1::text IS NULL OR partner = $1)",
        partner,
    )
    return [f"Nothing was ever received from this source.{_near(source, rows)}"]


async def partner_warnings(pool: asyncpg.Pool, partner: str | None) -> list[str]:
    """What to say when no key, client, intake or event is of a partner of this name."""
    if partner is None:
        return []
    rows = await pool.fetch(f"SELECT name FROM ({_PARTNERS}) AS every (name)")
    if any(row["name"] == partner for row in rows):
        return []
    return [f"No key, client or event is of a partner with this name.{_near(partner, rows)}"]


def _near(name: str, rows: list[asyncpg.Record]) -> str:
    """The names that may have been meant, as a sentence."""
    known = [row[0] for row in rows]
    near = get_close_matches(name, known, NEAR, CLOSENESS)
    return f" Did you mean {' or '.join(near)}?" if near else " Check how it is written."
