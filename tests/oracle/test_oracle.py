"""The oracle on cases small enough to count by hand. One province P, communes A and B, hamlets."""

from datetime import date
from itertools import count
from typing import Any

import pytest

from tests.oracle.oracle import Cell, Oracle
from tests.oracle.truth import Posted

P, A, B, A1, A2 = "P@2025", "A@2025", "B@2025", "A1@2025", "A2@2025"
UNITS = [
    ("VN@2025", "nation", "@2025"),
    (P, "province", "VN@2025"),
    (A, "commune", P),
    (B, "ward", P),
    (A1, "hamlet", A),
    (A2, "hamlet", A),
]
JAN1 = date(2026, 1, 1)
ADULTS = [(P, "adults", 10, JAN1), (A, "adults", 4, JAN1)]
IDS = count()


def posted(
    kind: str, unit: str, day: str, data: dict[str, Any], recorded: str = "", **more: Any
) -> Posted:
    event = {
        "id": str(next(IDS)),
        "source": "https://x.example",
        "type": f"vn.hocvuso.{kind}",
        "subject": unit,
        "time": f"{day}T08:00:00+07:00",
        "data": data,
        **more,
    }
    return Posted(event, date.fromisoformat(recorded or day))


def trained(unit: str, day: str, who: str, recorded: str = "", **data: Any) -> Posted:
    person = {"scheme": "cccd", "value": who}
    said = {"person": person, "target_groups": ["adult"], **data}
    return posted("training.attended", unit, day, said, recorded)


def about(verb: str, original: Posted, day: str, **data: Any) -> Posted:
    kind = "event.corrected" if verb == "corrects" else "event.revoked"
    named = {name: original.event[name] for name in ("source", "id")}
    return posted(kind, original.event["subject"], day, {verb: named, "reason": "x", **data})


def objective(measure: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "id": "o",
        "target": {"value": 50, "unit": "percent", "comparator": ">="},
        "counts_from": "ever",
        "period": {"start": "2026-01-01", "end": "2026-12-31"},
        "last_day": None,
        "measure": measure,
    } | more


TRAINED = {
    "count": "distinct_persons",
    "of": [{"types": ["training.attended"], "filter": {"target_group": "adult"}}],
    "over": {"population": "adults"},
}


def cells(
    one: dict[str, Any],
    events: list[Posted],
    as_of: str = "2026-06-30",
    known_at: str | None = None,
    level: str = "commune",
    declared: Any = ADULTS,
) -> dict[str, Cell]:
    known = date.fromisoformat(known_at) if known_at else None
    plan = {"unit": P, "objectives": [one]}
    oracle = Oracle(plan, events, known, units=UNITS, declared=declared)
    found = oracle.table(level, date.fromisoformat(as_of))
    return {unit: row["o"] for unit, row in found.items()}


def values(*args: Any, **more: Any) -> dict[str, int]:
    return {unit: cell.value for unit, cell in cells(*args, **more).items()}


def test_a_person_counts_once_where_first_trained() -> None:
    events = [
        trained(B, "2026-03-02", "1"),
        trained(A1, "2026-03-01", "1"),
        trained(A, "2026-03-05", "2"),
    ]
    assert values(objective(TRAINED), events) == {A: 2, B: 0}
    assert values(objective(TRAINED), events, as_of="2026-03-01") == {A: 1, B: 0}
    assert cells(objective(TRAINED), events, level="province")[P] == Cell(2, 10, False)
    assert cells(objective(TRAINED), events)[A] == Cell(2, 4, True)
    assert cells(objective(TRAINED), events)[B] == Cell(0, None, None), "no adults declared"


def test_what_was_known_on_a_day() -> None:
    events = [trained(A, "2026-03-01", "1", recorded="2026-05-01")]
    assert values(objective(TRAINED), events, known_at="2026-04-30") == {A: 0, B: 0}
    assert values(objective(TRAINED), events, known_at="2026-05-01") == {A: 1, B: 0}


