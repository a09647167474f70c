"""Occurrences, states and statements of tasks, without a database."""

from datetime import date

import pytest

from services.registry.journal.store import Fact
from services.registry.tasks.conditions import stated
from services.registry.tasks.evidence import reached
from services.registry.tasks.occurrences import Occurrence, occurrences
from services.registry.tasks.standing import Condition, stand, state_of_all, sum_up
from services.registry.tasks.statements import statements_of
from services.registry.tasks.words import condition_vi
from shared.contracts.definitions import Catalogue
from shared.domain.closing import NO_PROOF_VI, Closing, Proof, closing_of, wrong_closing

PLAN = {"period": {"start": "2026-01-01", "end": "2026-12-31"}}
ON = date(2026, 11, 21)
DUE = date(2026, 11, 20)


def times(task: dict[str, object], **closing: object) -> list[Occurrence]:
    made = Closing(**closing)  # type: ignore[arg-type]
    return occurrences(task, PLAN, made, {}, None)


def test_a_deadline_is_one_occurrence_whose_day_is_still_in_time() -> None:
    (once,) = times({"deadline": "2026-11-30", "deadline_exclusive": True})
    assert (once.id, once.start, once.last_day) == ("once", date(2026, 1, 1), date(2026, 11, 29))


def test_a_duty_without_a_day_is_due_when_the_plan_ends() -> None:
    (once,) = times({"deadline": None}, statement_vi="x")
    assert once.last_day == date(2026, 12, 31)


def test_weeks_that_the_period_cuts_are_not_judged() -> None:
    found = times({"deadline": {"recurring": "weekly"}})
    assert (found[0].id, found[0].judged) == ("2026-W01", False)  # Monday 29/12/2025
    assert (found[1].id, found[1].start, found[1].judged) == ("2026-W02", date(2026, 1, 5), True)
    assert (found[-1].id, found[-1].judged) == ("2026-W53", False)


def test_the_national_day_is_in_october_and_due_on_the_tenth() -> None:
    (day,) = times({"deadline": {"recurring": "yearly", "on": "10-10"}})
    assert (day.start, day.last_day, day.end) == (
        date(2026, 10, 1),
        date(2026, 10, 10),
        date(2026, 10, 31),
    )


def test_continuous_work_is_judged_by_period_if_something_can_be_judged_anew() -> None:
    continuous: dict[str, object] = {"deadline": {"recurring": "continuous"}}
    assert len(times(continuous, objectives=True)) == 1
    assert len(times(continuous, proofs=(Proof(("post.published",), "area"),))) == 12
    assert [t.id for t in times(continuous, judged="quarter", statement_vi="x")] == [
        "2026-Q1", "2026-Q2", "2026-Q3", "2026-Q4",
    ]  # fmt: skip


def test_what_is_finished_and_kept_up_is_judged_once_and_then_by_quarter() -> None:
    """Hoàn thành xong trong tháng 5, duy trì thường xuyên; a quarter that its day cuts is not."""
    task = {"deadline": "2026-05-31", "deadline_then": "continuous"}
    found = times(task, proofs=(Proof(("class.held",), "area"),))
    assert [(t.id, str(t.last_day)) for t in found] == [
        ("once", "2026-05-31"), ("2026-Q3", "2026-09-30"), ("2026-Q4", "2026-12-31"),
    ]  # fmt: skip
    assert [t.id for t in times(task, objectives=True)] == ["once"]


def test_a_term_runs_from_the_day_its_document_was_issued() -> None:
    task = {"deadline": {"relative": {"document": "Khung kỹ năng số", "within_days": 7}}}
    closing = Closing(statement_vi="x")
    (waiting,) = occurrences(task, PLAN, closing, {}, None)
    assert waiting.last_day is None
    (running,) = occurrences(task, PLAN, closing, {"Khung kỹ năng số": date(2026, 4, 29)}, None)
    assert (running.start, running.last_day) == (date(2026, 4, 29), date(2026, 5, 6))


