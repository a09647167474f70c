"""Cells of a small province evaluated by hand: any plan, any facts, any day."""

from collections.abc import Callable
from datetime import date
from typing import Any

from services.metrics.counting.windows import Window
from services.metrics.evaluating.cell import Cell
from services.metrics.evaluating.evaluate import Evaluator
from shared.contracts.definitions import Catalogue
from shared.domain.definitions import Definitions
from shared.domain.measures import Measure
from shared.domain.places import Places, Sums
from tests.metrics.histories import BASE
from tests.metrics.memory_log import MemoryLog
from tests.metrics.province import ROOT, define, document

Fact = tuple[str, date, int]


def sums_of(facts: list[Fact]) -> Callable[[Measure, Window, str], Sums]:
    """Every measure has the same facts: unit, day, number."""

    def sums(_: Measure, window: Window, _root: str) -> Sums:
        found: dict[str, tuple[int, int]] = {}
        for unit, when, number in facts:
            if (window.start is None or window.start <= when) and when <= window.end:
                n, total = found.get(unit, (0, 0))
                found[unit] = (n + number, total + number)
        return found

    return sums


class World:
    """The province with a plan; `cell` evaluates it on a day over given facts."""

    def __init__(self, catalogue: Catalogue, *objectives: dict[str, Any]) -> None:
        self.catalogue, self.log = catalogue, MemoryLog(catalogue)
        define(self.log, document(list(objectives)))

    def cell(self, name: str, facts: list[Fact], on: date = BASE, unit: str = ROOT) -> Cell:
        definitions = Definitions(self.catalogue)
        for row in self.log.rows:
            definitions.apply(row)
        plan = definitions.plan("p", on)
        assert plan is not None
        known = {one.id: one for one in plan.objectives}
        assert known[name].reason is None, known[name].reason
        places = Places(definitions.tree, on)
        evaluator = Evaluator(definitions, places, sums_of(facts), on)
        return evaluator.cells(known[name], ROOT, [unit], known)[0]


def percent(value: int, comparator: str = ">=", unit: str = "percent") -> dict[str, Any]:
    return {"value": value, "unit": unit, "comparator": comparator}