def test_corrections_stack_and_may_be_revoked() -> None:
    one = trained(A, "2026-03-01", "1")
    moved = about("corrects", one, "2026-03-03", changes={"subject": B})
    changed = about("corrects", one, "2026-03-04", changes={"data": {"target_groups": ["pupil"]}})
    assert values(objective(TRAINED), [one, moved]) == {A: 0, B: 1}
    assert values(objective(TRAINED), [one, moved, changed]) == {A: 0, B: 0}
    back = about("revokes", changed, "2026-03-05")
    assert values(objective(TRAINED), [one, moved, changed, back]) == {A: 0, B: 1}


def test_a_revocation_and_its_revocation() -> None:
    one = trained(A, "2026-03-01", "1")
    gone = about("revokes", one, "2026-03-03")
    restored = about("revokes", gone, "2026-03-09")
    events = [one, gone, restored]
    assert values(objective(TRAINED), events[:2])[A] == 0
    assert values(objective(TRAINED), events)[A] == 1
    assert values(objective(TRAINED), events, known_at="2026-03-05")[A] == 0


def test_an_event_sent_again_is_one() -> None:
    one = posted("class.held", A, "2026-03-01", {})
    measure = {"count": "events", "of": [{"types": ["class.held"]}]}
    target = {"value": 2, "unit": "count", "comparator": ">="}
    found = cells(objective(measure, target=target), [one, one], level="province")
    assert found[P] == Cell(1, None, False)


def test_a_cancelled_class_takes_its_attendances_along() -> None:
    held = posted("class.held", A, "2026-03-01", {"class_ref": "c1"})
    first = trained(A, "2026-03-01", "1", class_ref="c1")
    gone = about("revokes", held, "2026-03-02")
    late = trained(A, "2026-03-01", "2", recorded="2026-04-01", class_ref="https://x.example#c1")
    other = trained(A, "2026-03-01", "3", class_ref="c2")
    assert values(objective(TRAINED), [held, first, gone, late, other])[A] == 1
    back = about("revokes", gone, "2026-04-02")
    assert values(objective(TRAINED), [held, first, gone, late, other, back])[A] == 3


def test_linked_numbers_are_one_person() -> None:
    phone, identity = {"scheme": "phone", "value": "+84901"}, {"scheme": "cccd", "value": "1"}
    events = [
        trained(A, "2026-03-01", "1"),
        trained(B, "2026-02-01", "x", person={"scheme": "phone", "value": "0901"}),
    ]
    link = posted("person.linked", A, "2026-03-05", {"person": phone, "same_as": identity})
    assert values(objective(TRAINED), events) == {A: 1, B: 1}
    assert values(objective(TRAINED), [*events, link]) == {A: 0, B: 1}
    unlinked = about("revokes", link, "2026-03-06")
    assert values(objective(TRAINED), [*events, link, unlinked]) == {A: 1, B: 1}


def test_all_of_several_types() -> None:
    both = {
        "count": "distinct_persons",
        "match": "all",
        "of": [{"types": ["training.attended"]}, {"types": ["skill.confirmed"]}],
        "over": {"population": "adults"},
    }
    person = {"person": {"scheme": "cccd", "value": "1"}, "target_groups": ["adult"]}
    events = [trained(A, "2026-03-01", "1"), posted("skill.confirmed", B, "2026-03-09", person)]
    assert values(objective(both), events) == {A: 1, B: 0}
    assert values(objective(both), events, as_of="2026-03-08") == {A: 0, B: 0}