def test_schools_may_finish_later() -> None:
    task = {"deadline": "2026-11-30", "deadline_exclusive": True}
    (once,) = occurrences(task, PLAN, Closing(objectives=True), {}, date(2026, 12, 19))
    assert once.last_day == date(2026, 12, 19)


ONE = Occurrence("once", date(2026, 1, 1), DUE, DUE)


@pytest.mark.parametrize(
    ("conditions", "state"),
    [
        ([Condition("proof", "a", False, have=0, need=1)], "overdue"),
        ([Condition("proof", "a", False, have=1, need=3)], "overdue"),
        ([Condition("proof", "a", True, since=DUE)], "done"),
        ([Condition("proof", "a", True, since=ON)], "done_late"),
        ([Condition("objective", "a", True, late=True)], "done_late"),
        ([Condition("proof", "a", True, since=DUE), Condition("statement", "", False)], "overdue"),
    ],
)
def test_states_after_the_last_day(conditions: list[Condition], state: str) -> None:
    assert stand(ONE, conditions, None, ON).state == state


def test_states_before_the_last_day() -> None:
    nothing = [Condition("proof", "a", False, have=0, need=1)]
    begun = [Condition("proof", "a", False, have=1, need=2)]
    assert stand(ONE, nothing, None, DUE).state == "not_started"
    assert stand(ONE, begun, None, DUE).state == "in_progress"


def fact(position: int, type: str, on: date, **data: object) -> Fact:
    named = {"plan": "p", "task": "t", "organisation": "so"} | data
    return Fact(position, position, type, "66@2025", on, on, "https://a.example", "1", named)


def said(*facts: Fact) -> list[tuple[str, bool]]:
    return [(s.status, s.returned is not None) for s in statements_of(facts, "p")]


def test_the_newest_statement_is_by_day_then_by_position() -> None:
    later = fact(5, "task.progressed", date(2026, 5, 1), status="done")
    earlier = fact(9, "task.progressed", date(2026, 4, 1), status="blocked")
    assert [s.status for s in statements_of([later, earlier], "p")] == ["blocked", "done"]
    assert statements_of([later], "another") == []


def test_a_return_answers_the_newest_statement_before_it() -> None:
    done = fact(1, "task.progressed", date(2026, 5, 1), status="done")
    back = fact(2, "task.returned", date(2026, 5, 2), reason="thiếu văn bản")
    again = fact(3, "task.progressed", date(2026, 5, 3), status="done")
    assert said(done, back) == [("done", True)]
    assert said(done, back, again) == [("done", True), ("done", False)]
    other = fact(2, "task.returned", date(2026, 5, 2), reason="x", organisation="other")
    assert said(done, other) == [("done", False)]


def test_a_return_of_somebody_who_may_not_speak_for_the_body_is_none() -> None:
    done = fact(1, "task.progressed", date(2026, 5, 1), status="done")
    back = fact(2, "task.returned", date(2026, 5, 2), reason="x")
    (one,) = statements_of([done, back], "p", lambda *_: False)
    assert one.returned is None


def test_what_was_stated_done_before_an_occurrence_began_is_not_done_in_it() -> None:
    third = Occurrence("2026-Q3", date(2026, 7, 1), date(2026, 9, 30), date(2026, 9, 30))
    for day, held in ((date(2026, 2, 10), False), (date(2026, 7, 1), True)):
        (one,) = statements_of([fact(1, "task.progressed", day, status="done")], "p")
        assert stated(one, third).holds is held


