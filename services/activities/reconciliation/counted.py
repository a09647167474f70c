"""Which of a day's accepted events count, and why the others do not, as metrics tells."""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from time import monotonic

import asyncpg

from services.activities.reconciliation import day as days
from services.activities.reconciliation.day import Day, Scope
from services.activities.reconciliation.explain import (
    DOWN,
    PAGE,
    Explanation,
    Explanations,
    MetricsDown,
    coarse,
)


@dataclass
class Counted:
    """Events by what became of them; `explained` of them are told apart, the others are not."""

    states: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    explained: int = 0
    watermark: int | None = None
    why_partial: str | None = None

    def add(self, found: Explanation) -> None:
        """Count one event."""
        self.explained += 1
        self.states[found.state] += 1
        if found.state == "not_counted":
            self.codes[found.code or "unknown"] += 1


async def count(
    pool: asyncpg.Pool,
    metrics: Explanations,
    scope: Scope,
    day: Day,
    seconds: float,
    *,
    whole: bool,
) -> Counted:
    """Ask metrics about every accepted event, for so long at most. `whole`: see `coarse`."""
    counted = Counted()
    until = monotonic() + seconds
    try:
        async for rows in days.pages(pool, scope, day, PAGE):
            left = until - monotonic()
            if left <= 0:
                counted.why_partial = (
                    f"The first {counted.explained} events took {seconds:g} seconds;"
                    " /v1/reconciliations/events tells every one, however long it takes."
                )
                break
            found = await metrics.ask([r["position"] for r in rows], max(left, 1))
            counted.watermark = found.watermark
            for one in found.results:
                counted.add(one if whole else coarse(one))
    except MetricsDown:
        counted.why_partial = DOWN
    return counted


async def each(
    pool: asyncpg.Pool, metrics: Explanations, scope: Scope, day: Day, *, whole: bool
) -> AsyncIterator[tuple[asyncpg.Record, Explanation | None]]:
    """Every accepted event with what became of it; None where metrics does not answer."""
    async for rows in days.pages(pool, scope, day, PAGE):
        found: list[Explanation] | list[None]
        try:
            told = (await metrics.ask([r["position"] for r in rows])).results
            found = told if whole else [coarse(one) for one in told]
        except MetricsDown:
            found = [None] * len(rows)
        for row, one in zip(rows, found, strict=True):
            yield row, one