def test_states_hold_from_to() -> None:
    staff = {
        "count": "distinct_persons",
        "of": [{"types": ["staff.assigned"]}],
        "within_unit": {"per": "commune", "threshold": "target"},
        "over": {"units": "commune"},
    }
    target = {"value": 1, "unit": "count", "per": "commune", "comparator": ">="}
    data = {"person": {"scheme": "cccd", "value": "1"}, "role": "other"}
    term = {"from": "2026-02-01", "to": "2026-03-31"}
    one = objective(staff, target=target, counts_from="state")
    events = [posted("staff.assigned", A, "2026-05-05", data | term)]
    for day, met in (
        ("2026-01-31", False),
        ("2026-02-01", True),
        ("2026-03-31", True),
        ("2026-04-01", False),
    ):
        assert cells(one, events, as_of=day)[A].met is met, day
    assert cells(one, events, "2026-03-01", level="province")[P] == Cell(1, 2, False)


def test_share_of_units_and_threshold() -> None:
    classes = {
        "count": "events",
        "of": [{"types": ["class.held"]}],
        "within_unit": {"per": "commune", "threshold": "target"},
        "over": {"units": "commune"},
    }
    target = {"value": 2, "unit": "count", "per": "commune", "comparator": ">"}
    one = objective(classes, target=target, counts_from="period", last_day="2026-06-29")
    events = [
        posted("class.held", unit, f"2026-03-{n:02d}", {}) for unit in (A, A1) for n in (1, 2)
    ]
    events += [posted("class.held", B, f"2026-{m:02d}-01", {}) for m in (3, 4, 7)]
    events.append(posted("class.held", B, "2025-12-31", {}))
    assert cells(one, events, as_of="2026-07-15") == {
        A: Cell(4, None, True, True),
        B: Cell(3, None, True, False),
    }
    assert cells(one, events, "2026-07-15", level="province")[P] == Cell(2, 2, True, False)
    assert cells(one, events, "2026-05-15", level="province")[P] == Cell(1, 2, False)


def test_hamlets_need_a_complete_register() -> None:
    sessions = {
        "count": "events",
        "of": [{"types": ["guidance_session.held"], "filter": {"none": [{"channel": "online"}]}}],
        "within_unit": {"per": "hamlet", "threshold": 1, "comparator": ">="},
        "over": {"units": "hamlet"},
    }
    target = {"value": 100, "unit": "percent_of_units", "of": "hamlet", "comparator": ">="}
    one = objective(sessions, target=target)
    events = [
        posted("guidance_session.held", A1, "2026-03-01", {"channel": "in_person"}),
        posted("guidance_session.held", A2, "2026-03-01", {"channel": "online"}),
        posted("guidance_session.held", A, "2026-03-01", {}),
    ]
    assert cells(one, events)[A] == Cell(1, None, None)
    assert cells(one, events, declared=[(A, "hamlets", 3, JAN1)])[A] == Cell(1, None, None)
    assert cells(one, events, declared=[(A, "hamlets", 2, JAN1)])[A] == Cell(1, 2, False)


def test_recurring_pages_are_distinct_per_unit_and_month() -> None:
    pages = {
        "count": "distinct_things",
        "key": "page",
        "of": [{"types": ["post.published"]}],
        "bucket": "month",
        "within_unit": {"per": "commune", "threshold": "target"},
        "over": {"units": "commune"},
    }
    target = {"value": 1, "unit": "count", "per": "commune", "comparator": ">="}
    one = objective(pages, target=target, counts_from="period")
    days = ["2026-03-01", "2026-03-09", "2026-04-02"]
    events = [posted("post.published", A, day, {"url": "https://a"}) for day in days]
    events.append(posted("post.published", B, "2026-04-02", {"url": "https://a"}))
    assert values(one, events, as_of="2026-03-31") == {A: 1, B: 0}
    assert values(one, events, as_of="2026-04-05") == {A: 1, B: 1}
    assert values(one, events, as_of="2026-05-01") == {A: 0, B: 0}


def test_the_week_runs_from_monday_to_sunday() -> None:
    weekly = {"count": "events", "of": [{"types": ["class.held"]}], "bucket": "week"}
    target = {"value": 1, "unit": "count", "comparator": ">="}
    one = objective(weekly, target=target)
    events = [posted("class.held", A, "2026-06-08", {}), posted("class.held", A, "2026-06-07", {})]
    found = {
        d: cells(one, events, d, level="province")[P].value
        for d in ("2026-06-07", "2026-06-14", "2026-06-15")
    }
    assert found == {"2026-06-07": 1, "2026-06-14": 1, "2026-06-15": 0}


