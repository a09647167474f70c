"""What a subject counts, kind by kind, in examples small enough to work out by hand."""

from datetime import date, timedelta
from typing import Any

import pytest

from services.metrics.counting.contribute import FIGURE, Evidence
from services.metrics.counting.states import counted_in, state
from services.metrics.counting.windows import Window
from shared.contracts.places import commune_of
from shared.domain.measures import Measure, Part

MONDAY = date(2026, 1, 26)
A, B = "24121@2025", "24133@2025"
A1, A2 = "24121-001@2025", "24121-002@2025"


def day(number: int) -> date:
    return MONDAY + timedelta(days=number)


def measure(kind: str, **more: Any) -> Measure:
    parts = more.pop("parts", (Part(("class.held",)),))
    return Measure(kind=kind, parts=parts, keys=("person",), **more)  # type: ignore[arg-type]


def said(
    since: int, until: int | None = None, unit: str = A, parts: int = 1, **detail: Any
) -> Evidence:
    """Evidence whose origin is its day."""
    end = None if until is None else day(until)
    figures = {FIGURE if name == "figure" else name: value for name, value in detail.items()}
    return Evidence(day(since), since, end, unit, (1, parts), figures)


def counts(how: Measure, rows: list[Evidence], on: int, start: int = -99) -> dict[str, Any]:
    """By unit, in a window: as tallies add up, and by the events behind it; both agree."""
    added: dict[str, list[int]] = {}
    for (unit, when), weight in state(how, 1, rows).items():
        if day(start) <= when <= day(on):
            sums = added.setdefault(unit, [0, 0])
            sums[0], sums[1] = sums[0] + weight[0], sums[1] + weight[1]
    behind: dict[str, list[int]] = {}
    for one in counted_in(how, 1, rows, Window(day(start), day(on))):
        sums = behind.setdefault(one.unit_id, [0, 0])
        sums[0], sums[1] = sums[0] + one.n, sums[1] + one.total
    found = {unit: tuple(sums) for unit, sums in added.items() if any(sums)}
    assert found == {unit: tuple(sums) for unit, sums in behind.items() if any(sums)}
    return found


ENDS: list[int | None] = [None, 50]
"""Evidence without an end is counted in one go, with one day by day: the same comes out."""


@pytest.mark.parametrize("until", ENDS)
def test_the_latest_figure_replaces_and_added_ones_add(until: int | None) -> None:
    rows = [said(0, until, figure=10), said(3, until, B, figure=7)]
    assert counts(measure("latest"), rows, 2) == {A: (1, 10)}
    assert counts(measure("latest"), rows, 3) == {B: (1, 7)}
    assert counts(measure("add"), rows, 3) == {A: (1, 10), B: (1, 7)}


def test_the_earlier_figure_stands_again_when_the_later_has_ended() -> None:
    rows = [said(0, figure=10), said(3, 4, figure=7)]
    assert [counts(measure("latest"), rows, on)[A][1] for on in (2, 3, 4, 5)] == [10, 7, 7, 10]


@pytest.mark.parametrize("until", ENDS)
def test_a_person_counts_once_where_it_first_was(until: int | None) -> None:
    rows = [said(4, until, B), said(1, until, A)]
    assert counts(measure("distinct"), rows, 0) == {}
    assert counts(measure("distinct"), rows, 9) == {A: (1, 0)}
    assert counts(measure("events"), rows, 9) == {A: (1, 0), B: (1, 0)}


def test_the_last_day_counts_and_the_next_does_not() -> None:
    rows = [said(1, 3), said(2, 4, B)]
    found = [counts(measure("distinct"), rows, on) for on in range(6)]
    assert found == [{}, {A: (1, 0)}, {A: (1, 0)}, {A: (1, 0)}, {B: (1, 0)}, {}]


@pytest.mark.parametrize("until", ENDS)
def test_all_parts_are_needed(until: int | None) -> None:
    both = measure("distinct", whole=True, parts=(Part(("a",)), Part(("b",))))
    rows = [said(1, until, parts=1), said(2, until, parts=1), said(4, until, B, parts=2)]
    assert counts(both, rows, 3) == {}
    assert counts(both, rows, 4) == {A: (1, 0)}


def test_in_a_week_ends_do_not_matter() -> None:
    """Who came on Tuesday came in that week, though the evidence ended on Wednesday."""
    weekly = measure("distinct", bucket="week")
    rows = [said(1, 2), said(3, 4), said(8)]
    assert [counts(weekly, rows, on, start=0) for on in (0, 1, 2, 3, 6)] == [{}] + [{A: (1, 0)}] * 4
    assert counts(weekly, rows, 13, start=7) == {A: (1, 0)}


def test_in_a_month_the_latest_figure_of_that_month() -> None:
    monthly = measure("latest", bucket="month")
    rows = [said(0, figure=10), said(2, figure=4), said(6, figure=5)]
    assert counts(monthly, rows, 5, start=-25) == {A: (1, 4)}
    assert counts(monthly, rows, 20, start=6) == {A: (1, 5)}


@pytest.mark.parametrize("until", ENDS)
def test_apart_in_every_commune_or_every_hamlet(until: int | None) -> None:
    assert commune_of(A1) == A
    rows = [said(1, until, A1), said(2, until, A2), said(3, until, B), said(4, until, A)]
    once = {A1: (1, 0), B: (1, 0)}
    assert counts(measure("distinct", apart="commune"), rows, 9) == once
    assert counts(measure("distinct", apart="hamlet"), rows, 9) == once | {A2: (1, 0), A: (1, 0)}


@pytest.mark.parametrize("until", ENDS)
def test_enough_different_things(until: int | None) -> None:
    mentors = measure("crossing", field="mentee", threshold=2)
    rows = [said(1, until), said(2, until, B, mentee="x"), said(3, until, mentee="x")]
    assert counts(mentors, rows, 9) == {}
    rows.append(said(4, until, mentee="y"))
    assert counts(mentors, rows, 3) == {}
    assert counts(mentors, rows, 4) == {B: (1, 0)}
    among = measure("crossing", field="mentee", threshold=2, among=("x", "z"))
    assert counts(among, rows, 9) == {}
    assert counts(among, [*rows, said(5, until, mentee=["y", "z"])], 9) == {B: (1, 0)}