def test_what_recurs_is_done_only_when_all_is_over() -> None:
    held = [Condition("proof", "a", True, since=date(2026, 1, 20))]
    lacking = [Condition("proof", "a", False, have=0, need=1)]
    first, second = (
        Occurrence(f"2026-0{n}", date(2026, n, 1), date(2026, n, 28), date(2026, n, 28))
        for n in (1, 2)
    )
    end = date(2026, 2, 28)

    def at(on: date, *rows: list[Condition]) -> str:
        pairs = zip((first, second), rows, strict=False)
        return sum_up([stand(t, c, None, on) for t, c in pairs], on, end).state

    assert at(date(2026, 2, 3), held, lacking) == "in_progress"
    assert at(date(2026, 2, 3), lacking, lacking) == "overdue"
    late = [Condition("proof", "a", True, since=date(2026, 2, 28))]
    assert at(end, held, late) == "done"


def test_a_task_is_as_far_as_its_last_lead_body() -> None:
    assert state_of_all(["done", "done_late"]) == "done_late"
    assert state_of_all(["done", "not_started"]) == "in_progress"
    assert state_of_all(["done", "blocked", "overdue"]) == "overdue"
    assert state_of_all(["not_started"]) == "not_started"


def test_how_much_is_enough_and_since_when() -> None:
    days = [(date(2026, 1, 1), 3), (date(2026, 2, 1), 4), (date(2026, 3, 1), 4)]
    assert reached(days, 8, date(2026, 1, 1)) == (11, date(2026, 3, 1))
    assert reached(days, 8, date(2026, 2, 1)) == (8, date(2026, 3, 1))
    assert reached(days, 9, date(2026, 2, 1)) == (8, None)


def test_a_task_that_states_no_closing_gets_one_from_what_it_names() -> None:
    assert closing_of({"objectives": ["a"], "events": ["class.held"]}).objectives
    assert closing_of({"events": ["class.held"]}).proofs[0].types == ("class.held",)
    assert closing_of({}).statement_vi == NO_PROOF_VI


@pytest.mark.parametrize(
    ("proof", "words"),
    [
        ({"types": ["class.hold"], "where": "lead"}, "unknown event type"),
        ({"types": ["class.held"], "where": "lead", "filter": {"kind": "x"}}, "kind"),
        ({"types": ["training.attended"], "where": "lead", "filter": {"channel": "mooc"}}, "names persons"),
        ({"types": ["class.held"], "where": "lead", "sum": "recipients"}, "no figure"),
    ],
)  # fmt: skip
def test_a_closing_that_could_never_hold_is_refused(proof: dict[str, object], words: str) -> None:
    ((path, message),) = wrong_closing({"closing": {"proofs": [proof]}}, Catalogue.load())
    assert path[:3] == ("closing", "proofs", 0)
    assert words in message


def test_a_condition_says_what_it_asks_for() -> None:
    """Which kind, which channel, how much of what: a workshop is not asked for."""
    closing = Proof(("conference.held",), "lead", {"kind": "closing"})
    one = Condition("proof", "conference.held", False, have=0, need=1, proof=closing)
    assert condition_vi(one) == (
        "Tổ chức hội nghị tổng kết, sơ kết, chuyên đề (hội nghị tổng kết): 0/1"
    )
    sms = Proof(("outreach.delivered",), "area", {"channel": "sms"}, "recipients", 10_000)
    two = Condition("proof", "outreach.delivered", False, have=3, need=10_000, proof=sms)
    assert condition_vi(two) == (
        "Tuyên truyền, phổ biến đến người dân (tin nhắn SMS), số người nhận (theo lô): 3/10.000"
    )


def test_what_is_held_on_the_29th_of_every_february_is_due_on_its_last_day() -> None:
    deadline = {"recurring": "yearly", "on": "02-29"}
    task = {"id": "t", "title_vi": "t", "deadline": deadline}
    plan = {"period": {"start": "2026-01-01", "end": "2028-12-31"}}
    found = occurrences(task, plan, closing_of(task), {}, None)
    assert [one.last_day for one in found] == [
        date(2026, 2, 28), date(2027, 2, 28), date(2028, 2, 29),
    ]  # fmt: skip