def test_reports_replace_reports_and_own_ones_those_below() -> None:
    measure = {
        "count": "sum",
        "of": [{"types": ["programme.completed"]}],
        "over": {"population": "adults"},
    }

    def report(unit: str, day: str, number: int, school: str = "s", **data: Any) -> Posted:
        said = {"school": school, "target_groups": ["pupil"], "pupils_completed": number, **data}
        return posted("programme.completed", unit, day, said)

    events = [report(A1, "2026-03-02", 7), report(A1, "2026-03-01", 9), report(A2, "2026-03-01", 5)]
    events.append(report(A2, "2026-03-01", 3, grade="6"))
    one = objective(measure)
    assert values(one, events) == {A: 15, B: 0}
    assert values(one, [*events, report(A1, "2026-04-01", 0)]) == {A: 8, B: 0}
    named = report(A, "2026-04-01", 4, school="t")
    assert values(one, [*events, named]) == {A: 19, B: 0}, "about a school: it adds"
    measure["of"] = [{"types": ["report.submitted"]}]

    def told(unit: str, number: int, kind: str) -> Posted:
        said = {"people_completed": number, "reporter_kind": kind, "reporter": kind}
        return posted("report.submitted", unit, "2026-03-02", said)

    parts = [told(A1, 7, "school"), told(A2, 5, "other"), told(A, 3, "enterprise")]
    assert values(one, parts) == {A: 15, B: 0}
    assert values(one, [*parts, told(A, 11, "commune")]) == {A: 14, B: 0}, "replaces those below"


def test_batches_add_and_leave_persons_out() -> None:
    measure = {
        "count": "sum",
        "of": [{"types": ["outreach.delivered"]}],
        "over": {"population": "adults"},
    }
    batch = {"recipients": 30, "channel": "sms"}
    events = [posted("outreach.delivered", A, "2026-03-01", batch) for _ in range(2)]
    events.append(
        posted("outreach.delivered", A, "2026-03-01", {"person": {"scheme": "cccd", "value": "1"}})
    )
    assert values(objective(measure), events)[A] == 60


def test_ratio_of_two_counts() -> None:
    measure = {
        "count": "events",
        "of": [{"types": ["assistance.given"], "filter": {"able_to_act": True}}],
        "over": {"measure": {"count": "events", "of": [{"types": ["assistance.requested"]}]}},
    }
    events = [posted("assistance.requested", A, "2026-03-01", {}) for _ in range(3)]
    events += [
        posted("assistance.given", A, "2026-03-01", {"able_to_act": able})
        for able in (True, True, False)
    ]
    assert cells(objective(measure), events) == {A: Cell(2, 3, True), B: Cell(0, 0, None)}


@pytest.mark.parametrize(("mentees", "met"), [(4, False), (5, True)])
def test_mentors_need_five_mentees(mentees: int, met: bool) -> None:
    measure = {
        "count": "distinct_things",
        "key": "mentor",
        "of": [{"types": ["mentor.assigned"]}],
        "inside": {"distinct": "mentee_ref", "threshold": "target"},
        "over": {"population": "mentors"},
    }
    target = {"value": 5, "unit": "count", "per": "mentor", "comparator": ">="}
    mentor = {"mentor": {"scheme": "cccd", "value": "m"}}
    events = [
        posted(
            "mentor.assigned",
            A,
            "2026-03-01",
            mentor | {"mentee": {"scheme": "cccd", "value": str(n)}},
        )
        for n in [*range(mentees), 0]
    ]
    found = cells(
        objective(measure, target=target, counts_from="state"),
        events,
        declared=[(A, "mentors", 1, JAN1)],
    )
    assert found[A] == Cell(int(met), 1, met)


