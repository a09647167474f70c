"""Formats: language tags, durations, timestamps, comparison of statements."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.activities.xapi import formats
from services.activities.xapi.compare import canonical
from tests.xapi.samples import Json, put, statement

GOOD_TAGS = [
    *("vi", "en-US", "zh-Hant-TW", "sl-rozaj-biske-1994", "de-CH-1996", "es-419", "VI"),
    *("zh-cmn-Hans-CN", "x-private", "i-klingon", "en-GB-oed", "de-DE-u-co-phonebk"),
    *("az-Arab-x-AZE-derbend", "qaa-Qaaa-QM-x-southern"),
]
BAD_TAGS = ["", "v", "vi_VN", "en-", "-en", "en--US", "a-DE", "en-u", "en US", "12", "zh-Hant-TW-"]


@pytest.mark.parametrize("tag", GOOD_TAGS)
def test_tag(tag: str) -> None:
    assert formats.is_language(tag)


@pytest.mark.parametrize("tag", BAD_TAGS)
def test_no_tag(tag: str) -> None:
    assert not formats.is_language(tag)


@pytest.mark.parametrize(
    "text", ["PT4H35M59.14S", "PT16559.14S", "P3Y1M29DT4H35M59.14S", "P3Y", "P4W", "PT0S", "P1,5D"]
)
def test_duration(text: str) -> None:
    assert formats.is_duration(text)


@pytest.mark.parametrize(
    "text",
    ["", "P", "PT", "P1DT", "P4W1D", "1D", "P-1D", "PT1.5H30M", "P1S", "pt1s", "P1M1Y", " P1D"],
)
def test_no_duration(text: str) -> None:
    assert not formats.is_duration(text)


@given(st.timedeltas(min_value=timedelta(0)))
def test_what_the_client_of_open_edx_writes_is_a_duration(value: timedelta) -> None:
    from tincan.conversions.iso8601 import jsonify_timedelta

    assert formats.is_duration(jsonify_timedelta(value))


_ZONES = st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))


_EVER = st.datetimes(timezones=_ZONES).filter(lambda t: 1 < t.year < 9999)


@given(_EVER)
def test_a_time_is_read_as_it_was_written(value: datetime) -> None:
    found = formats.to_time(value.isoformat())
    assert found is not None
    assert found == (value, True)
    again = formats.to_time(formats.written(value))
    assert again is not None
    assert abs(again[0] - value) < timedelta(milliseconds=1)


@pytest.mark.parametrize(
    "text", ["2026-06-30", "2026-06-30T09:12", "2026-06-30 09:12:00Z", "2026-06-30T25:00:00Z",
             "2026-06-30T09:12:00-00", "2026-06-30T09:12:00-0000", "2026-06-30T09:12:00+7:00", "",
             "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"]
)  # fmt: skip
def test_no_time(text: str) -> None:
    assert formats.to_time(text) is None


def test_a_time_without_a_zone_says_so() -> None:
    assert formats.to_time("2026-06-30T09:12:00") == (
        datetime(2026, 6, 30, 9, 12, tzinfo=UTC),
        False,
    )


AGENTS = [{"mbox": "mailto:a@Example.org"}, {"mbox": "mailto:b@example.org"}]
TEAM: Json = {"objectType": "Group", "member": AGENTS}
SAME = [
    ("id", "7d6f1a52-0f6e-4f0b-9a43-3d8d7c2b1e10", ...),
    ("stored", "2026-06-30T09:12:00Z", ...),
    ("authority", AGENTS[0], AGENTS[1]),
    ("version", "1.0.0", "1.0.3"),
    ("verb/display", {"en": "a"}, {"en": "b"}),
    ("object/definition", {"name": {"en": "a"}}, ...),
    ("attachments", [], ...),
    ("actor", {"mbox": "mailto:a@EXAMPLE.org"}, {"mbox": "mailto:a@example.org"}),
    ("actor", {"mbox_sha1sum": "A" * 40}, {"mbox_sha1sum": "a" * 40}),
    ("context/team", TEAM, {**TEAM, "member": AGENTS[::-1]}),
    ("context/registration", "7D6F1A52-0f6e-4f0b-9a43-3d8d7c2b1e10", "7d6f1a52-0f6e-4f0b-9a43-3d8d7c2b1e10"),
    ("context/contextActivities", {"parent": {"id": "https://e.org/a"}}, {"parent": [{"id": "https://e.org/a"}]}),
    ("result/duration", "PT1.234S", "PT1.239S"),
    ("result/score", {"raw": 1}, {"raw": 1.0}),
]  # fmt: skip
OTHER = [
    ("verb/id", "https://e.org/a", "https://e.org/b"),
    ("object/id", "https://e.org/a", "https://e.org/b"),
    ("actor/account/name", "a", "A"),
    ("actor/name", "a", "b"),
    ("actor", {"mbox": "mailto:A@example.org"}, {"mbox": "mailto:a@example.org"}),
    ("result/duration", "PT60S", "PT1M"),
    ("result/duration", "PT1.23S", "PT1.24S"),
    ("result/success", True, False),
    ("result/response", "", ...),
    ("context/extensions", {"https://e.org/a": None}, {}),
    ("context/contextActivities", {"parent": {"id": "https://e.org/a"}}, {"other": {"id": "https://e.org/a"}}),
    ("context/revision", "1", "2"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "one", "other"), SAME)
def test_same(path: str, one: object, other: object) -> None:
    first = statement()
    assert canonical(put(first, path, one)) == canonical(put(first, path, other))


@pytest.mark.parametrize(("path", "one", "other"), OTHER)
def test_other(path: str, one: object, other: object) -> None:
    first = statement()
    assert canonical(put(first, path, one)) != canonical(put(first, path, other))
