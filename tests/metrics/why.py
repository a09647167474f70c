"""Questions why a cell is what it is."""

from datetime import date, timedelta
from typing import Any

from services.metrics.evaluating.cell import Cell
from services.metrics.evaluating.moments import Moments
from services.metrics.explaining.difference_answers import Difference
from services.metrics.explaining.differences import Differences
from tests.metrics.histories import BASE
from tests.metrics.province import (
    HAMLETS,
    OBJECTIVES,
    ROOT,
    A,
    B,
)

TODAY = BASE + timedelta(days=40)

UNITS = [ROOT, A, B, HAMLETS[0]]

PARTS = [(str(o["id"]), "value") for o in OBJECTIVES] + [("ratio", "denominator")]


async def cell(
    all_moments: Moments, name: str, unit: str, as_of: date, known_at: date | None
) -> Cell:
    async with all_moments.snapshot() as connection:
        moment = await all_moments.at(connection, "p", as_of, known_at)
        (found,) = await moment.cells(connection, [moment.objective(name)], [unit])
    return found


async def difference(
    pages: Differences, name: str, unit: str, before: Any, after: Any, part: str = "value"
) -> tuple[Difference, list[Any]]:
    events, cursor = [], None
    while True:
        found = await pages.ask(
            plan="p",
            objective=name,
            unit=unit,
            before=before,
            after=after,
            tree="as_of",
            part=part,
            cursor=cursor,
            limit=3,
        )
        events += found.events
        cursor = found.next
        if cursor is None:
            return found, events