def test_topics_taught_in_a_hamlet() -> None:
    measure = {
        "count": "distinct_things",
        "key": "unit",
        "of": [{"types": ["guidance_session.held"]}],
        "inside": {"distinct": "topics", "among": ["a", "b"], "threshold": "target"},
        "within_unit": {"per": "hamlet", "threshold": 1, "comparator": ">="},
        "over": {"units": "hamlet"},
    }
    target = {"value": 2, "unit": "count", "per": "hamlet", "comparator": ">="}
    events = [
        posted("guidance_session.held", A1, "2026-03-01", {"topics": ["a", "z"]}),
        posted("guidance_session.held", A1, "2026-03-02", {"topics": ["b"]}),
        posted("guidance_session.held", A2, "2026-03-02", {"topics": ["a", "z"]}),
    ]
    assert values(objective(measure, target=target), events)[A] == 1


def test_share_of_another_target_is_exact() -> None:
    main = objective(TRAINED) | {
        "id": "main",
        "target": {"value": 60, "unit": "percent", "comparator": ">="},
    }
    summer = objective(
        {"count": "distinct_persons", "of": TRAINED["of"], "over": {"target_of": "main"}},
        target={
            "value": 30,
            "unit": "percent_of_target",
            "of_objective": "main",
            "comparator": ">=",
        },
    )
    events = [trained(A, "2026-03-01", str(n)) for n in range(2)]
    plan = {"unit": P, "objectives": [summer, main]}
    oracle = Oracle(plan, events, units=UNITS, declared=ADULTS)
    found = oracle.table("province", date(2026, 6, 30))[P]["o"]
    assert found == Cell(2, 6, True), "30% of 60% of 10 adults = 1.8"


def test_a_population_is_the_sum_of_its_parts_only_if_all_are_known() -> None:
    both = [(A, "adults", 4, JAN1), (B, "adults", 5, JAN1), (B, "adults", 6, date(2026, 4, 1))]
    assert cells(objective(TRAINED), [], level="province", declared=both)[P].denominator == 10
    assert (
        cells(objective(TRAINED), [], "2026-03-01", level="province", declared=both)[P].denominator
        == 9
    )
    assert cells(objective(TRAINED), [], level="province", declared=both[:1])[P].denominator is None


def test_what_two_hamlets_report_is_one_in_their_commune() -> None:
    pages = {
        "count": "distinct_things",
        "key": "page",
        "of": [{"types": ["post.published"]}],
        "within_unit": {"per": "commune", "threshold": "target"},
        "over": {"units": "commune"},
    }
    target = {"value": 1, "unit": "count", "per": "commune", "comparator": ">="}
    events = [
        posted("post.published", unit, "2026-04-02", {"url": url})
        for unit, url in ((A1, "https://a"), (A2, "https://a"), (A, "https://a"), (B, "https://a"))
    ]
    one = objective(pages, target=target)
    assert values(one, events) == {A: 1, B: 1}
    staff = {
        "count": "distinct_persons",
        "of": [{"types": ["staff.assigned"]}],
        "within_unit": {"per": "commune", "threshold": "target"},
        "over": {"units": "commune"},
    }
    data = {"person": {"scheme": "cccd", "value": "1"}, "role": "other"}
    events = [posted("staff.assigned", unit, "2026-04-02", data) for unit in (A1, A2, B)]
    assert values(objective(staff, target=target), events) == {A: 1, B: 1}
    both = {
        "count": "distinct_things",
        "key": "unit",
        "match": "all",
        "of": [
            {"types": ["material.published"], "filter": {"channel": channel}}
            for channel in ("portal", "zalo")
        ],
        "within_unit": {"per": "commune", "threshold": 1, "comparator": ">="},
        "over": {"units": "commune"},
    }
    events = [
        posted("material.published", unit, "2026-04-02", {"channel": channel})
        for unit, channel in ((A1, "portal"), (A2, "zalo"), (B, "portal"))
    ]
    assert values(objective(both, target=target), events) == {A: 1, B: 0}
