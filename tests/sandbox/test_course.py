"""The simulated course: valid events only, the same every time, with everything that goes wrong."""

from collections import Counter
from datetime import date, datetime

import jsonschema_rs
import pytest

from deploy.sandbox.course import RECIPES, CourseError, make_course
from deploy.sandbox.facts_plain import plain
from deploy.sandbox.places import UnknownPlan
from shared.clock import vietnam_day
from shared.contracts.definitions import Catalogue

PLANS = ["dak-lak-2026", "dong-nai-2026", "gia-lai-2026", "yen-bai-2025-2026"]
UNTIL = date(2026, 11, 20)


@pytest.mark.parametrize("plan", PLANS)
def test_every_event_is_valid_and_posted_by_a_role_that_may(plan: str) -> None:
    catalogue = Catalogue.load()
    course = make_course(plan, 1500, 1, UNTIL)
    for posting in course.definitions + course.postings:
        kind = catalogue[posting.type]
        version = posting.event.get("dataschema", "").rpartition("/")[2] or kind.latest
        schema = catalogue.data_schema(posting.type, version)
        jsonschema_rs.validator_for(schema, validate_formats=True).validate(posting.event["data"])
        assert kind.may_be_posted_by({posting.role}), posting


def test_the_same_again_and_another_seed_another() -> None:
    assert make_course("dak-lak-2026", 1200, 1, UNTIL) == make_course(
        "dak-lak-2026", 1200, 1, UNTIL
    )
    assert make_course("dak-lak-2026", 1200, 1, UNTIL) != make_course(
        "dak-lak-2026", 1200, 2, UNTIL
    )


def test_every_commune_every_fact_type_and_everything_that_goes_wrong() -> None:
    course = make_course("dak-lak-2026", 3000, 1, UNTIL)
    assert len(course.postings) == 3000
    types = Counter(posting.type for posting in course.postings)
    facts = {name for name, kind in Catalogue.load().items() if kind.lane == "fact"}
    assert set(types) == facts
    assert len({posting.commune for posting in course.postings}) == 102
    keys = Counter((p.event["source"], p.event["id"]) for p in course.postings)
    assert sum(n - 1 for n in keys.values()) > 50, "events sent again"
    assert types["event.corrected"] > 50 and types["event.revoked"] > 30
    amended = {p.event["id"] for p in course.postings if p.type in ("event.revoked",)}
    revoked = [
        p.event["data"]["revokes"]["id"] for p in course.postings if p.type == "event.revoked"
    ]
    assert amended & set(revoked), "a revocation that is itself revoked"
    late = [p for p in course.postings if (p.at.date() - _day(p.event["time"])).days > 20]
    assert len(late) > 50


def test_a_type_without_a_recipe_is_posted_as_its_example_by_who_may() -> None:
    catalogue = Catalogue.load()
    without = [recipe for recipe in RECIPES if recipe.type not in ("app.installed", "class.held")]
    found = plain(without, catalogue)
    assert [recipe.type for recipe in found] == ["app.installed", "class.held"]
    assert all(catalogue[r.type].may_be_posted_by({r.role}) for r in found)
    assert plain(RECIPES, catalogue) == []


def test_nothing_is_posted_before_it_happened_or_before_what_it_changes() -> None:
    course = make_course("dak-lak-2026", 3000, 7, UNTIL)
    seen: dict[tuple[str, str], object] = {}
    for posting in course.postings:
        assert datetime.fromisoformat(posting.event["time"]) <= posting.at
        assert posting.at.date() <= UNTIL
        key = (posting.event["source"], posting.event["id"])
        assert seen.setdefault(key, posting.event) == posting.event, "same key, same content"
        for verb in ("corrects", "revokes"):
            if verb in posting.event["data"]:
                named = posting.event["data"][verb]
                assert (named["source"], named["id"]) in seen
    assert [p.at for p in course.postings] == sorted(p.at for p in course.postings)


def test_a_course_that_cannot_be_made_says_why() -> None:
    with pytest.raises(CourseError, match="at least"):
        make_course("dak-lak-2026", 100, 1, UNTIL)
    with pytest.raises(CourseError, match="too short"):
        make_course("dak-lak-2026", 3000, 1, date(2025, 12, 20))
    with pytest.raises(UnknownPlan, match="dak-lak-2026"):
        make_course("no-such-plan", 3000, 1, UNTIL)


def _day(time: str) -> date:
    return vietnam_day(datetime.fromisoformat(time))
