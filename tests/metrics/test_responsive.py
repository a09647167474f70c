"""Long answers are worked out beside the event loop: whoever asks something short need not wait."""

import threading
from datetime import date, timedelta
from typing import Any

import asyncpg
import pytest

from services.metrics.evaluating import moments as moments_module
from services.metrics.evaluating.evaluate import Evaluator
from services.metrics.evaluating.query import Cells
from services.metrics.explaining.series import SeriesMaker
from shared.contracts.definitions import Catalogue
from tests.metrics.province import follow, moments, random_history


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """The threads in which cells are evaluated."""
    seen: set[int] = set()
    real = Evaluator.cells

    def cells(self: Evaluator, *given: Any) -> Any:
        seen.add(threading.get_ident())
        return real(self, *given)

    monkeypatch.setattr(Evaluator, "cells", cells)
    return seen


async def test_tables_and_series_leave_the_event_loop_free(
    pool: asyncpg.Pool, catalogue: Catalogue, threads: set[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    log, _ = random_history(catalogue, 3, 12)
    await follow(pool, catalogue, log)
    day = log.rows[-1].recorded
    known = moments(pool, catalogue, day + timedelta(days=1))
    monkeypatch.setattr(moments_module, "AT_ONCE", 1)
    found = await Cells(known).ask("p", None, "commune", day, None, "as_of")
    assert found.cells
    series = await SeriesMaker(known).ask(
        plan="p",
        unit=None,
        objectives=[],
        level="commune",
        start=date(2026, 1, 1),
        end=day,
        every="week",
        known_at=None,
        tree="as_of",
    )
    assert any(point.cells for point in series.points)
    assert threads and threading.get_ident() not in threads


async def test_a_small_question_is_answered_at_once(
    pool: asyncpg.Pool, catalogue: Catalogue, threads: set[int]
) -> None:
    log, _ = random_history(catalogue, 3, 12)
    await follow(pool, catalogue, log)
    known = moments(pool, catalogue, log.rows[-1].recorded + timedelta(days=1))
    await Cells(known).ask("p", None, "commune", None, None, "as_of")
    assert threads == {threading.get_ident()}
