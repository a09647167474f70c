"""Every occurrence of every duty and task of the five plans against calendars written by hand from the
plans' words: period, days of the figures, due day."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.registry.reports.ledger import party_owes
from services.registry.reports.periods import periods
from services.registry.tasks.occurrences import occurrences, shifted
from shared.contracts.definitions import Catalogue
from shared.domain.closing import closing_of
from shared.domain.plan_files.document import load_plan
from tests.plans.five import FIVE
from tests.registry import fakes

CALENDARS = Path(__file__).parent / "calendars"
NONE = "none"


def by_hand(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((CALENDARS / f"{name}.yaml").read_text())
    return found


def document(name: str) -> dict[str, Any]:
    return load_plan(fakes.PLANS / f"{name}.yaml", Catalogue.load()).data


def weeks(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range(0, (last - first).days + 1, 7)]


def written(duty: dict[str, Any]) -> list[list[Any]]:
    """[first day, last day, figures from, figures to, due day] of each period."""
    if "mondays" not in duty:
        return list(duty.values())
    return [
        [day, day + timedelta(days=6), day, day + timedelta(days=6), NONE]
        for day in weeks(*duty["mondays"])
    ]


@pytest.mark.parametrize("name", FIVE)
def test_duties_are_as_written_by_hand(name: str) -> None:
    plan, hand = document(name), by_hand(name)["duties"]
    named = {o["id"]: o for o in plan["organisations"]}
    assert {o["id"] for o in plan["reporting"]} == set(hand)
    for duty in plan["reporting"]:
        found = periods(duty, plan, party=party_owes(duty, named))
        told = [[p.start, p.end, p.figures_from, p.closing_day, p.last_day or NONE] for p in found]
        assert told == written(hand[duty["id"]]), duty["id"]
        if "mondays" not in hand[duty["id"]]:
            assert [p.id for p in found] == [str(name) for name in hand[duty["id"]]]


@pytest.mark.parametrize("name", FIVE)
def test_due_days_of_tasks_are_as_written_by_hand(name: str) -> None:
    plan, hand = document(name), by_hand(name)
    assert set(hand["tasks"]) <= {t["id"] for t in plan["tasks"]}
    for task in plan["tasks"]:
        times = occurrences(task, plan, closing_of(task), {}, shifted(task, plan))
        want = hand["tasks"].get(task["id"], [hand["otherwise"]])
        if isinstance(want, dict):
            want = weeks(*want["sundays"])
        assert [t.last_day or NONE for t in times] == want, task["id"]


def test_there_are_196_tasks_and_36_duties() -> None:
    plans = [document(name) for name in FIVE]
    assert sum(len(p["tasks"]) for p in plans) == 196
    assert sum(len(p["reporting"]) for p in plans) == 36


def test_a_term_of_seven_days_after_the_centre_has_issued_its_document() -> None:
    plan = document("yen-bai-2025-2026")
    task = next(t for t in plan["tasks"] if t["id"] == "iv-2-1")
    issued = {"Khung kỹ năng số kèm theo hướng dẫn": date(2025, 5, 5)}
    (once,) = occurrences(task, plan, closing_of(task), issued, None)
    assert once.last_day == date(2025, 5, 12)
