"""Entries as a calendar (RFC 5545). Pure."""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from icalendar import Calendar, Event, Timezone, TimezoneStandard, Todo

from services.registry.agenda.entries import Entry
from services.registry.tables.export import SANDBOX

MEDIA_TYPE = "text/calendar; charset=utf-8"
CATEGORY = {
    "duty": "Báo cáo",
    "review": "Rà soát",
    "task": "Nhiệm vụ",
    "campaign": "Đợt thực hiện",
    "national_day": "Ngày Chuyển đổi số",
}
_NEVER = datetime(2000, 1, 1, tzinfo=UTC)


def to_ical(
    title_vi: str, entries: Iterable[Entry], now: datetime, *, sandbox: bool = False
) -> bytes:
    """All-day entries; what has no day is a to-do without one. `now`: when it is written (DTSTAMP,
    UTC). UIDs are stable, SEQUENCE grows with what the plan says; valid also without entries."""
    return stamped(undated(title_vi, entries, sandbox=sandbox), now)


def undated(title_vi: str, entries: Iterable[Entry], *, sandbox: bool = False) -> bytes:
    """The calendar as if it were written in the year 2000: all that it says but when."""
    calendar = Calendar()
    calendar.add("prodid", "-//hocvuso//registry//VI")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", f"{SANDBOX}: {title_vi}" if sandbox else title_vi)
    calendar.add_component(_vietnam())
    for one in entries:
        calendar.add_component(_component(one, _NEVER))
    return bytes(calendar.to_ical())


def stamped(body: bytes, now: datetime) -> bytes:
    """An undated calendar, written now."""
    line = b"\r\nDTSTAMP:"
    told = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ").encode()
    return body.replace(line + b"20000101T000000Z", line + told)


def tag(body: bytes) -> str:
    """The ETag of an undated calendar."""
    return f'W/"{hashlib.sha256(body).hexdigest()[:20]}"'


def _component(one: Entry, stamp: datetime) -> Event | Todo:
    found = Event() if one.first is not None and one.last is not None else Todo()
    found.add("uid", one.uid)
    found.add("dtstamp", stamp)
    if one.first is not None and one.last is not None:
        found.add("dtstart", one.first)
        found.add("dtend", one.last + timedelta(days=1))  # the end is not included
        found.add("transp", "TRANSPARENT")
        found.add("status", "CANCELLED" if one.cancelled else "CONFIRMED")
    else:
        found.add("status", "NEEDS-ACTION")
    found.add("sequence", one.revision)
    found.add("summary", f"Đã bỏ: {one.title_vi}" if one.cancelled else one.title_vi)
    found.add("description", one.details_vi)
    found.add("categories", [CATEGORY[one.kind]])
    return found


def _vietnam() -> Timezone:
    """The zone in which days begin and end; with it a calendar has the component it must have."""
    zone, standard = Timezone(), TimezoneStandard()
    # Local time without an offset, as RFC 5545 wants it.
    zone.add("tzid", "Asia/Ho_Chi_Minh")
    standard.add("dtstart", datetime(1970, 1, 1))  # noqa: DTZ001
    standard.add("tzoffsetfrom", timedelta(hours=7))
    standard.add("tzoffsetto", timedelta(hours=7))
    standard.add("tzname", "+07")
    zone.add_component(standard)
    return zone
