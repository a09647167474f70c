"""Whom an event counts for, and on which days."""

from datetime import date
from typing import Any

import pytest

from shared.contracts.definitions import Catalogue
from shared.contracts.subjects import days, subjects
from shared.contracts.upcast import UPCASTERS, UnknownVersion, upcast

CATALOGUE = Catalogue.load()


def of(name: str, data: dict[str, Any]) -> list[tuple[int, str, tuple[str, ...]]]:
    found = subjects(CATALOGUE[name], data, unit_id="24121@2025", source="https://s", event_id="7")
    return [(subject.index, subject.kind, subject.values) for subject in found]


def test_the_first_present_alternative_holds() -> None:
    both = {"person_ref": "cccd:a", "household_ref": "household:b"}
    assert of("outreach.delivered", both) == [(0, "person", ("cccd:a",))]
    household = {"household_ref": "household:b"}
    assert of("outreach.delivered", household) == [(0, "household", ("household:b",))]
    assert of("outreach.delivered", {"recipients": 5}) == [(0, "event", ("https://s", "7"))]


def test_an_item_counts_once_per_unit_whatever_the_channel() -> None:
    fanpage = {"url": "https://x/1", "channel": "fanpage"}
    assert of("post.published", fanpage) == [(0, "page", ("24121@2025", "https://x/1"))]
    assert of("post.published", fanpage) == of("post.published", {**fanpage, "channel": "zalo"})


def test_a_report_is_of_its_reporter_and_its_subject_matter() -> None:
    data = {"school": "a", "target_groups": ["student", "pupil"], "pupils_completed": 3}
    key = ("https://s", "24121@2025", "a", "", "", "pupil,student")
    assert of("programme.completed", data) == [(0, "report", key)]
    swapped = {**data, "target_groups": ["pupil", "student"], "pupils_completed": 9}
    assert of("programme.completed", swapped) == [(0, "report", key)]
    other = of("programme.completed", {**data, "reporter": "so-gddt"})
    assert other[0][2][0] == "so-gddt"


def test_a_session_serves_itself_and_the_unit_whose_topics_it_covers() -> None:
    itself = (0, "event", ("https://s", "7"))
    assert of("guidance_session.held", {"kind": "guidance"}) == [itself]
    topics = {"kind": "guidance", "topics": ["online_safety"]}
    assert of("guidance_session.held", topics) == [itself, (1, "unit", ("24121@2025",))]


def test_without_organisation_a_unit_promotes_for_itself() -> None:
    assert of("contest.promoted", {}) == [(0, "organisation", ("24121@2025",))]
    named = of("contest.promoted", {"organisation_ref": "code:so-khcn"})
    assert named == [(0, "organisation", ("code:so-khcn",))]


@pytest.mark.parametrize("name", list(CATALOGUE))
def test_every_example_serves_someone(name: str) -> None:
    kind = CATALOGUE[name]
    refs = {identity.name: identity.stored for identity in kind.identities}
    for example in kind.examples:
        stored = {refs.get(key, key): value for key, value in example.items()}
        found = subjects(kind, stored, unit_id="66@2025", source="s", event_id="1")
        assert found
        assert found[0].index == 0, "the primary key must always be there"


def test_days_of_facts_and_states() -> None:
    day = date(2026, 3, 1)
    assert days(CATALOGUE["festival.held"], {}, day) == (day, None)
    staff = CATALOGUE["staff.assigned"]
    assert days(staff, {}, day) == (day, None)
    bounded = {"from": "2026-02-01", "to": "2026-12-31"}
    assert days(staff, bounded, day) == (date(2026, 2, 1), date(2026, 12, 31))
    assert days(CATALOGUE["citizen.certified"], {"to": "2026-09-01"}, day) == (
        day,
        date(2026, 9, 1),
    )


def test_old_versions_become_the_latest() -> None:
    old = {"person_ref": "cccd:a", "target_groups": ["adult"], "channel": "binhdanhocvuso.gov.vn"}
    new = {"person_ref": "cccd:a", "target_groups": ["adult"], "platform": "binhdanhocvuso"}
    assert upcast(CATALOGUE, "course.registered", "1", old) == new
    assert old["channel"] == "binhdanhocvuso.gov.vn", "the posted data stays as it was"
    assert upcast(CATALOGUE, "course.registered", "2", new) is new
    with pytest.raises(UnknownVersion):
        upcast(CATALOGUE, "course.registered", "3", new)


def test_every_old_version_has_an_upcaster() -> None:
    steps = {(name, v) for name, kind in CATALOGUE.items() for v in kind.versions[:-1]}
    assert set(UPCASTERS) == steps
