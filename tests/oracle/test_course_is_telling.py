"""The simulated course tries every rule: with any of them left out, the oracle sees other cells.

Otherwise an end-to-end test could pass although the system ignores, say, linked persons.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from deploy.sandbox.course import Course, make_course
from tests.oracle import filters, oracle, truth
from tests.oracle.oracle import Cell, Oracle
from tests.oracle.truth import Posted, Truth

DAY = date(2026, 10, 8)  # in the festival: many a commune has something on this very day
Cells = dict[tuple[str, str], Cell]


@pytest.fixture(scope="module")
def course() -> Course:
    return make_course("dak-lak-2026", 3000, 2, date(2026, 11, 20))


def cells(course: Course) -> Cells:
    posted = [Posted(p.event, DAY) for p in course.definitions + course.postings]
    found = Oracle(course.place.plan, posted).table("commune", DAY)
    return {(unit, name): cell for unit, row in found.items() for name, cell in row.items()}


@pytest.fixture(scope="module")
def expected(course: Course) -> Cells:
    return cells(course)


def without(kind: str) -> Callable[..., None]:
    """A Truth that never hears of events of this type."""
    whole = Truth.__init__

    def init(self: Truth, posted: list[Posted], known_at: date | None = None) -> None:
        whole(self, [p for p in posted if not p.event["type"].endswith(kind)], known_at)

    return init


def every_amendment_stands(self: Truth, key: tuple[str, str], verb: str) -> list[Any]:
    return [event for event in self._about.get(key, []) if verb in event["data"]]


LEFT_OUT: dict[str, tuple[Any, str, Any]] = {
    "corrections": (Truth, "__init__", without("event.corrected")),
    "revocations": (Truth, "__init__", without("event.revoked")),
    "revocations of amendments": (Truth, "_standing", every_amendment_stands),
    "links": (Truth, "__init__", without("person.linked")),
    "cancelled classes": (truth, "REFERENCES", {}),
    "ends of states": (truth, "STATE_TO", set()),
    "implied groups": (filters, "IMPLY_ADULT", set()),
    "Vietnamese days": (
        truth,
        "day_of",
        lambda t: datetime.fromisoformat(t).astimezone(UTC).date(),
    ),
    "reports that replace": (
        oracle,
        "LATEST",
        {"programme.completed": ("pupils_completed", ["pupils_completed"])},
    ),
    "schema versions": (truth, "OLD_CHANNELS", dict.fromkeys(truth.OLD_CHANNELS, "other")),
    "declared populations": (Truth, "__init__", without("population.declared")),
    "hamlets": (Truth, "__init__", without("unit.established")),
}


@pytest.mark.parametrize("rule", LEFT_OUT)
def test_leaving_out_a_rule_changes_cells(
    rule: str, course: Course, expected: Cells, monkeypatch: pytest.MonkeyPatch
) -> None:
    where, name, instead = LEFT_OUT[rule]
    monkeypatch.setattr(where, name, instead)
    assert cells(course) != expected
